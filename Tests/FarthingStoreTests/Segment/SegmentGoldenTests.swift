import FarthingCore
import Foundation
import Testing

@testable import FarthingStore

/// Holds the format's page to the bytes that are written. With FARTHING_RECORD=1 in the environment
/// the page is rewritten instead; review the difference.
@Suite struct `The page of the segment format` {
  static let page = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/format/segment.md")

  @Test func `has the dump of what is sealed`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let events = try #require(Self.block("json", in: text))
    let batch = SegmentFixtures.batch(String(text[events]))
    #expect(batch.rejections.isEmpty && batch.events.count == 3)
    let buffer = WriteBuffer(kind: .request)
    buffer.append(
      batch,
      charges: (1...3).map {
        Charge(
          state: .priced, cost: $0, outputCost: 0, unitsCost: 0, cacheSavings: 0, price: 0)
      },
      prices: [StoredPrice(key: "p", bytes: [0xAB, 0xCD])], source: "events", selection: 0..<3,
      receivedTime: 1_780_000_000_000_000_000)
    let bytes = try #require(buffer.sealed(id: 7)).bytes
    let dump = try Self.dump(bytes)
    let place = try #require(Self.block("segment", in: text))
    if ProcessInfo.processInfo.environment["FARTHING_RECORD"] == "1" {
      try text.replacingCharacters(in: place, with: dump)
        .write(to: Self.page, atomically: true, encoding: .utf8)
    } else {
      #expect(String(text[place]) == dump)
    }
  }

  /// The lines of a fenced block.
  static func block(_ fence: String, in text: String) -> Range<String.Index>? {
    guard let start = text.range(of: "```\(fence)\n")?.upperBound,
      let end = text.range(of: "```", range: start..<text.endIndex)?.lowerBound
    else { return nil }
    return start..<end
  }

  /// Every byte of a segment, part by part.
  static func dump(_ bytes: [UInt8]) throws -> String {
    let reader = try SegmentReader.open(MemorySegmentSource(name: "7", bytes: bytes))
    var parts: [(name: String, offset: Int)] = [("header", 0)]
    for (place, column) in reader.columns.enumerated() {
      for (block, part) in try reader.blocks(ofColumn: place).parts.enumerated() {
        parts.append(("\(column.name) block \(block)", part.offset))
      }
      if let part = column.dictionary {
        parts.append(("\(column.name) dictionary", part.offset))
      }
    }
    let trailer = bytes.count - SegmentFormat.trailerSize
    let footer = bytes[trailer..<trailer + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    for (section, part) in reader.sections.sorted(by: { $0.value.offset < $1.value.offset }) {
      parts.append(("section \(section)", part.offset))
    }
    parts.append(("core", footer))
    parts.append(("trailer", trailer))
    var lines = ""
    for (index, part) in parts.enumerated() {
      let end = index + 1 < parts.count ? parts[index + 1].offset : bytes.count
      lines += "\(part.offset) \(part.name)\n"
      for start in stride(from: part.offset, to: end, by: 24) {
        let row = bytes[start..<min(start + 24, end)]
        lines += "    " + row.map { byteText($0) }.joined(separator: " ") + "\n"
      }
    }
    return lines
  }

  static func byteText(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}
