/// The range of a series as far as it is remembered: the extremes drift towards the mean.
///
/// For each value: L ← L + (x − L)/n, least ← least + (L − least)/n, greatest alike, n the memory in
/// rows; then both are widened to x, each
/// by at most ten widths at once. So one absurd value neither hides what follows nor becomes the measure of it.
struct FadingRange: Sendable, Equatable, Codable {
  /// Share of the greatest magnitude below which a range is taken for rounding.
  private static let rounding = 1e-6

  /// Widths that a range grows by at once to either side: from 3 to 1000 scores stay the same, but for
  /// absurd values.
  private static let largestGrowth = 10.0

  private let memory: Double
  private var count = 0.0
  private var mean = 0.0
  private var least = 0.0
  private var greatest = 0.0

  /// - Parameter memory: Rows, at least 1.
  init(memory: Double) { self.memory = max(1, memory) }

  /// Takes in one finite value.
  mutating func learn(_ value: Double) {
    if count == 0 {
      mean = value
      least = value
      greatest = value
    }
    count = min(count + 1, memory)
    mean += (value - mean) / count
    least += (mean - least) / memory
    greatest += (mean - greatest) / memory
    let reach = greatest > least ? Self.largestGrowth * (greatest - least) : .infinity
    least = min(least, max(value, least - reach))
    greatest = max(greatest, min(value, greatest + reach))
  }

  /// Greatest less least; at least a millionth of the greatest magnitude, 0 only where all is 0.
  var width: Double {
    max(greatest - least, Self.rounding * max(abs(greatest), abs(least)))
  }

  mutating func rescale(_ place: (Double) -> Double) {
    mean = place(mean)
    least = place(least)
    greatest = place(greatest)
  }

  var isSound: Bool {
    memory >= 1 && count >= 0 && [memory, count, mean, least, greatest].allSatisfy(\.isBounded)
  }
}
