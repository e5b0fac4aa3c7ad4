extension EventDecoder {
  @inline(__always)
  mutating func timeValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, isBounded: Bool, into time: inout Int64
  ) -> Int {
    if bytes.byte(at) == UInt8(ascii: "\"") {
      let end = bytes.endOfPlainText(from: at &+ 1)
      if end >= 0,
        let value = clock.read(bytes, from: at &+ 1, to: end)
      {
        if isBounded && (value < EventLimits.earliestTime || value > latestTime) {
          return fail(
            code, value: Excerpt.text(bytes, from: at &+ 1, to: end),
            expected: Expectation.timeRange)
        }
        time = value
        return end &+ 1
      }
    }
    return otherTime(bytes, at: at, of: code, isBounded: isBounded, into: &time)
  }

  @inline(never)
  private mutating func otherTime(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, isBounded: Bool, into time: inout Int64
  ) -> Int {
    if let end = absent(bytes, at: at) { return end }
    guard let number = JSONNumber(bytes, at: at) else {
      if bytes.byte(at) == UInt8(ascii: "\"") {
        return otherTimeText(bytes, at: at, of: code, isBounded: isBounded, into: &time)
      }
      return wrongValue(bytes, at: at, of: code)
    }
    guard number.isInteger, let value = Self.integer64(number) else {
      return fail(code, value: rawText(bytes, at: at), expected: Expectation.time)
    }
    if isBounded && (value < EventLimits.earliestTime || value > latestTime) {
      return fail(code, value: rawText(bytes, at: at), expected: Expectation.timeRange)
    }
    time = value
    return number.end
  }

  /// A text that is no time as it stands; with escapes it may be one.
  private mutating func otherTimeText(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, isBounded: Bool, into time: inout Int64
  ) -> Int {
    let (range, end) = otherText(
      bytes, at: at, code: code, limit: UInt32(EventLimits.textBytes))
    if end < 0 { return -1 }
    let start = Int(range.offset) &- scanner.base
    let tail = scanner.tail
    guard start >= 0,
      let value = clock.read(tail.span, from: start, to: start &+ Int(range.length))
    else { return fail(code, value: text(range, bytes), expected: Expectation.time) }
    if isBounded && (value < EventLimits.earliestTime || value > latestTime) {
      return fail(code, value: text(range, bytes), expected: Expectation.timeRange)
    }
    time = value
    return end
  }

  /// A signed 64-bit integer has up to 19 digits, which a number holds exactly.
  private static func integer64(_ number: JSONNumber) -> Int64? {
    guard number.exponent == 0, !number.hasMore else { return nil }
    if number.isNegative {
      return number.digits <= UInt64(Int64.max) + 1
        ? Int64(truncatingIfNeeded: 0 &- number.digits) : nil
    }
    return Int64(exactly: number.digits)
  }
}
