/// The description of the HTTP interface that the server serves: OpenAPI 3.1.
///
/// `docs/openapi.yaml` is the same text; a test compares the two, and the paths with the routes.
package enum OpenAPIDescription {
  package static let yaml =
    [
      calls, reportCalls, upkeepCalls, callsAboutPrices, alertCalls, isolationCalls, components,
      alertSchemas,
      isolationSchemas,
    ].joined(separator: "\n")

  private static let calls = #"""
    openapi: 3.1.0
    info:
      title: Farthing
      version: 0.1.0
      license:
        name: Apache-2.0
        identifier: Apache-2.0
      description: >-
        Exact unit costs of LLM inference. Events go in, and are acknowledged once they would survive a
        crash of the process and of the machine; questions about their costs come back as JSON or CSV.
    servers:
      - url: /
    security:
      - {}
      - token: []
    tags:
      - name: events
        description: Taking events.
      - name: questions
        description: Asking what requests cost.
      - name: alerts
        description: What was noticed, and who is told.
      - name: isolations
        description: What is kept from calling.
      - name: operation
        description: The server itself.
    paths:
      /v1/events:
        post:
          tags: [events]
          operationId: postEvents
          summary: Take events
          description: >-
            Events of the contract as JSON lines, one JSON object, or an array. An event whose id was
            accepted within seven days is a duplicate and counted once, so a body may be sent again.
          parameters:
            - $ref: '#/components/parameters/contentEncoding'
          requestBody:
            $ref: '#/components/requestBodies/events'
          responses:
            '200':
              description: Every event that is counted as accepted or as a duplicate is durable.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Receipt'
            '400':
              description: Events were refused and none was accepted or a duplicate; or the compression is damaged.
              content:
                application/json:
                  schema:
                    oneOf:
                      - $ref: '#/components/schemas/Receipt'
                      - $ref: '#/components/schemas/Fault'
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
        get:
          tags: [questions]
          operationId: getEvents
          summary: The stored requests themselves
          description: Oldest first, ties by id.
          parameters:
            - name: columns
              in: query
              description: Fields to show, joined by commas.
              schema:
                type: string
              example: time,id,model,cost
            - $ref: '#/components/parameters/where'
            - $ref: '#/components/parameters/since'
            - $ref: '#/components/parameters/until'
            - $ref: '#/components/parameters/limit'
            - $ref: '#/components/parameters/tz'
            - $ref: '#/components/parameters/prices'
            - $ref: '#/components/parameters/output'
          responses:
            '200':
              $ref: '#/components/responses/answer'
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
      /v1/collect/{name}:
        post:
          tags: [events]
          operationId: collect
          summary: Take another source's own format
          parameters:
            - name: name
              in: path
              required: true
              description: The source.
              schema:
                type: string
                enum: [events, litellm, otlp, openai, anthropic, gemini, bedrock]
            - name: Farthing-Request-Path
              in: header
              description: >-
                Of an API's answer as it came (openai, anthropic, gemini, bedrock): the path that was called. The
                answer's own fields that begin with x-amzn- are read too.
              schema: {type: string}
            - {name: Farthing-Request-Model, in: header, description: The model that was asked for., schema: {type: string}}
            - {name: Farthing-Response-Status, in: header, description: The status of the answer., schema: {type: string}}
            - $ref: '#/components/parameters/contentEncoding'
          requestBody:
            $ref: '#/components/requestBodies/events'
          responses:
            '200':
              description: As for events.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Receipt'
            '400':
              description: As for events.
              content:
                application/json:
                  schema:
                    oneOf:
                      - $ref: '#/components/schemas/Receipt'
                      - $ref: '#/components/schemas/Fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '404':
              $ref: '#/components/responses/fault'
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
      /v1/traces:
        post:
          tags: [events]
          operationId: traces
          summary: Take OTLP traces
          description: >-
            As the OTLP specification says, with its own answers. Calls are taken out of traces; metrics
            and logs are checked and repeat nothing.
          parameters:
            - $ref: '#/components/parameters/contentEncoding'
          requestBody:
            $ref: '#/components/requestBodies/otlp'
          responses:
            '200':
              $ref: '#/components/responses/otlp'
            '400':
              $ref: '#/components/responses/otlpFault'
            '401':
              $ref: '#/components/responses/otlpFault'
            '403':
              $ref: '#/components/responses/otlpFault'
            '408':
              $ref: '#/components/responses/otlpFault'
            '413':
              $ref: '#/components/responses/otlpFault'
            '415':
              $ref: '#/components/responses/otlpFault'
            '429':
              $ref: '#/components/responses/otlpFault'
            '503':
              $ref: '#/components/responses/otlpFault'
      /v1/metrics:
        post:
          tags: [events]
          operationId: metrics
          summary: Take OTLP metrics
          description: >-
            As the OTLP specification says, with its own answers. Calls are taken out of traces; metrics
            and logs are checked and repeat nothing.
          parameters:
            - $ref: '#/components/parameters/contentEncoding'
          requestBody:
            $ref: '#/components/requestBodies/otlp'
          responses:
            '200':
              $ref: '#/components/responses/otlp'
            '400':
              $ref: '#/components/responses/otlpFault'
            '401':
              $ref: '#/components/responses/otlpFault'
            '403':
              $ref: '#/components/responses/otlpFault'
            '408':
              $ref: '#/components/responses/otlpFault'
            '413':
              $ref: '#/components/responses/otlpFault'
            '415':
              $ref: '#/components/responses/otlpFault'
            '429':
              $ref: '#/components/responses/otlpFault'
            '503':
              $ref: '#/components/responses/otlpFault'
      /v1/logs:
        post:
          tags: [events]
          operationId: logs
          summary: Take OTLP logs
          description: >-
            As the OTLP specification says, with its own answers. Calls are taken out of traces; metrics
            and logs are checked and repeat nothing.
          parameters:
            - $ref: '#/components/parameters/contentEncoding'
          requestBody:
            $ref: '#/components/requestBodies/otlp'
          responses:
            '200':
              $ref: '#/components/responses/otlp'
            '400':
              $ref: '#/components/responses/otlpFault'
            '401':
              $ref: '#/components/responses/otlpFault'
            '403':
              $ref: '#/components/responses/otlpFault'
            '408':
              $ref: '#/components/responses/otlpFault'
            '413':
              $ref: '#/components/responses/otlpFault'
            '415':
              $ref: '#/components/responses/otlpFault'
            '429':
              $ref: '#/components/responses/otlpFault'
            '503':
              $ref: '#/components/responses/otlpFault'
      /v1/query:
        get:
          tags: [questions]
          operationId: query
          summary: Unit metrics by group and time
          parameters:
            - name: metrics
              in: query
              required: true
              description: Metrics, joined by commas.
              schema:
                type: string
              example: cost,cost_per_request
            - name: by
              in: query
              description: Fields to group by, joined by commas; tags.NAME too.
              schema:
                type: string
              example: model
            - name: every
              in: query
              description: Width of time buckets.
              schema:
                type: string
              example: 1h
            - name: order
              in: query
              description: Metric to order by, greatest first.
              schema:
                type: string
            - name: closed_cohort
              in: query
              description: Over the tasks that started in the window, with all their requests.
              schema:
                type: string
                enum: ['true', 'false']
            - $ref: '#/components/parameters/where'
            - $ref: '#/components/parameters/since'
            - $ref: '#/components/parameters/until'
            - $ref: '#/components/parameters/limit'
            - $ref: '#/components/parameters/tz'
            - $ref: '#/components/parameters/prices'
            - $ref: '#/components/parameters/output'
          responses:
            '200':
              $ref: '#/components/responses/answer'
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
      /v1/explain:
        get:
          tags: [questions]
          operationId: explain
          summary: The change in cost between two periods
          description: >-
            An exact bridge of volume, mixes, tokens, cache hits, price, retries and errors: the changes of its parts
            sum to the change in cost to the picodollar. Beside it the largest contributors by dimension, and requests
            without a price, which are in no part.
          parameters:
            - name: since
              in: query
              required: true
              description: Start of the period to explain, included.
              schema:
                type: string
              example: 24h
            - name: until
              in: query
              description: Its end, excluded; now where it is not given.
              schema:
                type: string
            - name: versus
              in: query
              description: >-
                Start of a period of equal length to compare with, or its start and end with a slash between. The period
                just before where it is not given.
              schema:
                type: string
              example: 2026-02-01/2026-03-01
            - name: by
              in: query
              description: Dimensions of the contributors, joined by commas; tags.NAME too.
              schema:
                type: string
              example: workload,model
            - $ref: '#/components/parameters/where'
            - $ref: '#/components/parameters/limit'
            - $ref: '#/components/parameters/tz'
            - $ref: '#/components/parameters/prices'
            - $ref: '#/components/parameters/output'
          responses:
            '200':
              description: The bridge with what stands beside it.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Explanation'
                text/csv:
                  schema:
                    type: string
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

  /// Agents, and what is asked of the server itself.
  private static let upkeepCalls = #"""
      /v1/forward:
        post:
          tags: [events]
          operationId: forward
          summary: Take what an agent forwards
          description: >-
            Records of an agent's spool, in order. Called by farthing agent only. The store keeps how far it has
            each spool, so records that come again are recognised whatever their events are.
          parameters:
            - {name: Farthing-Agent, in: header, required: true, schema: {type: string}}
            - {name: Farthing-Agent-Version, in: header, schema: {type: string}}
            - {name: Farthing-Spool, in: header, required: true, schema: {type: string, pattern: '^[0-9a-fA-F]{16}$'}}
            - {name: Farthing-First, in: header, required: true, schema: {type: integer, minimum: 0}}
            - {name: Farthing-Records, in: header, required: true, schema: {type: integer, minimum: 0}}
            - {name: Farthing-Settled, in: header, required: true, schema: {type: integer, minimum: 0}}
            - {name: Farthing-Waiting-Events, in: header, required: true, schema: {type: integer, minimum: 0}}
            - {name: Farthing-Lag-Milliseconds, in: header, required: true, schema: {type: integer, minimum: 0}}
            - {name: Farthing-Spool-Bytes, in: header, required: true, schema: {type: integer, minimum: 0}}
            - {name: Farthing-Spool-Capacity, in: header, required: true, schema: {type: integer, minimum: 0}}
            - {name: Farthing-Lost-Records, in: header, required: true, schema: {type: integer, minimum: 0}}
          requestBody:
            content:
              application/vnd.farthing.sections:
                schema: {type: string, format: binary}
          responses:
            '200':
              description: Every record up to the one that Farthing-Stored names is durable.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Receipt'
            '400':
              $ref: '#/components/responses/fault'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
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
      /v1/agents:
        get:
          tags: [operation]
          operationId: agents
          summary: How the agents stand
          responses:
            '200':
              description: Every agent that has forwarded to this store, with its lag.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Agents'
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '429':
              $ref: '#/components/responses/later'
            '503':
              $ref: '#/components/responses/later'
      /metrics:
        get:
          tags: [operation]
          operationId: metrics
          summary: Prometheus exposition
          description: What the server counts of itself, and sums of the stored requests by model.
          responses:
            '200':
              description: The text format, version 0.0.4.
              content:
                text/plain:
                  schema:
                    type: string
            '401':
              $ref: '#/components/responses/unauthorized'
            '403':
              $ref: '#/components/responses/forbidden'
            '429':
              $ref: '#/components/responses/later'
      /healthz:
        get:
          tags: [operation]
          operationId: health
          summary: Liveness
          security: []
          responses:
            '200':
              $ref: '#/components/responses/status'
      /readyz:
        get:
          tags: [operation]
          operationId: readiness
          summary: Readiness
          description: Whether the store is open and recovered, and its log can be written.
          security: []
          responses:
            '200':
              $ref: '#/components/responses/status'
            '503':
              $ref: '#/components/responses/later'
      /openapi.yaml:
        get:
          tags: [operation]
          operationId: description
          summary: This description
          security: []
          responses:
            '200':
              description: OpenAPI 3.1.
              content:
                application/yaml:
                  schema:
                    type: string
    """#
}
