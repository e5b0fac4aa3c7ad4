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
  private mutating func otherType(
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
  private mutating func wrongValue(
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
  private mutating func cleanText(
    _ bytes: Span<UInt8>, at: Int, code: FieldCode, limit: UInt32
  ) -> (ByteRange, Int) {
    let start = at &+ 1
    let end = bytes.endOfPlainText(from: start)
    if bytes.byte(end) == UInt8(ascii: "\"") {
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
  private mutating func otherText(
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

  // MARK: Numbers

  /// Reads the integer at `at`, if it is one of at most 2⁵³ and not negative.
  /// - Returns: The value and the index after it, which is −1 where something else is there.
  @inline(__always)
  private func plainInteger(_ bytes: Span<UInt8>, at: Int) -> (Int64, Int) {
    let first = bytes.byte(at) &- 48
    if first > 9 { return (0, -1) }
    var value = Int64(first)
    var end = at &+ 1
    if first != 0 {
      while case let digit = bytes.byte(end) &- 48, digit <= 9 {
        // 17 digits are above 2⁵³; so far the value cannot overflow.
        if end &- at >= 17 { return (0, -1) }
        value = value &* 10 &+ Int64(digit)
        end &+= 1
      }
    }
    let next = bytes.byte(end)
    if next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e") || next &- 48 <= 9
      || value > EventLimits.integer
    {
      return (0, -1)
    }
    return (value, end)
  }

  @inline(__always)
  private mutating func integerValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    let index = code.rawValue &- FieldCode.firstInteger
    let (value, end) = plainInteger(bytes, at: at)
    let isFlag =
      index == IntegerField.coldStart.rawValue || index == IntegerField.batch.rawValue
    let isCounted =
      index == IntegerField.attempt.rawValue || index == IntegerField.step.rawValue
    if end < 0 || isFlag || (isCounted && value == 0) {
      return otherInteger(bytes, at: at, of: code, into: &event)
    }
    event.integers[Int(index)] = value
    event.integerPresence |= 1 &<< UInt32(index)
    return end
  }

  /// A flag, an absent value, zero written as `-0`, or a fault.
  @inline(never)
  private mutating func otherInteger(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    guard let field = code.integer else { return -1 }
    if field.isBoolean {
      let word = bytes.word(at)
      if JSONScanner.isTrue(word) || JSONScanner.isFalse(word) {
        let isTrue = JSONScanner.isTrue(word)
        event.set(field, isTrue ? 1 : 0)
        return at &+ (isTrue ? 4 : 5)
      }
      return otherType(bytes, at: at, of: code, kind: event.kind)
    }
    guard let number = JSONNumber(bytes, at: at) else {
      return otherType(bytes, at: at, of: code, kind: event.kind)
    }
    guard
      let value = integer(number, bytes, at: at, field: code.contractName, minimum: field.minimum)
    else { return -1 }
    event.set(field, value)
    return number.end
  }

  /// The number as an integer of the contract, or nil with the fault.
  private mutating func integer(
    _ number: JSONNumber, _ bytes: Span<UInt8>, at: Int, field: String, minimum: Int64
  ) -> Int64? {
    let value = number.exponent == 0 && !number.hasMore ? Int64(exactly: number.digits) : nil
    if number.isInteger, !number.isNegative || number.digits == 0, let value, value >= minimum,
      value <= EventLimits.integer
    {
      return value
    }
    let isAbove = number.isInteger && !number.isNegative && (value ?? .max) > EventLimits.integer
    _ = fail(
      field: field, value: rawText(bytes, at: at),
      expected: isAbove ? Expectation.greatest : Expectation.integer(atLeast: minimum))
    return nil
  }

  @inline(__always)
  private mutating func realValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    let index = code.rawValue &- FieldCode.firstReal
    // Nearly every duration: at most 15 digits in all, with a point or without.
    var end = at
    var digits: UInt64 = 0
    while case let digit = bytes.byte(end) &- 48, digit <= 9, end &- at < 15 {
      digits = digits &* 10 &+ UInt64(digit)
      end &+= 1
    }
    var decimals = 0
    if end > at && bytes.byte(end) == UInt8(ascii: ".") {
      let point = end
      end &+= 1
      while case let digit = bytes.byte(end) &- 48, digit <= 9, end &- at < 16 {
        digits = digits &* 10 &+ UInt64(digit)
        end &+= 1
      }
      decimals = end &- point &- 1
      if decimals == 0 { end = at }
    }
    let next = bytes.byte(end)
    let hasLeadingZero = bytes.byte(at) == 0x30 && bytes.byte(at &+ 1) &- 48 <= 9
    if end == at || next &- 48 <= 9 || next == UInt8(ascii: ".")
      || next | 0x20 == UInt8(ascii: "e") || hasLeadingZero
    {
      return otherReal(bytes, at: at, of: code, into: &event)
    }
    event.reals[Int(index)] =
      decimals == 0 ? Double(digits) : Double(digits) / JSONNumber.powerOfTen(decimals)
    event.realPresence |= 1 &<< index
    return end
  }

  @inline(never)
  private mutating func otherReal(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    guard let field = code.real, let number = JSONNumber(bytes, at: at) else {
      return otherType(bytes, at: at, of: code, kind: event.kind)
    }
    if number.isNegative && number.digits != 0 {
      return fail(code, value: rawText(bytes, at: at), expected: Expectation.real)
    }
    guard let value = number.double(bytes, from: at) else {
      return fail(code, value: rawText(bytes, at: at), expected: Expectation.finite)
    }
    event.set(field, value == 0 ? 0 : value)
    return number.end
  }

  private mutating func moneyValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    guard let field = code.money else { return -1 }
    if let end = absent(bytes, at: at) { return end }
    let isText = bytes.byte(at) == UInt8(ascii: "\"")
    let start = isText ? at &+ 1 : at
    guard let number = JSONNumber(bytes, at: start) else {
      return wrongValue(bytes, at: at, of: code)
    }
    if isText && bytes.byte(number.end) != UInt8(ascii: "\"") {
      return wrongValue(bytes, at: at, of: code)
    }
    if number.isNegative && number.digits != 0 {
      return fail(code, value: rawText(bytes, at: at), expected: Expectation.money)
    }
    guard case .exact(let picodollars) = number.picodollars(bytes, from: start) else {
      return fail(code, value: rawText(bytes, at: at), expected: Expectation.moneyDigits)
    }
    event.set(field, picodollars: picodollars)
    return isText ? number.end &+ 1 : number.end
  }

  // MARK: Times

  @inline(__always)
  private mutating func timeValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, isBounded: Bool, into time: inout Int64
  ) -> Int {
    if bytes.byte(at) == UInt8(ascii: "\"") {
      let end = bytes.endOfPlainText(from: at &+ 1)
      if bytes.byte(end) == UInt8(ascii: "\""),
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

  // MARK: Tags and units

  private mutating func tagsValue(
    _ bytes: Span<UInt8>, at start: Int, into event: inout DecodedEvent
  ) -> Int {
    guard bytes.byte(start) == UInt8(ascii: "{") else {
      return otherType(bytes, at: start, of: .tags, kind: event.kind)
    }
    let first = entries.count
    var at = scanner.afterBlanks(bytes, start &+ 1)
    if bytes.byte(at) == UInt8(ascii: "}") { return at &+ 1 }
    while true {
      guard let name = entryName(bytes, at: &at, code: .tags, first: first) else { return -1 }
      if bytes.byte(at) == UInt8(ascii: "\"") {
        let (range, end) = cleanText(
          bytes, at: at, code: .tags, limit: UInt32(truncatingIfNeeded: EventLimits.textBytes))
        if end < 0 {
          let field = "tags." + text(name, bytes)
          fault?.field = field
          return -1
        }
        entries.append(NamedEntry(name: name, text: range))
        at = end
      } else if JSONScanner.isNull(bytes.word(at)) {
        entries.append(NamedEntry(name: name))
        at &+= 4
      } else {
        return wrongValue(bytes, at: at, of: .tags, field: "tags." + text(name, bytes))
      }
      guard let next = afterEntry(bytes, at: at) else { return -1 }
      at = next
      if bytes.byte(at &- 1) == UInt8(ascii: "}") { break }
    }
    event.tags = presentEntries(from: first)
    return at
  }

  private mutating func unitsValue(
    _ bytes: Span<UInt8>, at start: Int, into event: inout DecodedEvent
  ) -> Int {
    guard bytes.byte(start) == UInt8(ascii: "{") else {
      return otherType(bytes, at: start, of: .units, kind: event.kind)
    }
    let first = entries.count
    var at = scanner.afterBlanks(bytes, start &+ 1)
    if bytes.byte(at) == UInt8(ascii: "}") { return at &+ 1 }
    while true {
      guard let name = entryName(bytes, at: &at, code: .units, first: first) else { return -1 }
      let (value, end) = plainInteger(bytes, at: at)
      if end >= 0 {
        // A length of 1 says that the count is present; see `presentEntries`.
        entries.append(NamedEntry(name: name, text: ByteRange(length: 1), count: value))
        at = end
      } else if let end = absent(bytes, at: at) {
        entries.append(NamedEntry(name: name))
        at = end
      } else {
        let field = "units." + text(name, bytes)
        guard let number = JSONNumber(bytes, at: at) else {
          return wrongValue(bytes, at: at, of: .units, field: field)
        }
        guard let value = integer(number, bytes, at: at, field: field, minimum: 0) else {
          return -1
        }
        entries.append(NamedEntry(name: name, text: ByteRange(length: 1), count: value))
        at = number.end
      }
      guard let next = afterEntry(bytes, at: at) else { return -1 }
      at = next
      if bytes.byte(at &- 1) == UInt8(ascii: "}") { break }
    }
    event.units = presentEntries(from: first)
    return at
  }

  /// Reads an entry's name and colon and moves to its value; nil with the fault.
  @inline(__always)
  private mutating func entryName(
    _ bytes: Span<UInt8>, at: inout Int, code: FieldCode, first: Int
  ) -> ByteRange? {
    guard bytes.byte(at) == UInt8(ascii: "\"") else {
      _ = fail(syntax: "a key in quotes", bytes, at: at)
      return nil
    }
    let (name, end) = cleanText(
      bytes, at: at, code: code, limit: UInt32(truncatingIfNeeded: EventLimits.textBytes))
    if end < 0 { return nil }
    at = scanner.afterBlanks(bytes, end)
    guard bytes.byte(at) == UInt8(ascii: ":") else {
      _ = fail(syntax: "a colon", bytes, at: at)
      return nil
    }
    at = scanner.afterBlanks(bytes, at &+ 1)
    if entries.count &- first >= EventLimits.entries {
      _ = fail(
        code, value: text(name, bytes),
        expected: code == .tags ? Expectation.tagCount : Expectation.unitCount)
      return nil
    }
    if name.length == 0 {
      _ = fail(code, value: "\"\"", expected: Expectation.entryName)
      return nil
    }
    for index in first..<entries.count where entries[index].name.length == name.length {
      if isEqual(entries[index].name, name, bytes) {
        _ = fail(
          field: code.contractName + "." + text(name, bytes), value: rawText(bytes, at: at),
          expected: Expectation.onceEach)
        return nil
      }
    }
    return name
  }

  /// After an entry: the index after its comma and white space, or after the closing brace.
  @inline(__always)
  private mutating func afterEntry(_ bytes: Span<UInt8>, at start: Int) -> Int? {
    let at = scanner.afterBlanks(bytes, start)
    let byte = bytes.byte(at)
    if byte == UInt8(ascii: "}") { return at &+ 1 }
    if byte == UInt8(ascii: ",") { return scanner.afterBlanks(bytes, at &+ 1) }
    _ = fail(syntax: "a comma or }", bytes, at: at)
    return nil
  }

  /// Drops the entries from `first` whose value is absent, which their text's length tells.
  @inline(__always)
  private mutating func presentEntries(from first: Int) -> Range<Int> {
    var kept = first
    for index in first..<entries.count where entries[index].text.length > 0 {
      if kept != index { entries[kept] = entries[index] }
      kept &+= 1
    }
    if kept < entries.count { entries.removeSubrange(kept...) }
    return first..<kept
  }

  /// Whether two texts of equal length are the same.
  @inline(__always)
  private func isEqual(_ left: ByteRange, _ right: ByteRange, _ bytes: Span<UInt8>) -> Bool {
    let count = Int(left.length)
    if Int(left.offset) >= scanner.base || Int(right.offset) >= scanner.base {
      return scanner.hash(left, bytes) == scanner.hash(right, bytes)
    }
    var at = 0
    while at < count {
      let difference =
        bytes.word(Int(left.offset) &+ at) ^ bytes.word(Int(right.offset) &+ at)
      if ByteWord.low(count &- at, of: difference) != 0 { return false }
      at &+= 8
    }
    return true
  }
}
