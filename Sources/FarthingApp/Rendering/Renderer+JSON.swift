internal import FarthingCore
internal import FarthingQuery

extension Renderer {
  /// One array of objects, an object a line, keys in the order of the columns.
  func renderJSON(_ answer: Answer, to write: ([UInt8]) throws -> Void) rethrows {
    let keys = answer.columns.map { Array((JSONText.string($0.name) + ":").utf8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Renderer.pieceBytes + 4096)
    bytes.append(UInt8(ascii: "["))
    var times = TimeBytes()
    for (index, row) in answer.rows.enumerated() {
      bytes.append(contentsOf: index == 0 ? "\n{".utf8 : ",\n{".utf8)
      for (column, value) in row.enumerated() {
        if column > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: keys[column])
        append(value, &times, to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
      if bytes.count >= Renderer.pieceBytes {
        try write(bytes)
        bytes.removeAll(keepingCapacity: true)
      }
    }
    bytes.append(contentsOf: answer.rows.isEmpty ? "]\n".utf8 : "\n]\n".utf8)
    try write(bytes)
  }

  private func append(
    _ value: QueryValue, _ times: inout TimeBytes, to bytes: inout [UInt8]
  ) {
    switch value {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .text(let text): JSONText.append(string: text, to: &bytes)
    case .count(let count): DecimalBytes.append(count, to: &bytes)
    case .money(let picodollars):
      bytes.append(UInt8(ascii: "\""))
      DecimalBytes.append(picodollars: picodollars, to: &bytes)
      bytes.append(UInt8(ascii: "\""))
    case .moneyRatio(let decimal): appendQuoted(decimal, to: &bytes)
    case .boolean(let flag): bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
    case .object(let text): JSONText.append(string: text, to: &bytes)
    case .ratio(let number), .milliseconds(let number), .real(let number):
      if number == number.rounded(), number.magnitude < 9_007_199_254_740_992 {
        DecimalBytes.append(Int128(Int64(number)), to: &bytes)
      } else {
        bytes.append(contentsOf: NumberText.json(number).utf8)
      }
    case .time(let nanoseconds):
      bytes.append(UInt8(ascii: "\""))
      times.append(nanoseconds, to: &bytes)
      bytes.append(UInt8(ascii: "\""))
    }
  }

  private func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    bytes.append(contentsOf: text.utf8)
    bytes.append(UInt8(ascii: "\""))
  }
}
