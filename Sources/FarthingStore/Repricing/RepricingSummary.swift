internal import FarthingCore

// What a repricing changes, before it is applied and after.

/// Sums over the requests that a repricing looks at.
package struct RepricingTotals: Sendable, Equatable {
  /// Requests of the selection.
  package var requests = 0
  /// Those whose cost, a part of it or its state changes.
  package var changed = 0
  /// Cost of all requests of the selection, picodollars.
  package var costBefore: Int128 = 0
  package var costAfter: Int128 = 0
  package var unpricedBefore = 0
  package var unpricedAfter = 0

  package init(
    requests: Int = 0, changed: Int = 0, costBefore: Int128 = 0, costAfter: Int128 = 0,
    unpricedBefore: Int = 0, unpricedAfter: Int = 0
  ) {
    self.requests = requests
    self.changed = changed
    self.costBefore = costBefore
    self.costAfter = costAfter
    self.unpricedBefore = unpricedBefore
    self.unpricedAfter = unpricedAfter
  }

  /// - Throws: `limitExceeded` where a sum leaves 128 bits.
  mutating func add(_ old: Charge, _ new: Charge, isChanged: Bool) throws(StoreError) {
    requests += 1
    changed += isChanged ? 1 : 0
    costBefore = try Self.sum(costBefore, old.cost)
    costAfter = try Self.sum(costAfter, new.cost)
    unpricedBefore += old.state == .unpriced ? 1 : 0
    unpricedAfter += new.state == .unpriced ? 1 : 0
  }

  mutating func add(_ other: RepricingTotals) throws(StoreError) {
    requests += other.requests
    changed += other.changed
    costBefore = try Self.sum(costBefore, other.costBefore)
    costAfter = try Self.sum(costAfter, other.costAfter)
    unpricedBefore += other.unpricedBefore
    unpricedAfter += other.unpricedAfter
  }

  private static func sum(_ left: Int128, _ right: Int128) throws(StoreError) -> Int128 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    guard !overflow else {
      throw StoreError(.limitExceeded, "the costs that are repriced add up to more than 128 bits")
    }
    return sum
  }
}

/// What changes for the requests of one model on one day.
package struct RepricingRow: Sendable, Equatable {
  /// Its 00:00 UTC, Unix nanoseconds.
  package var day: Int64
  /// nil for requests whose source named no model.
  package var model: String?
  package var totals = RepricingTotals()
  /// Keys of the prices of the requests that change, in the order of their bytes.
  package var pricesBefore: [String] = []
  package var pricesAfter: [String] = []
}

/// What changes, by day and model.
package struct RepricingSummary: Sendable, Equatable {
  /// The days and models with requests that change, by day, then by model, that without one last.
  package var rows: [RepricingRow] = []
  /// Of the whole selection, requests that do not change included.
  package var totals = RepricingTotals()
}

/// A repricing that was applied.
package struct RepricingRecord: Sendable, Equatable {
  /// Rises with each repricing of a store; 0 until it is recorded.
  package var id: Int64
  /// Unix nanoseconds.
  package var appliedAt: Int64
  /// Who: the user of the machine, or of the server.
  package var appliedBy: String
  package var reason: String?
  /// The requests that it was for, in the words that were given; empty for all.
  package var selection: String
  /// The ids of the lists of the price book, the weakest first.
  package var lists: [String]
  /// A fingerprint of all that the price book knew.
  package var book: String
  /// How many segments were written anew.
  package var segments: Int
  package var totals: RepricingTotals

  package init(
    id: Int64 = 0, appliedAt: Int64, appliedBy: String, reason: String?, selection: String,
    lists: [String], book: String, segments: Int = 0, totals: RepricingTotals = RepricingTotals()
  ) {
    self.id = id
    self.appliedAt = appliedAt
    self.appliedBy = appliedBy
    self.reason = reason
    self.selection = selection
    self.lists = lists
    self.book = book
    self.segments = segments
    self.totals = totals
  }
}

/// Gathers a summary row by row.
struct RepricingTally {
  private struct Key: Hashable {
    var day: Int64
    var model: String?
  }

  private struct Group {
    var totals = RepricingTotals()
    var before: Set<String> = []
    var after: Set<String> = []
  }

  private var groups: [Group] = []
  private var places: [Key: Int] = [:]

  /// The place of a model on a day among the groups.
  mutating func place(day: Int64, model: String?) -> Int {
    let key = Key(day: day, model: model)
    if let known = places[key] { return known }
    places[key] = groups.count
    groups.append(Group())
    return groups.count - 1
  }

  mutating func add(_ old: Charge, _ new: Charge, isChanged: Bool, at place: Int)
    throws(StoreError)
  {
    try groups[place].totals.add(old, new, isChanged: isChanged)
  }

  /// Notes the prices of a request that changes; nil where there is none.
  mutating func note(before: String?, after: String?, at place: Int) {
    if let before { groups[place].before.insert(before) }
    if let after { groups[place].after.insert(after) }
  }

  func summary() throws(StoreError) -> RepricingSummary {
    var summary = RepricingSummary()
    for group in groups { try summary.totals.add(group.totals) }
    summary.rows = places.filter { groups[$0.value].totals.changed > 0 }.map { key, place in
      RepricingRow(
        day: key.day, model: key.model, totals: groups[place].totals,
        pricesBefore: groups[place].before.sorted(), pricesAfter: groups[place].after.sorted())
    }.sorted { left, right in
      if left.day != right.day { return left.day < right.day }
      guard let first = left.model else { return false }
      guard let second = right.model else { return true }
      return first.utf8.lexicographicallyPrecedes(second.utf8)
    }
    return summary
  }
}
