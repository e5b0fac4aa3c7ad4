package import FarthingCore

// A segment at rest, in short (`docs/format/segment.md` has every byte):
//
//     header | blocks of column 0, its dictionary, blocks of column 1, … | sections | core | trailer
//
// 1. A column is cut into blocks of 16,384 rows, the last one shorter. The blocks of one column
//    stand together, so a scan of it reads one run of bytes.
// 2. Sections say where blocks are and what is known of all rows together. Each has a checksum and
//    is read when somebody asks for it. The core says where the sections are; it and the list of
//    columns are all that opening reads.
// 3. The trailer has a checksum of the core and ends the file. A file cut short has no trailer.
// 4. Each checksum is seeded with the segment's id and the place, so a block of another segment
//    or from another place is not valid here.

/// Constants of the format.
package enum SegmentFormat {
  /// Rows of a block: the scan unit.
  package static let blockRows = 16_384
  /// Most rows of a segment.
  package static let maximumRows = 262_144
  /// The version that this build writes and the only one that it reads.
  package static let version: UInt32 = 2

  /// Dictionaries with more entries than this are numbered in the order of the sealed rows.
  static let renumberedEntries = 4096

  static let headerSize = 24
  static let trailerSize = 32
  static let headerMark: [UInt8] = Array("FARTHSEG".utf8)
  static let trailerMark: [UInt8] = Array("SEGMENT\n".utf8)
  /// How much of a segment's end is read at once when it is opened: the trailer, the core and, of a
  /// full segment of some 40 columns, the list of columns.
  static let tailSize = 16 << 10
  /// A larger section or core than this is not read; 800 columns of 16 blocks take some 400 KiB.
  static let maximumSectionSize = 64 << 20
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

/// What stands between the columns and the core; each at most once.
///
/// A reader passes over a section whose number it does not know.
package enum SegmentSection: UInt8, Sendable, CaseIterable {
  /// The list of columns with their blocks; always there.
  case columns = 1
  /// The prices that rows were charged by.
  case prices = 2
  /// Quantile sketches of the real fields, over all rows.
  case sketches = 3
  /// Where sums and sketches by the codes of columns stand.
  case codeSums = 4
}

/// A run of bytes of a segment and its checksum.
struct SegmentPart: Sendable, Equatable {
  var offset: Int
  var length: Int
  var checksum: UInt64

  /// Appends offset, length and checksum.
  func serialise(into bytes: inout [UInt8]) {
    bytes.append(variable: UInt64(offset))
    bytes.append(variable: UInt64(length))
    bytes.append(word: checksum, bytes: 8)
  }

  /// Reads what ``serialise(into:)`` wrote; the part must end at `limit` at the latest.
  static func read(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, limit: Int
  ) throws(EncodingFault) -> SegmentPart {
    let offset = try cursor.count(bytes, upTo: limit)
    let length = try cursor.count(bytes, upTo: limit - offset)
    return SegmentPart(
      offset: offset, length: length, checksum: try cursor.word(bytes, bytes: 8))
  }
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

extension SegmentTotals {
  /// The bytes of the section of sketches: how many, then for each its field and the sketch.
  var serialisedSketches: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(variable: UInt64(sketches.count))
    for (field, sketch) in sketches.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      bytes.append(field.rawValue)
      sketch.serialise(into: &bytes)
    }
    return bytes
  }

  /// Reads the section of sketches.
  static func sketches(
    _ bytes: [UInt8]
  ) throws(EncodingFault) -> [RealField: QuantileSketch] {
    guard let count = bytes.first else { throw EncodingFault("it ends early") }
    var sketches: [RealField: QuantileSketch] = [:]
    var position = 1
    for _ in 0..<count {
      guard position < bytes.count, let field = RealField(rawValue: bytes[position]) else {
        throw EncodingFault("a sketch is of no known field")
      }
      position += 1
      guard let sketch = QuantileSketch.deserialise(bytes, at: &position) else {
        throw EncodingFault("a sketch is damaged")
      }
      sketches[field] = sketch
    }
    guard position == bytes.count else { throw EncodingFault("bytes are left over") }
    return sketches
  }
}
