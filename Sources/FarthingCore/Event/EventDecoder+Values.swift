extension EventDecoder {
  /// Reads the value at `at` as the field's and sets it, unless it is `null` or an empty text.
  /// - Returns: The index after it, or −1 with the fault.
  @inline(__always)
  mutating func value(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    if code.rawValue < FieldCode.firstInteger {
      return textValue(bytes, at: at, of: code, into: &event)
    }
    if code.rawValue < FieldCode.firstReal {
      return integerValue(bytes, at: at, of: code, into: &event)
    }
    if code.rawValue < FieldCode.firstMoney {
      return realValue(bytes, at: at, of: code, into: &event)
    }
    if code == .time {
      return timeValue(bytes, at: at, of: code, isBounded: true, into: &event.time)
    }
    if code == .tags { return tagsValue(bytes, at: at, into: &event) }
    return rareValue(bytes, at: at, of: code, into: &event)
  }

  @inline(never)
  private mutating func rareValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    switch code {
    case .until: timeValue(bytes, at: at, of: code, isBounded: false, into: &event.until)
    case .units: unitsValue(bytes, at: at, into: &event)
    default: moneyValue(bytes, at: at, of: code, into: &event)
    }
  }

  /// The index after the value at `at` where it is `null` or `""`.
  func absent(_ bytes: Span<UInt8>, at: Int) -> Int? {
    let word = bytes.word(at)
    if JSONScanner.isNull(word) { return at &+ 4 }
    return word & 0xFFFF == 0x2222 ? at &+ 2 : nil
  }

  /// Where the value is not of the field's type: absent, or refused.
  @inline(never)
  mutating func otherType(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, kind: EventKind
  ) -> Int {
    if let end = absent(bytes, at: at) {
      if EventShape.refusesEmpty(code, in: kind) {
        return fail(
          code, value: rawText(bytes, at: at), expected: Expectation.nonEmptyText)
      }
      return end
    }
    return wrongValue(bytes, at: at, of: code)
  }

  /// Refuses a value of a wrong type, or the text where no value is.
  @inline(never)
  mutating func wrongValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, field: String? = nil
  ) -> Int {
    let name = field ?? code.contractName
    var lenient = JSONScanner()
    lenient.base = scanner.base
    lenient.spansLines = scanner.spansLines
    lenient.toleratesEncoding = true
    do {
      _ = try lenient.skipValue(bytes, at: at, depth: 1)
    } catch {
      return fail(error, bytes, field: name)
    }
    let expected =
      field == nil
      ? Expectation.type(of: code)
      : code == .tags ? Expectation.text : Expectation.integer(atLeast: 0)
    return fail(field: name, value: rawText(bytes, at: at), expected: expected)
  }

  // MARK: Texts

  /// Reads the text at `at`, whose quote that is, and checks it.
  /// - Returns: Its place, of length 0 where it is empty, and the index after it, or −1.
  @inline(__always)
  mutating func cleanText(
    _ bytes: Span<UInt8>, at: Int, code: FieldCode, limit: UInt32
  ) -> (ByteRange, Int) {
    let start = at &+ 1
    let end = bytes.endOfPlainText(from: start)
    if end >= 0 {
      let length = UInt32(truncatingIfNeeded: end &- start)
      if length <= limit {
        return (
          ByteRange(offset: UInt32(truncatingIfNeeded: start), length: length), end &+ 1
        )
      }
    }
    return otherText(bytes, at: at, code: code, limit: limit)
  }

  @inline(never)
  mutating func otherText(
    _ bytes: Span<UInt8>, at: Int, code: FieldCode, limit: UInt32, field: String? = nil
  ) -> (ByteRange, Int) {
    let name = field ?? code.contractName
    do {
      let read = try scanner.string(bytes, at: at &+ 1)
      if read.isUnclean {
        return (
          ByteRange(),
          fail(
            field: name, value: text(read.range, bytes), expected: Expectation.cleanText)
        )
      }
      if read.range.length > limit {
        return (
          ByteRange(),
          fail(
            field: name, value: text(read.range, bytes),
            expected: Expectation.bytes(Int(limit)))
        )
      }
      return (read.range, read.end)
    } catch {
      return (ByteRange(), fail(error, bytes, field: name))
    }
  }

  @inline(__always)
  private mutating func textValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    guard bytes.byte(at) == UInt8(ascii: "\"") else {
      return otherType(bytes, at: at, of: code, kind: event.kind)
    }
    let limit = code.rawValue == 0 ? EventLimits.idBytes : EventLimits.textBytes
    let (range, end) = cleanText(
      bytes, at: at, code: code, limit: UInt32(truncatingIfNeeded: limit))
    if end < 0 { return -1 }
    if range.length == 0 { return otherType(bytes, at: at, of: code, kind: event.kind) }
    if enumeratedFields & code.bit != 0 {
      let start = Int(range.offset)
      let isKnown =
        start < scanner.base
        ? values.contains(code.rawValue, bytes, from: start, length: range.length)
        : values.contains(
          code.rawValue, scanner.tail.span, from: start &- scanner.base, length: range.length)
      if !isKnown {
        return fail(
          code, value: text(range, bytes), expected: Expectation.type(of: code))
      }
    }
    event.texts[Int(code.rawValue)] = range
    event.textPresence |= 1 &<< UInt32(code.rawValue)
    return end
  }
}
