internal import FarthingCore

/// All values of one column of a segment to be, in the order of arrival.
package enum ColumnContent {
  /// Codes and the texts of the codes from 1 on.
  case codes([UInt32], texts: TextColumn)
  case text(TextColumn)
  /// Validity as in ``IntegerColumn/validity``.
  case integers([Int64], validity: [UInt8]?)
  case reals([Double], validity: [UInt8]?)
}

/// Turns whole columns into the bytes of a segment: the rows sorted by time, each column cut into
/// blocks, each block in the encoding that suits it.
struct SegmentBuilder {
  let segmentID: Int64
  let kind: EventKind
  let rowCount: Int
  private let order: [Int]
  private var bytes: [UInt8] = []
  private var columns: [ColumnDirectory] = []
  private let scratch = EncodingScratch()

  /// - Parameter times: one a row; rows of equal time keep their order.
  init(segmentID: Int64, kind: EventKind, times: [Int64]) {
    self.segmentID = segmentID
    self.kind = kind
    rowCount = times.count
    order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
    bytes.append(contentsOf: SegmentFormat.headerMark)
    bytes.append(word: UInt64(SegmentFormat.version), bytes: 4)
    bytes.append(kind.rawValue)
    bytes.append(word: 0, bytes: 3)
    bytes.append(word: UInt64(bitPattern: segmentID), bytes: 8)
  }

  /// Appends a column. A column without any value is left out.
  mutating func append(_ name: ColumnName, _ content: ColumnContent) {
    var directory: ColumnDirectory
    switch content {
    case .codes(let codes, let texts):
      guard texts.count > 0 else { return }
      directory = ColumnDirectory(
        name: name, kind: .codes, blocks: [], zones: [], entryCount: texts.count)
      for rows in blocks { directory.add(appendCodes(codes, rows)) }
      directory.dictionary = appendPart { builder in
        TextBlock.encode(texts, into: &builder.bytes, scratch: builder.scratch)
      }
    case .text(let column):
      if let validity = column.validity, !validity.contains(1) { return }
      directory = ColumnDirectory(
        name: name, kind: .text, blocks: [], zones: [], entryCount: 0)
      for rows in blocks { directory.add((appendText(column, rows), nil)) }
    case .integers(let values, let validity):
      if let validity, !validity.contains(1) { return }
      directory = ColumnDirectory(
        name: name, kind: .integers, blocks: [], zones: [], entryCount: 0)
      for rows in blocks { directory.add(appendIntegers(values, validity, rows)) }
    case .reals(let values, let validity):
      if let validity, !validity.contains(1) { return }
      directory = ColumnDirectory(
        name: name, kind: .reals, blocks: [], zones: [], entryCount: 0)
      for rows in blocks { directory.add((appendReals(values, validity, rows), nil)) }
    }
    columns.append(directory)
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
      totals: totals
    ).serialised()
    let part = appendPart { $0.bytes.append(contentsOf: footer) }
    bytes.append(word: UInt64(part.offset), bytes: 8)
    bytes.append(word: UInt64(part.length), bytes: 8)
    bytes.append(word: part.checksum, bytes: 8)
    bytes.append(contentsOf: SegmentFormat.trailerMark)
    return bytes
  }

  // MARK: - Blocks

  private var blocks: [Range<Int>] {
    (0..<SegmentFormat.blockCount(rows: rowCount)).map { block in
      let start = block * SegmentFormat.blockRows
      return start..<min(start + SegmentFormat.blockRows, rowCount)
    }
  }

  private mutating func appendPart(_ write: (inout SegmentBuilder) -> Void) -> SegmentPart {
    let offset = bytes.count
    write(&self)
    let checksum = XXH64.hash(
      bytes.span.extracting(offset..<bytes.count),
      seed: SegmentFormat.seed(segment: segmentID, offset: offset))
    return SegmentPart(offset: offset, length: bytes.count - offset, checksum: checksum)
  }

  private mutating func appendCodes(
    _ codes: [UInt32], _ rows: Range<Int>
  ) -> (SegmentPart, ZoneMap?) {
    let block = rows.map { codes[order[$0]] }
    let zone = ZoneMap(
      minimum: Int64(block.min() ?? 0), maximum: Int64(block.max() ?? 0))
    let part = appendPart { builder in
      CodeBlock.encode(block, into: &builder.bytes, scratch: builder.scratch)
    }
    return (part, zone)
  }

  private mutating func appendIntegers(
    _ values: [Int64], _ validity: [UInt8]?, _ rows: Range<Int>
  ) -> (SegmentPart, ZoneMap?) {
    let block = rows.map { values[order[$0]] }
    let present = validity.map { validity in rows.map { validity[order[$0]] } }
    let known = present.map { present in block.indices.filter { present[$0] != 0 }.map { block[$0] }
    }
    var zone: ZoneMap?
    if let least = (known ?? block).min(), let greatest = (known ?? block).max() {
      zone = ZoneMap(minimum: least, maximum: greatest)
    }
    let allPresent = present.map { !$0.contains(0) } ?? true
    let part = appendPart { builder in
      IntegerBlock.encode(
        block, validity: allPresent ? nil : present, into: &builder.bytes,
        scratch: builder.scratch)
    }
    return (part, zone)
  }

  private mutating func appendReals(
    _ values: [Double], _ validity: [UInt8]?, _ rows: Range<Int>
  ) -> SegmentPart {
    let block = rows.map { values[order[$0]] }
    let present = validity.map { validity in rows.map { validity[order[$0]] } }
    let allPresent = present.map { !$0.contains(0) } ?? true
    return appendPart { builder in
      RealBlock.encode(
        block, validity: allPresent ? nil : present, into: &builder.bytes,
        scratch: builder.scratch)
    }
  }

  private mutating func appendText(_ column: TextColumn, _ rows: Range<Int>) -> SegmentPart {
    var block = TextColumn()
    var validity: [UInt8] = []
    for row in rows {
      let range = column.range(order[row])
      block.append(column.bytes[range ?? 0..<0])
      validity.append(range == nil ? 0 : 1)
    }
    if validity.contains(0) { block.validity = validity }
    return appendPart { builder in
      TextBlock.encode(block, into: &builder.bytes, scratch: builder.scratch)
    }
  }
}

extension ColumnDirectory {
  fileprivate mutating func add(_ block: (SegmentPart, ZoneMap?)) {
    blocks.append(block.0)
    zones.append(block.1)
  }
}
