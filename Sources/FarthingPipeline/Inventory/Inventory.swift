package import FarthingCore
package import FarthingQuery
package import FarthingStore

/// Everything that requests ever named: endpoints, models, providers, identities and sites.
package struct Inventory: Sendable, Equatable {
  /// A dimension whose values are listed, in the order of the lists.
  package enum Kind: String, Sendable, CaseIterable, Hashable {
    case endpoint, model, provider, identity, site

    package var field: RequestField { RequestField.text(rawValue) }

    /// As a registry calls its list.
    package var plural: String {
      switch self {
      case .identity: "identities"
      default: rawValue + "s"
      }
    }
  }

  /// What is peculiar about a value.
  package enum Flag: String, Sendable, CaseIterable, Hashable {
    /// Not in the registry, which lists its dimension.
    case shadow
    /// Retired by the registry, or without a call for a long time, and called again.
    case zombie
    /// Served restricted data that had to stay elsewhere.
    case jurisdiction
    /// Seen for the first time a short while ago.
    case new
    /// Not called for a long time.
    case idle
  }

  package struct Item: Sendable, Equatable {
    package var kind: Kind
    package var name: String
    /// Unix nanoseconds of the first and last request.
    package var firstSeen: Int64
    package var lastSeen: Int64
    package var requests: Int128
    /// Picodollars of its priced requests.
    package var cost: Int128
    package var unpriced: Int128
    /// Of the registry, else the tag's value that most requests have; nil where nobody says.
    package var owner: String?
    package var flags: [Flag] = []
    /// Why it has its flags, a sentence each without a full stop.
    package var reasons: [String] = []
  }

  package var items: [Item] = []
}

/// What is listed, and by what it is judged.
package struct InventoryPlan: Sendable {
  package var kinds = Inventory.Kind.allCases
  /// Its filter and window.
  package var selection = EventsPlan(columns: [])
  /// The tag that names owners.
  package var ownerTag = "owner"
  package var registry: InventoryRegistry?
  package var sites = SiteRegistry()
  /// Unix nanoseconds.
  package var now: Int64
  /// Nanoseconds without a call after which a value is idle, and a zombie when it is called again.
  package var idleAfter = 30 * CivilTime.day
  /// Nanoseconds for which a value counts as new.
  package var newWithin = 7 * CivilTime.day

  package init(now: Int64) { self.now = now }

  /// - Throws: ``QueryError`` of code `memory`, `overflow` or `store`.
  package func run(
    _ executor: QueryExecutor, over snapshot: StoreSnapshot
  ) throws(QueryError) -> Inventory {
    let seen = try executor.sightings(of: kinds.map(\.field), selection, over: snapshot)
    let asking = { (plan: QueryPlan) throws(QueryError) in
      try executor.run(plan, over: snapshot)
    }
    var inventory = Inventory()
    let strays = kinds.contains(.site) ? try straying(asking) : [:]
    for (kind, sightings) in zip(kinds, seen) {
      let figures = try figures(kind, asking)
      let owners = try owners(kind, asking)
      let revived = try revived(kind, asking)
      for sighting in sightings.sorted(by: {
        $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
      }) {
        let sums = figures[sighting.value] ?? (0, 0, 0)
        var item = Inventory.Item(
          kind: kind, name: sighting.value, firstSeen: sighting.first, lastSeen: sighting.last,
          requests: sums.requests, cost: sums.cost, unpriced: sums.unpriced,
          owner: registry?.entry(kind, sighting.value)?.owner ?? owners[sighting.value])
        judge(&item, isRevived: revived.contains(sighting.value), stray: strays[sighting.value])
        inventory.items.append(item)
      }
    }
    return inventory
  }

  // MARK: - Judging

  private func judge(_ item: inout Inventory.Item, isRevived: Bool, stray: String?) {
    func flag(_ flag: Inventory.Flag, _ reason: String) {
      item.flags.append(flag)
      item.reasons.append(reason)
    }
    if let registry, registry.lists(item.kind) {
      if let entry = registry.entry(item.kind, item.name) {
        if let retiredAt = entry.retiredAt, item.lastSeen >= retiredAt {
          let since = retiredAt == .min ? "" : " since \(CivilTime.text(retiredAt))"
          flag(.zombie, "retired\(since), and called at \(CivilTime.text(item.lastSeen))")
        }
      } else {
        flag(.shadow, "no \(item.kind.rawValue) of this name is registered")
      }
    }
    if isRevived, !item.flags.contains(.zombie) {
      flag(.zombie, "called again after \(idleAfter / CivilTime.day) days without a call")
    }
    if item.kind == .site, let stray { flag(.jurisdiction, stray) }
    if item.firstSeen > now - newWithin {
      flag(.new, "first seen \(CivilTime.text(item.firstSeen))")
    }
    if item.lastSeen < now - idleAfter { flag(.idle, "last seen \(CivilTime.text(item.lastSeen))") }
  }

  // MARK: - Asking

  private func plan(_ groups: [RequestField]) -> QueryPlan {
    QueryPlan(
      metrics: ["requests", "cost", "unpriced_requests"].compactMap(Metric.named), groups: groups,
      filter: selection.filter, since: selection.since, until: selection.until)
  }

  private func figures(
    _ kind: Inventory.Kind, _ asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) throws(QueryError) -> [String: (requests: Int128, cost: Int128, unpriced: Int128)] {
    var figures: [String: (requests: Int128, cost: Int128, unpriced: Int128)] = [:]
    for row in try asking(plan([kind.field])).rows {
      guard case .text(let name) = row[0] else { continue }
      figures[name] = (row[1].whole, row[2].whole, row[3].whole)
    }
    return figures
  }

  private func owners(
    _ kind: Inventory.Kind, _ asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) throws(QueryError) -> [String: String] {
    guard let tag = RequestField.named("tags.\(ownerTag)") else { return [:] }
    var owners: [String: (name: String, requests: Int128)] = [:]
    for row in try asking(plan([kind.field, tag])).rows {
      guard case .text(let name) = row[0], case .text(let owner) = row[1] else { continue }
      if row[2].whole > owners[name]?.requests ?? 0 { owners[name] = (owner, row[2].whole) }
    }
    return owners.mapValues(\.name)
  }

  /// The values that were called before, not for a long time, and again within the last day, whatever window is
  /// listed.
  private func revived(
    _ kind: Inventory.Kind, _ asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) throws(QueryError) -> Set<String> {
    let recent = now - CivilTime.day
    func names(_ since: Int64?, _ until: Int64?) throws(QueryError) -> Set<String> {
      var question = plan([kind.field])
      (question.since, question.until) = (since, until)
      var names: Set<String> = []
      for row in try asking(question).rows {
        if case .text(let name) = row[0] { names.insert(name) }
      }
      return names
    }
    let called = try names(recent, nil)
    guard !called.isEmpty else { return [] }
    let known = try names(nil, recent - idleAfter)
    guard !known.isDisjoint(with: called) else { return [] }
    return called.intersection(known).subtracting(try names(recent - idleAfter, recent))
  }

  /// By site: which restricted requests it served that had to stay elsewhere. A request that does not say where it
  /// has to stay, and a site that nobody says the place of, are no such.
  private func straying(
    _ asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) throws(QueryError) -> [String: String] {
    guard !sites.entries.isEmpty else { return [:] }
    var found: [String: [(place: String, requests: Int128)]] = [:]
    for row in try asking(
      plan(
        ["site", "jurisdiction", "data_class"].map { RequestField.text($0) })
    ).rows {
      guard case .text(let site) = row[0], case .text(let place) = row[1],
        row[2] == .text("restricted"), let own = sites[site]?.jurisdiction, own != place
      else { continue }
      found[site, default: []].append((place, row[3].whole))
    }
    return found.reduce(into: [:]) { reasons, each in
      let parts = each.value.map { "\($0.requests) that had to stay in \($0.place)" }
      reasons[each.key] =
        "in \(sites[each.key]?.jurisdiction ?? ""), and served restricted requests: "
        + parts.joined(separator: ", ")
    }
  }
}

extension RequestField {
  fileprivate static func text(_ name: String) -> RequestField {
    guard let field = named(name) else { preconditionFailure("BUG: no field is called \(name)") }
    return field
  }
}

extension QueryValue {
  /// A count or a sum of money; 0 for what is neither.
  fileprivate var whole: Int128 {
    switch self {
    case .count(let number), .money(let number): number
    default: 0
    }
  }
}
