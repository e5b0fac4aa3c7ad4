internal import FarthingCore

/// A mean that forgets: of all values while there are few, then exponentially weighted.
struct ForgettingMean: Sendable, Archivable {
  private(set) var value = 0.0
  /// Values that it rests on, at most the memory.
  private(set) var weight = 0.0

  mutating func add(_ sample: Double, memory: Double, rate: Double = 1) {
    weight = min(weight + rate, memory)
    if weight > 0 { value += (sample - value) * rate / max(weight, 1) }
  }

  /// Adds `count` zeros at once.
  mutating func addZeros(_ count: Double, memory: Double) {
    guard count > 0, weight > 0 else { return }
    let grown = min(count, max(0, memory - weight))
    if grown > 0 {
      value *= weight / (weight + grown)
      weight += grown
    }
    let rest = count - grown
    if rest > 0 {
      value *= ReproducibleMath.exponential(rest * ReproducibleMath.logarithm(1 - 1 / memory))
    }
  }

  mutating func scale(_ factor: Double) { value *= factor }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&value)
    archive.field(&weight)
  }
}
