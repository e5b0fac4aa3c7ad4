extension OpenAPIDescription {
  /// What the calls about isolations answer with.
  static let isolationSchemas = #"""
        Isolation:
          type: object
          required: [id, alert, target, action, mode, status, started_at, effective_at, release_at, released_at, why]
          properties:
            id:
              type: string
            alert:
              description: The alert that it answers; null where a person asked for it.
              type: [string, 'null']
            target:
              description: One value of one dimension, and its tenant where it is of one.
              type: object
              additionalProperties:
                type: string
            action:
              type: string
              enum: [observe, degrade, throttle, isolate]
            mode:
              type: string
              enum: [dry_run, enforced]
            status:
              type: string
              enum: [proposed, applying, active, releasing, released, refused, lapsed]
            started_at:
              type: string
              format: date-time
            effective_at:
              description: When it was in force first; null in a dry run.
              type: [string, 'null']
              format: date-time
            release_at:
              description: When it ends by itself.
              type: string
              format: date-time
            released_at:
              description: When the target was given back everywhere.
              type: [string, 'null']
              format: date-time
            why:
              description: The chain of evidence, a sentence each.
              type: array
              items:
                type: string
        IsolationDetails:
          type: object
          required: [isolation, policy, repetition, actor, released_by, saved_usd_estimated, hooks, guardrails, calls, incident, audit]
          properties:
            isolation:
              $ref: '#/components/schemas/Isolation'
            policy:
              type: string
            repetition:
              type: integer
            actor:
              type: string
            released_by:
              type: [string, 'null']
            saved_usd_estimated:
              description: Decimal text; the incident's excess an hour times the time in force.
              type: [string, 'null']
            hooks:
              type: array
              items:
                type: string
            guardrails:
              type: array
              items:
                type: object
            calls:
              type: array
              items:
                type: object
            incident:
              type: [object, 'null']
            audit:
              type: array
              items:
                type: object
        IsolationState:
          type: object
          required: [isolations, mode, turned_by, turned_at]
          properties:
            isolations:
              type: string
              enum: ['on', 'off']
            mode:
              type: string
              enum: [dry_run, enforced]
            turned_by:
              type: [string, 'null']
            turned_at:
              type: [string, 'null']
              format: date-time
        AuditFinding:
          type: object
          required: [intact, entries, head, fault]
          properties:
            intact:
              type: boolean
            entries:
              type: integer
            head:
              description: COUNT:HASH; noted elsewhere it makes a log that was written anew visible.
              type: string
            fault:
              description: The first thing that does not fit.
              type: [string, 'null']

    """#
}
