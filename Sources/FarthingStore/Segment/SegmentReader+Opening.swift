internal import FarthingCore

// Opening a segment reads its header and the last bytes of the file: the trailer, the core, and the
// section of columns, which mostly lie there together. Everything else is read when asked for.

extension SegmentReader {
  /// Reads what the segment says of itself, and no block.
  ///
  /// - Parameter expectedID: the id that the catalogue has for it; nil to take the segment's word.
  /// - Throws: `damaged` where a part is missing or fails its checksum; `unsupportedVersion`; `io`.
  package static func open(
    _ source: any SegmentSource, expectedID: Int64? = nil
  ) throws(StoreError) -> SegmentReader {
    let size = try source.size()
    guard size >= SegmentFormat.headerSize + SegmentFormat.trailerSize else {
      throw StoreError(
        .damaged, "segment \(source.name): it has \(size) bytes, too few for a segment")
    }
    var bytes: [UInt8] = []
    try source.read(into: &bytes, offset: 0, count: SegmentFormat.headerSize)
    let (kind, segmentID) = try header(bytes, name: source.name)
    if let expectedID, expectedID != segmentID {
      throw StoreError(
        .damaged,
        "segment \(source.name): its header has the id \(segmentID), expected \(expectedID)")
    }
    let tail = try SegmentTail(source, segmentID: segmentID, size: size)
    let trailerOffset = size - SegmentFormat.trailerSize
    let core = try trailer(
      Array(tail.bytes.suffix(SegmentFormat.trailerSize)), name: source.name,
      trailerOffset: trailerOffset)
    let coreBytes = try tail.part(core, what: "footer")
    let footer: SegmentFooter
    do throws(EncodingFault) {
      footer = try SegmentFooter(coreBytes, kind: kind, limit: core.offset)
    } catch {
      throw StoreError(.damaged, "segment \(source.name): the footer is damaged: \(error.reason)")
    }
    guard let part = footer.sections[.columns] else {
      throw StoreError(.damaged, "segment \(source.name): the footer lists no columns")
    }
    let list = try tail.part(part, what: "list of columns")
    do throws(EncodingFault) {
      let bytes = list.span
      let columns = try ColumnDirectory.list(bytes, limit: core.offset)
      return SegmentReader(
        source: source, segmentID: segmentID, footer: footer, columns: columns, list: list,
        byteCount: size)
    } catch {
      throw StoreError(
        .damaged, "segment \(source.name): the list of columns is damaged: \(error.reason)")
    }
  }

  private static func header(
    _ bytes: [UInt8], name: String
  ) throws(StoreError) -> (EventKind, Int64) {
    guard bytes.starts(with: SegmentFormat.headerMark) else {
      throw StoreError(.damaged, "segment \(name): it does not begin like a segment")
    }
    let version = UInt32(truncatingIfNeeded: word(bytes, at: 8, bytes: 4))
    guard version == SegmentFormat.version else {
      throw StoreError(
        .unsupportedVersion,
        "segment \(name): it has format version \(version), this build reads \(SegmentFormat.version); "
          + "read it with the build that wrote it, or ingest its events into a new folder"
      )
    }
    guard let kind = EventKind(rawValue: bytes[12]), word(bytes, at: 13, bytes: 3) == 0 else {
      throw StoreError(.damaged, "segment \(name): its header is damaged")
    }
    return (kind, Int64(bitPattern: word(bytes, at: 16, bytes: 8)))
  }

  private static func trailer(
    _ bytes: [UInt8], name: String, trailerOffset: Int
  ) throws(StoreError) -> SegmentPart {
    guard bytes.suffix(8).elementsEqual(SegmentFormat.trailerMark) else {
      throw StoreError(.damaged, "segment \(name): it does not end like a segment")
    }
    let offset = word(bytes, at: 0, bytes: 8)
    let length = word(bytes, at: 8, bytes: 8)
    guard length <= UInt64(SegmentFormat.maximumSectionSize), offset <= UInt64(trailerOffset),
      offset + length == UInt64(trailerOffset)
    else {
      throw StoreError(.damaged, "segment \(name): its trailer points outside of it")
    }
    return SegmentPart(
      offset: Int(offset), length: Int(length), checksum: word(bytes, at: 16, bytes: 8))
  }

  private static func word(_ bytes: [UInt8], at place: Int, bytes count: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in 0..<count { word |= UInt64(bytes[place + index]) << UInt64(index * 8) }
    return word
  }
}

/// The last bytes of a segment.
private struct SegmentTail {
  let bytes: [UInt8]
  private let offset: Int
  private let segmentID: Int64
  private let source: any SegmentSource

  init(_ source: any SegmentSource, segmentID: Int64, size: Int) throws(StoreError) {
    self.source = source
    self.segmentID = segmentID
    offset = max(SegmentFormat.headerSize, size - SegmentFormat.tailSize)
    var bytes: [UInt8] = []
    try source.read(into: &bytes, offset: offset, count: size - offset)
    self.bytes = bytes
  }

  /// A part, from these bytes or, where it begins before them, from the source; checked.
  func part(_ part: SegmentPart, what: String) throws(StoreError) -> [UInt8] {
    var found: [UInt8] = []
    if part.offset >= offset, part.offset + part.length <= offset + bytes.count {
      found = Array(bytes[(part.offset - offset)..<(part.offset - offset + part.length)])
    } else {
      guard part.length <= SegmentFormat.maximumSectionSize else {
        throw StoreError(
          .damaged, "segment \(source.name): the \(what) claims \(part.length) bytes")
      }
      try source.read(into: &found, offset: part.offset, count: part.length)
    }
    let checksum = XXH64.hash(
      found.span, seed: SegmentFormat.seed(segment: segmentID, offset: part.offset))
    guard checksum == part.checksum else {
      throw StoreError(
        .damaged,
        "segment \(source.name): the \(what) has checksum \(hex(checksum)), expected \(hex(part.checksum))"
      )
    }
    return found
  }
}
