internal import FarthingCore
package import FarthingDetection

/// Raises an incident of each thing that an inventory finds odd: one of each kind for each thing at a time.
///
/// It is looked at over the last day, so what is called now and then stays odd; what has not been odd for an hour is over. What
/// is new or idle is told of by the inventory alone.
package struct InventoryWatch: Sendable {
  private struct Raised: Equatable {
    var key: String
    var incident: Incident
    /// When it was last found odd.
    var seenAt: Int64
  }

  /// Nanoseconds between two looks.
  package static let interval = 5 * CivilTime.minute
  /// Nanoseconds of the past that are looked at.
  package static let window = CivilTime.day
  private static let release = CivilTime.hour
  /// Most incidents that are open at once: a registry that fits nothing must not raise one of everything.
  package static let limit = 200
  private static let version: Int64 = 1

  private var raised: [Raised] = []
  /// Odd things beyond the limit, at the last look.
  package private(set) var untold = 0

  package init() {}

  /// Takes a look's result.
  ///
  /// - Parameters:
  ///   - inventory: of the last day; nil where there is nothing to judge by any more: then all is over.
  ///   - now: Unix nanoseconds.
  package mutating func take(_ inventory: Inventory?, now: Int64) -> [IncidentChange] {
    var changes: [IncidentChange] = []
    untold = 0
    for item in inventory?.items ?? [] {
      for (flag, reason) in zip(item.flags, item.reasons) {
        guard let kind = Self.kind(of: flag) else { continue }
        let key = "\(flag.rawValue)\n\(item.kind.rawValue)\n\(item.name)"
        if let place = raised.firstIndex(where: { $0.key == key }) {
          raised[place].seenAt = now
        } else if raised.count < Self.limit {
          let incident = Self.incident(item, flag, kind, reason, now)
          raised.append(Raised(key: key, incident: incident, seenAt: now))
          changes.append(.fired(incident))
        } else {
          untold += 1
        }
      }
    }
    for one in raised where inventory == nil || now - one.seenAt >= Self.release {
      var incident = one.incident
      incident.resolvedAt = now
      changes.append(.resolved(incident))
    }
    raised.removeAll { inventory == nil || now - $0.seenAt >= Self.release }
    return changes
  }

  private static func kind(of flag: Inventory.Flag) -> AlertKind? {
    switch flag {
    case .shadow: .shadowEndpoint
    case .zombie: .zombieEndpoint
    case .jurisdiction: .jurisdiction
    case .new, .idle: nil
    }
  }

  private static func incident(
    _ item: Inventory.Item, _ flag: Inventory.Flag, _ kind: AlertKind, _ reason: String,
    _ now: Int64
  ) -> Incident {
    let what = "\(item.kind.rawValue) \(item.name)"
    let summary =
      switch flag {
      case .shadow: "\(what) takes calls and is not registered"
      case .zombie: "\(what) takes calls again: \(reason)"
      default: "\(what): \(reason)"
      }
    var explanation = [reason, "\(item.requests) requests in the last day"]
    if let owner = item.owner { explanation.append("owner: \(owner)") }
    return Incident(
      id: IncidentID.make(kind.rawValue, [item.kind.rawValue, item.name], now), kind: kind,
      severity: flag == .jurisdiction ? .critical : .warning, metric: "requests",
      dimensions: [DimensionValue(dimension: item.kind.rawValue, value: item.name)],
      startedAt: max(item.firstSeen, now - window), detectedAt: now, summary: summary,
      explanation: explanation)
  }

  // MARK: Over restarts

  /// The state as bytes, for ``restore(_:)``.
  package var snapshot: [UInt8] {
    var writer = StateWriter()
    writer.write(Self.version)
    writer.write(raised) { writer, one in
      writer.write(one.key)
      writer.write(one.seenAt)
      writer.write(one.incident)
    }
    return writer.bytes
  }

  /// - Returns: false, with nothing changed, where the bytes are no such state.
  package mutating func restore(_ bytes: [UInt8]) -> Bool {
    var reader = StateReader(bytes)
    guard reader.integer() == Self.version else { return false }
    let read = reader.list { reader in
      let (key, seenAt) = (reader.text(), reader.integer())
      return Raised(key: key, incident: reader.incident(), seenAt: seenAt)
    }
    guard reader.isComplete else { return false }
    raised = read
    return true
  }
}
