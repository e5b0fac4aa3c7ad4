package import FarthingStore

/// The plain bytes of an input, whether it is compressed or not.
///
/// What compresses it is told by its first bytes, never by its name. For one reader at a time.
package final class DecompressedInput {
  private let source: ByteSource
  /// Raw bytes that were read to look at and not used yet.
  private var lookedAt: [UInt8] = []
  private var decompressor: StreamDecompressor?
  private var hasMore = false
  private var isAtEnd = false
  /// What the input is compressed with; nil for plain.
  package let compression: StreamCompression?
  /// Raw bytes read so far.
  package private(set) var rawBytesRead = 0

  /// Size of the reads of compressed bytes.
  private static let rawPiece = 1 << 16

  /// The input's size before decompression, where it is known.
  package var rawSize: Int? { source.size }

  /// When the file was last written, Unix nanoseconds; nil for what is no file.
  package var modificationTime: Int64? { source.modificationTime }

  /// - Throws: as reading does, and `limitExceeded` where there is no memory to decompress.
  package init(_ source: ByteSource) throws(StoreError) {
    self.source = source
    while lookedAt.count < 4, try source.read(appendingTo: &lookedAt, count: Self.rawPiece) > 0 {}
    rawBytesRead = lookedAt.count
    compression = StreamCompression.detect(lookedAt)
    if let compression {
      let decompressor = try StreamDecompressor(compression)
      decompressor.supply(lookedAt)
      self.decompressor = decompressor
      hasMore = true
      lookedAt = []
    }
  }

  /// Appends up to `count` plain bytes to `buffer`.
  ///
  /// - Returns: how many; 0 only at the end.
  /// - Throws: as reading does; `damaged` where compressed data is broken or cut short.
  package func read(appendingTo buffer: inout [UInt8], count: Int) throws(StoreError) -> Int {
    guard let decompressor else { return try readPlain(appendingTo: &buffer, count: count) }
    let start = buffer.count
    while buffer.count == start, !isAtEnd {
      if hasMore {
        hasMore = try decompressor.produce(into: &buffer, upTo: count)
        continue
      }
      var raw: [UInt8] = []
      let length = try source.read(appendingTo: &raw, count: Self.rawPiece)
      rawBytesRead += length
      if length == 0 {
        isAtEnd = true
        try decompressor.finish()
      } else {
        decompressor.supply(raw)
        hasMore = true
      }
    }
    return buffer.count - start
  }

  private func readPlain(
    appendingTo buffer: inout [UInt8], count: Int
  ) throws(StoreError) -> Int {
    guard lookedAt.isEmpty else {
      let length = min(count, lookedAt.count)
      buffer.append(contentsOf: lookedAt[..<length])
      lookedAt.removeFirst(length)
      return length
    }
    let length = try source.read(appendingTo: &buffer, count: count)
    rawBytesRead += length
    return length
  }
}
