internal import FarthingCore

/// Turns columns into the bytes of a segment: each column cut into blocks, each block in the
/// encoding that suits its values.
///
/// Columns come one after another; each is asked for the values of one block at a time, in the order
/// of the sealed rows. A column without any value is left out.
struct SegmentBuilder {
  let segmentID: Int64
  let kind: EventKind
  let rowCount: Int
  private var bytes: [UInt8] = []
  private var columns: [ColumnDirectory] = []
  private var codeSums: [CodeSumsDirectory] = []
  let scratch = EncodingScratch()

  init(segmentID: Int64, kind: EventKind, rowCount: Int) {
    self.segmentID = segmentID
    self.kind = kind
    self.rowCount = rowCount
    bytes.reserveCapacity(rowCount * 64)
    bytes.append(contentsOf: SegmentFormat.headerMark)
    bytes.append(word: UInt64(SegmentFormat.version), bytes: 4)
    bytes.append(kind.rawValue)
    bytes.append(word: 0, bytes: 3)
    bytes.append(word: UInt64(bitPattern: segmentID), bytes: 8)
  }

  /// Appends a column of codes.
  ///
  /// - Parameters:
  ///   - texts: of the codes from 1 on.
  ///   - isByAppearance: whether the codes are numbered in the order of the sealed rows.
  ///   - fill: replaces the array by the codes of a block.
  mutating func appendCodes(
    _ name: ColumnName, texts: TextColumn, isByAppearance: Bool,
    fill: (Range<Int>, inout [UInt32]) -> Void
  ) {
    guard texts.count > 0 else { return }
    var directory = ColumnDirectory(
      name: name, kind: .codes, blocks: [], zones: [], entryCount: texts.count)
    var codes: [UInt32] = []
    var seen: UInt32 = 0
    for rows in blocks {
      fill(rows, &codes)
      let part = appendPart { bytes, scratch in
        CodeBlock.encode(
          codes, seen: isByAppearance ? seen : nil, into: &bytes, scratch: scratch)
      }
      let greatest = WordKernels.greatest(codes)
      directory.blocks.append(part)
      directory.zones.append(
        ZoneMap(minimum: Int64(codes.min() ?? 0), maximum: Int64(greatest)))
      seen = max(seen, greatest)
    }
    directory.dictionary = appendPart { bytes, scratch in
      TextBlock.encode(texts, times: nil, into: &bytes, scratch: scratch)
    }
    columns.append(directory)
  }

  /// Appends a column of texts.
  ///
  /// - Parameters:
  ///   - times: replaces the array by the times of a block's rows.
  ///   - fill: replaces the column by the texts of a block.
  mutating func appendTexts(
    _ name: ColumnName, times: (Range<Int>, inout [Int64]) -> Void,
    fill: (Range<Int>, inout TextColumn) -> Void
  ) {
    var directory = ColumnDirectory(
      name: name, kind: .text, blocks: [], zones: [], entryCount: 0)
    var column = TextColumn()
    var rowTimes: [Int64] = []
    for rows in blocks {
      fill(rows, &column)
      times(rows, &rowTimes)
      let part = appendPart { bytes, scratch in
        TextBlock.encode(column, times: rowTimes, into: &bytes, scratch: scratch)
      }
      directory.blocks.append(part)
      directory.zones.append(nil)
    }
    columns.append(directory)
  }

  /// Appends a column of integers; `Int64.min` is absent.
  ///
  /// - Parameter fill: replaces the array by the values of a block.
  mutating func appendIntegers(_ name: ColumnName, fill: (Range<Int>, inout [Int64]) -> Void) {
    var directory = ColumnDirectory(
      name: name, kind: .integers, blocks: [], zones: [], entryCount: 0)
    var values: [Int64] = []
    for rows in blocks {
      fill(rows, &values)
      let part = appendPart { bytes, scratch in
        IntegerBlock.encode(values, into: &bytes, scratch: scratch)
      }
      let (least, greatest) = WordKernels.range(values)
      directory.blocks.append(part)
      directory.zones.append(
        least <= greatest ? ZoneMap(minimum: least, maximum: greatest) : nil)
    }
    columns.append(directory)
  }

  /// Appends a column of reals as bit patterns; `Int64.min`, which is −0.0, is absent.
  ///
  /// - Parameter fill: replaces the array by the patterns of a block.
  mutating func appendReals(_ name: ColumnName, fill: (Range<Int>, inout [Int64]) -> Void) {
    var directory = ColumnDirectory(
      name: name, kind: .reals, blocks: [], zones: [], entryCount: 0)
    var patterns: [Int64] = []
    var digits = 0
    for rows in blocks {
      fill(rows, &patterns)
      let part = appendPart { bytes, scratch in
        RealBlock.encode(patterns, digits: &digits, into: &bytes, scratch: scratch)
      }
      directory.blocks.append(part)
      directory.zones.append(nil)
    }
    columns.append(directory)
  }

  /// Appends what is known by the codes of columns.
  mutating func appendCodeSums(_ sealed: [SealedCodeSums]) {
    for sums in sealed {
      var directory = CodeSumsDirectory(
        column: sums.column,
        knownMeasures: sums.measures.reduce(0) { $0 | 1 << UInt64($1.rawValue) },
        sums: appendPart { bytes, _ in bytes.append(contentsOf: sums.sums) }, sketches: [])
      for (field, sketches) in sums.sketches {
        let part = appendPart { bytes, _ in bytes.append(contentsOf: sketches) }
        directory.sketches.append((field, part))
      }
      codeSums.append(directory)
    }
  }

  /// Appends the footer and the trailer and gives up the bytes.
  consuming func finish(
    time: ClosedRange<Int64>, receivedTime: ClosedRange<Int64>, prices: [[UInt8]],
    totals: SegmentTotals
  ) -> [UInt8] {
    let footer = SegmentFooter(
      segmentID: segmentID, kind: kind, rowCount: rowCount, minimumTime: time.lowerBound,
      maximumTime: time.upperBound, minimumReceivedTime: receivedTime.lowerBound,
      maximumReceivedTime: receivedTime.upperBound, columns: columns, prices: prices,
      totals: totals, codeSums: codeSums
    ).serialised()
    let part = appendPart { bytes, _ in bytes.append(contentsOf: footer) }
    bytes.append(word: UInt64(part.offset), bytes: 8)
    bytes.append(word: UInt64(part.length), bytes: 8)
    bytes.append(word: part.checksum, bytes: 8)
    bytes.append(contentsOf: SegmentFormat.trailerMark)
    return bytes
  }

  private var blocks: [Range<Int>] {
    (0..<SegmentFormat.blockCount(rows: rowCount)).map { block in
      let start = block * SegmentFormat.blockRows
      return start..<min(start + SegmentFormat.blockRows, rowCount)
    }
  }

  private mutating func appendPart(
    _ write: (inout [UInt8], EncodingScratch) -> Void
  ) -> SegmentPart {
    let offset = bytes.count
    write(&bytes, scratch)
    let checksum = XXH64.hash(
      bytes.span.extracting(offset..<bytes.count),
      seed: SegmentFormat.seed(segment: segmentID, offset: offset))
    return SegmentPart(offset: offset, length: bytes.count - offset, checksum: checksum)
  }
}
