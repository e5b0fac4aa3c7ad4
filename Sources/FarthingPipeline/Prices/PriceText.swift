internal import FarthingCore

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

  /// The whole number of tokens that `text` says, such as `272000` or `2e5`; nil where it says none.
  static func tokenLimit(_ text: String) -> Int64? {
    Rate(decimal: text, shift: 9).flatMap { Int64($0.decimalText(per: 1_000_000_000)) }
  }
}
