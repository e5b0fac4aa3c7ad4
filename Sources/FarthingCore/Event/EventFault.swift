/// Why an event is refused, before it has a line.
///
/// Made on the cold path only, so it may hold strings.
struct EventFault: Equatable, Sendable {
  var field: String?
  var value: String?
  var expected: String

  func rejection(line: Int) -> EventRejection {
    EventRejection(line: line, field: field, value: value, expected: expected)
  }
}

/// The words of refusals. Each ends the sentence "expected …".
enum Expectation {
  static let object = "a JSON object"
  static let required = "a value, since the field is required"
  static let text = "a string"
  static let nonEmptyText = "a non-empty string"
  static let cleanText = "text without control characters or bidirectional overrides"
  static let unicode = "valid UTF-8"
  static let boolean = "true or false"
  static let greatest = "an integer of at most 9007199254740992"
  static let real = "a number of at least 0"
  static let finite = "a finite number"
  static let money = "a decimal number of at least 0, as a number or a string"
  static let moneyDigits = "at most 15 digits before the decimal point"
  static let time = "an RFC 3339 time with an offset, or an integer of Unix nanoseconds"
  static let timeRange = "a time from 2000-01-01T00:00:00Z to one day ahead of the clock"
  static let tags = "an object of strings"
  static let tagCount = "at most 32 tags"
  static let units = "an object of integers of at least 0"
  static let entryName = "a name that is not empty"
  static let unitCount = "at most 256 units"
  static let onceEach = "each key once in an object"
  static let nesting = "at most 16 levels of nesting"
  static let type = "one of request, outcome, capacity"
  static let periodEnd = "a time not before the event's time"

  static func bytes(_ limit: Int) -> String {
    limit == EventLimits.textBytes ? "at most 1,024 bytes" : "at most \(limit) bytes"
  }

  static func integer(atLeast minimum: Int64) -> String { "an integer of at least \(minimum)" }

  static func oneOf(_ values: [String]) -> String {
    "one of " + values.joined(separator: ", ")
  }

  static func money(_ fault: DecimalFault) -> String {
    fault == .tooLarge ? moneyDigits : money
  }

  /// What a value of the field should have been, by its type alone.
  static func type(of code: FieldCode) -> String {
    if let field = code.text {
      return EventShape.values(of: field).map(oneOf) ?? text
    }
    if let field = code.integer {
      return field.isBoolean ? boolean : integer(atLeast: field.minimum)
    }
    if code.real != nil { return real }
    if code.money != nil { return money }
    switch code {
    case .tags: return tags
    case .units: return units
    case .type: return type
    default: return time
    }
  }
}

extension IntegerField {
  /// The least value that the contract allows.
  package var minimum: Int64 {
    switch self {
    case .attempt, .step: 1
    default: 0
    }
  }
}

/// Shortens what an event says, so that it can stand in a message.
package enum Excerpt {
  /// Characters of an excerpt, its ellipsis included.
  package static let length = 64

  /// The bytes as text of at most 64 characters: longer text ends in `…`, and what does not print is
  /// written as an escape, so that a terminal or a log line stays as it is.
  /// - Complexity: O(1): at most the first 256 bytes are looked at.
  package static func text(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> String {
    var window: [UInt8] = []
    let stop = min(end, start + 256)
    window.reserveCapacity(stop - start)
    for index in start..<max(start, stop) { window.append(bytes[index]) }
    var text = String(decoding: window, as: UTF8.self)
    // The window may have cut a character in two.
    if stop < end, text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
    return shortened(text, isCut: stop < end)
  }

  /// The text, shortened and with what does not print escaped.
  package static func shortened(_ text: String, isCut: Bool = false) -> String {
    var result = ""
    var count = 0
    var cut = isCut
    for scalar in text.unicodeScalars {
      let piece =
        TextRules.forbids(scalar.value)
        ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
      let length = piece.unicodeScalars.count
      if count + length > Self.length {
        cut = true
        break
      }
      result += piece
      count += length
    }
    guard cut else { return result }
    while count >= Self.length, let last = result.unicodeScalars.popLast() {
      _ = last
      count -= 1
    }
    return result + "…"
  }
}

/// Which characters a text may hold.
enum TextRules {
  /// Control characters (C0, DEL, C1) and the characters that override or embed text direction.
  @inline(__always)
  static func forbids(_ scalar: UInt32) -> Bool {
    scalar < 0x20 || (scalar >= 0x7F && scalar <= 0x9F)
      || (scalar >= 0x202A && scalar <= 0x202E) || (scalar >= 0x2066 && scalar <= 0x2069)
  }
}
