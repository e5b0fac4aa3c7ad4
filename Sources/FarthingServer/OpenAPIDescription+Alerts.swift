extension OpenAPIDescription {
  /// The calls about alerts.
  static let alertCalls = #"""
      /v1/alerts:
        get:
          tags: [alerts]
          operationId: alerts
          summary: What was noticed
          description: The earliest first; of a limited number the latest.
          parameters:
            - name: status
              in: query
              description: Any of pending, firing, acknowledged, silenced, resolved, joined by commas.
              schema:
                type: string
              example: firing,acknowledged
            - name: since
              in: query
              description: Those that began or changed since; RFC 3339, a date, or 24h, 7d ago.
              schema:
                type: string
            - name: match
              in: query
              description: A condition on kind, severity, metric or a dimension; all of several have to hold.
              schema:
                type: array
                items:
                  type: string
              example: ['severity=critical']
            - name: limit
              in: query
              description: Most alerts.
              schema:
                type: integer
                minimum: 1
                maximum: 999999
          responses:
            '200':
              description: The alerts.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Alert'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/alerts/{id}:
        get:
          tags: [alerts]
          operationId: alert
          summary: All of one alert
          parameters:
            - $ref: '#/components/parameters/alertID'
          responses:
            '200':
              description: The alert, who has it in hand, and every step of its history with its evidence.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/AlertDetails'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/alerts/{id}/ack:
        post:
          tags: [alerts]
          operationId: acknowledge
          summary: Have an alert in hand
          description: It is not repeated any more. Again changes nothing.
          parameters:
            - $ref: '#/components/parameters/alertID'
          requestBody:
            required: false
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  properties:
                    note:
                      type: [string, 'null']
          responses:
            '200':
              description: The alert as it is now.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/AlertDetails'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '408':
              $ref: '#/components/responses/fault'
            '409':
              $ref: '#/components/responses/fault'
            '413':
              $ref: '#/components/responses/tooLarge'
            '415':
              $ref: '#/components/responses/unsupported'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/silences:
        get:
          tags: [alerts]
          operationId: silences
          summary: The silences
          parameters:
            - name: all
              in: query
              description: Those that have ended, too.
              schema:
                type: string
                enum: ['', 'true', 'false']
          responses:
            '200':
              description: The silences, the earliest first.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Silence'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
        post:
          tags: [alerts]
          operationId: silence
          summary: Let nobody be told of some alerts for a time
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  required: [matchers]
                  properties:
                    matchers:
                      description: All have to hold.
                      type: array
                      minItems: 1
                      items:
                        type: string
                      example: ['identity=batch-7']
                    starts_at:
                      description: Now where absent.
                      type: string
                    ends_at:
                      type: string
                    duration:
                      description: Instead of ends_at.
                      type: string
                      example: 2h
                    comment:
                      type: string
          responses:
            '200':
              description: The silence, in an array of its own.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Silence'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '408':
              $ref: '#/components/responses/fault'
            '409':
              $ref: '#/components/responses/fault'
            '413':
              $ref: '#/components/responses/tooLarge'
            '415':
              $ref: '#/components/responses/unsupported'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/silences/{id}:
        delete:
          tags: [alerts]
          operationId: endSilence
          summary: End a silence now
          parameters:
            - name: id
              in: path
              required: true
              schema:
                type: string
          responses:
            '200':
              description: It has ended.
              content:
                application/json:
                  schema:
                    type: object
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '408':
              $ref: '#/components/responses/fault'
            '409':
              $ref: '#/components/responses/fault'
            '413':
              $ref: '#/components/responses/tooLarge'
            '415':
              $ref: '#/components/responses/unsupported'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/deliveries:
        get:
          tags: [alerts]
          operationId: deliveries
          summary: What came of attempts to tell receivers
          parameters:
            - name: receiver
              in: query
              description: Of one receiver.
              schema:
                type: string
            - name: limit
              in: query
              description: The latest so many; 100 where absent.
              schema:
                type: integer
                minimum: 1
                maximum: 999999
          responses:
            '200':
              description: The latest last.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/DeliveryReceipt'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/receivers/{name}/test:
        post:
          tags: [alerts]
          operationId: testReceiver
          summary: Send a receiver a test notification
          description: Answers once the first attempt is through, or after 20 seconds.
          parameters:
            - name: name
              in: path
              required: true
              description: The receiver's name in the configuration.
              schema:
                type: string
          responses:
            '200':
              description: What came of it, in an array of its own.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/DeliveryReceipt'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
            '408':
              $ref: '#/components/responses/fault'
            '409':
              $ref: '#/components/responses/fault'
            '413':
              $ref: '#/components/responses/tooLarge'
            '415':
              $ref: '#/components/responses/unsupported'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
    """#

  /// What they answer with: schemas.
  static let alertSchemas = #"""
        Alert:
          type: object
          required: [id, kind, severity, status, metric, dimensions, started_at, detected_at, resolved_at,
            expected, actual, excess_usd, usd_per_hour, summary, explanation]
          properties:
            id:
              type: string
            kind:
              type: string
            severity:
              type: string
              enum: [info, warning, critical]
            status:
              type: string
              enum: [pending, firing, acknowledged, silenced, resolved]
            metric:
              type: string
            dimensions:
              description: The narrowest slice that explains the excess.
              type: object
              additionalProperties:
                type: string
            started_at:
              type: string
              format: date-time
            detected_at:
              type: string
              format: date-time
            resolved_at:
              type: [string, 'null']
              format: date-time
            expected:
              type: [number, 'null']
            actual:
              type: [number, 'null']
            excess_usd:
              description: Exact decimal text.
              type: [string, 'null']
            usd_per_hour:
              description: The excess an hour as it goes now, an estimate.
              type: [number, 'null']
            summary:
              type: string
            explanation:
              type: array
              items:
                type: string
        AlertDetails:
          type: object
          required: [alert, examples, acknowledged, silence, history]
          properties:
            alert:
              $ref: '#/components/schemas/Alert'
            examples:
              description: The dearest requests or tasks, by id.
              type: array
              items:
                type: string
            acknowledged:
              type: [object, 'null']
            silence:
              type: [string, 'null']
            history:
              type: array
              items:
                type: object
        Silence:
          type: object
          required: [id, matchers, starts_at, ends_at, status, author, comment, created_at]
          properties:
            id:
              type: string
            matchers:
              type: array
              items:
                type: string
            starts_at:
              type: string
              format: date-time
            ends_at:
              type: string
              format: date-time
            status:
              type: string
              enum: [waiting, active, ended]
            author:
              type: string
            comment:
              type: string
            created_at:
              type: string
              format: date-time
        DeliveryReceipt:
          type: object
          required: [at, receiver, result, attempt, notification, detail]
          properties:
            at:
              type: string
              format: date-time
            receiver:
              type: string
            result:
              type: string
              enum: [delivered, failed, given_up, waiting]
            attempt:
              type: integer
            notification:
              type: string
            detail:
              type: [string, 'null']
    """#
}
