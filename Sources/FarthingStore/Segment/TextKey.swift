// A 128-bit key for a text: equal texts have equal keys, different texts different ones.
//
// A text of at most 15 bytes is its own key. So is one of 16 to 23 bytes that ends in 16 lower-case
// hexadecimal digits, as ids of traces and digests of prompts do: the digits are the lower half, the
// first of them in the lowest bits, which is how a template packs them (``TextTemplate/keyIsWord``),
// so that such keys are read without making the texts. So is one of at most 30 such digits. Longer
// ones are hashed to 120 bits; two of 10⁹ different texts share a key with a probability below
// 10⁻¹⁸. The top byte says which form it is, so forms never meet.

/// The key of a text value.
@frozen
package struct TextKey: Sendable, Hashable {
  package let low: UInt64
  package let high: UInt64

  @inlinable
  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The key of the bytes in `range`.
  ///
  /// - Complexity: O(bytes), about a nanosecond each.
  package init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    let count = range.count
    if count <= 15 {
      var low: UInt64 = 0
      var high = UInt64(count) << 56
      for index in 0..<count {
        let byte = UInt64(bytes[range.lowerBound + index])
        if index < 8 {
          low |= byte << UInt64(index * 8)
        } else {
          high |= byte << UInt64(index * 8 - 64)
        }
      }
      self.init(low: low, high: high)
      return
    }
    if count <= 23, let key = TextKey.suffixed(bytes, range) {
      self = key
      return
    }
    if count <= 30, let key = TextKey.hexadecimal(bytes, range) {
      self = key
      return
    }
    self = TextKey.hashed(bytes, range)
  }

  package init(_ text: [UInt8]) { self.init(text.span, 0..<text.count) }

  /// The upper half of the keys of all texts that are `prefix` and 16 lower-case hexadecimal digits;
  /// nil where such texts are hashed.
  static func upperHalf(prefix: [UInt8]) -> UInt64? {
    guard prefix.count <= 7 else { return nil }
    var high = UInt64(0xc0 + prefix.count) << 56
    for (place, byte) in prefix.enumerated() { high |= UInt64(byte) << UInt64(place * 8) }
    return high
  }

  /// - Precondition: the range has 16 to 23 bytes.
  private static func suffixed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> TextKey? {
    let first = range.upperBound - 16
    var low: UInt64 = 0
    var isOther: UInt8 = 0
    for index in 0..<16 {
      let byte = bytes[first + index]
      let isDigit: UInt8 = byte &- 48 < 10 ? 1 : 0
      let isLetter: UInt8 = byte &- 97 < 6 ? 1 : 0
      isOther |= (isDigit | isLetter) ^ 1
      let digit = (byte & 15) &+ (byte >> 6) &* 9
      low |= UInt64(digit & 15) &<< UInt64(index &* 4)
    }
    if isOther != 0 { return nil }
    var high = UInt64(0xc0 + range.count - 16) << 56
    for index in range.lowerBound..<first {
      high |= UInt64(bytes[index]) << UInt64((index - range.lowerBound) * 8)
    }
    return TextKey(low: low, high: high)
  }

  private static func hexadecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> TextKey? {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var isOther: UInt8 = 0
    for index in range {
      // Without a branch, as whether a digit is a letter cannot be guessed: letters have bit 6
      // set and stand 9 above their low bits. Differences wrap by intent.
      let byte = bytes[index]
      let isDigit: UInt8 = byte &- 48 < 10 ? 1 : 0
      let isLetter: UInt8 = byte &- 97 < 6 ? 1 : 0
      isOther |= (isDigit | isLetter) ^ 1
      let digit = (byte & 15) &+ (byte >> 6) &* 9
      high = high &<< 4 | low &>> 60
      low = low &<< 4 | UInt64(digit)
    }
    if isOther != 0 { return nil }
    return TextKey(low: low, high: high | UInt64(0x80 + range.count) << 56)
  }

  /// Two multiply-and-fold lanes over eight bytes at a time (the construction of wyhash).
  private static func hashed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> TextKey {
    var first: UInt64 = 0xa076_1d64_78bd_642f ^ UInt64(range.count)
    var second: UInt64 = 0xe703_7ed1_a0b4_28db
    var place = range.lowerBound
    while place < range.upperBound {
      var word: UInt64 = 0
      let end = min(place + 8, range.upperBound)
      var shift: UInt64 = 0
      for index in place..<end {
        word |= UInt64(bytes[index]) << shift
        shift &+= 8
      }
      first = fold(first ^ word, 0x8ebc_6af0_9c88_c6e3)
      second = fold(second ^ first, word ^ 0x5899_65cc_7537_4cc3) ^ (second &<< 1 | second &>> 63)
      place = end
    }
    let low = fold(first, second ^ 0x1d8e_4e27_c47d_124f)
    let high = fold(second ^ 0xeb44_acca_b455_d165, first)
    return TextKey(low: low, high: high | 0xff << 56)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  /// A well-mixed 64-bit digest, for choosing partitions and table slots.
  @inlinable
  package var mixed: UInt64 { TextKey.mix(low, high) }

  /// The digest of a key in two halves.
  @inlinable
  package static func mix(_ low: UInt64, _ high: UInt64) -> UInt64 {
    // Products wrap by intent: only the spread of their bits matters.
    let product = (low ^ (high &* 0x9e37_79b9_7f4a_7c15)).multipliedFullWidth(
      by: 0xd6e8_feb8_6659_fd93)
    return product.high ^ product.low
  }
}
