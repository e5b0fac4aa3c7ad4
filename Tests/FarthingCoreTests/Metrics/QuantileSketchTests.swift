import FarthingCore
import Testing

@Suite struct `A quantile sketch` {
  /// A repeatable sequence over many magnitudes.
  private static func values(_ count: Int) -> [Double] {
    var state: UInt64 = 42
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let exponent = Int(state >> 59) - 10
      return Double(state >> 33)
        * (exponent < 0 ? 1 / Double(1 << -exponent) : Double(1 << exponent))
    }
  }

  @Test func `is within one percent of every order statistic`() {
    let values = Self.values(3_000)
    var sketch = QuantileSketch()
    for value in values { sketch.add(value) }
    let sorted = values.sorted()
    for rank in stride(from: 1, through: sorted.count, by: 7) {
      let exact = sorted[rank - 1]
      let found = sketch.value(atRank: Int64(rank)) ?? -1
      #expect(abs(found - exact) <= exact * 0.01)
    }
    #expect(sketch.minimum == sorted.first)
    #expect(sketch.maximum == sorted.last)
  }

  @Test func `does not depend on how its values were split`() {
    let values = Self.values(500)
    var whole = QuantileSketch()
    var parts = [QuantileSketch](repeating: QuantileSketch(), count: 3)
    for (index, value) in values.enumerated() {
      whole.add(value)
      parts[index % 3].add(value)
    }
    var merged = parts[2]
    merged.merge(parts[0])
    merged.merge(parts[1])
    for permille in [1, 500, 900, 950, 990, 999] {
      #expect(merged.quantile(permille: permille) == whole.quantile(permille: permille))
    }
    #expect(merged.count == 500)
  }

  @Test func `takes every finite value and keeps one value exact`() {
    for value in [
      0, Double.leastNonzeroMagnitude, 1e-300, 0.001, 1234.5, 1e300, Double.greatestFiniteMagnitude,
    ] {
      var sketch = QuantileSketch()
      sketch.add(value, times: 3)
      #expect(sketch.quantile(0.5) == value)
      #expect(sketch.mean?.isFinite == true)
    }
  }

  @Test func `survives its bytes, and damaged bytes give nothing`() {
    var sketch = QuantileSketch()
    for value in Self.values(50) { sketch.add(value) }
    var bytes: [UInt8] = []
    sketch.serialise(into: &bytes)
    var position = 0
    #expect(QuantileSketch.deserialise(bytes, at: &position) == sketch)
    #expect(position == bytes.count)
    for length in 0..<bytes.count {
      var start = 0
      #expect(QuantileSketch.deserialise(Array(bytes[..<length]), at: &start) == nil)
    }
  }

  @Test func `of nothing has no quantile and no mean`() {
    #expect(QuantileSketch().quantile(permille: 500) == nil)
    #expect(QuantileSketch().mean == nil)
  }
}
