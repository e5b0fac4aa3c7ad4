// Tags and metered units: objects whose names the contract leaves open.

extension EventDecoder {
  mutating func tagsValue(
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

  mutating func unitsValue(
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
    if entries.count &- first >= (code == .tags ? EventLimits.entries : EventLimits.units) {
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
