package import FarthingPipeline
package import FarthingQuery

/// Everything that a report is made of: answers of one snapshot, so that its parts are parts of one whole.
package struct ReportAnswers: Sendable {
  package var plan: ReportPlan
  package var period: ReportPeriod
  /// The period that was meant, where it has no request and the latest one that has is shown instead.
  package var empty: ReportPeriod?
  /// Of all requests, by window of the period.
  package var figures: [MetricValues]
  package var bucketWidth: BucketWidth
  package var current: [Bucket]
  package var previous: [Bucket]
  package var explanation: Explanation
  package var workloads: [Group]
  package var models: [Group]
  package var waste: [Waste]
  /// Pools with capacity in the period; nil where no capacity event is stored.
  package var pools: [IdlePool]?
  package var budgets: [BudgetStatus]
  /// All requests in the calendar month in which the period ends, as if it were a budget; nil where nothing can be said.
  package var forecast: BudgetStatus?
  package var ledger: ReportLedger
  /// What the answers lack, a sentence each.
  package var gaps: [String]

  /// Values by the name of their metric; none where it was not asked for.
  package struct MetricValues: Sendable, Equatable {
    package var values: [String: QueryValue] = [:]

    package subscript(name: String) -> QueryValue { values[name] ?? .null }

    /// Picodollars of a sum, 0 where there is none.
    package func money(_ name: String) -> Int128 { ReadableCells.amount(self[name]) ?? 0 }

    package func count(_ name: String) -> Int128 {
      if case .count(let count) = self[name] { count } else { 0 }
    }

    package func share(_ name: String) -> Double? {
      if case .ratio(let share) = self[name] { share } else { nil }
    }
  }

  /// A stretch of the chart over time.
  package struct Bucket: Sendable, Equatable {
    package var start: Int64
    package var cost: Int128 = 0
    package var requests: Int128 = 0
    package var unpriced: Int128 = 0
  }

  /// One value of a field, in both periods.
  package struct Group: Sendable, Equatable {
    /// nil where requests lack the field.
    package var name: String?
    package var now = MetricValues()
    package var before = MetricValues()
  }

  /// Cost that bought nothing that was kept; no request is in two kinds.
  package struct Waste: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
      case retries
      case failed
      case cancelled
      case repeatedUncached = "repeated_uncached"
      case repeatedCached = "repeated_cached"
    }

    package struct Amount: Sendable, Equatable {
      /// Picodollars.
      package var cost: Int128 = 0
      package var requests: Int128 = 0
      /// Of them, those whose cost is unknown.
      package var unpriced: Int128 = 0
    }

    package var kind: Kind
    package var now: Amount
    package var before: Amount
    /// The workload with most of it, and how much; nil where there is nothing.
    package var most: (name: String?, cost: Int128)?

    package static func == (left: Waste, right: Waste) -> Bool {
      left.kind == right.kind && left.now == right.now && left.before == right.before
        && left.most?.name == right.most?.name && left.most?.cost == right.most?.cost
    }
  }

  /// A capacity pool, and its hours in which no request named its site and model.
  package struct IdlePool: Sendable, Equatable {
    package var site: String
    package var pool: String
    package var model: String?
    /// Picodollars in the period.
    package var cost: Int128
    package var idleCost: Int128
    /// Nanoseconds.
    package var time: Int64
    package var idleTime: Int64
  }
}

/// What the alerts' ledger has to say.
package struct ReportLedger: Sendable, Equatable {
  /// Whether anything watches this store.
  package var isKept: Bool
  package var incidents: [Incident]
  package var actions: [Action]

  package init(isKept: Bool = false, incidents: [Incident] = [], actions: [Action] = []) {
    self.isKept = isKept
    self.incidents = incidents
    self.actions = actions
  }

  package struct Incident: Sendable, Equatable {
    package var id: String
    package var kind: String
    package var severity: String
    package var status: String
    package var startedAt: Int64
    package var detectedAt: Int64
    package var resolvedAt: Int64?
    /// Dimension and value, the most telling first.
    package var slice: [(String, String)]
    package var excess: Int128?
    package var summary: String

    package static func == (left: Incident, right: Incident) -> Bool {
      left.id == right.id && left.status == right.status && left.excess == right.excess
        && left.resolvedAt == right.resolvedAt
    }
  }

  /// Something that was done about an incident, by people or by policies.
  package struct Action: Sendable, Equatable {
    package var at: Int64
    /// Such as `acknowledged`, `silenced`, `isolated`.
    package var what: String
    /// What it was done to: an alert's id, a silence's matchers, an endpoint.
    package var target: String
    package var by: String
    package var note: String?

    package init(at: Int64, what: String, target: String, by: String, note: String?) {
      self.at = at
      self.what = what
      self.target = target
      self.by = by
      self.note = note
    }
  }
}
