// The cold paths: each sets the fault that ends the event and answers −1.

extension EventDecoder {
  @inline(never)
  mutating func fail(_ code: FieldCode, value: String?, expected: String) -> Int {
    fail(field: code.contractName, value: value, expected: expected)
  }

  @inline(never)
  mutating func fail(field: String?, value: String?, expected: String) -> Int {
    fault = EventFault(field: field, value: value, expected: expected)
    return -1
  }

  /// The text is not JSON at `at`.
  @inline(never)
  mutating func fail(syntax expected: String, _ bytes: Span<UInt8>, at: Int) -> Int {
    fail(
      field: nil, value: character(bytes, at: at),
      expected: "\(expected) at byte \(at - origin + 1)")
  }

  /// What the scanner found, inside the field of that name.
  @inline(never)
  mutating func fail(
    _ scannerFault: JSONScanner.Fault, _ bytes: Span<UInt8>, field: String?
  ) -> Int {
    switch scannerFault {
    case .syntax(let at, let expected):
      return fail(syntax: expected, bytes, at: at)
    case .repeatedKey(let range):
      return fail(field: field, value: text(range, bytes), expected: Expectation.onceEach)
    case .tooDeep:
      return fail(field: field, value: nil, expected: Expectation.nesting)
    case .text(.unterminated(let at)):
      return fail(syntax: "a closing quote", bytes, at: at)
    case .text(.controlCharacter(let at)):
      if bytes.byte(at) == 0x0A && !scanner.spansLines {
        return fail(syntax: "a closing quote", bytes, at: at)
      }
      return fail(
        field: field, value: character(bytes, at: at), expected: Expectation.cleanText)
    case .text(.escape(let at)):
      return fail(syntax: "an escape of JSON", bytes, at: at)
    case .text(.surrogate(let at)):
      return fail(
        field: field, value: Excerpt.text(bytes, from: at, to: min(at + 6, bytes.count)),
        expected: "surrogate escapes in pairs")
    case .text(.encoding(let at)):
      return fail(
        field: field,
        value: "byte 0x" + String(bytes.byte(at), radix: 16, uppercase: true),
        expected: Expectation.unicode)
    }
  }

  /// The character at `at` as a message shows it; nil at the end of the text or line.
  private func character(_ bytes: Span<UInt8>, at: Int) -> String? {
    guard at < bytes.count, bytes[at] != 0x0A || scanner.spansLines else { return nil }
    var end = at + 1
    while end < bytes.count && end < at + 4 && bytes[end] & 0xC0 == 0x80 && bytes[at] >= 0xC0 {
      end += 1
    }
    return Excerpt.text(bytes, from: at, to: end)
  }

  /// The JSON value at `at` as a message shows it: texts in their quotes, objects and arrays without
  /// their content, which may be a prompt.
  func rawText(_ bytes: Span<UInt8>, at: Int) -> String? {
    switch bytes.byte(at) {
    case UInt8(ascii: "{"): return "{…}"
    case UInt8(ascii: "["): return "[…]"
    case UInt8(ascii: "\""):
      var end = at + 1
      while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != 0x0A {
        end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
      }
      return Excerpt.text(bytes, from: at, to: min(end + 1, bytes.count))
    default:
      var end = at
      scan: while end < bytes.count {
        switch bytes[end] {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x09, 0x0A, 0x0D:
          break scan
        default: end += 1
        }
      }
      return end == at ? nil : Excerpt.text(bytes, from: at, to: end)
    }
  }
}
