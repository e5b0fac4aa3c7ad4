internal import FarthingStore

/// The pieces of one input, its format told by its first bytes or by name.
struct InputCursor {
  /// What the input is written in.
  let format: SourceFormat
  private var reader: PieceReader
  /// Why the input ended before its end; a sentence without the input's name.
  private(set) var failure: String?
  private var isAtEnd = false

  /// Reads as much of the input as tells its format.
  ///
  /// - Parameters:
  ///   - format: nil to tell it by the first bytes.
  ///   - layout: how records lie, where that is not to be told by the first bytes.
  ///   - metadata: What stands beside a raw response.
  init(
    _ input: DecompressedInput, format named: SourceFormat?, layout: InputLayout? = nil,
    metadata: [UInt8]?, limits: InputLimits
  ) {
    let beginning = Beginning(of: input)
    if named != .otlp, let kind = ForeignContent.kind(of: beginning.bytes[...]) {
      failure = "this is \(kind), not JSON events; nothing of it was read"
      isAtEnd = true
    }
    format = named ?? SourceFormat.detect(beginning.bytes, metadata: metadata)
    let isWhole = layout == nil && !format.isCutIntoRecords(beginning.bytes)
    reader = PieceReader(limits: limits, layout: isWhole ? .value : layout) { buffer, count in
      try beginning.read(appendingTo: &buffer, count: count, then: input)
    }
  }

  /// The next piece; nil at the end, or where ``failure`` says why there is none.
  mutating func next() -> InputPiece? {
    guard !isAtEnd else { return nil }
    do {
      if let piece = try reader.next() { return piece }
    } catch {
      failure = "\(error); the whole events before it were read"
    }
    isAtEnd = true
    return nil
  }

  /// How many bytes the plain input has in all; there are no more pieces after it.
  ///
  /// The size of a plain file is known. Anything else is read to its end, or to where that is no more
  /// wanted.
  mutating func end(of input: DecompressedInput, unless isInterrupted: () -> Bool) -> Int {
    isAtEnd = true
    if input.compression == nil, let size = input.rawSize { return max(size, reader.bytesRead) }
    return reader.readRest(unless: isInterrupted)
  }
}

/// The first bytes of an input, read to be looked at and then read again by the cutter.
private final class Beginning {
  private(set) var bytes: [UInt8] = []
  private var position = 0
  /// What stopped the reading; thrown once the bytes before it are handed out.
  private var fault: StoreError?

  init(of input: DecompressedInput) {
    do {
      while bytes.count < SourceFormat.detectionBytes,
        try input.read(appendingTo: &bytes, count: SourceFormat.detectionBytes) > 0
      {}
    } catch {
      fault = error
    }
  }

  func read(
    appendingTo buffer: inout [UInt8], count: Int, then input: DecompressedInput
  ) throws(StoreError) -> Int {
    if position < bytes.count {
      let length = min(count, bytes.count - position)
      buffer.append(contentsOf: bytes[position..<position + length])
      position += length
      return length
    }
    bytes = []
    position = 0
    if let fault { throw fault }
    return try input.read(appendingTo: &buffer, count: count)
  }
}

/// Files that are certainly no text, told by their first bytes.
enum ForeignContent {
  private static let signatures: [(String, [UInt8])] = [
    ("a PNG image", [0x89, 0x50, 0x4E, 0x47]), ("a PDF document", Array("%PDF-".utf8)),
    ("a ZIP archive", [0x50, 0x4B, 0x03, 0x04]), ("a Parquet file", Array("PAR1".utf8)),
    ("bzip2 data", Array("BZh".utf8)), ("xz data", [0xFD, 0x37, 0x7A, 0x58, 0x5A]),
    ("an SQLite database", Array("SQLite format 3".utf8)),
    ("an ELF program", [0x7F, 0x45, 0x4C, 0x46]), ("a JPEG image", [0xFF, 0xD8, 0xFF]),
    ("text in UTF-16", [0xFF, 0xFE]), ("text in UTF-16", [0xFE, 0xFF]),
    ("gzip data inside compressed data", [0x1F, 0x8B]),
    ("zstd data inside compressed data", [0x28, 0xB5, 0x2F, 0xFD]),
  ]

  /// What the bytes are; nil where they may be text.
  ///
  /// A zero byte early on is the mark of all other binary files. What begins as JSON does is read as
  /// JSON all the same, so that a zero byte costs its own event and not those beside it.
  static func kind(of beginning: ArraySlice<UInt8>) -> String? {
    for (kind, signature) in signatures where beginning.starts(with: signature) { return kind }
    let first = beginning.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return nil }
    return beginning.prefix(512).contains(0) ? "binary data" : nil
  }
}
