/// What a caller of the server may do.
package enum AccessScope: String, Sendable, CaseIterable {
  /// Sending: events, OTLP, the collectors of other sources.
  case ingest
  /// Asking: queries, events, alerts, decisions, metrics.
  case read
  /// Changing what the server does: releases, acknowledgements, prices.
  case act
}

/// A set of scopes.
package struct AccessScopes: OptionSet, Sendable, Hashable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The set of these scopes.
  package init(_ scopes: some Sequence<AccessScope>) {
    rawValue = scopes.reduce(0) { $0 | Self.bit($1) }
  }

  /// Every scope there is.
  package static let all = AccessScopes(AccessScope.allCases)

  /// Whether a scope is in the set.
  package func allows(_ scope: AccessScope) -> Bool { rawValue & Self.bit(scope) != 0 }

  /// The names in their order, as a configuration lists them: `ingest, read`.
  package var text: String {
    AccessScope.allCases.filter(allows).map(\.rawValue).joined(separator: ", ")
  }

  private static func bit(_ scope: AccessScope) -> UInt8 {
    switch scope {
    case .ingest: 1
    case .read: 2
    case .act: 4
    }
  }
}
