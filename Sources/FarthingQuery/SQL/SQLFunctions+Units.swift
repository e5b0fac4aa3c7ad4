internal import FarthingCore
internal import FarthingStore

// The functions of ours: money without binary floating point, quantiles, time buckets.

extension SQLFunction {
  /// All of them.
  static var all: [SQLFunction] {
    [
      SQLFunction("usd", argumentCount: 1, .scalar(dollars)),
      SQLFunction("picodollars", argumentCount: 1, .scalar(picodollars)),
      SQLFunction("time_bucket", argumentCount: 2, .scalar(bucketStart)),
      SQLFunction("sum_usd", argumentCount: 1, .aggregate { DollarSum() }),
      SQLFunction("exact_sum", argumentCount: 1, .aggregate { IntegerSum() }),
      SQLFunction("percentile", argumentCount: 2, .aggregate { Percentile() }),
    ]
  }

  /// `usd(picodollars)`: decimal dollars.
  private static func dollars(_ arguments: borrowing SQLArguments) throws(SQLFailure) -> SQLValue {
    if arguments.isNull(0) { return .null }
    guard let amount = WholeNumber.read(arguments) else {
      throw SQLFailure(
        .execution,
        "usd() takes whole picodollars, such as cost_picodollars or exact_sum(cost_picodollars)")
    }
    return .text(DecimalBytes.text(amount))
  }

  /// `picodollars(usd)`: whole picodollars of decimal dollars.
  private static func picodollars(
    _ arguments: borrowing SQLArguments
  ) throws(SQLFailure) -> SQLValue {
    if arguments.isNull(0) { return .null }
    guard let amount = arguments.withText(0, { WholeNumber.picodollars($0) }) ?? nil else {
      throw SQLFailure(
        .execution, "picodollars() takes decimal dollars as text, such as cost or '12.50'")
    }
    return SQLValue(picodollars: amount)
  }

  /// `time_bucket(width, time)`: where the bucket begins that the time lies in, in UTC.
  private static func bucketStart(
    _ arguments: borrowing SQLArguments
  ) throws(SQLFailure) -> SQLValue {
    guard case .text(let words) = arguments.value(0), let width = BucketWidth(words) else {
      throw SQLFailure(.execution, "time_bucket() takes a width such as '5m', '1h', '1d' first")
    }
    if arguments.isNull(1) { return .null }
    let instant =
      arguments.integer(1) ?? arguments.withText(1) { TextInstant($0)?.unixNanoseconds } ?? nil
    guard let instant else {
      throw SQLFailure(.execution, "time_bucket() takes a time second, such as time")
    }
    let start = TimeBuckets(width: width, zone: .utc).bucket(containing: instant).start
    return .text(SQLColumnBuffer.timeText(start))
  }
}

/// Numbers of 128 bits in arguments.
enum WholeNumber {
  /// An integer, or its digits as text where it needs more than 64 bits.
  static func read(_ arguments: borrowing SQLArguments) -> Int128? {
    if let small = arguments.integer(0) { return Int128(small) }
    guard case .text(let text) = arguments.value(0) else { return nil }
    return Int128(text)
  }

  /// Decimal dollars as whole picodollars; nil where the text is no number, is finer than a
  /// picodollar or does not fit.
  static func picodollars(_ text: Span<UInt8>) -> Int128? {
    guard let shape = try? DecimalText(text) else { return nil }
    var amount: Int128 = 0
    var weight = shape.digitsBeforePoint - 1 + shape.exponent
    for place in shape.digits where text[place] != UInt8(ascii: ".") {
      let digit = Int128(text[place] & 0x0F)
      if weight < -12 {
        guard digit == 0 else { return nil }
      } else {
        guard let next = shifted(amount, adding: digit) else { return nil }
        amount = next
      }
      weight -= 1
    }
    // `weight` is one below that of the last digit; zeros up to the picodollar are implied.
    while weight >= -12, amount != 0 {
      guard let next = shifted(amount, adding: 0) else { return nil }
      amount = next
      weight -= 1
    }
    return shape.isNegative ? -amount : amount
  }

  private static func shifted(_ amount: Int128, adding digit: Int128) -> Int128? {
    let (product, overflow) = amount.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.addingReportingOverflow(digit)
    return overflow || carry ? nil : sum
  }
}

/// `exact_sum(integer)` and the sum behind `sum_usd`.
private class IntegerSum: SQLAccumulator {
  private var sum: Int128 = 0
  private var count = 0

  func add(_ arguments: borrowing SQLArguments) throws(SQLFailure) {
    if let small = arguments.integer(0) { return try add(Int128(small)) }
    if arguments.isNull(0) { return }
    guard let number = WholeNumber.read(arguments) else {
      throw SQLFailure(
        .execution,
        "exact_sum() adds integers, such as cost_picodollars; sum_usd() adds decimal dollars")
    }
    try add(number)
  }

  final func add(_ number: Int128) throws(SQLFailure) {
    let (next, overflow) = sum.addingReportingOverflow(number)
    if overflow { throw SQLFailure(.execution, "the sum needs more than 128 bits") }
    sum = next
    count += 1
  }

  /// The sum; nil where nothing was added.
  final var total: Int128? { count == 0 ? nil : sum }

  func result() throws(SQLFailure) -> SQLValue {
    total.map { SQLValue(picodollars: $0) } ?? .null
  }
}

/// `sum_usd(dollars)`.
private final class DollarSum: IntegerSum {
  override func add(_ arguments: borrowing SQLArguments) throws(SQLFailure) {
    if arguments.isNull(0) { return }
    guard let amount = arguments.withText(0, { WholeNumber.picodollars($0) }) ?? nil else {
      throw SQLFailure(
        .execution,
        "sum_usd() adds decimal dollars as text, such as cost; for picodollars write "
          + "usd(exact_sum(cost_picodollars))")
    }
    try add(amount)
  }

  override func result() throws(SQLFailure) -> SQLValue {
    total.map { .text(DecimalBytes.text($0)) } ?? .null
  }
}

/// `percentile(number, p)`: within 1 % of the value of rank ⌈p/100·n⌉.
private final class Percentile: SQLAccumulator {
  private var sketch = QuantileSketch()
  private var percent: Double?

  func add(_ arguments: borrowing SQLArguments) throws(SQLFailure) {
    guard let percent = arguments.number(1), percent >= 0, percent <= 100,
      self.percent ?? percent == percent
    else {
      throw SQLFailure(
        .execution, "percentile() takes one percentage from 0 to 100 second, such as 95")
    }
    self.percent = percent
    if arguments.isNull(0) { return }
    guard let number = arguments.number(0), number >= 0, number.isFinite else {
      throw SQLFailure(.execution, "percentile() takes numbers of at least 0, such as latency_ms")
    }
    sketch.add(number)
  }

  func result() throws(SQLFailure) -> SQLValue {
    percent.flatMap { sketch.quantile($0 / 100) }.map { .real($0) } ?? .null
  }
}
