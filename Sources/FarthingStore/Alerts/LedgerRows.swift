// The rows of the ledger of alerts. What they mean is their writer's to know: this room knows which
// values are kept, looked up and ordered by, and that all of one change become durable together.

/// One incident as it is known now.
package struct AlertRow: Sendable, Equatable {
  package var id: String
  package var kind: String
  package var severity: String
  package var status: String
  /// Unix nanoseconds.
  package var startedAt: Int64
  /// Unix nanoseconds; nil while it goes on.
  package var resolvedAt: Int64?
  /// When anything of it changed last, by the clock of the process that keeps it; Unix nanoseconds.
  package var changedAt: Int64
  /// All else, as its writer reads it.
  package var body: [UInt8]

  package init(
    id: String, kind: String, severity: String, status: String, startedAt: Int64,
    resolvedAt: Int64?, changedAt: Int64, body: [UInt8]
  ) {
    self.id = id
    self.kind = kind
    self.severity = severity
    self.status = status
    self.startedAt = startedAt
    self.resolvedAt = resolvedAt
    self.changedAt = changedAt
    self.body = body
  }
}

/// That an incident went from one status to another, and why.
package struct TransitionRow: Sendable, Equatable {
  package var alert: String
  /// Unix nanoseconds of the clock of the process that keeps it.
  package var at: Int64
  /// nil where the incident is new.
  package var from: String?
  package var to: String
  /// Who or what did it: `detector`, a person's name, a silence's id.
  package var cause: String
  /// What a person wrote; nil where nobody did.
  package var note: String?
  /// What was known of the incident then, as its writer reads it.
  package var evidence: [UInt8]

  package init(
    alert: String, at: Int64, from: String?, to: String, cause: String, note: String?,
    evidence: [UInt8]
  ) {
    self.alert = alert
    self.at = at
    self.from = from
    self.to = to
    self.cause = cause
    self.note = note
    self.evidence = evidence
  }
}

/// Alerts that nobody is to be told of for a time.
package struct SilenceRow: Sendable, Equatable {
  package var id: String
  /// As its writer reads them, one a line.
  package var matchers: String
  /// Unix nanoseconds, included.
  package var startsAt: Int64
  /// Unix nanoseconds, not included.
  package var endsAt: Int64
  package var author: String
  package var comment: String
  package var createdAt: Int64

  package init(
    id: String, matchers: String, startsAt: Int64, endsAt: Int64, author: String, comment: String,
    createdAt: Int64
  ) {
    self.id = id
    self.matchers = matchers
    self.startsAt = startsAt
    self.endsAt = endsAt
    self.author = author
    self.comment = comment
    self.createdAt = createdAt
  }
}

/// What one receiver was told of one group of alerts.
package struct GroupRow: Sendable, Equatable {
  package var receiver: String
  package var key: String
  package var body: [UInt8]

  package init(receiver: String, key: String, body: [UInt8]) {
    self.receiver = receiver
    self.key = key
    self.body = body
  }
}

/// A notification that has to be delivered.
package struct MessageRow: Sendable, Equatable {
  /// One for all attempts.
  package var id: String
  package var receiver: String
  package var group: String
  /// Unix nanoseconds.
  package var createdAt: Int64
  /// Attempts so far.
  package var attempts: Int
  /// When the next attempt is due, Unix nanoseconds.
  package var dueAt: Int64
  package var body: [UInt8]

  package init(
    id: String, receiver: String, group: String, createdAt: Int64, attempts: Int, dueAt: Int64,
    body: [UInt8]
  ) {
    self.id = id
    self.receiver = receiver
    self.group = group
    self.createdAt = createdAt
    self.attempts = attempts
    self.dueAt = dueAt
    self.body = body
  }
}

/// What came of one attempt to deliver a notification.
package struct ReceiptRow: Sendable, Equatable {
  package var message: String
  package var receiver: String
  /// Unix nanoseconds.
  package var at: Int64
  /// 1-based.
  package var attempt: Int
  /// `delivered`, `failed`, `given_up` or `superseded`.
  package var result: String
  /// A sentence for a person, without secrets; nil where there is nothing to say.
  package var detail: String?

  package init(
    message: String, receiver: String, at: Int64, attempt: Int, result: String, detail: String?
  ) {
    self.message = message
    self.receiver = receiver
    self.at = at
    self.attempt = attempt
    self.result = result
    self.detail = detail
  }
}

/// What one transaction of the ledger changes.
package struct LedgerChange: Sendable, Equatable {
  /// Each replaces what is kept under its id.
  package var alerts: [AlertRow] = []
  /// Pending incidents that came to nothing; their transitions stay.
  package var removedAlerts: [String] = []
  package var transitions: [TransitionRow] = []
  /// Each replaces what is kept under its id.
  package var silences: [SilenceRow] = []
  package var groups: [GroupRow] = []
  package var removedGroups: [GroupRow] = []
  /// Each replaces what is kept under its id.
  package var messages: [MessageRow] = []
  package var removedMessages: [String] = []
  /// Messages that were tried in vain and are tried again.
  package var attempted: [Attempt] = []
  package var receipts: [ReceiptRow] = []
  /// Blobs by name; nil removes one.
  package var blobs: [String: [UInt8]?] = [:]

  /// How far a message has come.
  package struct Attempt: Sendable, Equatable {
    package var id: String
    package var attempts: Int
    /// Unix nanoseconds.
    package var dueAt: Int64

    package init(id: String, attempts: Int, dueAt: Int64) {
      self.id = id
      self.attempts = attempts
      self.dueAt = dueAt
    }
  }

  package init() {}

  /// Adds another change behind this one.
  package mutating func add(_ other: LedgerChange) {
    alerts += other.alerts
    removedAlerts += other.removedAlerts
    transitions += other.transitions
    silences += other.silences
    groups += other.groups
    removedGroups += other.removedGroups
    messages += other.messages
    removedMessages += other.removedMessages
    attempted += other.attempted
    receipts += other.receipts
    blobs.merge(other.blobs) { $1 }
  }

  package var isEmpty: Bool {
    alerts.isEmpty && removedAlerts.isEmpty && transitions.isEmpty && silences.isEmpty
      && groups.isEmpty && removedGroups.isEmpty && messages.isEmpty && removedMessages.isEmpty
      && attempted.isEmpty && receipts.isEmpty && blobs.isEmpty
  }
}

/// Which alerts are asked for.
package struct AlertSelection: Sendable, Equatable {
  /// Empty for all.
  package var statuses: [String] = []
  /// Those that began or changed at or after it, Unix nanoseconds; nil for all.
  package var since: Int64?
  /// Most rows; nil for all.
  package var limit: Int?

  package init(statuses: [String] = [], since: Int64? = nil, limit: Int? = nil) {
    self.statuses = statuses
    self.since = since
    self.limit = limit
  }
}
