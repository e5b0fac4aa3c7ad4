internal import FarthingCore

/// The core of the footer: what a segment says of itself before any section is read.
struct SegmentFooter: Sendable, Equatable {
  var kind: EventKind
  var rowCount: Int
  /// Range of the rows' `time` and arrival, both ends included, Unix nanoseconds.
  var minimumTime: Int64
  var maximumTime: Int64
  var minimumReceivedTime: Int64
  var maximumReceivedTime: Int64
  /// Sums of every additive measure over all rows.
  var measures: MeasureTotals
  var sections: [SegmentSection: SegmentPart]

  func serialised() -> [UInt8] {
    var bytes: [UInt8] = [kind.rawValue]
    bytes.append(variable: UInt64(rowCount))
    bytes.append(signed: minimumTime)
    bytes.append(signed: maximumTime)
    bytes.append(signed: minimumReceivedTime)
    bytes.append(signed: maximumReceivedTime)
    measures.serialise(into: &bytes)
    bytes.append(variable: UInt64(sections.count))
    for (section, part) in sections.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      bytes.append(section.rawValue)
      part.serialise(into: &bytes)
    }
    return bytes
  }
}

extension SegmentFooter {
  /// Reads a core; `limit` is where the sections end.
  init(_ array: [UInt8], kind: EventKind, limit: Int) throws(EncodingFault) {
    let bytes = array.span
    var cursor = ByteCursor(bytes)
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
    guard minimumTime <= maximumTime, minimumReceivedTime <= maximumReceivedTime else {
      throw EncodingFault("its times end before they begin")
    }
    var position = cursor.place
    guard let measures = MeasureTotals.deserialise(array, at: &position) else {
      throw EncodingFault("its totals are cut short")
    }
    self.measures = measures
    cursor = ByteCursor(place: position, end: array.count)
    sections = [:]
    for _ in 0..<(try cursor.count(bytes, upTo: array.count)) {
      let number = try cursor.byte(bytes)
      let part = try SegmentPart.read(bytes, &cursor, limit: limit)
      if let section = SegmentSection(rawValue: number) { sections[section] = part }
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
  }
}
