// What a series of numbers without any meaning known does that it has never done before.
//
//   1. A value is looked at on its own scale and on a logarithmic one (LogarithmicUnit).
//   2. Six views (SeriesView) and one by time of day (TimeOfDayView) each say how far what they see
//      lies from all that they remember, in radii: 1 is new.
//   3. F = sqrt(mean of their squares): one view that is far off, or several that are a little.
//   4. In the first rows F counts by the square of the share learnt.
//   5. The alarm gate keeps quiet what repeats an alarm (AlarmGate).
//   6. score = F / (1 + F): from ½ a row is an alarm.
//
// No threshold is fitted to a series and none to a corpus: a radius is a share of the series' own range, and what
// was seen before is not new. Forecast residuals with calibrated tails, the way of most detectors, need
// both (docs/decisions/0023-univariate-detector.md has the comparison).
//
// Invariants: a row's score depends on it and on the rows before it; every state is finite for every
// input; memory is bounded (some 15 kB) and so is the work for a row.

/// Finds what is new in one series, row by row.
package struct UnivariateDetector: Sendable, Equatable {
  package let settings: UnivariateSettings
  private var unit = LogarithmicUnit()
  private var views: [SeriesView]
  private var timeOfDay: TimeOfDayView?
  private var gate: AlarmGate
  /// Rows with a value so far.
  package private(set) var row = 0

  package init(settings: UnivariateSettings = UnivariateSettings()) {
    self.settings = settings
    views = settings.views.map { SeriesView($0) }
    timeOfDay = settings.timeOfDay.map { TimeOfDayView($0) }
    gate = AlarmGate(rows: settings.refractoryRows)
  }

  /// Takes in the next row.
  ///
  /// - Parameters:
  ///   - value: nil, and what is no finite number, is missing: nothing is learnt and nothing found.
  ///   - time: Unix nanoseconds; nil where unknown. Only the time of day is read from it: rows count by their order.
  /// - Returns: What the row is worth; its score is 0 where the value is missing.
  /// - Complexity: O(points remembered), at most a few hundred comparisons.
  package mutating func observe(_ value: Double?, at time: Int64? = nil) -> UnivariateVerdict {
    guard let value, value.isFinite else { return UnivariateVerdict() }
    let bounded = min(max(value, -Double.largestBounded), .largestBounded)
    if let old = unit.learn(bounded) { rescale(from: old) }
    let scaled = unit.scaled(bounded)
    row += 1

    var verdict = UnivariateVerdict()
    var strongest = 0.0
    var sum = 0.0
    for index in views.indices {
      let scale = views[index].settings.scale
      let found = views[index].observe(scale == .linear ? bounded : scaled, row: row)
      sum += found.novelty * found.novelty
      if found.novelty > strongest {
        strongest = found.novelty
        verdict.view = views[index].settings.name
        verdict.nearest = found.nearest.map { original($0, scale) }
      }
    }
    if timeOfDay != nil, let time, let found = timeOfDay?.observe(scaled, time: time) {
      sum += found.novelty * found.novelty
      if found.novelty > strongest {
        verdict.view = "time of day"
        verdict.nearest = found.nearest.map { original($0, .logarithmic) }
      }
    }
    let count = views.count + (timeOfDay == nil ? 0 : 1)
    guard count > 0 else { return verdict }
    let learnt = min(1, Double(row) / Double(max(1, settings.learningRows)))
    verdict.novelty = (sum / Double(count)).squareRoot() * learnt * learnt
    verdict.score = verdict.novelty / (1 + verdict.novelty)
    if !gate.passes(verdict.novelty, row: row) { verdict.score *= settings.quietFactor }
    return verdict
  }

  private func original(_ place: Double, _ scale: SeriesView.Scale) -> Double {
    scale == .linear ? place : LogarithmicUnit.value(at: place, unit: unit.unit)
  }

  private mutating func rescale(from old: Double) {
    let unit = unit
    let place = { unit.scaled(LogarithmicUnit.value(at: $0, unit: old)) }
    for index in views.indices where views[index].settings.scale == .logarithmic {
      views[index].rescale(place)
    }
    timeOfDay?.rescale(place)
  }
}

extension Double {
  /// Magnitudes above it are taken for it: sums, differences and quotients of such by a range stay
  /// finite.
  static let largestBounded = 1e150

  /// Means of bounded values may exceed the bound by rounding.
  var isBounded: Bool { magnitude <= 2 * Self.largestBounded }
}

/// What a row is worth.
package struct UnivariateVerdict: Sendable, Equatable {
  /// From 0 to below 1; from ½ the row is an alarm.
  package var score = 0.0
  /// How new it is, in radii, before what repeats an alarm is kept quiet: 1 is new.
  package var novelty = 0.0
  /// The view that it is farthest off in; nil where it is as expected in all.
  package var view: String?
  /// The nearest value that this view remembers, in the series' own unit; of a change, the second.
  package var nearest: Double?

  package var isAlarm: Bool { score >= 0.5 }
}

// The state is what a snapshot holds: a detector decoded from it goes on as the one that was encoded.
extension UnivariateDetector: Codable {
  private enum Key: String, CodingKey { case settings, unit, views, timeOfDay, gate, row }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(settings, forKey: .settings)
    try container.encode(unit, forKey: .unit)
    try container.encode(views, forKey: .views)
    try container.encode(timeOfDay, forKey: .timeOfDay)
    try container.encode(gate, forKey: .gate)
    try container.encode(row, forKey: .row)
  }

  /// - Throws: `DecodingError` also where the state could not have come about: damaged bytes never end
  ///   the process later.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    settings = try container.decode(UnivariateSettings.self, forKey: .settings)
    unit = try container.decode(LogarithmicUnit.self, forKey: .unit)
    views = try container.decode([SeriesView].self, forKey: .views)
    timeOfDay = try container.decode(TimeOfDayView?.self, forKey: .timeOfDay)
    gate = try container.decode(AlarmGate.self, forKey: .gate)
    row = try container.decode(Int.self, forKey: .row)
    guard unit.isSound, views.allSatisfy(\.isSound), timeOfDay?.isSound ?? true,
      gate.isSound(at: row),
      views.map(\.settings) == settings.views, timeOfDay?.settings == settings.timeOfDay,
      (0..<Int.max / 2).contains(row), settings.quietFactor.isFinite
    else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath, debugDescription: "no state of a univariate detector"))
    }
  }
}
