/// Who or what is kept from calling: one value of one dimension, in one tenant or in all of them.
package struct IsolationTarget: Sendable, Hashable {
  /// What can be isolated, the narrowest first: whose own cause is the likeliest and whom it costs least.
  package enum Dimension: String, Sendable, Hashable, CaseIterable, Comparable {
    case identity
    case endpoint
    /// A model as the gateway routes it.
    case model
    case site

    package static func < (left: Dimension, right: Dimension) -> Bool {
      left.breadth < right.breadth
    }

    private var breadth: Int {
      switch self {
      case .identity: 0
      case .endpoint: 1
      case .model: 2
      case .site: 3
      }
    }
  }

  package var dimension: Dimension
  /// The dimension's value as events carry it; never empty. A hash where the configuration hashes identities.
  package var value: String
  /// The tenant whose calls are meant; nil means every tenant's.
  package var tenant: String?

  package init(dimension: Dimension, value: String, tenant: String? = nil) {
    precondition(!value.isEmpty, "BUG: an empty value would isolate everything")
    self.dimension = dimension
    self.value = value
    self.tenant = tenant
  }
}

/// What is done to a target, the mildest first.
package enum IsolationAction: Sendable, Hashable {
  /// Nothing but a record.
  case observe
  /// Calls go on, answered by the cache or, where one is named, by this cheaper model.
  case degrade(model: String?)
  /// At most so many calls a minute; at least one.
  case throttle(callsPerMinute: Int)
  /// No call at all.
  case isolate
}

extension IsolationAction {
  /// The interface's word.
  package var word: String {
    switch self {
    case .observe: "observe"
    case .degrade: "degrade"
    case .throttle: "throttle"
    case .isolate: "isolate"
    }
  }
}
