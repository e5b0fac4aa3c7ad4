internal import FarthingCore

/// A price in a list that cannot be used: which key, what stands there, and what was expected.
struct UnreadablePrice: Error, Equatable {
  let key: String
  let value: String
  let expected: String
}

/// Numbers of price lists, read from their text.
enum PriceText {
  /// The price of one unit that `text` says as the price of `count` units.
  /// - Throws: `DecimalFault`, as `Rate.parse` does; `.tooPrecise` where the division leaves too many digits.
  static func rate(_ text: String, per count: UInt64) throws(DecimalFault) -> Rate {
    var rest = count
    var shift = 0
    while rest % 10 == 0, rest > 0 { (rest, shift) = (rest / 10, shift + 1) }
    let bytes = Array(text.utf8)
    let rate = try Rate.parse(bytes.span, shift: shift)
    guard rest != 1 else { return rate }
    guard let one = rate.divided(by: rest) else { throw .tooPrecise }
    return one
  }

  /// The price of one unit that a member `key` of an entry says as the price of `count` units.
  /// - Throws: `UnreadablePrice` where the value is no price that can be kept exactly.
  static func rate(
    _ value: PriceTree, key: String, per count: UInt64 = 1
  ) throws(UnreadablePrice) -> Rate {
    let fault: DecimalFault
    do throws(DecimalFault) {
      guard let text = value.decimal else { throw .notANumber }
      return try rate(text, per: count)
    } catch {
      fault = error
    }
    let expected =
      switch fault {
      case .notANumber: "a decimal number of at least 0"
      case .tooLarge: "at most \(Rate.limit) dollars a unit"
      case .tooPrecise:
        "at most \(Rate.maximumSignificantDigits) significant digits and \(Rate.maximumScale)"
          + " decimals for one unit"
      }
    throw UnreadablePrice(key: key, value: value.excerpt, expected: expected)
  }

  /// The whole number of tokens that `text` says, such as `272000` or `2e5`; nil where it says none.
  static func tokenLimit(_ text: String) -> Int64? {
    Rate(decimal: text, shift: 9).flatMap { Int64($0.decimalText(per: 1_000_000_000)) }
  }
}
