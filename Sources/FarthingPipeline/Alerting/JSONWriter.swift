internal import FarthingCore

/// Writes JSON byte by byte. Strings come out in printable ASCII alone, so that nothing that somebody put
/// into an event can disturb what reads or shows it.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8] = []
  /// Whether a comma stands before the next value of the container at work.
  private var needsComma = false

  package init() {}

  package mutating func object(_ body: (inout JSONWriter) -> Void) {
    container(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
  }

  package mutating func array(_ body: (inout JSONWriter) -> Void) {
    container(UInt8(ascii: "["), UInt8(ascii: "]"), body)
  }

  private mutating func container(
    _ start: UInt8, _ end: UInt8, _ body: (inout JSONWriter) -> Void
  ) {
    separate()
    bytes.append(start)
    needsComma = false
    body(&self)
    bytes.append(end)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  package mutating func key(_ name: String) {
    separate()
    append(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ text: String?) {
    separate()
    if let text { append(text) } else { bytes += Array("null".utf8) }
  }

  package mutating func integer(_ number: Int64?) {
    separate()
    bytes += Array((number.map { String($0) } ?? "null").utf8)
  }

  /// What is no number in JSON is null.
  package mutating func real(_ number: Double?) {
    separate()
    guard let number, number.isFinite else {
      bytes += Array("null".utf8)
      return
    }
    if number == number.rounded(), number.magnitude < 9_007_199_254_740_992 {
      bytes += Array(String(Int64(number)).utf8)
    } else {
      bytes += Array(String(number).utf8)
    }
  }

  package mutating func boolean(_ flag: Bool) {
    separate()
    bytes += Array((flag ? "true" : "false").utf8)
  }

  /// A value that is JSON already.
  package mutating func raw(_ json: [UInt8]) {
    separate()
    bytes += json
  }

  /// A line feed, for lists that people read too.
  package mutating func lineBreak() {
    if needsComma {
      bytes.append(UInt8(ascii: ","))
      needsComma = false
    }
    bytes.append(0x0A)
  }

  package mutating func end() { bytes.append(0x0A) }

  /// Unix nanoseconds as RFC 3339 in UTC; null where absent.
  package mutating func time(_ nanoseconds: Int64?) {
    string(nanoseconds.map { InstantText.text($0) })
  }

  private mutating func append(_ text: String) { JSONBytes.append(string: text, to: &bytes) }
}

/// JSON strings written byte by byte.
package enum JSONBytes {
  /// Appends a quoted string; control characters and what is not ASCII are escaped.
  package static func append(string: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for unit in string.utf16 {
      switch unit {
      case 0x22: bytes += [0x5C, 0x22]
      case 0x5C: bytes += [0x5C, 0x5C]
      case 0x0A: bytes += [0x5C, 0x6E]
      case 0x20..<0x7F: bytes.append(UInt8(truncatingIfNeeded: unit))
      default:
        let digits = String(unit, radix: 16)
        bytes += Array("\\u".utf8) + repeatElement(0x30, count: 4 - digits.utf8.count)
        bytes += Array(digits.utf8)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension JSONWriter {
  package mutating func member(_ name: String, _ text: String?) {
    key(name)
    string(text)
  }

  package mutating func member(_ name: String, _ number: Int64?) {
    key(name)
    integer(number)
  }

  package mutating func member(_ name: String, _ number: Int) { member(name, Int64(number)) }

  package mutating func member(_ name: String, time: Int64?) {
    key(name)
    self.time(time)
  }

  package mutating func member(_ name: String, _ texts: [String]) {
    key(name)
    array { writer in for text in texts { writer.string(text) } }
  }

  package mutating func member(_ name: String, _ pairs: [(String, String)]) {
    key(name)
    object { writer in for (key, value) in pairs { writer.member(key, value) } }
  }
}

/// Times as the interface writes them.
package enum InstantText {
  /// RFC 3339 in UTC with as few of 0, 3, 6 or 9 fraction digits as the time needs.
  package static func text(_ nanoseconds: Int64) -> String {
    let whole = CivilTime.text(nanoseconds)
    let rest = nanoseconds % CivilTime.second
    let fraction = rest < 0 ? rest + CivilTime.second : rest
    guard fraction != 0 else { return whole }
    var digits = String(fraction)
    digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
    while digits.hasSuffix("000") { digits.removeLast(3) }
    return whole.dropLast() + "." + digits + "Z"
  }
}

/// Amounts that were estimated, as decimal text.
package enum EstimateText {
  /// US dollars to the millionth; nil for what is no amount.
  package static func dollars(_ amount: Double?) -> String? {
    guard let amount, amount.isFinite, amount.magnitude < 1e15 else { return nil }
    return DecimalFormat.text(Int128((amount * 1e6).rounded()), scale: 6)
  }

  /// US dollars for people: two decimals, or as many as a small amount needs.
  package static func readable(_ amount: Double?) -> String? {
    guard let amount, amount.isFinite, amount.magnitude < 1e15 else { return nil }
    let cents = Int128((amount.magnitude * 100).rounded())
    if cents == 0, amount != 0 { return dollars(amount).map { "$" + $0 } }
    let sign = amount < 0 ? "-" : ""
    let rest = String(cents % 100)
    return "\(sign)$\(cents / 100).\(rest.utf8.count == 1 ? "0" : "")\(rest)"
  }
}
