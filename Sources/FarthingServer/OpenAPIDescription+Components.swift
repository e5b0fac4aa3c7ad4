extension OpenAPIDescription {
  /// What the calls refer to.
  static let components = #"""
    components:
      securitySchemes:
        token:
          type: http
          scheme: bearer
      parameters:
        contentEncoding:
          name: Content-Encoding
          in: header
          description: How the body is compressed; an empty list says that it is not.
          schema:
            type: string
            enum: ['', identity, gzip, x-gzip, zstd]
        where:
          name: where
          in: query
          description: Filter.
          schema:
            type: string
          example: site = 'sin1' and input_tokens > 8000
        since:
          name: since
          in: query
          description: Start of the window, itself included; RFC 3339, a date, or 24h, 7d ago.
          schema:
            type: string
        until:
          name: until
          in: query
          description: End of the window, itself excluded.
          schema:
            type: string
        limit:
          name: limit
          in: query
          description: Most rows.
          schema:
            type: integer
            minimum: 0
        alertID:
          name: id
          in: path
          required: true
          description: The alert's id, or enough of its beginning.
          schema:
            type: string
        isolationID:
          name: id
          in: path
          required: true
          description: The isolation's id, or enough of its beginning.
          schema:
            type: string
        tz:
          name: tz
          in: query
          description: Zone that buckets and dates are aligned in; UTC where absent.
          schema:
            type: string
          example: Europe/Berlin
        prices:
          name: prices
          in: query
          description: Costs as now known, or as booked on arrival.
          schema:
            type: string
            enum: [current, booked]
        output:
          name: output
          in: query
          schema:
            type: string
            enum: [json, csv]
            default: json
        drawn:
          name: output
          in: query
          description: table and chart are drawn as text.
          schema:
            type: string
            enum: [json, csv, table, chart]
            default: json
      requestBodies:
        events:
          description: At most 20 MiB after decompression by default.
          required: false
          content:
            application/json:
              schema: {}
            application/x-ndjson:
              schema:
                type: string
            application/ndjson:
              schema:
                type: string
            text/plain:
              schema:
                type: string
        otlp:
          description: An export request of the signal.
          required: true
          content:
            application/x-protobuf:
              schema:
                type: string
                format: binary
            application/json:
              schema:
                type: object
      responses:
        otlp:
          description: An export response; partial where something was rejected.
          content:
            application/x-protobuf:
              schema:
                type: string
                format: binary
            application/json:
              schema:
                type: object
        otlpFault:
          description: A google.rpc.Status; nothing was taken. With 429 and 503 comes Retry-After.
          content:
            application/x-protobuf:
              schema:
                type: string
                format: binary
            application/json:
              schema:
                type: object
        answer:
          description: The rows, all of them. Farthing-Warning says what they lack, if anything.
          headers:
            Farthing-Warning:
              description: What the answer lacks, a sentence.
              schema:
                type: string
            Farthing-Incomplete:
              description: Present where rows are missing that a damaged file holds.
              schema:
                type: string
          content:
            application/json:
              schema:
                type: array
                items:
                  type: object
            text/csv:
              schema:
                type: string
        shown:
          description: The rows. Farthing-Note says what a reader is told beside them.
          headers:
            Farthing-Note:
              schema:
                type: string
            Farthing-Warning:
              schema:
                type: string
          content:
            application/json:
              schema:
                type: array
                items:
                  type: object
            text/csv:
              schema:
                type: string
            text/plain:
              schema:
                type: string
        status:
          description: All is well.
          content:
            application/json:
              schema:
                type: object
                required: [status]
                properties:
                  status:
                    type: string
        fault:
          description: The request is not right, and the message says how.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Fault'
        unauthorized:
          description: No token, or none that is known.
          headers:
            WWW-Authenticate:
              schema:
                type: string
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Fault'
        forbidden:
          description: The token may not do this.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Fault'
        tooLarge:
          description: The body is larger than the limit.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Fault'
        unsupported:
          description: The body is of a type, charset or encoding that is not taken.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Fault'
        later:
          description: Not now; nothing was acknowledged, and the same request may succeed later.
          headers:
            Retry-After:
              description: Seconds.
              schema:
                type: integer
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Fault'
      schemas:
        Agents:
          type: object
          required: [agents]
          properties:
            agents:
              type: array
              items:
                type: object
                required: [agent, spool, last_contact, lag_seconds, stored_record]
                properties:
                  agent: {type: string}
                  version: {type: [string, 'null']}
                  spool: {type: string}
                  last_contact:
                    description: Unix seconds; null where it has not called since the server was started.
                    type: [number, 'null']
                  lag_seconds:
                    description: Age of the oldest event that may still be at the agent.
                    type: [number, 'null']
                  waiting_events: {type: [integer, 'null']}
                  spool_bytes: {type: [integer, 'null']}
                  spool_capacity_bytes: {type: [integer, 'null']}
                  lost_records: {type: [integer, 'null']}
                  missing_records: {type: integer}
                  stored_record: {type: integer}
                  accepted: {type: integer}
                  duplicates: {type: integer}
                  rejected: {type: integer}
        Report:
          description: >-
            An array of rows for each table; a table without anything to say is not there. Money is exact decimal text in
            dollars; rows of totals stand in figures alone.
          type: object
          required: [report, periods, findings, figures]
          properties:
            report:
              type: array
              minItems: 1
              maxItems: 1
              items:
                type: object
                required: [title, period, since, until, end, is_over, zone, where, prices, made_at, cautions]
                properties:
                  title:
                    type: string
                  period:
                    type: string
                    enum: [week, month, span]
                  since:
                    type: string
                    format: date-time
                  until:
                    type: string
                    format: date-time
                  end:
                    type: string
                    format: date-time
                  is_over:
                    type: boolean
                  zone:
                    type: string
                  where:
                    type: [string, 'null']
                  prices:
                    type: string
                    enum: [current, booked]
                  made_at:
                    type: string
                    format: date-time
                  cautions:
                    type: [string, 'null']
            periods:
              type: array
              items:
                type: object
                required: [name, since, until]
            findings:
              type: array
              items:
                type: object
                required: [tone, title, text, advice, section]
            figures:
              type: array
              items:
                type: object
                required: [figure, now, before, change]
          additionalProperties:
            type: array
            items:
              type: object
        Inventory:
          type: array
          items:
            type: object
            required: [kind, name, first_seen, last_seen, requests, cost, unpriced_requests, owner, flags, why]
            properties:
              kind: {type: string, enum: [endpoint, model, provider, identity, site]}
              name: {type: string}
              first_seen: {type: string}
              last_seen: {type: string}
              requests: {type: integer}
              cost: {description: 'US dollars, exact; requests without a price are not in it.', type: string}
              unpriced_requests: {type: integer}
              owner: {type: [string, 'null']}
              flags: {description: 'Of shadow, zombie, jurisdiction, new and idle, with commas between them.', type: [string, 'null']}
              why: {type: [string, 'null']}
        Budgets:
          type: array
          items:
            type: object
            required: [name, state, spent, amount, share, remaining, period, start, end, requests, unpriced_requests]
            properties:
              name: {type: string}
              state: {description: The worst that holds., type: string, enum: [ok, forecast, burning, soft, hard]}
              spent: {description: 'US dollars, exact; requests without a price are not in it.', type: string}
              amount: {type: string}
              share: {description: Spent of the amount., type: number}
              remaining: {description: Negative once the amount is exceeded., type: string}
              forecast: {description: US dollars by the end of the period; null where nothing can be said., type: [string, 'null']}
              forecast_low: {description: The band holds four times out of five., type: [string, 'null']}
              forecast_high: {type: [string, 'null']}
              forecast_method: {type: string, enum: [weekly, linear, unknown]}
              exceeded_at: {type: [string, 'null']}
              exceeded_earliest: {type: [string, 'null']}
              exceeded_latest: {type: [string, 'null']}
              burn_rate: {description: Spent as a multiple of the even rate so far., type: [number, 'null']}
              elapsed: {description: Share of the period that is over., type: number}
              period: {type: string}
              start: {type: string}
              end: {type: string}
              requests: {type: integer}
              unpriced_requests: {type: integer}
              owner: {type: [string, 'null']}
              where: {type: [string, 'null']}
        Explanation:
          type: object
          required: [summary, periods, bridge, contributors, unpriced]
          properties:
            summary:
              description: One row.
              type: array
              items:
                type: object
                required: [before, after, change, sentence]
                properties:
                  before: {description: 'US dollars, exact.', type: string}
                  after: {type: string}
                  change: {type: string}
                  sentence: {type: string}
            periods:
              description: The period before and the one after.
              type: array
              items:
                type: object
                required: [period, since, until, cost, requests, unpriced_requests]
                properties:
                  period: {type: string, enum: [before, after]}
                  since: {type: string}
                  until: {type: string}
                  cost: {type: string}
                  requests: {type: integer}
                  unpriced_requests: {type: integer}
            bridge:
              description: One row for each part, always in this order; the changes sum to that of the summary.
              type: array
              items:
                type: object
                required: [part, change, share, figure, unit, before, after]
                properties:
                  part:
                    type: string
                    enum: [volume, workload_mix, site_mix, model_mix, retries_and_errors, input_tokens, output_tokens, units, cache_hits, price]
                  change: {description: 'US dollars, exact.', type: string}
                  share: {description: Of the whole change., type: [number, 'null']}
                  figure: {description: What before and after are of., type: [string, 'null']}
                  unit: {type: [string, 'null'], enum: [count, share, number, null]}
                  before: {type: [number, 'null']}
                  after: {type: [number, 'null']}
            contributors:
              description: The largest changes of each dimension, and the others as one row; each dimension sums to the change.
              type: array
              items:
                type: object
                required: [dimension, value, others, before, after, change, requests_before, requests_after]
                properties:
                  dimension: {type: string}
                  value: {type: [string, 'null']}
                  others: {description: How many values the row is of; null for one., type: [integer, 'null']}
                  before: {type: string}
                  after: {type: string}
                  change: {type: string}
                  requests_before: {type: integer}
                  requests_after: {type: integer}
            unpriced:
              description: Models whose requests have no price, with their requests.
              type: array
              items:
                type: object
                required: [model, before, after]
                properties:
                  model: {type: [string, 'null']}
                  before: {type: integer}
                  after: {type: integer}
        Fault:
          type: object
          required: [error]
          properties:
            error:
              type: object
              required: [code, message]
              properties:
                code:
                  type: string
                message:
                  type: string
        Receipt:
          type: object
          required: [accepted, duplicates, rejected, errors, warnings]
          properties:
            accepted:
              type: integer
              minimum: 0
            duplicates:
              type: integer
              minimum: 0
            rejected:
              type: integer
              minimum: 0
            errors:
              description: The first refusals, 1,000 by default.
              type: array
              items:
                type: object
                required: [line, field, value, expected]
                properties:
                  line:
                    type: integer
                    minimum: 1
                  field:
                    type: [string, 'null']
                  value:
                    type: [string, 'null']
                  expected:
                    type: string
            warnings:
              type: array
              items:
                type: object
                required: [count, message]
                properties:
                  field:
                    type: string
                  count:
                    type: integer
                  message:
                    type: string
    """#
}
