internal import FarthingCore

/// Where a segment keeps what it knows by the codes of one column.
struct CodeSumsDirectory: Sendable, Equatable {
  var column: ColumnName
  /// Bit n is set where the measure of raw value n is known.
  var knownMeasures: UInt64
  var sums: SegmentPart
  var sketches: [RealField: SegmentPart]

  func knows(_ measure: AdditiveMeasure) -> Bool {
    knownMeasures & 1 << UInt64(measure.rawValue) != 0
  }
}

extension CodeSumsDirectory {
  static func serialise(_ directories: [CodeSumsDirectory]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(variable: UInt64(directories.count))
    for directory in directories {
      bytes.append(counted: directory.column.rawValue.utf8)
      bytes.append(variable: directory.knownMeasures)
      directory.sums.serialise(into: &bytes)
      bytes.append(variable: UInt64(directory.sketches.count))
      for (field, part) in directory.sketches.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        bytes.append(field.rawValue)
        part.serialise(into: &bytes)
      }
    }
    return bytes
  }

  /// Reads what ``serialise(_:)`` wrote, by column; parts end at `limit` at the latest.
  static func deserialise(
    _ bytes: Span<UInt8>, limit: Int
  ) throws(EncodingFault) -> [ColumnName: CodeSumsDirectory] {
    var cursor = ByteCursor(bytes)
    var directories: [ColumnName: CodeSumsDirectory] = [:]
    for _ in 0..<(try cursor.count(bytes, upTo: bytes.count)) {
      let name = ColumnName(TextKernels.string(bytes.extracting(try cursor.counted(bytes))))
      let known = try cursor.variable(bytes)
      let sums = try SegmentPart.read(bytes, &cursor, limit: limit)
      var sketches: [RealField: SegmentPart] = [:]
      for _ in 0..<(try cursor.count(bytes, upTo: bytes.count)) {
        let number = try cursor.byte(bytes)
        let part = try SegmentPart.read(bytes, &cursor, limit: limit)
        // A later version may know more fields.
        if let field = RealField(rawValue: number) { sketches[field] = part }
      }
      directories[name] = CodeSumsDirectory(
        column: name, knownMeasures: known, sums: sums, sketches: sketches)
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
    return directories
  }
}
