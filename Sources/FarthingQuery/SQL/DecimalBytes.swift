/// Dollars as decimal text: no exponent, no trailing zeros, `0` for nothing.
///
/// The digits are made in integers, into one array that is used again for the next amount.
struct DecimalBytes {
  private var bytes: [UInt8] = []

  /// The text of an amount.
  static func text(_ picodollars: Int128) -> String {
    var maker = DecimalBytes()
    return String(decoding: maker.make(picodollars), as: UTF8.self)
  }

  /// The bytes of an amount's text.
  mutating func make(_ picodollars: Int128) -> [UInt8] {
    bytes.removeAll(keepingCapacity: true)
    let magnitude = picodollars.magnitude
    if picodollars < 0 { bytes.append(UInt8(ascii: "-")) }
    guard let small = UInt64(exactly: magnitude) else {
      let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000_000)
      bytes.append(contentsOf: String(whole).utf8)
      appendFraction(UInt64(fraction))
      return bytes
    }
    let (whole, fraction) = small.quotientAndRemainder(dividingBy: 1_000_000_000_000)
    appendWhole(whole)
    appendFraction(fraction)
    return bytes
  }

  private mutating func appendWhole(_ number: UInt64) {
    let start = bytes.count
    var rest = number
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest != 0
    bytes[start...].reverse()
  }

  /// - Parameter picos: Below 10¹².
  private mutating func appendFraction(_ picos: UInt64) {
    if picos == 0 { return }
    bytes.append(UInt8(ascii: "."))
    var rest = picos
    var power: UInt64 = 100_000_000_000
    while rest != 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / power))
      rest %= power
      power /= 10
    }
  }
}
