package import FarthingCore

// A segment at rest, in short (`docs/format/segment.md` has every byte):
//
//     header | blocks of column 0, blocks of column 1, … | dictionaries | footer | trailer
//
// 1. A column is cut into blocks of 16,384 rows, the last one shorter. The blocks of one column
//    stand together, so a scan of it reads one run of bytes.
// 2. The footer says where everything is, with a checksum of each block and dictionary; the
//    trailer has a checksum of the footer and ends the file. A file cut short has no trailer.
// 3. Each checksum is seeded with the segment's id and the place, so a block of another segment
//    or from another place is not valid here.

/// Constants of the format.
package enum SegmentFormat {
  /// Rows of a block: the scan unit.
  package static let blockRows = 16_384
  /// Most rows of a segment.
  package static let maximumRows = 262_144
  /// The version that this build writes and the only one that it reads.
  package static let version: UInt32 = 1

  static let headerSize = 24
  static let trailerSize = 32
  static let headerMark: [UInt8] = Array("FARTHSEG".utf8)
  static let trailerMark: [UInt8] = Array("SEGMENT\n".utf8)
  /// A larger footer than this is not read; 800 columns of 16 blocks take some 400 KiB.
  static let maximumFooterSize = 64 << 20
  /// A block or dictionary larger than this is not read. The greatest possible is a block of 16,384
  /// texts of 1,024 bytes, or a dictionary of a segment's rows.
  static let maximumPartSize = 512 << 20

  /// The seed of the checksum of the part at `offset`.
  static func seed(segment: Int64, offset: Int) -> UInt64 {
    UInt64(bitPattern: segment) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(offset)
  }

  /// How many blocks `rows` rows take.
  static func blockCount(rows: Int) -> Int { (rows + blockRows - 1) / blockRows }
}

/// A run of bytes of a segment and its checksum.
struct SegmentPart: Sendable, Equatable {
  var offset: Int
  var length: Int
  var checksum: UInt64
}

/// Least and greatest of a block's values; absent ones do not count.
package struct ZoneMap: Sendable, Equatable {
  package var minimum: Int64
  package var maximum: Int64

  package init(minimum: Int64, maximum: Int64) {
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// What the footer says of one column.
struct ColumnDirectory: Sendable {
  var name: ColumnName
  var kind: ColumnKind
  var blocks: [SegmentPart]
  /// One a block; nil where every row of the block is absent or the column is not numeric. Of codes:
  /// the code 0 of absent rows counts.
  var zones: [ZoneMap?]
  /// Of a column of codes: how many texts its dictionary has, without the entry for absent.
  var entryCount: Int
  var dictionary: SegmentPart?
}

/// What a segment knows of all its rows together.
package struct SegmentTotals: Sendable, Equatable {
  /// Sums of every additive measure, of requests; zero for other kinds.
  package var measures: MeasureTotals
  /// Sketches of the latency fields that occur, of requests.
  package var sketches: [RealField: QuantileSketch]

  package init(
    measures: MeasureTotals = MeasureTotals(), sketches: [RealField: QuantileSketch] = [:]
  ) {
    self.measures = measures
    self.sketches = sketches
  }
}

/// The footer as a value.
struct SegmentFooter: Sendable {
  var segmentID: Int64
  var kind: EventKind
  var rowCount: Int
  var minimumTime: Int64
  var maximumTime: Int64
  var minimumReceivedTime: Int64
  var maximumReceivedTime: Int64
  var columns: [ColumnDirectory]
  /// The prices that rows of this segment use, each as the pricing room serialised it.
  var prices: [[UInt8]]
  var totals: SegmentTotals
  var codeSums: [CodeSumsDirectory]
}

extension SegmentFooter {
  func serialised() -> [UInt8] {
    var bytes: [UInt8] = [kind.rawValue]
    bytes.append(variable: UInt64(rowCount))
    bytes.append(signed: minimumTime)
    bytes.append(signed: maximumTime)
    bytes.append(signed: minimumReceivedTime)
    bytes.append(signed: maximumReceivedTime)
    bytes.append(variable: UInt64(columns.count))
    for column in columns { Self.append(column, to: &bytes) }
    bytes.append(variable: UInt64(prices.count))
    for price in prices { bytes.append(counted: price) }
    totals.measures.serialise(into: &bytes)
    bytes.append(variable: UInt64(totals.sketches.count))
    for (field, sketch) in totals.sketches.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      bytes.append(field.rawValue)
      sketch.serialise(into: &bytes)
    }
    bytes.append(variable: UInt64(codeSums.count))
    for sums in codeSums { Self.append(sums, to: &bytes) }
    return bytes
  }

  private static func append(_ directory: CodeSumsDirectory, to bytes: inout [UInt8]) {
    bytes.append(counted: directory.column.rawValue.utf8)
    bytes.append(variable: directory.knownMeasures)
    append(directory.sums, to: &bytes)
    bytes.append(UInt8(directory.sketches.count))
    for (field, part) in directory.sketches {
      bytes.append(field.rawValue)
      append(part, to: &bytes)
    }
  }

  private static func append(_ column: ColumnDirectory, to bytes: inout [UInt8]) {
    bytes.append(counted: column.name.rawValue.utf8)
    bytes.append(column.kind.rawValue)
    if column.kind == .codes {
      let part = column.dictionary ?? SegmentPart(offset: 0, length: 0, checksum: 0)
      bytes.append(variable: UInt64(column.entryCount))
      append(part, to: &bytes)
    }
    bytes.append(variable: UInt64(column.blocks.first?.offset ?? 0))
    for (block, zone) in zip(column.blocks, column.zones) {
      bytes.append(variable: UInt64(block.length))
      bytes.append(word: block.checksum, bytes: 8)
      bytes.append(zone == nil ? 0 : 1)
      if let zone {
        bytes.append(signed: zone.minimum)
        bytes.append(variable: UInt64(bitPattern: zone.maximum &- zone.minimum))
      }
    }
  }

  private static func append(_ part: SegmentPart, to bytes: inout [UInt8]) {
    bytes.append(variable: UInt64(part.offset))
    bytes.append(variable: UInt64(part.length))
    bytes.append(word: part.checksum, bytes: 8)
  }

  /// Reads a footer; `limit` is where the parts of the segment end.
  init(
    _ array: [UInt8], segmentID: Int64, kind: EventKind, limit: Int
  ) throws(EncodingFault) {
    let bytes = array.span
    var cursor = ByteCursor(bytes)
    self.segmentID = segmentID
    self.kind = kind
    // The header has no checksum of its own.
    guard try cursor.byte(bytes) == kind.rawValue else {
      throw EncodingFault("it is of another kind than the header")
    }
    rowCount = try cursor.count(bytes, upTo: SegmentFormat.maximumRows)
    guard rowCount > 0 else { throw EncodingFault("it has no rows") }
    minimumTime = try cursor.signed(bytes)
    maximumTime = try cursor.signed(bytes)
    minimumReceivedTime = try cursor.signed(bytes)
    maximumReceivedTime = try cursor.signed(bytes)
    let columnCount = try cursor.count(bytes, upTo: array.count)
    columns = []
    columns.reserveCapacity(columnCount)
    for _ in 0..<columnCount {
      columns.append(
        try Self.column(bytes, &cursor, rowCount: rowCount, limit: limit))
    }
    prices = []
    for _ in 0..<(try cursor.count(bytes, upTo: array.count)) {
      prices.append(Array(array[try cursor.counted(bytes)]))
    }
    var position = cursor.place
    guard let measures = MeasureTotals.deserialise(array, at: &position) else {
      throw EncodingFault("its totals are cut short")
    }
    totals = SegmentTotals(measures: measures)
    guard position < array.count else { throw EncodingFault("its sketches are missing") }
    let sketchCount = Int(array[position])
    position += 1
    for _ in 0..<sketchCount {
      guard position < array.count, let field = RealField(rawValue: array[position]) else {
        throw EncodingFault("a sketch is of no known field")
      }
      position += 1
      guard let sketch = QuantileSketch.deserialise(array, at: &position) else {
        throw EncodingFault("a sketch is damaged")
      }
      totals.sketches[field] = sketch
    }
    cursor = ByteCursor(place: position, end: array.count)
    codeSums = []
    for _ in 0..<(try cursor.count(bytes, upTo: array.count)) {
      codeSums.append(try Self.codeSums(bytes, &cursor, limit: limit))
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
  }

  private static func codeSums(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, limit: Int
  ) throws(EncodingFault) -> CodeSumsDirectory {
    let name = try text(bytes, &cursor)
    let known = try cursor.variable(bytes)
    var directory = CodeSumsDirectory(
      column: ColumnName(name), knownMeasures: known,
      sums: try part(bytes, &cursor, limit: limit), sketches: [])
    for _ in 0..<(try cursor.byte(bytes)) {
      guard let field = RealField(rawValue: try cursor.byte(bytes)) else {
        throw EncodingFault("a sketch is of no known field")
      }
      directory.sketches.append((field, try part(bytes, &cursor, limit: limit)))
    }
    return directory
  }

  private static func text(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(EncodingFault) -> String {
    let range = try cursor.counted(bytes)
    var text: [UInt8] = []
    for place in range { text.append(bytes[place]) }
    return String(decoding: text, as: UTF8.self)
  }

  private static func part(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, limit: Int
  ) throws(EncodingFault) -> SegmentPart {
    let offset = try cursor.count(bytes, upTo: limit)
    let length = try cursor.count(bytes, upTo: limit - offset)
    return SegmentPart(
      offset: offset, length: length, checksum: try cursor.word(bytes, bytes: 8))
  }

  private static func column(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, rowCount: Int, limit: Int
  ) throws(EncodingFault) -> ColumnDirectory {
    let range = try cursor.counted(bytes)
    var name: [UInt8] = []
    for place in range { name.append(bytes[place]) }
    guard let kind = ColumnKind(rawValue: try cursor.byte(bytes)) else {
      throw EncodingFault("a column is of an unknown kind")
    }
    var column = ColumnDirectory(
      name: ColumnName(String(decoding: name, as: UTF8.self)), kind: kind, blocks: [], zones: [],
      entryCount: 0)
    if kind == .codes {
      column.entryCount = try cursor.count(bytes, upTo: SegmentFormat.maximumRows)
      let offset = try cursor.count(bytes, upTo: limit)
      let length = try cursor.count(bytes, upTo: limit - offset)
      let checksum = try cursor.word(bytes, bytes: 8)
      column.dictionary = SegmentPart(offset: offset, length: length, checksum: checksum)
    }
    var offset = try cursor.count(bytes, upTo: limit)
    for _ in 0..<SegmentFormat.blockCount(rows: rowCount) {
      let length = try cursor.count(bytes, upTo: limit - offset)
      let checksum = try cursor.word(bytes, bytes: 8)
      column.blocks.append(SegmentPart(offset: offset, length: length, checksum: checksum))
      offset += length
      if try cursor.byte(bytes) == 1 {
        let minimum = try cursor.signed(bytes)
        let span = try cursor.variable(bytes)
        column.zones.append(
          ZoneMap(minimum: minimum, maximum: minimum &+ Int64(bitPattern: span)))
      } else {
        column.zones.append(nil)
      }
    }
    return column
  }
}
