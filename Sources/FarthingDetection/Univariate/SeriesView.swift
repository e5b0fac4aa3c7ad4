/// One way to look at a series: the means of the last few groups of rows, as a point, and how far that is from
/// all points that were.
///
/// With p points of r rows each, the newest last, the point at row t has the coordinates
/// mean(y[t−r·(p−k)+1 … t−r·(p−k−1)]), k = 0 … p−1. Its novelty is the distance to the nearest point kept, in radii;
/// the radius is a share of the series' range. A value that was never seen, within the range or outside of
/// it, is new by itself; a pair of successive values can be new though both were seen.
///
/// Being new calibrates itself: on whatever series, the more has been seen, the less is new.
package struct SeriesView: Sendable, Equatable, Codable {
  /// How the values are scaled first.
  package enum Scale: String, Sendable, Codable { case linear, logarithmic }

  /// Far beyond anything that a range can show, and small enough to be squared and summed.
  static let largestNovelty = 1e6

  let settings: Settings
  private var range: FadingRange
  private var memory: NoveltyMemory
  /// The last scaled values, the newest last; at most as many as a point needs.
  private var recent: [Double] = []
  private var point: [Double]

  init(_ settings: Settings) {
    self.settings = settings
    range = FadingRange(memory: settings.rangeMemoryRows)
    memory = NoveltyMemory(
      width: settings.points, capacity: settings.capacity, memoryRows: settings.memoryRows)
    point = Array(repeating: 0, count: settings.points)
  }

  /// Takes in one scaled value.
  ///
  /// - Returns: Novelty in radii, at least 0 and finite, and the last coordinate of the nearest point; 0 and nil where
  ///   there is nothing to compare with.
  mutating func observe(_ value: Double, row: Int) -> (novelty: Double, nearest: Double?) {
    range.learn(value)
    let rows = settings.points * settings.rowsPerPoint
    if recent.count >= rows { recent.removeFirst() }
    recent.append(value)
    let width = range.width
    guard recent.count == rows, width > 0 else { return (0, nil) }
    for index in 0..<settings.points {
      var sum = 0.0
      for row in 0..<settings.rowsPerPoint { sum += recent[index * settings.rowsPerPoint + row] }
      point[index] = sum / Double(settings.rowsPerPoint)
    }
    let radius = settings.radius * width
    guard let found = memory.observe(point, row: row, radius: radius) else { return (0, nil) }
    return (min(found.distance / radius, Self.largestNovelty), found.nearest)
  }

  /// Says all that is remembered on another scale.
  ///
  /// For means of several rows this is approximate; a change of unit is small.
  mutating func rescale(_ place: (Double) -> Double) {
    range.rescale(place)
    memory.rescale(place)
    for index in recent.indices { recent[index] = place(recent[index]) }
  }

  var isSound: Bool {
    settings.isSound && range.isSound && memory.isSound && point.count == settings.points
      && recent.count <= settings.points * settings.rowsPerPoint && recent.allSatisfy(\.isBounded)
  }
}

extension SeriesView {
  /// What makes a view.
  package struct Settings: Sendable, Equatable, Codable {
    /// What explanations call it.
    package var name: String
    package var scale: Scale
    /// Coordinates of a point.
    package var points: Int
    /// Rows that a coordinate is the mean of.
    package var rowsPerPoint: Int
    /// Distance at which a point is new, as a share of the range.
    package var radius: Double
    /// Rows over which the range fades.
    package var rangeMemoryRows: Double = 30_000
    /// Rows after which a point not seen again is forgotten: five weeks of five-minute steps.
    package var memoryRows = 10_000
    /// Most points kept: more than a series needs at its radius, half of that loses.
    package var capacity: Int

    package static let value = Settings(
      name: "value", scale: .linear, points: 1, rowsPerPoint: 1, radius: 0.04, capacity: 64)
    package static let magnitude = Settings(
      name: "magnitude", scale: .logarithmic, points: 1, rowsPerPoint: 1, radius: 0.04,
      capacity: 64)
    /// New against the range of the last few hundred rows: what an early outlier would hide.
    package static let recentValue = Settings(
      name: "recent value", scale: .linear, points: 1, rowsPerPoint: 1, radius: 0.04,
      rangeMemoryRows: 300, capacity: 64)
    package static let shortMean = Settings(
      name: "short mean", scale: .logarithmic, points: 1, rowsPerPoint: 3, radius: 0.035,
      capacity: 64)
    package static let change = Settings(
      name: "change", scale: .logarithmic, points: 2, rowsPerPoint: 1, radius: 0.1, capacity: 128)
    package static let slowChange = Settings(
      name: "slow change", scale: .logarithmic, points: 2, rowsPerPoint: 4, radius: 0.06,
      capacity: 128)

    package static let all = [value, magnitude, recentValue, shortMean, change, slowChange]

    var isSound: Bool {
      (1...64).contains(points) && (1...1024).contains(rowsPerPoint) && radius > 0
        && radius.isFinite && capacity >= 1 && memoryRows >= 1 && rangeMemoryRows.isFinite
    }
  }
}
