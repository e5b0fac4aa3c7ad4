/// A piece and the format that it is written in.
struct FormattedPiece: Sendable {
  var piece: InputPiece
  var format: InputFormat
}

/// The pieces of one input, its format found out on the way.
struct InputCursor {
  private var reader: PieceReader
  private let beginning: Beginning
  private let named: InputFormat?
  private var format: InputFormat?
  /// Why the input ended before its end; a sentence without the input's name.
  private(set) var failure: String?
  private var isAtEnd = false

  /// The first bytes of an input, seen by whoever reads it first.
  private final class Beginning {
    var bytes: [UInt8] = []
  }

  init(_ input: DecompressedInput, format: InputFormat?, limits: InputLimits, named: String) {
    let beginning = Beginning()
    self.beginning = beginning
    self.named = format
    reader = PieceReader(limits: limits, layout: format?.layout) { buffer, count in
      let start = buffer.count
      let length = try input.read(appendingTo: &buffer, count: count)
      if beginning.bytes.isEmpty {
        beginning.bytes += buffer[start...].prefix(ForeignContent.beginningBytes)
        if let kind = ForeignContent.kind(of: beginning.bytes) {
          buffer.removeLast(length)
          throw ForeignContent(kind: kind)
        }
      }
      return length
    }
  }

  /// The next piece; nil at the end, or where ``failure`` says why there is none.
  mutating func next() -> FormattedPiece? {
    guard !isAtEnd else { return nil }
    do {
      guard let piece = try reader.next() else {
        isAtEnd = true
        return nil
      }
      if format == nil { format = named ?? InputFormat.told(by: beginning.bytes) }
      return format.map { FormattedPiece(piece: piece, format: $0) }
    } catch let content as ForeignContent {
      fail("this is \(content.kind), not JSON events; nothing of it was read")
      return nil
    } catch {
      fail("\(error); the whole events before it were read")
      return nil
    }
  }

  private mutating func fail(_ message: String) {
    failure = message
    isAtEnd = true
  }
}

/// Files that are certainly no text, told by their first bytes.
struct ForeignContent: Error {
  var kind: String

  /// How many first bytes are looked at.
  static let beginningBytes = 4096

  private static let signatures: [(String, [UInt8])] = [
    ("a PNG image", [0x89, 0x50, 0x4E, 0x47]), ("a PDF document", Array("%PDF-".utf8)),
    ("a ZIP archive", [0x50, 0x4B, 0x03, 0x04]), ("a Parquet file", Array("PAR1".utf8)),
    ("bzip2 data", Array("BZh".utf8)), ("xz data", [0xFD, 0x37, 0x7A, 0x58, 0x5A]),
    ("an SQLite database", Array("SQLite format 3".utf8)),
    ("an ELF program", [0x7F, 0x45, 0x4C, 0x46]),
    ("a JPEG image", [0xFF, 0xD8, 0xFF]), ("text in UTF-16", [0xFF, 0xFE]),
    ("text in UTF-16", [0xFE, 0xFF]), ("gzip data inside compressed data", [0x1F, 0x8B]),
    ("zstd data inside compressed data", [0x28, 0xB5, 0x2F, 0xFD]),
  ]

  /// What the bytes are; nil where they may be text.
  static func kind(of beginning: [UInt8]) -> String? {
    for (kind, signature) in signatures where beginning.starts(with: signature) { return kind }
    return beginning.contains(0) ? "binary data" : nil
  }
}
