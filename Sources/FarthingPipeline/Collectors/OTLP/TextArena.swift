internal import FarthingCore

/// The bytes that the texts of a body's calls are places in: the body itself, and after it what had
/// to be made. Nothing of the body is copied until a call becomes an event.
struct TextArena: Sendable {
  let body: [UInt8]
  private(set) var made: [UInt8] = []

  init(_ body: [UInt8]) { self.body = body }

  func slice(_ range: ByteRange) -> ArraySlice<UInt8> {
    let start = Int(range.offset)
    let count = Int(range.length)
    return start < body.count
      ? body[start..<start + count]
      : made[(start - body.count)..<(start - body.count + count)]
  }

  func string(_ range: ByteRange) -> String { String(decoding: slice(range), as: UTF8.self) }

  mutating func make(_ bytes: some Collection<UInt8>) -> ByteRange {
    let offset = body.count + made.count
    made.append(contentsOf: bytes)
    return ByteRange(
      offset: UInt32(truncatingIfNeeded: offset), length: UInt32(truncatingIfNeeded: bytes.count))
  }

  static func range(_ value: AttributeValue) -> ByteRange {
    ByteRange(
      offset: UInt32(truncatingIfNeeded: value.start),
      length: UInt32(truncatingIfNeeded: value.end - value.start))
  }
}

/// Parts of texts of JSON that are looked for without reading the text.
enum JSONExcerpt {
  /// The provider's response id in an answer's JSON: the value of the first `"id"` that begins as
  /// those of the known APIs do. A quote inside a text is escaped there, so a prompt or an answer
  /// cannot be taken for it. Looks at no more than the first 64 KiB.
  static func responseID(_ bytes: ArraySlice<UInt8>) -> Range<Int>? {
    let text = bytes.prefix(1 << 16)
    let key = Array("\"id\"".utf8)
    var at = text.startIndex
    while let quote = text[at...].firstIndex(of: UInt8(ascii: "\"")) {
      at = quote + 1
      guard text[quote...].starts(with: key),
        quote == text.startIndex || text[quote - 1] != UInt8(ascii: "\\")
      else { continue }
      var start = quote + key.count
      while start < text.endIndex, [0x20, 0x0A, 0x3A].contains(text[start]) { start += 1 }
      guard start < text.endIndex, text[start] == UInt8(ascii: "\"") else { continue }
      start += 1
      guard prefixes.contains(where: { text[start...].starts(with: $0) }) else { continue }
      guard let end = text[start...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
      return end - start <= 1024 ? start..<end : nil
    }
    return nil
  }

  private static let prefixes = ["chatcmpl-", "cmpl-", "resp_", "msg_", "gen-"].map {
    Array($0.utf8)
  }

  /// The text at a key of the object that the bytes are.
  static func text(_ bytes: ArraySlice<UInt8>, _ key: JSONPath) -> String? {
    guard bytes.count <= 1 << 16, let tree = try? JSONTree(Array(bytes)) else { return nil }
    return tree.root[key]?.text
  }
}

/// Python's `repr` of dictionaries of numbers and texts, made JSON.
enum PythonLiteral {
  /// The same value in JSON, or nil where the text is longer than 64 KiB. What is no literal becomes
  /// no JSON either.
  static func json(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    guard bytes.count <= 1 << 16 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 16)
    var at = bytes.startIndex
    while at < bytes.endIndex {
      let byte = bytes[at]
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        at = copyText(bytes, at, to: &result)
      } else if let (word, meaning) = words.first(where: { bytes[at...].starts(with: $0.0) }) {
        result += meaning
        at += word.count
      } else {
        result.append(byte)
        at += 1
      }
    }
    return result
  }

  private static let words = [("None", "null"), ("True", "true"), ("False", "false")].map {
    (Array($0.0.utf8), Array($0.1.utf8))
  }

  private static func copyText(
    _ bytes: ArraySlice<UInt8>, _ start: Int, to result: inout [UInt8]
  ) -> Int {
    let quote = bytes[start]
    result.append(UInt8(ascii: "\""))
    var at = start + 1
    while at < bytes.endIndex, bytes[at] != quote {
      if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.endIndex {
        // An escaped quote of Python needs none in JSON, or another.
        let next = bytes[at + 1]
        if next != UInt8(ascii: "'") { result.append(UInt8(ascii: "\\")) }
        result.append(next)
        at += 2
      } else {
        if bytes[at] == UInt8(ascii: "\"") { result.append(UInt8(ascii: "\\")) }
        result.append(bytes[at])
        at += 1
      }
    }
    result.append(UInt8(ascii: "\""))
    return min(at + 1, bytes.endIndex)
  }
}
