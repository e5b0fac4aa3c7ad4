internal import FarthingCore

/// JSON written byte by byte, safe to show on a terminal.
package enum JSONText {
  /// Appends a JSON string. Besides what JSON demands, everything that could disturb a terminal
  /// (DEL, C1, direction overrides, line separators…) is written as an escape.
  package static func append(string: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    if isPlain(string) {
      bytes.append(contentsOf: string.utf8)
    } else {
      for scalar in string.unicodeScalars { append(scalar, to: &bytes) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Whether every byte stands for itself. Without a branch a byte, so that many are looked at at once.
  private static func isPlain(_ string: String) -> Bool {
    let bytes = string.utf8.span
    var isSpecial = false
    for index in bytes.indices {
      let byte = bytes[index]
      let isControl = (byte &- 0x20) >= 0x5F
      isSpecial =
        isSpecial || isControl || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
    return !isSpecial
  }

  private static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    switch scalar {
    case "\"": bytes.append(contentsOf: "\\\"".utf8)
    case "\\": bytes.append(contentsOf: "\\\\".utf8)
    case "\n": bytes.append(contentsOf: "\\n".utf8)
    case "\r": bytes.append(contentsOf: "\\r".utf8)
    case "\t": bytes.append(contentsOf: "\\t".utf8)
    case _ where scalar.isHostileToTerminals:
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        bytes.append(contentsOf: "\\u".utf8)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count))
        bytes.append(contentsOf: digits.utf8)
      }
    default:
      bytes.append(contentsOf: String(scalar).utf8)
    }
  }

  /// A JSON string as text, quotes included.
  package static func string(_ text: String) -> String {
    var bytes: [UInt8] = []
    append(string: text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
