// The section of columns: for each column its name, how it is read, and a table of its blocks.
//
// Opening a segment reads names and places only. The table of a column is read at the first use of
// that column: a query needs a few of some forty.

/// What the section of columns says of one column, but for its blocks.
struct ColumnDirectory: Sendable {
  var name: ColumnName
  var kind: ColumnKind
  /// Of a column of codes: how many texts its dictionary has, without the entry for absent.
  var entryCount: Int
  var dictionary: SegmentPart?
  /// Where the first block stands in the segment; the others follow without a gap.
  var firstOffset: Int
  /// Where the table of blocks stands in the section.
  var table: Range<Int>
}

/// The blocks of a column.
struct ColumnBlocks: Sendable {
  var parts: [SegmentPart] = []
  /// One a block; nil where every row of the block is absent or the column is not numeric. Of codes:
  /// the code 0 of absent rows counts.
  var zones: [ZoneMap?] = []
}

extension ColumnBlocks {
  /// For each block its length, its checksum, and its zone map where it has one.
  func serialised() -> [UInt8] {
    var bytes: [UInt8] = []
    for (part, zone) in zip(parts, zones) {
      bytes.append(variable: UInt64(part.length))
      bytes.append(word: part.checksum, bytes: 8)
      bytes.append(zone == nil ? 0 : 1)
      if let zone {
        bytes.append(signed: zone.minimum)
        bytes.append(variable: UInt64(bitPattern: zone.maximum &- zone.minimum))
      }
    }
    return bytes
  }

  /// Reads the table of a column with `count` blocks, which end at `limit` at the latest.
  init(
    _ bytes: Span<UInt8>, _ column: ColumnDirectory, count: Int, limit: Int
  ) throws(EncodingFault) {
    var cursor = ByteCursor(place: column.table.lowerBound, end: column.table.upperBound)
    var offset = column.firstOffset
    parts.reserveCapacity(count)
    zones.reserveCapacity(count)
    for _ in 0..<count {
      let length = try cursor.count(bytes, upTo: limit - offset)
      let checksum = try cursor.word(bytes, bytes: 8)
      parts.append(SegmentPart(offset: offset, length: length, checksum: checksum))
      offset += length
      if try cursor.byte(bytes) == 1 {
        let minimum = try cursor.signed(bytes)
        let span = try cursor.variable(bytes)
        zones.append(ZoneMap(minimum: minimum, maximum: minimum &+ Int64(bitPattern: span)))
      } else {
        zones.append(nil)
      }
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
  }
}

extension ColumnDirectory {
  /// Appends the column; `table` is what ``ColumnBlocks/serialised()`` gave.
  func serialise(table: [UInt8], into bytes: inout [UInt8]) {
    bytes.append(counted: name.rawValue.utf8)
    bytes.append(kind.rawValue)
    if kind == .codes {
      bytes.append(variable: UInt64(entryCount))
      (dictionary ?? SegmentPart(offset: 0, length: 0, checksum: 0)).serialise(into: &bytes)
    }
    bytes.append(variable: UInt64(firstOffset))
    bytes.append(counted: table)
  }

  /// Reads the section of columns but for the tables; `limit` is where parts end.
  static func list(_ bytes: Span<UInt8>, limit: Int) throws(EncodingFault) -> [ColumnDirectory] {
    var cursor = ByteCursor(bytes)
    let count = try cursor.count(bytes, upTo: bytes.count)
    var columns: [ColumnDirectory] = []
    columns.reserveCapacity(count)
    for _ in 0..<count {
      columns.append(try ColumnDirectory(bytes, &cursor, limit: limit))
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
    return columns
  }

  private init(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, limit: Int
  ) throws(EncodingFault) {
    let name = bytes.extracting(try cursor.counted(bytes))
    guard let kind = ColumnKind(rawValue: try cursor.byte(bytes)) else {
      throw EncodingFault("a column is of an unknown kind")
    }
    self.name = ColumnName(TextKernels.string(name))
    self.kind = kind
    entryCount = 0
    if kind == .codes {
      entryCount = try cursor.count(bytes, upTo: SegmentFormat.maximumRows)
      dictionary = try SegmentPart.read(bytes, &cursor, limit: limit)
    }
    firstOffset = try cursor.count(bytes, upTo: limit)
    table = try cursor.counted(bytes)
  }
}
