internal import FarthingCore
internal import FarthingStore

/// A test of an integer that an absent value never passes.
struct IntegerTest: Sendable {
  enum Rule: Sendable {
    /// Both ends included; empty where the lower bound is above the upper.
    case range(Int128, Int128)
    case oneOf(Set<Int128>)
  }

  let rule: Rule
  let isNegated: Bool

  /// - Parameter step: How many picos one unit of the column is: 10¹² for counts, 1 for money.
  init(
    _ comparison: FilterExpression.Comparison, _ number: ExactDecimal, step: Int128,
    isNegated: Bool
  ) {
    let (floor, isExact) = number.floored(to: step)
    let least = Int128.min
    let greatest = Int128.max
    switch comparison {
    case .equal, .notEqual: rule = isExact ? .range(floor, floor) : .range(1, 0)
    case .less: rule = .range(least, isExact ? floor - 1 : floor)
    case .lessOrEqual: rule = .range(least, floor)
    case .greater: rule = .range(floor + 1, greatest)
    case .greaterOrEqual: rule = .range(isExact ? floor : floor + 1, greatest)
    }
    self.isNegated = isNegated != (comparison == .notEqual)
  }

  init(oneOf numbers: [ExactDecimal], step: Int128, isNegated: Bool) {
    let whole = numbers.compactMap { number in
      let (floor, isExact) = number.floored(to: step)
      return isExact ? floor : nil
    }
    rule = .oneOf(Set(whole))
    self.isNegated = isNegated
  }

  func passes(_ value: Int128) -> Bool {
    switch rule {
    case .range(let low, let high): (value >= low && value <= high) != isNegated
    case .oneOf(let values): values.contains(value) != isNegated
    }
  }

  /// What is known of values within `zone`.
  func verdict(_ zone: ClosedRange<Int64>) -> MaskVerdict {
    guard case .range(let low, let high) = rule else { return .mixed }
    let least = Int128(zone.lowerBound)
    let greatest = Int128(zone.upperBound)
    if greatest < low || least > high || low > high { return isNegated ? .all : .none }
    if least >= low && greatest <= high { return isNegated ? .none : .all }
    return .mixed
  }
}

/// An integer test on a column of 64-bit integers, which a companion may widen.
final class IntegerMask {
  private let slot: ColumnSlot
  private let high: ColumnSlot?
  private let test: IntegerTest

  init(_ slot: ColumnSlot, high: ColumnSlot?, _ test: IntegerTest) {
    self.slot = slot
    self.high = high
    self.test = test
  }

  private var isWide: Bool { high?.kind != nil }

  /// What is known of a block without reading it. `all` holds for its present values only.
  func verdict(_ reader: BlockReader, block: Int) -> MaskVerdict {
    if isWide { return .mixed }
    guard let zone = reader.zone(slot.name, block: block) else {
      return slot.kind == nil ? .none : .mixed
    }
    let verdict = test.verdict(zone)
    // A zone does not say whether rows are absent; time and attempt never are.
    let isAlwaysPresent = slot.name == .time || slot.name.rawValue == "attempt"
    return verdict == .all && !isAlwaysPresent ? .mixed : verdict
  }

  func fill(_ mask: inout [UInt8], _ reader: BlockReader) throws(StoreError) {
    try reader.loadIntegers(slot)
    let rows = reader.rowCount
    if isWide, let high {
      try reader.loadIntegers(high)
      for row in 0..<rows {
        let value = wideAmount(high: high.integers.values[row], low: slot.integers.values[row])
        mask[row] = test.passes(value) ? 1 : 0
      }
    } else if case .range(let low, let high) = test.rule {
      fillRange(&mask, rows: rows, low, high)
    } else {
      for row in 0..<rows {
        mask[row] = test.passes(Int128(slot.integers.values[row])) ? 1 : 0
      }
    }
    if let validity = slot.integers.validity { Kernels.and(&mask, validity, rows: rows) }
  }

  private func fillRange(_ mask: inout [UInt8], rows: Int, _ low: Int128, _ high: Int128) {
    let flip: UInt8 = test.isNegated ? 1 : 0
    let least = Int64(clamping: low)
    let greatest = Int64(clamping: high)
    let isEmpty = low > high || low > Int128(Int64.max) || high < Int128(Int64.min)
    if isEmpty {
      Kernels.set(&mask, flip, rows: rows)
    } else {
      Kernels.compare(slot.integers.values, least, greatest, flip: flip, rows: rows, into: &mask)
    }
  }
}

/// A test of a real number that an absent value never passes.
struct RealTest: Sendable {
  enum Rule: Sendable {
    case comparison(FilterExpression.Comparison, Double)
    case oneOf(Set<Double>)
  }

  let rule: Rule
  let isNegated: Bool

  func passes(_ value: Double) -> Bool {
    let holds =
      switch rule {
      case .comparison(.equal, let bound): value == bound
      case .comparison(.notEqual, let bound): value != bound
      case .comparison(.less, let bound): value < bound
      case .comparison(.lessOrEqual, let bound): value <= bound
      case .comparison(.greater, let bound): value > bound
      case .comparison(.greaterOrEqual, let bound): value >= bound
      case .oneOf(let values): values.contains(value)
      }
    return holds != isNegated
  }
}

/// Whether a column of numbers has a value.
enum PresenceMask {
  static func fill(
    _ mask: inout [UInt8], _ slot: ColumnSlot, isPresent: Bool, _ reader: BlockReader
  ) throws(StoreError) {
    let validity: [UInt8]?
    if slot.kind == .reals {
      try reader.loadReals(slot)
      validity = slot.reals.validity
    } else {
      try reader.loadIntegers(slot)
      validity = slot.integers.validity
    }
    for row in 0..<reader.rowCount {
      let present = validity.map { $0[row] != 0 } ?? true
      mask[row] = present == isPresent ? 1 : 0
    }
  }
}
