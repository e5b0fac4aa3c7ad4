/// The sums of a set of requests, one for each ``AdditiveMeasure`` that is known of it.
///
/// Sums are exact. A sum that would leave 128 bits becomes unknown (nil) and stays so: whoever
/// needs it is told by the scan, nothing wraps.
package struct MeasureTotals: Sendable, Equatable {
  private var sums: [Int128?]

  /// Totals of no request: every measure is known and 0.
  package init() {
    sums = [Int128?](repeating: 0, count: AdditiveMeasure.allCases.count)
  }

  /// The sum, or nil where it is not known (the segment was sealed before the measure existed, or
  /// the sum left 128 bits).
  package subscript(measure: AdditiveMeasure) -> Int128? {
    get { sums[Int(measure.rawValue)] }
    set { sums[Int(measure.rawValue)] = newValue }
  }

  /// Adds an amount to one measure.
  package mutating func add(_ amount: Int128, to measure: AdditiveMeasure) {
    self[measure] = MeasureTotals.sum(self[measure], amount)
  }

  /// Adds one request to every measure.
  /// - Complexity: O(measures); for tests and cold paths.
  package mutating func add(_ row: MeasuredRow) {
    for measure in AdditiveMeasure.allCases { add(measure.value(of: row), to: measure) }
  }

  /// Adds the requests of another set.
  package mutating func merge(_ other: MeasureTotals) {
    for measure in AdditiveMeasure.allCases {
      self[measure] = MeasureTotals.sum(self[measure], other[measure])
    }
  }

  private static func sum(_ left: Int128?, _ right: Int128?) -> Int128? {
    guard let left, let right else { return nil }
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? nil : sum
  }

  /// Appends the number of known measures, then for each its number (one byte) and its sum
  /// (alternating-sign LEB128).
  package func serialise(into bytes: inout [UInt8]) {
    let known = AdditiveMeasure.allCases.filter { self[$0] != nil }
    bytes.append(UInt8(known.count))
    for measure in known {
      bytes.append(measure.rawValue)
      Varint.append(signed: self[measure] ?? 0, to: &bytes)
    }
  }

  /// Reads what ``serialise(into:)`` wrote, moving `position` past it. Measures that this version
  /// does not know are skipped; those that were not written are unknown.
  /// - Returns: nil where the bytes end early.
  package static func deserialise(_ bytes: [UInt8], at position: inout Int) -> MeasureTotals? {
    guard position < bytes.count else { return nil }
    var totals = MeasureTotals()
    totals.sums = [Int128?](repeating: nil, count: AdditiveMeasure.allCases.count)
    let known = Int(bytes[position])
    position += 1
    for _ in 0..<known {
      guard position < bytes.count else { return nil }
      let number = bytes[position]
      position += 1
      guard let sum = Varint.readSigned(bytes, at: &position) else { return nil }
      if let measure = AdditiveMeasure(rawValue: number) { totals[measure] = sum }
    }
    return totals
  }
}
