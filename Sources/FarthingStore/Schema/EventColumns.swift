package import FarthingCore

/// A column that every segment of a kind of event may have, whatever its tags and units are.
package struct ColumnDefinition: Sendable, Hashable {
  package let name: ColumnName
  package let kind: ColumnKind

  package init(_ name: ColumnName, _ kind: ColumnKind) {
    self.name = name
    self.kind = kind
  }
}

/// The fixed columns of each kind of event, in the order in which they stand in a segment.
///
/// A segment stores a column only where one of its rows has a value. The kind of a text column is
/// what it usually is; a segment may hold a column of `codes` as `text` or the other way round,
/// where the values ask for it, so readers go by ``SegmentReader/kind(of:)``.
package enum EventColumns {
  package static func fixed(of kind: EventKind) -> [ColumnDefinition] {
    switch kind {
    case .request: request
    case .outcome: outcome
    case .capacity: capacity
    }
  }

  /// The fields of the contract that are text and mostly differ from row to row.
  package static func isMostlyUnique(_ field: TextField) -> Bool {
    field == .id || field == .promptHash
  }

  private static let request: [ColumnDefinition] =
    times
    + texts([
      .id, .model, .provider, .operation, .endpoint, .site, .clientSite, .workload, .identity,
      .tenant, .usage, .responseCache, .promptHash, .status, .error, .fallbackFrom, .serviceTier,
      .dataClass, .jurisdiction, .task, .outcome,
    ])
    + IntegerField.allCases.filter { $0 != .accelerators }.map {
      ColumnDefinition(.field($0), .integers)
    }
    + RealField.allCases.filter { $0 != .tokensPerSecond }.map {
      ColumnDefinition(.field($0), .reals)
    }
    + money(.field(.reportedCostUSD)) + money(.cost) + money(.outputCost) + money(.unitsCost)
    + money(.cacheSavings)
    + [
      ColumnDefinition(.costState, .codes), ColumnDefinition(.price, .codes),
      ColumnDefinition(.source, .codes),
    ]
    + booked

  private static let booked: [ColumnDefinition] =
    money(ColumnName.cost.booked) + money(ColumnName.outputCost.booked)
    + money(ColumnName.unitsCost.booked) + money(ColumnName.cacheSavings.booked)
    + [
      ColumnDefinition(ColumnName.costState.booked, .codes),
      ColumnDefinition(ColumnName.price.booked, .codes),
    ]

  private static let outcome: [ColumnDefinition] =
    times + texts([.id, .task, .outcome]) + money(.field(.valueUSD))
    + [ColumnDefinition(.source, .codes)]

  private static let capacity: [ColumnDefinition] =
    times + [ColumnDefinition(.until, .integers)] + texts([.id, .site, .pool, .model])
    + [
      ColumnDefinition(.field(.accelerators), .integers),
      ColumnDefinition(.field(.tokensPerSecond), .reals),
    ]
    + money(.field(.usdPerAcceleratorHour)) + [ColumnDefinition(.source, .codes)]

  private static let times = [
    ColumnDefinition(.time, .integers), ColumnDefinition(.receivedTime, .integers),
  ]

  private static func texts(_ fields: [TextField]) -> [ColumnDefinition] {
    fields.map { ColumnDefinition(.field($0), isMostlyUnique($0) ? .text : .codes) }
  }

  private static func money(_ name: ColumnName) -> [ColumnDefinition] {
    [ColumnDefinition(name, .integers), ColumnDefinition(name.high, .integers)]
  }
}
