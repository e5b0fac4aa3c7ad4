internal import FarthingCore
internal import FarthingQuery

extension Renderer {
  /// RFC 4180 with a header row and line feeds; a missing value is an empty cell.
  func renderCSV(_ answer: Answer, to write: ([UInt8]) throws -> Void) rethrows {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Renderer.pieceBytes + 4096)
    for (index, column) in answer.columns.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      CSVText.append(text: column.name, to: &bytes)
    }
    bytes.append(UInt8(ascii: "\n"))
    for row in answer.rows {
      for (index, value) in row.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        append(value, to: &bytes)
      }
      bytes.append(UInt8(ascii: "\n"))
      if bytes.count >= Renderer.pieceBytes {
        try write(bytes)
        bytes.removeAll(keepingCapacity: true)
      }
    }
    try write(bytes)
  }

  private func append(_ value: QueryValue, to bytes: inout [UInt8]) {
    switch value {
    case .null: break
    case .text(let text), .object(let text): CSVText.append(text: text, to: &bytes)
    case .count(let count): bytes.append(contentsOf: String(count).utf8)
    case .money(let picodollars): bytes.append(contentsOf: AmountText.exact(picodollars).utf8)
    case .moneyRatio(let decimal): bytes.append(contentsOf: decimal.utf8)
    case .boolean(let flag): bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
    case .ratio(let number), .milliseconds(let number), .real(let number):
      if number.isFinite { bytes.append(contentsOf: NumberText.json(number).utf8) }
    case .time(let nanoseconds): bytes.append(contentsOf: TimeText.rfc3339(nanoseconds).utf8)
    }
  }
}

/// Text cells of CSV.
package enum CSVText {
  /// Appends a text cell, quoted where RFC 4180 asks for it.
  ///
  /// A text that a spreadsheet would run as a formula (it starts with `=`, `+`, `-`, `@`, a tab or a
  /// carriage return) gets an apostrophe in front. Only texts do: a negative number is no text and
  /// stays a number.
  package static func append(text: String, to bytes: inout [UInt8]) {
    var cell = text.printableKeepingSpaces
    if let first = cell.utf8.first, "=+-@\t\r".utf8.contains(first) { cell = "'" + cell }
    guard cell.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) else {
      bytes.append(contentsOf: cell.utf8)
      return
    }
    bytes.append(UInt8(ascii: "\""))
    for byte in cell.utf8 {
      if byte == UInt8(ascii: "\"") { bytes.append(byte) }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension String {
  /// The text with hostile scalars escaped, except the tabs and line ends that a quoted cell holds.
  fileprivate var printableKeepingSpaces: String {
    if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return self }
    var shown = ""
    for scalar in unicodeScalars {
      let isKept = scalar == "\t" || scalar == "\n" || scalar == "\r"
      shown += isKept ? String(scalar) : String(scalar).printable
    }
    return shown
  }
}
