extension OpenAPIDescription {
  /// SQL, and what is known of prices.
  static let callsAboutPrices = #"""
      /v1/sql:
        post:
          tags: [questions]
          operationId: sql
          summary: Read-only SQL over the stored events
          description: As farthing sql. The body is one SELECT, WITH, VALUES or EXPLAIN.
          parameters:
            - name: timeout
              in: query
              description: Seconds after which the statement is ended, at most 300.
              schema:
                type: number
                exclusiveMinimum: 0
                maximum: 1000000000
                default: 30
            - $ref: '#/components/parameters/drawn'
            - $ref: '#/components/parameters/contentEncoding'
          requestBody:
            description: The statement, at most 1 MiB.
            required: true
            content:
              text/plain:
                schema:
                  type: string
          responses:
            '200':
              $ref: '#/components/responses/shown'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '408':
              $ref: '#/components/responses/fault'
            '413':
              $ref: '#/components/responses/tooLarge'
            '415':
              $ref: '#/components/responses/unsupported'
            '422':
              $ref: '#/components/responses/fault'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/prices:
        get:
          tags: [questions]
          operationId: prices
          summary: The price lists in force, or the cards that name a model
          parameters:
            - name: model
              in: query
              description: Part of a model's name.
              schema:
                type: string
            - $ref: '#/components/parameters/drawn'
          responses:
            '200':
              $ref: '#/components/responses/shown'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
        post:
          tags: [operation]
          operationId: importPrices
          summary: Add a price list
          description: >-
            As farthing prices import: for each model that it names the list wins over earlier ones, for what
            arrives from then on. Needs the scope act.
          parameters:
            - name: name
              in: query
              description: Name of the list in the store.
              schema:
                type: string
                default: posted
            - name: format
              in: query
              description: Told by the list where absent.
              schema:
                type: string
                enum: [litellm, genai-prices, yaml]
            - name: from
              in: query
              description: Since when a list without dates of its own holds; RFC 3339, a date, or 24h, 7d ago.
              schema:
                type: string
            - name: check
              in: query
              description: Only look whether it can be imported.
              schema:
                type: string
                enum: ['true', 'false']
            - $ref: '#/components/parameters/contentEncoding'
          requestBody:
            description: The list.
            required: true
            content:
              application/json:
                schema: {}
              application/yaml:
                schema: {}
              text/plain:
                schema:
                  type: string
          responses:
            '200':
              description: The list is in force and durable, or was only checked.
              content:
                application/json:
                  schema:
                    type: object
                    required: [name, format, cards, imported, warnings]
                    properties:
                      name: {type: string}
                      format: {type: string}
                      cards: {type: integer, minimum: 0}
                      imported: {type: boolean}
                      warnings:
                        description: Entries whose price cannot be used; their models have none.
                        type: array
                        items: {type: string}
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '408':
              $ref: '#/components/responses/fault'
            '413':
              $ref: '#/components/responses/tooLarge'
            '415':
              $ref: '#/components/responses/unsupported'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/prices/show:
        get:
          tags: [questions]
          operationId: price
          summary: The price in force for a model, part by part
          description: Farthing-Note says which card it is and where that is from.
          parameters:
            - {name: model, in: query, required: true, description: The model as events name it., schema: {type: string, minLength: 1}, example: gpt-4o}
            - {name: provider, in: query, schema: {type: string}}
            - {name: tier, in: query, description: Service tier., schema: {type: string}}
            - {name: batch, in: query, description: The price of a batch API., schema: {type: string, enum: ['true', 'false']}}
            - {name: site, in: query, schema: {type: string}}
            - {name: tenant, in: query, schema: {type: string}}
            - {name: at, in: query, description: When the call started; now where absent., schema: {type: string}}
            - $ref: '#/components/parameters/drawn'
          responses:
            '200':
              $ref: '#/components/responses/shown'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '422':
              $ref: '#/components/responses/fault'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /v1/prices/missing:
        get:
          tags: [questions]
          operationId: missingPrices
          summary: Models in the store that have no price
          parameters:
            - $ref: '#/components/parameters/drawn'
          responses:
            '200':
              $ref: '#/components/responses/shown'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '422':
              $ref: '#/components/responses/fault'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
    """#
}
