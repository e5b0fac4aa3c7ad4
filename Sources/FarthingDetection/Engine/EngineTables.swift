// What the engine keeps beside its series: which sites are heard, what models cost, series of hits.

internal import FarthingCore

/// When each site was heard, and how long it was not: silence is missing, not zero.
struct SiteHearing: Sendable, Archivable {
  /// Buckets without any event after which a site counts as silent: five minutes.
  static let patience: Int64 = 30

  struct Gap: Sendable, Archivable {
    var from: Int64 = 0
    var to: Int64 = 0

    mutating func archive(_ archive: inout StateArchive) {
      archive.field(&from)
      archive.field(&to)
    }
  }

  struct Site: Sendable, Archivable {
    var last: Int64 = 0
    var gaps: [Gap] = []

    mutating func archive(_ archive: inout StateArchive) {
      archive.field(&last)
      archive.field(&gaps, Gap())
    }
  }

  private var sites: [UInt32: Site] = [:]

  mutating func hear(_ name: ObservedName, _ bucket: Int64) {
    var site = sites[name.code] ?? Site(last: bucket)
    if bucket - site.last > Self.patience {
      site.gaps.append(Gap(from: site.last + Self.patience, to: bucket))
      if site.gaps.count > 64 { site.gaps.removeFirst() }
    }
    site.last = bucket
    sites[name.code] = site
  }

  /// Whether any of the sites is heard; so is a series that names no site.
  func isHeard(_ names: [ObservedName], _ bucket: Int64) -> Bool {
    if names.isEmpty { return true }
    return names.contains { bucket - (sites[$0.code]?.last ?? .min / 2) <= Self.patience }
  }

  /// How many of the buckets from `from` to `to` (excluded) none of the sites was heard in.
  func missing(_ names: [ObservedName], from: Int64, to: Int64) -> Int64 {
    if names.isEmpty { return 0 }
    var least = to - from
    for name in names {
      guard let site = sites[name.code] else { continue }
      var sum: Int64 = 0
      for gap in site.gaps { sum += max(0, min(to, gap.to) - max(from, gap.from)) }
      sum += max(0, to - max(from, site.last + Self.patience))
      least = min(least, sum)
    }
    return max(0, least)
  }

  mutating func archive(_ archive: inout StateArchive) {
    var codes = sites.keys.sorted()
    archive.field(&codes)
    for code in codes {
      var site = sites[code] ?? Site()
      archive.field(&site)
      sites[code] = site
    }
  }
}

/// What a token of each model's output costs: the model's rank among others, for the mix.
///
/// It is taken from the first tokens that are seen and kept: a price that changes is no other mix.
struct PriceIndices: Sendable, Archivable {
  private struct Index: Sendable {
    var cost = 0.0
    var tokens = 0.0
  }

  private static let enough = 1_000.0
  private var indices: [UInt32: Index] = [:]

  /// Dollars of a million output tokens; of a model that puts out nothing, of a million input tokens.
  func index(_ model: ObservedName) -> Double {
    guard let index = indices[model.code], index.tokens > 0 else { return 0 }
    return index.cost / index.tokens * 1e6
  }

  mutating func learn(_ cell: Cell) {
    guard cell.sums.charged > 0, cell.sums.constantCost > 0 else { return }
    var index = indices[cell.key.model.code] ?? Index()
    if index.tokens >= Self.enough { return }
    if cell.sums.output > 0, cell.sums.outputCost > 0 {
      index.cost += estimatedDollars(cell.sums.outputCost)
      index.tokens += Double(cell.sums.output)
    } else {
      index.cost += estimatedDollars(cell.sums.constantCost)
      index.tokens += Double(max(1, cell.sums.input))
    }
    indices[cell.key.model.code] = index
  }

  mutating func archive(_ archive: inout StateArchive) {
    var codes = indices.keys.sorted()
    archive.field(&codes)
    for code in codes {
      var index = indices[code] ?? Index()
      archive.field(&index.cost)
      archive.field(&index.tokens)
      indices[code] = index
    }
  }
}

/// Series of hits by what they watch.
struct HitTables: Sendable, Archivable {
  struct Key: Hashable, Sendable, Archivable {
    var kind = HitKind.trouble
    var dimension = ObservedDimension.endpoint
    var name = ObservedName.absent

    mutating func archive(_ archive: inout StateArchive) {
      archive.field(&kind)
      archive.field(&dimension)
      archive.field(&name)
    }
  }

  struct Entry: Sendable, Archivable {
    var key = Key()
    var series = HitSeries()

    mutating func archive(_ archive: inout StateArchive) {
      archive.field(&key)
      archive.field(&series)
    }
  }

  var series: [Entry] = []
  private var places: [Key: Int] = [:]

  mutating func place(
    _ kind: HitKind, _ dimension: ObservedDimension, _ name: ObservedName
  ) -> Int {
    let key = Key(kind: kind, dimension: dimension, name: name)
    if let place = places[key] { return place }
    places[key] = series.count
    series.append(Entry(key: key))
    return series.count - 1
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&series, Entry())
    guard archive.isReading else { return }
    for (place, entry) in series.enumerated() { places[entry.key] = place }
  }
}
