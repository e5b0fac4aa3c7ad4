@testable import FarthingCore

/// Reading of synthetic lines for the tests of this folder: just enough JSON for what we write.
enum StreamReading {
  /// All lines of a stream, without their newlines.
  static func lines(_ options: SynthesisOptions) throws -> [String] {
    var synthesis = try EventSynthesis(options)
    var bytes: [UInt8] = []
    while synthesis.fill(&bytes, atLeast: 1 << 16) {}
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// The text of a top-level member, without quotes; nil where the line has no such member.
  static func field(_ name: String, of line: String) -> String? {
    guard let key = line.firstRange(of: "\"\(name)\":") else { return nil }
    let rest = line[key.upperBound...]
    let isText = rest.first == "\""
    let body = isText ? rest.dropFirst() : rest
    let end = body.firstIndex { isText ? $0 == "\"" : $0 == "," || $0 == "}" } ?? body.endIndex
    return String(body[..<end])
  }

  static func number(_ name: String, of line: String) -> Int {
    field(name, of: line).flatMap { Int($0) } ?? 0
  }

  /// A start time of this module's own form, in Unix microseconds.
  static func microseconds(_ line: String) -> Int64 {
    guard let text = field("time", of: line),
      let whole = CivilTime.parse(String(text.prefix(19)) + "Z"),
      let fraction = Int64(text.dropFirst(20).dropLast())
    else { return .min }
    return whole / 1000 + fraction
  }

  /// FNV-1a, 64 bits: enough to notice a changed byte, and nothing but multiplication.
  static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}

extension String {
  /// The first place of a substring.
  fileprivate func firstRange(of wanted: String) -> Range<String.Index>? {
    var start = startIndex
    while let found = self[start...].firstIndex(of: wanted[wanted.startIndex]) {
      if self[found...].hasPrefix(wanted) {
        return found..<index(found, offsetBy: wanted.count)
      }
      start = index(after: found)
    }
    return nil
  }
}
