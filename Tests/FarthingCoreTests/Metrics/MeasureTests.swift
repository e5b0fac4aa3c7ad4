import FarthingCore
import Testing

@Suite struct `The measures and metrics` {
  @Test func `have names of their own`() {
    let names = Metric.catalogue.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names { #expect(Metric.named(name)?.name == name) }
    #expect(Metric.named("distinct_tags.team") != nil)
    #expect(Metric.named("distinct_tags.") == nil)
    #expect(Metric.named("costs") == nil)
  }

  @Test func `keep their numbers, which segments store`() {
    for (place, measure) in AdditiveMeasure.allCases.enumerated() {
      #expect(Int(measure.rawValue) == place)
    }
    #expect(AdditiveMeasure.taskCost.rawValue == 30)
  }

  @Test func `survive their bytes with sums of any size`() {
    var totals = MeasureTotals()
    totals[.cost] = Int128.max
    totals[.cacheSavings] = Int128.min
    totals[.retries] = nil
    var bytes: [UInt8] = []
    totals.serialise(into: &bytes)
    var position = 0
    #expect(MeasureTotals.deserialise(bytes, at: &position) == totals)
    #expect(position == bytes.count)
  }

  @Test func `become unknown instead of wrapping`() {
    var totals = MeasureTotals()
    totals[.cost] = Int128.max
    totals.add(1, to: .cost)
    #expect(totals[.cost] == nil)
  }

  @Test func `count a retry's cost and no first attempt`() {
    var row = MeasuredRow()
    row[.attempt] = 2
    row[.cost] = 7
    row.costState = .priced
    #expect(AdditiveMeasure.retryCost.value(of: row) == 7)
    #expect(AdditiveMeasure.firstAttempts.value(of: row) == 0)
    #expect(AdditiveMeasure.requests.value(of: row) == 1)
  }
}
