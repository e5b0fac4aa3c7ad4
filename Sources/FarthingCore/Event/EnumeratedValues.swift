/// The closed sets of values, compared as words.
struct EnumeratedValues: Sendable {
  private struct Value: Sendable {
    var first: UInt64
    var second: UInt64
    var length: UInt32
    var field: UInt8
  }

  /// The longest value in bytes is `confidential`.
  private static let longest: UInt32 = 12

  private var values: [Value] = []

  init() {
    for field in TextField.allCases {
      for name in EventShape.values(of: field) ?? [] {
        let bytes = Array(name.utf8)
        values.append(
          Value(
            first: bytes.span.word(0), second: bytes.span.word(8), length: UInt32(bytes.count),
            field: field.rawValue))
      }
    }
  }

  /// Whether the `length` bytes from `start` are a value of the text field with that code.
  @inline(__always)
  func contains(_ code: UInt8, _ bytes: Span<UInt8>, from start: Int, length: UInt32) -> Bool {
    if length > Self.longest { return false }
    let first = ByteWord.low(Int(length), of: bytes.word(start))
    let second =
      length <= 8 ? 0 : ByteWord.low(Int(length) &- 8, of: bytes.word(start &+ 8))
    for value in values
    where value.field == code && value.length == length && value.first == first
      && value.second == second
    {
      return true
    }
    return false
  }
}
