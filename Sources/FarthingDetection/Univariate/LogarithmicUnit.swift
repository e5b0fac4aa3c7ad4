internal import FarthingCore

/// A scale that is linear for usual values and logarithmic for bursts: y = sign(x)·ln(1 + |x|/u).
///
/// The unit u is four times the mean magnitude of the last thousand values. It is kept until the mean
/// has moved by a quarter, so that what is remembered on this scale has to be said anew only then. A
/// value counts with at most eight times the mean: one burst must not make all that follows look small.
struct LogarithmicUnit: Sendable, Equatable, Codable {
  /// Values over which the mean magnitude forgets.
  private static let memory = 1000.0
  /// Usual values then stand below ln 1.25, where the scale is linear within an eighth.
  private static let unitsPerMean = 4.0
  private static let stepBeforeChange = 1.25
  private static let largestStep = 8.0
  /// The least unit, of the largest magnitude seen: zeros for a year must not make it vanish.
  private static let leastShare = 1e-9

  private var count = 0.0
  private var meanMagnitude = 0.0
  private var largestMagnitude = 0.0
  /// 0 until a value was not zero.
  private(set) var unit = 0.0

  /// Takes in one finite value.
  ///
  /// - Returns: The unit that was in force where another one is now; nil where it stays, and where
  ///   there was none.
  mutating func learn(_ value: Double) -> Double? {
    let magnitude = abs(value)
    count = min(count + 1, Self.memory)
    largestMagnitude = max(largestMagnitude, magnitude)
    let counted = meanMagnitude > 0 ? min(magnitude, Self.largestStep * meanMagnitude) : magnitude
    meanMagnitude += (counted - meanMagnitude) / count
    let wanted = max(Self.unitsPerMean * meanMagnitude, Self.leastShare * largestMagnitude)
    guard unit > 0 else {
      unit = wanted
      return nil
    }
    guard wanted > unit * Self.stepBeforeChange || wanted < unit / Self.stepBeforeChange else {
      return nil
    }
    defer { unit = wanted }
    return unit
  }

  /// The value on the scale; 0 as long as all values were zero.
  func scaled(_ value: Double) -> Double {
    guard unit > 0 else { return 0 }
    let size = ReproducibleMath.logarithm(1 + abs(value) / unit)
    return value < 0 ? -size : size
  }

  /// The value that stands at a place of the scale of another unit.
  static func value(at place: Double, unit: Double) -> Double {
    let size = unit * (ReproducibleMath.exponential(abs(place)) - 1)
    return place < 0 ? -size : size
  }

  var isSound: Bool {
    [count, meanMagnitude, largestMagnitude, unit].allSatisfy { $0.isBounded && $0 >= 0 }
      && (unit == 0 || largestMagnitude * Self.leastShare <= 2 * unit)
  }
}
