// Which slice explains it.
//
// For an alarm of some series the history is split: a window since its excursion began, and a reference before it.
// Each value v of each dimension that holds most of the series' excess has an actual a_v and a forecast f_v: for
// spend the reference's rate, for ratios the reference's ratio times the window's denominator. Of those values the one
// is the cause with the largest (a/f − 1)·√(a − f): a value that holds the cause and much besides is diluted, one
// that holds only a part of the cause has little excess. (Adtributor ranks by surprise within one dimension at a
// time; with causes that touch a whole workload, tenant or model as often as one identity, values of different
// dimensions must be compared with each other.)

internal import FarthingCore

/// What is split: a numerator, and what it is to be measured by.
enum SplitMeasure: Sendable {
  case spend
  case driver(Driver)
  case trouble
  case fallback
  case requests

  /// The pair of a cell; for spend the denominator is time, so it has none.
  func parts(_ cell: Cell) -> (numerator: Double, denominator: Double) {
    let sums = cell.sums
    switch self {
    case .spend: return (estimatedDollars(sums.cost), 0)
    case .requests: return (Double(sums.requests), 0)
    case .trouble: return (Double(sums.troubled), Double(sums.requests))
    case .fallback:
      let hits = cell.key.fallbackFrom == .absent ? 0 : sums.requests
      return (Double(hits), Double(sums.requests))
    case .driver(let driver):
      let sums = driver.sums(cell.sums, index: estimatedDollars(sums.constantCost))
      return (sums.numerator, sums.denominator)
    }
  }

  var isRate: Bool {
    switch self {
    case .spend, .requests: true
    default: false
    }
  }
}

extension Driver {
  /// What a cell adds to a block.
  ///
  /// - Parameter index: the price index of the cell's model times its requests.
  func sums(_ sums: CellSums, index: Double) -> BlockSums {
    let cost = estimatedDollars(sums.cost)
    let constant = estimatedDollars(sums.constantCost)
    let output = estimatedDollars(sums.outputCost)
    let measured = Double(sums.measured)
    switch self {
    case .cost:
      let count = Double(sums.charged)
      return BlockSums(
        requests: count, numerator: constant, denominator: count, dollars: constant)
    case .input:
      return BlockSums(
        requests: measured, numerator: Double(sums.input), denominator: measured,
        dollars: max(0, cost - output))
    case .output:
      return BlockSums(
        requests: measured, numerator: Double(max(0, sums.output - sums.reasoning)),
        denominator: measured, dollars: output)
    case .reasoning:
      let share = Double(sums.reasoning) / Double(max(1, sums.output))
      return BlockSums(
        requests: sums.reasoning > 0 ? measured : 0, numerator: Double(sums.reasoning),
        denominator: measured, dollars: output * share)
    case .mix:
      let count = Double(sums.charged)
      return BlockSums(requests: count, numerator: index, denominator: count, dollars: constant)
    case .cache:
      return BlockSums(
        requests: measured, numerator: Double(sums.cached), denominator: Double(sums.input),
        dollars: max(0, cost - output))
    case .latency:
      return BlockSums(
        requests: Double(sums.timed), numerator: Double(sums.logLatency) / 1_048_576,
        denominator: Double(sums.timed), dollars: 0)
    }
  }
}

/// One value of one dimension, with what it explains.
struct SliceShare: Sendable {
  var dimension: ObservedDimension
  var name: ObservedName
  var forecast = 0.0
  var actual = 0.0
  /// The same within the alarm's own series.
  var ownForecast = 0.0
  var ownActual = 0.0
  var excess: Double { actual - forecast }

  /// Whether it is elevated where the series is and nowhere else: what the series has beside it must be as
  /// usual, and what it has beside the series must be elevated too.
  func fits(_ own: SliceShare) -> Bool {
    let common = Self.elevation(ownActual, ownForecast)
    let besideActual = own.actual - ownActual
    let besideForecast = own.forecast - ownForecast
    if besideForecast > 0.1 * own.forecast, besideForecast > 1e-9 {
      if abs(Self.elevation(besideActual, besideForecast)) > 0.4 * abs(common) { return false }
    }
    let restActual = actual - ownActual
    let restForecast = forecast - ownForecast
    if max(restForecast, restActual) > 0.1 * max(forecast, actual), restForecast > 1e-9 {
      let rest = Self.elevation(restActual, restForecast)
      if rest / common < 0.4 { return false }
    }
    return true
  }

  private static func elevation(_ actual: Double, _ forecast: Double) -> Double {
    let value = actual / max(forecast, 0.02 * abs(actual), 1e-12) - 1
    return abs(value) < 1e-6 ? 1e-6 : value
  }
}

/// The slice that an alarm is about, as localised.
struct Cause: Sendable {
  /// The most telling dimension first.
  var dimensions: [(dimension: ObservedDimension, name: ObservedName)]
  /// Share of the series' excess that it explains, 0 to 1; nil where it was not split.
  var explained: Double?
  /// All values that hold most of the series' excess.
  var around: [(dimension: ObservedDimension, name: ObservedName)] = []
}

struct Localisation {
  let history: SpendHistory
  /// Slots, both included.
  let from: Int64
  let to: Int64
  let referenceFrom: Int64
  let referenceTo: Int64
  /// Window slots for each reference slot.
  let scale: Double

  /// - Parameters:
  ///   - start: first bucket of the excursion; - now: the last closed one.
  init(_ history: SpendHistory, start: Int64, now: Int64) {
    self.history = history
    let first = SpendHistory.slot(ofBucket: start)
    let last = SpendHistory.slot(ofBucket: now)
    from = max(first, last - 95)
    to = last
    // The day before at the same hours where it is known, else what came just before.
    let length = max(4, to - from + 1)
    if from - 96 >= history.oldest, length <= 48 {
      referenceFrom = from - 96 - 2
      referenceTo = from - 96 + length + 1
    } else {
      referenceFrom = max(history.oldest, from - max(length, 24))
      referenceTo = from - 1
    }
    let span = Double(now - max(start, from * SpendHistory.bucketsPerSlot) + 1)
    let window = max(1.0 / 90, span / Double(SpendHistory.bucketsPerSlot))
    let reference = Double(max(1, referenceTo - referenceFrom + 1))
    scale = window / reference
  }

  var hasReference: Bool { referenceTo >= referenceFrom && referenceTo >= history.oldest }

  private struct Tally {
    var numerator = 0.0
    var denominator = 0.0
    var pastNumerator = 0.0
    var pastDenominator = 0.0
    var ownNumerator = 0.0
    var ownDenominator = 0.0
    var ownPastNumerator = 0.0
    var ownPastDenominator = 0.0
  }

  /// The cause of an alarm of the series `dimension` = `name`.
  ///
  /// - Complexity: O(cells of window and reference).
  func cause(
    _ dimension: ObservedDimension, _ name: ObservedName, _ measure: SplitMeasure,
    among given: [ObservedDimension]? = nil
  ) -> Cause {
    let dimensions = given ?? measure.dimensions
    let plain = Cause(dimensions: [(dimension, name)], explained: nil)
    guard hasReference else { return plain }
    var tallies: [[UInt32: Tally]] = Array(repeating: [:], count: dimensions.count)
    func add(_ cell: Cell, isPast: Bool) {
      let (numerator, denominator) = measure.parts(cell)
      let isOwn = cell.key[dimension] == name
      for (place, dimension) in dimensions.enumerated() {
        let value = cell.key[dimension]
        guard value.isSingle else { continue }
        var tally = tallies[place][value.code] ?? Tally()
        if isPast {
          tally.pastNumerator += numerator
          tally.pastDenominator += denominator
          if isOwn {
            tally.ownPastNumerator += numerator
            tally.ownPastDenominator += denominator
          }
        } else {
          tally.numerator += numerator
          tally.denominator += denominator
          if isOwn {
            tally.ownNumerator += numerator
            tally.ownDenominator += denominator
          }
        }
        tallies[place][value.code] = tally
      }
    }
    history.forEachCell(from: referenceFrom, to: referenceTo) { add($0, isPast: true) }
    history.forEachCell(from: from, to: to) { add($0, isPast: false) }
    guard let place = dimensions.firstIndex(of: dimension),
      let own = tallies[place][name.code]
    else { return plain }
    let base = own.pastDenominator > 0 ? own.pastNumerator / own.pastDenominator : 0
    func forecast(_ past: Double, _ pastDenominator: Double, _ denominator: Double) -> Double {
      if measure.isRate { return past * scale }
      // A value that the reference hardly knows is measured by its series.
      let ratio = pastDenominator >= 20 ? past / pastDenominator : base
      return ratio * denominator
    }
    var ownShare = SliceShare(dimension: dimension, name: name)
    ownShare.actual = own.numerator
    ownShare.forecast = forecast(own.pastNumerator, own.pastDenominator, own.denominator)
    let isFall = measure.isFall
    let excess = isFall ? -ownShare.excess : ownShare.excess
    guard excess > 0 else { return plain }
    var candidates: [(share: SliceShare, score: Double)] = []
    var around: [SliceShare] = []
    for (place, dimension) in dimensions.enumerated() {
      for (code, tally) in tallies[place] {
        var share = SliceShare(dimension: dimension, name: ObservedName(code: code))
        share.actual = tally.numerator
        share.forecast = forecast(tally.pastNumerator, tally.pastDenominator, tally.denominator)
        share.ownActual = tally.ownNumerator
        share.ownForecast = forecast(
          tally.ownPastNumerator, tally.ownPastDenominator, tally.ownDenominator)
        let ownExcess = share.ownActual - share.ownForecast
        guard (isFall ? -ownExcess : ownExcess) >= 0.75 * excess else { continue }
        around.append(share)
        guard share.fits(ownShare) else { continue }
        candidates.append((share, Self.score(share, isFall: isFall)))
      }
    }
    around.sort {
      ($0.dimension.rawValue, $0.name.code) < ($1.dimension.rawValue, $1.name.code)
    }
    let held = around.map { ($0.dimension, $0.name) }
    let bonus = measure.isRate ? 0.95 : 1.8
    guard let best = Self.best(candidates),
      best.score > Self.score(ownShare, isFall: isFall) * bonus
    else { return Cause(dimensions: [(dimension, name)], explained: nil, around: held) }
    let part = min(1, abs(best.share.ownActual - best.share.ownForecast) / max(excess, 1e-12))
    return Cause(
      dimensions: [(best.share.dimension, best.share.name)], explained: part, around: held)
  }

  /// The one with the highest score; of those that are about as good the one of the first dimension,
  /// whatever order they come in.
  private static func best(
    _ candidates: [(share: SliceShare, score: Double)]
  ) -> (share: SliceShare, score: Double)? {
    let highest = candidates.map(\.score).max() ?? 0
    return candidates.filter { $0.score >= 0.95 * highest }.min { left, right in
      (left.share.dimension.rawValue, -left.score, left.share.name.code)
        < (right.share.dimension.rawValue, -right.score, right.share.name.code)
    }
  }

  private static func score(_ share: SliceShare, isFall: Bool) -> Double {
    if isFall {
      guard share.forecast > 0, share.actual < share.forecast else { return 0 }
      return (1 - share.actual / share.forecast) * (share.forecast - share.actual).squareRoot()
    }
    guard share.excess > 0 else { return 0 }
    let forecast = max(share.forecast, 0.02 * share.actual)
    return (share.actual / forecast - 1) * share.excess.squareRoot()
  }

  /// The sums of a slice in the window and, brought to the window's length, in the reference.
  func sums(
    _ isPart: (CellKey) -> Bool
  ) -> (now: CellSums, past: CellSums, fallbacks: Int64, pastFallbacks: Int64) {
    var now = CellSums()
    var past = CellSums()
    var fallbacks: Int64 = 0
    var pastFallbacks: Int64 = 0
    history.forEachCell(from: from, to: to) { cell in
      guard isPart(cell.key) else { return }
      now.add(cell.sums)
      if cell.key.fallbackFrom != .absent { fallbacks += cell.sums.requests }
    }
    history.forEachCell(from: referenceFrom, to: referenceTo) { cell in
      guard isPart(cell.key) else { return }
      past.add(cell.sums)
      if cell.key.fallbackFrom != .absent { pastFallbacks += cell.sums.requests }
    }
    return (now, past, fallbacks, pastFallbacks)
  }

  /// Ids of the dearest requests of a slice since the excursion began, at most five.
  func dearest(_ isPart: (CellKey) -> Bool) -> [String] {
    var found: [DearRequest] = []
    history.forEachCell(from: from, to: to) { cell in
      guard isPart(cell.key), !cell.dearest.id.isEmpty else { return }
      found.append(cell.dearest)
    }
    found.sort(by: DearRequest.isDearer)
    return found.prefix(5).map(\.id)
  }
}

extension SplitMeasure {
  /// Where a cause is looked for. What a request carries (prompt, answer, choice of model) is its caller's doing;
  /// what happens to it (failures, latency, cache) may be its endpoint's, model's or site's.
  var dimensions: [ObservedDimension] {
    switch self {
    case .spend, .requests: [.identity, .workload, .tenant]
    case .trouble, .driver(.latency):
      [.identity, .workload, .endpoint, .tenant, .model, .site]
    case .fallback: [.identity, .workload, .endpoint]
    case .driver: [.identity, .workload]
    }
  }

  /// Whether less is worse.
  var isFall: Bool {
    if case .driver(let driver) = self { return driver.shape.falls }
    return false
  }
}
