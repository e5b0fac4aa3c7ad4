/// The values that a series had around the same time of other days.
///
/// A day has slots; each keeps the last few values that were new in it. The novelty of a value is its distance to the
/// nearest one in its own slot and its neighbours, in radii, a radius being a share of the range. Nothing is new before a week
/// has been seen: until then each hour is a first. A usual value at an unusual hour is seen by this view alone.
package struct TimeOfDayView: Sendable, Equatable, Codable {
  package struct Settings: Sendable, Equatable, Codable {
    /// Half-hours, in UTC: what matters is that they are the same each day.
    package var slots = 48
    /// Slots to each side that count as the same time: a shift by half an hour is nothing new.
    package var neighbours = 1
    package var valuesPerSlot = 8
    /// Distance at which a value is new, as a share of the range.
    package var radius = 0.12
    /// Days with values before any value is new.
    package var learningDays = 7
    package var rangeMemoryRows: Double = 30_000

    package init() {}

    var isSound: Bool {
      (1...1440).contains(slots) && (0..<slots).contains(neighbours) && valuesPerSlot >= 1
        && radius > 0 && radius.isFinite && learningDays >= 0 && rangeMemoryRows.isFinite
    }
  }

  private static let day: Int64 = 86_400_000_000_000

  let settings: Settings
  private var range: FadingRange
  private var slots: [[Double]]
  /// The oldest value of each slot that is full.
  private var oldest: [Int]
  private var days = 0
  private var lastDay: Int64?

  init(_ settings: Settings) {
    self.settings = settings
    range = FadingRange(memory: settings.rangeMemoryRows)
    slots = Array(repeating: [], count: settings.slots)
    oldest = Array(repeating: 0, count: settings.slots)
  }

  /// Takes in one scaled value at its time, Unix nanoseconds.
  ///
  /// - Returns: Novelty in radii and the nearest value; 0 and nil where there is nothing to compare
  ///   with or too little has been seen.
  mutating func observe(_ value: Double, time: Int64) -> (novelty: Double, nearest: Double?) {
    range.learn(value)
    let (whole, rest) = time.quotientAndRemainder(dividingBy: Self.day)
    let day = rest < 0 ? whole - 1 : whole
    let ofDay = rest < 0 ? rest + Self.day : rest
    let slot = min(Int(ofDay / (Self.day / Int64(settings.slots))), settings.slots - 1)
    if lastDay.map({ day > $0 }) ?? true {
      days += 1
      lastDay = day
    }
    var best = Double.infinity
    var nearest: Double?
    for step in -settings.neighbours...settings.neighbours {
      for known in slots[(slot + step + settings.slots) % settings.slots]
      where abs(known - value) < best {
        best = abs(known - value)
        nearest = known
      }
    }
    let radius = settings.radius * range.width
    // Finer than what is new, so that the memory has the shape of the values and not only their hull.
    if best > 0.2 * radius || nearest == nil { keep(value, in: slot) }
    guard days > settings.learningDays, let nearest, radius > 0 else { return (0, nil) }
    return (min(best / radius, SeriesView.largestNovelty), nearest)
  }

  private mutating func keep(_ value: Double, in slot: Int) {
    if slots[slot].count < settings.valuesPerSlot {
      slots[slot].append(value)
    } else {
      slots[slot][oldest[slot]] = value
      oldest[slot] = (oldest[slot] + 1) % settings.valuesPerSlot
    }
  }

  mutating func rescale(_ place: (Double) -> Double) {
    range.rescale(place)
    for slot in slots.indices {
      for index in slots[slot].indices { slots[slot][index] = place(slots[slot][index]) }
    }
  }

  var isSound: Bool {
    settings.isSound && range.isSound && (0..<1 << 40).contains(days)
      && slots.count == settings.slots
      && oldest.count == settings.slots
      && slots.allSatisfy { $0.count <= settings.valuesPerSlot && $0.allSatisfy(\.isBounded) }
      && oldest.allSatisfy { (0..<settings.valuesPerSlot).contains($0) }
  }
}
