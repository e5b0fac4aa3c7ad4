extension EventDecoder {
  /// Reads the integer at `at`, if it is one of at most 2⁵³ and not negative.
  /// - Returns: The value and the index after it, which is −1 where something else is there.
  @inline(__always)
  func plainInteger(_ bytes: Span<UInt8>, at: Int) -> (Int64, Int) {
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
  mutating func integerValue(
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
  mutating func integer(
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
  mutating func realValue(
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

  mutating func moneyValue(
    _ bytes: Span<UInt8>, at: Int, of code: FieldCode, into event: inout DecodedEvent
  ) -> Int {
    guard let field = code.money else { return -1 }
    if let end = absent(bytes, at: at) { return end }
    guard bytes.byte(at) == UInt8(ascii: "\"") else {
      guard let number = JSONNumber(bytes, at: at) else {
        return wrongValue(bytes, at: at, of: code)
      }
      return setMoney(
        field, bytes.extracting(at..<number.end), raw: bytes, at: at, end: number.end, into: &event)
    }
    let (range, end) = cleanText(
      bytes, at: at, code: code, limit: UInt32(truncatingIfNeeded: EventLimits.textBytes))
    if end < 0 { return -1 }
    let start = Int(range.offset)
    let count = Int(range.length)
    if start < scanner.base {
      return setMoney(
        field, bytes.extracting(start..<(start &+ count)), raw: bytes, at: at, end: end,
        into: &event)
    }
    let tail = scanner.tail
    return setMoney(
      field,
      tail.span.extracting((start &- scanner.base)..<(start &- scanner.base &+ count)),
      raw: bytes, at: at, end: end, into: &event)
  }

  /// Whether a decimal text says less than zero, though it may be finer than a picodollar.
  private static func isBelowZero(_ text: Span<UInt8>) -> Bool {
    guard text.byte(0) == UInt8(ascii: "-") else { return false }
    for index in text.indices {
      let byte = text[index]
      if byte | 0x20 == UInt8(ascii: "e") { return false }
      if byte >= UInt8(ascii: "1") && byte <= UInt8(ascii: "9") { return true }
    }
    return false
  }

  /// Sets an amount from its decimal text, which `raw` shows at `at` and before `end`.
  private mutating func setMoney(
    _ field: MoneyField, _ text: Span<UInt8>, raw: Span<UInt8>, at: Int, end: Int,
    into event: inout DecodedEvent
  ) -> Int {
    do throws(DecimalFault) {
      let amount = try Picodollars.parse(text)
      guard amount.rawValue >= 0, !Self.isBelowZero(text) else { throw DecimalFault.notANumber }
      event.set(field, picodollars: amount.rawValue)
      return end
    } catch {
      return fail(
        FieldCode(field), value: rawText(raw, at: at), expected: Expectation.money(error))
    }
  }
}
