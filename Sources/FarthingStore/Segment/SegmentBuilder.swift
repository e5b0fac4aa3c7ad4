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
  private var columns: [(directory: ColumnDirectory, blocks: ColumnBlocks)] = []
  private var sections: [SegmentSection: SegmentPart] = [:]
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
    var written = ColumnBlocks()
    var codes: [UInt32] = []
    var seen: UInt32 = 0
    for rows in blocks {
      fill(rows, &codes)
      let part = appendPart { bytes, scratch in
        CodeBlock.encode(
          codes, seen: isByAppearance ? seen : nil, into: &bytes, scratch: scratch)
      }
      let (least, greatest): (UInt32, UInt32) = WordKernels.range(codes)
      written.parts.append(part)
      written.zones.append(ZoneMap(minimum: Int64(least), maximum: Int64(greatest)))
      seen = max(seen, greatest)
    }
    let dictionary = appendPart { bytes, scratch in
      TextBlock.encode(texts, times: nil, into: &bytes, scratch: scratch)
    }
    list(name, .codes, written, entryCount: texts.count, dictionary: dictionary)
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
    var written = ColumnBlocks()
    var column = TextColumn()
    var rowTimes: [Int64] = []
    for rows in blocks {
      fill(rows, &column)
      times(rows, &rowTimes)
      let part = appendPart { bytes, scratch in
        TextBlock.encode(column, times: rowTimes, into: &bytes, scratch: scratch)
      }
      written.parts.append(part)
      written.zones.append(nil)
    }
    list(name, .text, written)
  }

  /// Appends a column of integers; `Int64.min` is absent.
  ///
  /// - Parameter fill: replaces the array by the values of a block.
  mutating func appendIntegers(_ name: ColumnName, fill: (Range<Int>, inout [Int64]) -> Void) {
    var written = ColumnBlocks()
    var values: [Int64] = []
    for rows in blocks {
      fill(rows, &values)
      let part = appendPart { bytes, scratch in
        IntegerBlock.encode(values, into: &bytes, scratch: scratch)
      }
      let (least, greatest) = WordKernels.range(values)
      written.parts.append(part)
      written.zones.append(
        least <= greatest ? ZoneMap(minimum: least, maximum: greatest) : nil)
    }
    list(name, .integers, written)
  }

  /// Appends a column of reals as bit patterns; `Int64.min`, which is −0.0, is absent.
  ///
  /// - Parameter fill: replaces the array by the patterns of a block.
  mutating func appendReals(_ name: ColumnName, fill: (Range<Int>, inout [Int64]) -> Void) {
    var written = ColumnBlocks()
    var patterns: [Int64] = []
    var digits = 0
    for rows in blocks {
      fill(rows, &patterns)
      let part = appendPart { bytes, scratch in
        RealBlock.encode(patterns, digits: &digits, into: &bytes, scratch: scratch)
      }
      written.parts.append(part)
      written.zones.append(nil)
    }
    list(name, .reals, written)
  }

  /// Appends a column of codes that follows a rule.
  ///
  /// - Parameter exceptions: replaces the array by those of a block: 0, or a code and 1; nil where
  ///   no row is one.
  mutating func appendCodes(
    _ name: ColumnName, texts: TextColumn, rule: CodeRule,
    exceptions: ((Range<Int>, inout [UInt32]) -> Void)?
  ) {
    var written = ColumnBlocks()
    var words: [UInt32] = []
    for rows in blocks {
      exceptions?(rows, &words)
      written.parts.append(
        appendPart { bytes, scratch in
          CodeBlock.encodeByRule(
            exceptions: exceptions == nil ? nil : words, into: &bytes, scratch: scratch)
        })
      written.zones.append(nil)
    }
    let dictionary = appendPart { bytes, scratch in
      TextBlock.encode(texts, times: nil, into: &bytes, scratch: scratch)
    }
    let part = appendPart { bytes, scratch in
      bytes.append(contentsOf: rule.serialised(scratch))
    }
    list(
      name, .codes, written, entryCount: texts.count, dictionary: dictionary, rule: part)
  }

  /// Appends a column of money that follows a rule.
  ///
  /// - Parameters:
  ///   - range: Of all rows of the segment.
  ///   - remainders: replaces the array by those of a block; nil where all are 0.
  mutating func appendIntegers(
    _ name: ColumnName, rule: MoneyRule, range: ZoneMap,
    remainders: ((Range<Int>, inout [Int64]) -> Void)?
  ) {
    var written = ColumnBlocks()
    var values: [Int64] = []
    for rows in blocks {
      remainders?(rows, &values)
      written.parts.append(
        appendPart { bytes, scratch in
          IntegerBlock.encodeByRule(
            remainders: remainders == nil ? nil : values, into: &bytes, scratch: scratch)
        })
      written.zones.append(range)
    }
    let part = appendPart { bytes, scratch in
      bytes.append(contentsOf: rule.serialised(scratch))
    }
    list(name, .integers, written, rule: part)
  }

  /// Appends a section; each at most once.
  mutating func appendSection(_ section: SegmentSection, _ content: [UInt8]) {
    sections[section] = appendPart { bytes, _ in bytes.append(contentsOf: content) }
  }

  /// Appends what is known by the codes of columns.
  mutating func appendCodeSums(_ sealed: [SealedCodeSums]) {
    if sealed.isEmpty { return }
    var directories: [CodeSumsDirectory] = []
    for sums in sealed {
      var directory = CodeSumsDirectory(
        column: sums.column,
        knownMeasures: sums.measures.reduce(0) { $0 | 1 << UInt64($1.rawValue) },
        sums: appendPart { bytes, _ in bytes.append(contentsOf: sums.sums) }, sketches: [:])
      for (field, sketches) in sums.sketches {
        directory.sketches[field] = appendPart { bytes, _ in bytes.append(contentsOf: sketches) }
      }
      directories.append(directory)
    }
    appendSection(.codeSums, CodeSumsDirectory.serialise(directories))
  }

  /// Appends the sections, the core and the trailer and gives up the bytes.
  consuming func finish(
    time: ClosedRange<Int64>, receivedTime: ClosedRange<Int64>, prices: [[UInt8]],
    totals: SegmentTotals
  ) -> [UInt8] {
    if !totals.sketches.isEmpty { appendSection(.sketches, totals.serialisedSketches) }
    if !prices.isEmpty {
      var content: [UInt8] = []
      content.append(variable: UInt64(prices.count))
      for price in prices { content.append(counted: price) }
      appendSection(.prices, content)
    }
    // Last, since opening reads it together with the core.
    var list: [UInt8] = []
    list.append(variable: UInt64(columns.count))
    for column in columns {
      column.directory.serialise(table: column.blocks.serialised(), into: &list)
    }
    appendSection(.columns, list)
    let core = SegmentFooter(
      kind: kind, rowCount: rowCount, minimumTime: time.lowerBound,
      maximumTime: time.upperBound, minimumReceivedTime: receivedTime.lowerBound,
      maximumReceivedTime: receivedTime.upperBound, measures: totals.measures,
      sections: sections
    ).serialised()
    let part = appendPart { bytes, _ in bytes.append(contentsOf: core) }
    bytes.append(word: UInt64(part.offset), bytes: 8)
    bytes.append(word: UInt64(part.length), bytes: 8)
    bytes.append(word: part.checksum, bytes: 8)
    bytes.append(contentsOf: SegmentFormat.trailerMark)
    return bytes
  }

  private mutating func list(
    _ name: ColumnName, _ kind: ColumnKind, _ blocks: ColumnBlocks, entryCount: Int = 0,
    dictionary: SegmentPart? = nil, rule: SegmentPart? = nil
  ) {
    let directory = ColumnDirectory(
      name: name, kind: kind, entryCount: entryCount, dictionary: dictionary,
      rule: rule, firstOffset: blocks.parts.first?.offset ?? 0, table: 0..<0)
    columns.append((directory, blocks))
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
