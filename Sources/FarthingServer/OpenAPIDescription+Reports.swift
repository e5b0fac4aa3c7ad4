extension OpenAPIDescription {
  /// Answers over all that is stored: reports, the inventory, budgets.
  static let reportCalls = #"""
      /v1/report:
        get:
          tags: [questions]
          operationId: report
          summary: The review of a week or a month
          description: >-
            Unit costs of a period against the one before and with the trend of five: what changed and why, by workload and
            model, what was avoidable, incidents, budgets with the forecast, price coverage, and what to do. Made of one state
            of the store. Without times: the last week that is over.
          parameters:
            - name: period
              in: query
              description: A week from Monday or a calendar month; exactly since to until where both are given.
              schema:
                type: string
                enum: [weekly, monthly]
            - $ref: '#/components/parameters/since'
            - $ref: '#/components/parameters/until'
            - $ref: '#/components/parameters/where'
            - $ref: '#/components/parameters/tz'
            - $ref: '#/components/parameters/prices'
            - name: output
              in: query
              description: How it is written; JSON where it is not given.
              schema:
                type: string
                enum: [json, markdown, html]
          responses:
            '200':
              description: The report.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Report'
                text/markdown:
                  schema:
                    type: string
                text/html:
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
      /v1/inventory:
        get:
          tags: [questions]
          operationId: inventory
          summary: Everything that requests ever named
          description: Every endpoint, model, provider, identity and site, when it was first and last seen, what it cost, who owns it, and what is odd about it, by the registries of the configuration.
          parameters:
            - name: by
              in: query
              description: Which lists, with commas between them; all where it is not given.
              schema:
                type: string
              example: endpoint,identity
            - $ref: '#/components/parameters/where'
            - $ref: '#/components/parameters/since'
            - $ref: '#/components/parameters/until'
            - name: owner_tag
              in: query
              description: The tag that names owners; else the configuration's.
              schema:
                type: string
              example: team
            - name: flagged
              in: query
              description: Only what has a flag.
              schema:
                type: boolean
            - $ref: '#/components/parameters/limit'
            - $ref: '#/components/parameters/output'
          responses:
            '200':
              description: One object for each thing, list by list, in each the most expensive first.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Inventory'
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
            '500':
              $ref: '#/components/responses/fault'
            '503':
              $ref: '#/components/responses/later'
      /v1/budgets:
        get:
          tags: [questions]
          operationId: budgets
          summary: How the budgets of the configuration stand
          description: Spent, remaining, the forecast with its band, and the state, one object for each budget.
          parameters:
            - name: at
              in: query
              description: Time at which to look; now where it is not given.
              schema:
                type: string
              example: 2026-03-09T10:00:00Z
            - $ref: '#/components/parameters/output'
          responses:
            '200':
              description: One object for each budget, in the order of the configuration.
              content:
                application/json:
                  schema:
                    $ref: '#/components/schemas/Budgets'
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
}
