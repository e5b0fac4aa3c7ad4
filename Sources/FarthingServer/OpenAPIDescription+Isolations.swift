extension OpenAPIDescription {
  /// The calls about isolations, and the question of gateways.
  static let isolationCalls = #"""
      /v1/decision:
        get:
          tags: [isolations]
          operationId: decision
          summary: May this call be made now?
          description: >-
            For the forward authentication of proxies, which set the headers themselves. Answered from memory; a
            header that is absent says nothing, one that is there twice counts with each value.
          parameters:
            - name: X-Farthing-Identity
              in: header
              description: Who calls, as events name it.
              schema:
                type: string
            - name: X-Farthing-Endpoint
              in: header
              description: What is called.
              schema:
                type: string
            - name: X-Farthing-Tenant
              in: header
              description: Whose call it is; where it is absent, anybody's.
              schema:
                type: string
            - name: X-Farthing-Model
              in: header
              description: The model as the gateway routes it.
              schema:
                type: string
            - name: X-Farthing-Site
              in: header
              description: Where it is served.
              schema:
                type: string
            - name: allow
              in: query
              description: The status of a yes, for proxies that take 200 alone for one.
              schema:
                type: string
                enum: ['204', '200']
          responses:
            '200':
              description: The same as 204, where allow asks for it.
            '204':
              description: Yes; with X-Farthing-Action the cache or another model is to answer.
              headers:
                X-Farthing-Action:
                  description: degrade, where it is there.
                  schema:
                    type: string
                X-Farthing-Model:
                  description: The model that is to answer; where it is absent, the cache.
                  schema:
                    type: string
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              description: No, it is isolated (code isolated); or the token lacks the scope read (code forbidden).
              headers:
                X-Farthing-Isolation:
                  description: The isolation's id, where there is one.
                  schema:
                    type: string
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Fault'
            '404':
              $ref: '#/components/responses/fault'
            '429':
              description: Not now, it is throttled; or the token's own rate is used up. Retry-After says when.
              headers:
                Retry-After:
                  description: Seconds.
                  schema:
                    type: integer
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Fault'
            '503':
              $ref: '#/components/responses/later'
        post:
          tags: [isolations]
          operationId: decisionOfPost
          summary: The same, for proxies that ask by the method of the call itself
          description: >-
            For the forward authentication of proxies, which set the headers themselves. Answered from memory; a
            header that is absent says nothing, one that is there twice counts with each value.
          parameters:
            - name: X-Farthing-Identity
              in: header
              description: Who calls, as events name it.
              schema:
                type: string
            - name: X-Farthing-Endpoint
              in: header
              description: What is called.
              schema:
                type: string
            - name: X-Farthing-Tenant
              in: header
              description: Whose call it is; where it is absent, anybody's.
              schema:
                type: string
            - name: X-Farthing-Model
              in: header
              description: The model as the gateway routes it.
              schema:
                type: string
            - name: X-Farthing-Site
              in: header
              description: Where it is served.
              schema:
                type: string
            - name: allow
              in: query
              description: The status of a yes, for proxies that take 200 alone for one.
              schema:
                type: string
                enum: ['204', '200']
          responses:
            '200':
              description: The same as 204, where allow asks for it.
            '204':
              description: Yes; with X-Farthing-Action the cache or another model is to answer.
              headers:
                X-Farthing-Action:
                  description: degrade, where it is there.
                  schema:
                    type: string
                X-Farthing-Model:
                  description: The model that is to answer; where it is absent, the cache.
                  schema:
                    type: string
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              description: No, it is isolated (code isolated); or the token lacks the scope read (code forbidden).
              headers:
                X-Farthing-Isolation:
                  description: The isolation's id, where there is one.
                  schema:
                    type: string
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Fault'
            '404':
              $ref: '#/components/responses/fault'
            '408':
              $ref: '#/components/responses/fault'
            '413':
              $ref: '#/components/responses/tooLarge'
            '429':
              description: Not now, it is throttled; or the token's own rate is used up. Retry-After says when.
              headers:
                Retry-After:
                  description: Seconds.
                  schema:
                    type: integer
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Fault'
            '503':
              $ref: '#/components/responses/later'
      /v1/isolations:
        get:
          tags: [isolations]
          operationId: isolations
          summary: What is and was kept from calling
          description: >-
            The earliest first; of a limited number the latest. What a guardrail did not let be shows where status
            asks for refused.
          parameters:
            - name: status
              in: query
              description: Any of proposed, applying, active, releasing, released, refused, lapsed, joined by commas.
              schema:
                type: string
              example: proposed,active
            - name: since
              in: query
              description: Those that began or changed since; RFC 3339, a date, or 24h, 7d ago.
              schema:
                type: string
            - name: limit
              in: query
              description: Most isolations.
              schema:
                type: integer
                minimum: 1
                maximum: 999999
          responses:
            '200':
              description: The isolations.
              content:
                application/json:
                  schema:
                    type: array
                    items:
                      $ref: '#/components/schemas/Isolation'
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
          tags: [isolations]
          operationId: isolate
          summary: Isolate something by hand
          description: >-
            In a dry run it is only written down.
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  required: [target]
                  properties:
                    target:
                      description: One of identity, endpoint, model and site; tenant narrows it.
                      type: object
                      additionalProperties: false
                      properties:
                        identity:
                          type: string
                        endpoint:
                          type: string
                        model:
                          type: string
                        site:
                          type: string
                        tenant:
                          type: [string, 'null']
                    action:
                      type: string
                      enum: [observe, degrade, throttle, isolate]
                    duration:
                      description: From 1s to 30d; an hour where it is absent.
                      type: string
                    reason:
                      type: [string, 'null']
                    degrade_model:
                      type: [string, 'null']
                    calls_per_minute:
                      type: integer
                      minimum: 1
                      maximum: 1000000
          responses:
            '200':
              description: The isolation.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationDetails'
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
      /v1/isolations/state:
        get:
          tags: [isolations]
          operationId: isolationState
          summary: Whether isolations are on
          responses:
            '200':
              description: The kill switch and the mode.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationState'
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
      /v1/isolations/verify:
        get:
          tags: [isolations]
          operationId: verifyIsolations
          summary: Check the audit log
          parameters:
            - name: head
              in: query
              description: COUNT:HASH as an earlier check printed it; the log has to go through it.
              schema:
                type: string
          responses:
            '200':
              description: What was found.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/AuditFinding'
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
      /v1/isolations/off:
        post:
          tags: [isolations]
          operationId: isolationsOff
          summary: Give everything back, and isolate nothing
          requestBody:
            required: false
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  properties: {}
          responses:
            '200':
              description: The kill switch as it is now.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationState'
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
      /v1/isolations/on:
        post:
          tags: [isolations]
          operationId: isolationsOn
          summary: Let policies isolate again
          requestBody:
            required: false
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  properties: {}
          responses:
            '200':
              description: The kill switch as it is now.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationState'
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
      /v1/isolations/{id}:
        get:
          tags: [isolations]
          operationId: isolation
          summary: All of one isolation
          parameters:
            - $ref: '#/components/parameters/isolationID'
          responses:
            '200':
              description: The isolation with its evidence, guardrails, calls and lines of the audit log.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationDetails'
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
      /v1/isolations/{id}/release:
        post:
          tags: [isolations]
          operationId: releaseIsolation
          summary: Give a target back, or decline a proposal
          parameters:
            - $ref: '#/components/parameters/isolationID'
          requestBody:
            required: false
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  properties: {}
          responses:
            '200':
              description: The isolation as it is now.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationDetails'
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
      /v1/isolations/{id}/approve:
        post:
          tags: [isolations]
          operationId: approveIsolation
          summary: Agree to a proposal
          parameters:
            - $ref: '#/components/parameters/isolationID'
          requestBody:
            required: false
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  properties: {}
          responses:
            '200':
              description: The isolation as it is now.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationDetails'
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
      /v1/isolations/{id}/extend:
        post:
          tags: [isolations]
          operationId: extendIsolation
          summary: Let an isolation end so long from now
          parameters:
            - $ref: '#/components/parameters/isolationID'
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties: false
                  required: [duration]
                  properties:
                    duration:
                      description: From 1s to 30d.
                      type: string
          responses:
            '200':
              description: The isolation as it is now.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/IsolationDetails'
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
}
