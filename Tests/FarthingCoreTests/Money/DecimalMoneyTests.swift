import Testing

@testable import FarthingCore

private func money(_ text: String) throws(DecimalFault) -> Picodollars {
  let bytes = Array(text.utf8)
  return try Picodollars.parse(bytes.span)
}

private func rate(_ text: String) throws(DecimalFault) -> Rate {
  let bytes = Array(text.utf8)
  return try Rate.parse(bytes.span)
}

struct `Decimal money` {
  @Test(arguments: [
    ("0", "0"), ("1", "1"), ("12.50", "12.5"), ("0.000000000001", "0.000000000001"),
    ("1.2e-05", "0.000012"), ("1.2E+3", "1200"), ("-3.10", "-3.1"), ("-0", "0"),
    ("999999999999999", "999999999999999"), ("000000000000000000001", "1"),
    ("0.5e15", "500000000000000"), ("123e-14", "0.000000000001"),
  ])
  func `text becomes an amount and text again`(text: String, expected: String) {
    #expect(Picodollars(decimal: text)?.decimalText == expected)
  }

  @Test(arguments: [
    ("0.0000000000005", "0"), ("0.0000000000015", "0.000000000002"),
    ("0.0000000000025", "0.000000000002"), ("0.00000000000250001", "0.000000000003"),
    ("0.00000000000149999", "0.000000000001"), ("5e-13", "0"), ("5.0000001e-13", "0.000000000001"),
    ("1e-99999999", "0"), ("0.9999999999999", "1"),
  ])
  func `what is finer than a picodollar is rounded half to even`(text: String, expected: String) {
    #expect(Picodollars(decimal: text)?.decimalText == expected)
  }

  @Test(arguments: ["1000000000000000", "1e15", "12345678901234567890", "0.1e17", "1e99999999"])
  func `more than 15 digits before the point are refused`(text: String) {
    #expect(throws: DecimalFault.tooLarge) { try money(text) }
  }

  @Test(arguments: [
    "", "-", ".5", "5.", "1e", "1e+", "1,5", "0x10", "NaN", "1 ", " 1", "--1", "1.2.3",
  ])
  func `what is no decimal number is refused`(text: String) {
    #expect(throws: DecimalFault.notANumber) { try money(text) }
  }

  @Test func `an amount of any size is written without exponent`() {
    #expect(Picodollars(.max).decimalText == "170141183460469231731687303.715884105727")
    #expect(Picodollars(.min).decimalText == "-170141183460469231731687303.715884105728")
  }
}

struct `Money ratios` {
  @Test(arguments: [
    (1, 3, 1, "0"), (10, 4, 1, "2"), (14, 4, 1, "4"), (6, 4, 1, "2"), (-10, 4, 1, "-2"),
    (-6, 4, 1, "-2"), (7, 2, 1, "4"), (5, 2, 1, "2"), (7, -2, 1, "-4"), (2, 3, 1_000_000, "666667"),
  ])
  func `a quotient is rounded half to even`(
    numerator: Int128, denominator: Int128, factor: UInt64, expected: String
  ) {
    let quotient = MoneyRatio.divide(numerator, by: denominator, times: factor)
    #expect(quotient == (Int128(expected) ?? 0))
  }

  @Test func `a ratio over nothing has no value`() {
    #expect(MoneyRatio.divide(5, by: 0) == nil)
    #expect(MoneyRatio.decimalText(Picodollars(5), per: 0) == nil)
  }

  @Test func `no numerator and no scale can trap`() {
    #expect(MoneyRatio.divide(.max, by: 1) == .max)
    #expect(MoneyRatio.divide(.max, by: 1, times: 1_000_000) == nil)
    #expect(MoneyRatio.divide(.max, by: .max, times: 1_000_000) == 1_000_000)
    #expect(MoneyRatio.divide(.min, by: .min, times: 1_000_000) == nil)
    #expect(MoneyRatio.divide(.max, by: 1_000_000, times: 1_000_000) == .max)
    #expect(MoneyRatio.decimalText(Picodollars(decimal: "1")!, per: 3) == "0.333333333333")
    #expect(MoneyRatio.decimalText(Picodollars(decimal: "2")!, per: 3) == "0.666666666667")
  }

  @Test func `a sum that leaves 128 bits is told, not wrapped`() {
    #expect(Picodollars(.max).adding(Picodollars(1)) == nil)
    #expect(Picodollars(1).adding(Picodollars(2)) == Picodollars(3))
  }
}

struct `Rates` {
  @Test(arguments: [
    ("2.5e-06", 0, "0.0000025"), ("1.7999999999999999e-07", 0, "0.00000017999999999999999"),
    ("3", 6, "0.000003"), ("0", 0, "0"), ("0.10", 0, "0.1"), ("1000000", 0, "1000000"),
    ("1e12", 6, "1000000"),
  ])
  func `a rate keeps every digit of its text`(text: String, shift: Int, expected: String) {
    #expect(Rate(decimal: text, shift: shift)?.decimalText() == expected)
  }

  @Test func `a rate beyond the limits is refused, not rounded`() {
    #expect(throws: DecimalFault.tooLarge) { try rate("1000001") }
    #expect(throws: DecimalFault.tooLarge) { try rate("1000000.1") }
    #expect(throws: DecimalFault.tooLarge) { try rate("1e99999") }
    #expect(throws: DecimalFault.tooPrecise) { try rate("1e-31") }
    #expect(throws: DecimalFault.tooPrecise) {
      try rate("1.2345678901234567890123456789")
    }
    #expect(throws: DecimalFault.notANumber) { try rate("-1") }
  }

  @Test func `halves, discounts and prices by the hour stay exact`() throws {
    let rate = try #require(Rate(decimal: "0.000003"))
    #expect(rate.halved.decimalText() == "0.0000015")
    #expect(try #require(Rate(decimal: "0.000004")).halved.decimalText() == "0.000002")
    let discount = try #require(Discount(percent: "12.5"))
    #expect(discount.applied(to: rate)?.decimalText() == "0.000002625")
    let second = try #require(Rate(decimal: "0.36")?.divided(by: 3_600))
    #expect(second.decimalText(per: 3_600) == "0.36")
    #expect(second.divisor == 9)
    #expect(Discount(percent: "100.1") == nil)
    #expect(Discount(percent: "0.0000001") == nil)
    #expect(Discount(percent: "100")?.applied(to: rate) == .zero)
  }
}
