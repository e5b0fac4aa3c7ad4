extension EventDecoder {
  /// Reads the object at `start` as an event of the kind that `event` has.
  ///
  /// - Parameter typeIsKnown: Whether that kind is what `type` says. Otherwise it is an assumption,
  ///   which `type` may change as long as nothing was read that it would have changed.
  /// - Returns: The index after the object, or −1 with the fault, or with `otherKind` set.
  mutating func object(
    _ bytes: Span<UInt8>, at start: Int, typeIsKnown: Bool, into event: inout DecodedEvent
  ) -> Int {
    guard bytes.byte(start) == UInt8(ascii: "{") else {
      return fail(field: nil, value: rawText(bytes, at: start), expected: Expectation.object)
    }
    var fields = event.kind == .request ? requestFields : EventShape.fields(of: event.kind)
    var seen: UInt64 = 0
    var last = KeyForecast.start
    var isAtQuote = false
    var at = scanner.afterBlanks(bytes, start &+ 1)
    if bytes.byte(at) == UInt8(ascii: "}") {
      return finish(bytes, end: at &+ 1, &event)
    }
    while true {
      // Entered with the index of what should be a key's quote; `,"` is seen below as one.
      if !isAtQuote && bytes.byte(at) != UInt8(ascii: "\"") {
        return fail(syntax: "a key in quotes", bytes, at: at)
      }
      let keyStart = at &+ 1
      var code: FieldCode
      if let (expected, end) = forecast.match(bytes, at: keyStart, after: last) {
        code = expected
        at = end
      } else {
        code = key(bytes, at: &at)
        if at < 0 { return -1 }
        at = scanner.afterBlanks(bytes, at)
        guard bytes.byte(at) == UInt8(ascii: ":") else {
          return fail(syntax: "a colon", bytes, at: at)
        }
        at &+= 1
        if code != .unknown { forecast.learn(code, after: last) }
      }
      if code != .unknown { last = code.rawValue }
      at = scanner.afterBlanks(bytes, at)
      if code != .unknown && fields & code.bit == 0 {
        markKnownKey(bytes, at: keyStart)
        code = .unknown
      }
      if code != .unknown {
        if seen & code.bit != 0 {
          return fail(code, value: rawText(bytes, at: at), expected: Expectation.onceEach)
        }
        seen |= code.bit
        let end =
          code == .type
          ? type(
            bytes, at: at, seen: seen, typeIsKnown: typeIsKnown, fields: &fields, into: &event)
          : value(bytes, at: at, of: code, into: &event)
        if end < 0 { return -1 }
        at = end
      } else {
        at = unknownValue(bytes, at: at)
        if at < 0 { return -1 }
      }
      isAtQuote = bytes.word(at) & 0xFFFF == 0x222C
      if isAtQuote {
        at &+= 1
        continue
      }
      at = scanner.afterBlanks(bytes, at)
      let byte = bytes.byte(at)
      if byte == UInt8(ascii: ",") {
        at = scanner.afterBlanks(bytes, at &+ 1)
      } else if byte == UInt8(ascii: "}") {
        return finish(bytes, end: at &+ 1, &event)
      } else {
        return fail(syntax: "a comma or }", bytes, at: at)
      }
    }
  }

  /// What holds for the event as a whole, once its object is read.
  @inline(__always)
  private mutating func finish(
    _ bytes: Span<UInt8>, end: Int, _ event: inout DecodedEvent
  ) -> Int {
    if scanner.marks.count > 1, let range = scanner.repeatedKey(from: 0) {
      let name = text(range, bytes)
      return fail(field: name, value: name, expected: Expectation.onceEach)
    }
    let isPlain =
      event.kind == .request && event.time != 0 && event.range(of: .model) != nil
    if isPlain && !EventRules.hasPartAboveWhole(&event) { return end }
    fault = wholeFault(event)
    return fault == nil ? end : -1
  }

  @inline(never)
  private func wholeFault(_ event: DecodedEvent) -> EventFault? {
    EventRules.missingFault(event, requiresModel: source == .contract)
      ?? EventRules.periodFault(event)
      ?? (source == .contract ? EventRules.partsFault(event) : nil)
  }

  // MARK: Keys

  /// Reads the key whose quote is at `at` and moves past its closing quote; −1 with the fault.
  @inline(__always)
  private mutating func key(_ bytes: Span<UInt8>, at: inout Int) -> FieldCode {
    let start = at &+ 1
    let first = bytes.word(start)
    var stops = ByteWord.stops(in: first)
    var length = 0
    var code = FieldCode.unknown
    if stops != 0 {
      length = ByteWord.firstMark(in: stops)
      code = table.code(
        first: ByteWord.low(length, of: first), second: 0, third: 0, length: length)
    } else {
      let second = bytes.word(start &+ 8)
      stops = ByteWord.stops(in: second)
      if stops != 0 {
        let more = ByteWord.firstMark(in: stops)
        length = 8 &+ more
        code = table.code(
          first: first, second: ByteWord.low(more, of: second), third: 0, length: length)
      } else {
        let third = bytes.word(start &+ 16)
        stops = ByteWord.stops(in: third)
        let more = stops != 0 ? ByteWord.firstMark(in: stops) : 8
        length = 16 &+ more
        code = table.code(
          first: first, second: second, third: ByteWord.low(more, of: third), length: length)
      }
    }
    if code != .unknown && bytes.byte(start &+ length) == UInt8(ascii: "\"") {
      at = start &+ length &+ 1
      return code
    }
    return otherKey(bytes, at: &at)
  }

  /// A key that is no field's name as it stands: it is unknown, and marked, or has escapes.
  @inline(never)
  private mutating func otherKey(_ bytes: Span<UInt8>, at: inout Int) -> FieldCode {
    do {
      let text = try scanner.string(bytes, at: at &+ 1)
      at = text.end
      let start = Int(text.range.offset)
      if start >= scanner.base && text.range.length > 0 {
        let code = table.code(
          of: scanner.tail.span.extracting(
            (start &- scanner.base)..<(start &- scanner.base &+ Int(text.range.length))))
        if code != .unknown { return code }
      }
      scanner.mark(text.range, bytes)
      return .unknown
    } catch {
      at = fail(error, bytes, field: nil)
      return .unknown
    }
  }

  /// Marks a field's name that another kind of event has: to this one it is unknown.
  @inline(never)
  private mutating func markKnownKey(_ bytes: Span<UInt8>, at start: Int) {
    if let text = try? scanner.string(bytes, at: start) { scanner.mark(text.range, bytes) }
  }

  /// Passes over the value of the key marked last.
  @inline(never)
  private mutating func unknownValue(_ bytes: Span<UInt8>, at: Int) -> Int {
    do {
      return try scanner.skipValue(bytes, at: at, depth: 1)
    } catch {
      let name = scanner.marks.last.map { text($0.range, bytes) }
      return fail(error, bytes, field: name)
    }
  }

  // MARK: The kind

  /// Reads the value of `type`, which may change what the event is read as.
  private mutating func type(
    _ bytes: Span<UInt8>, at: Int, seen: UInt64, typeIsKnown: Bool, fields: inout UInt64,
    into event: inout DecodedEvent
  ) -> Int {
    guard let (kind, end) = kind(bytes, at: at) else { return -1 }
    if kind == event.kind { return end }
    let others = EventShape.fields(of: kind)
    if typeIsKnown || seen & ~others != 0 || !scanner.marks.isEmpty {
      otherKind = kind
      return -1
    }
    event.kind = kind
    fields = others
    return end
  }

  /// The kind that the value at `at` names and the index after it, or nil with the fault.
  private mutating func kind(_ bytes: Span<UInt8>, at: Int) -> (EventKind, Int)? {
    if let end = absent(bytes, at: at) { return (.request, end) }
    guard bytes.byte(at) == UInt8(ascii: "\"") else {
      _ = fail(.type, value: rawText(bytes, at: at), expected: Expectation.type)
      return nil
    }
    do {
      let read = try scanner.string(bytes, at: at &+ 1)
      let name = text(read.range, bytes)
      switch name {
      case "request": return (.request, read.end)
      case "outcome": return (.outcome, read.end)
      case "capacity": return (.capacity, read.end)
      default:
        _ = fail(.type, value: name, expected: Expectation.type)
      }
    } catch {
      _ = fail(error, bytes, field: FieldCode.type.contractName)
    }
    return nil
  }

  /// The kind of an object with a fault, as far as its text can be read; nil where its `type` is
  /// missing, unknown, or behind a fault of the text.
  mutating func typeOfObject(_ bytes: Span<UInt8>, at start: Int) -> EventKind? {
    let kept = fault
    defer { fault = kept }
    var lenient = JSONScanner()
    lenient.toleratesEncoding = true
    lenient.spansLines = scanner.spansLines
    lenient.base = scanner.base
    var at = lenient.afterBlanks(bytes, start &+ 1)
    while bytes.byte(at) == UInt8(ascii: "\"") {
      guard let key = try? lenient.string(bytes, at: at &+ 1) else { return nil }
      at = lenient.afterBlanks(bytes, key.end)
      guard bytes.byte(at) == UInt8(ascii: ":") else { return nil }
      at = lenient.afterBlanks(bytes, at &+ 1)
      let range = Int(key.range.offset)..<Int(key.range.offset) + Int(key.range.length)
      let name =
        range.lowerBound < lenient.base
        ? Excerpt.text(bytes, from: range.lowerBound, to: range.upperBound)
        : Excerpt.text(
          lenient.tail.span, from: range.lowerBound - lenient.base,
          to: range.upperBound - lenient.base)
      if name == "type" { return kind(bytes, at: at)?.0 }
      guard let end = try? lenient.skipValue(bytes, at: at, depth: 1) else { return nil }
      at = lenient.afterBlanks(bytes, end)
      guard bytes.byte(at) == UInt8(ascii: ",") else { return nil }
      at = lenient.afterBlanks(bytes, at &+ 1)
    }
    return nil
  }
}
