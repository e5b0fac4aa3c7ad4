package import FarthingCore
internal import Synchronization

/// An open segment: immutable rows of one kind of event, sorted by time, read block by block.
///
/// Any number of threads may read at once, each with a ``ScanScratch`` of its own. A damaged byte
/// gives a ``StoreError`` that names the segment, the column and the block; it never gives a value.
package final class SegmentReader: Sendable {
  /// What messages call the segment.
  package let name: String
  package let segmentID: Int64
  package let kind: EventKind
  package let rowCount: Int
  /// Range of the rows' `time`, both ends included, Unix nanoseconds.
  package let minimumTime: Int64
  package let maximumTime: Int64
  /// Range of the rows' `received_time`, both ends included, Unix nanoseconds.
  package let minimumReceivedTime: Int64
  package let maximumReceivedTime: Int64
  /// What is known of all rows together, without a scan.
  package let totals: SegmentTotals
  /// The size of the whole segment.
  package let byteCount: Int
  /// The columns that some row has a value in, in the order in which they are stored. Tags and
  /// units beyond the first 512 and 128 names are not among them, but are read like the others.
  package let columnNames: [ColumnName]

  private let source: any SegmentSource
  let columns: [ColumnDirectory]
  private let places: [ColumnName: Int]
  /// The serialised prices by `price` code, from 1 on.
  let priceBytes: [[UInt8]]
  /// Guards the dictionaries that were read so far, by place of their column.
  private let dictionaries = Mutex<[Int: TextDictionary]>([:])
  /// The first damage that reading met.
  private let firstDamage = Mutex<StoreError?>(nil)
  /// What it knows by the codes of columns, by name of the column.
  let codeSums: [ColumnName: CodeSumsDirectory]
  /// The first damage that reading met in what is known by code.
  private let firstSumsDamage = Mutex<StoreError?>(nil)

  /// Reads the footer and nothing else.
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
    let trailerOffset = size - SegmentFormat.trailerSize
    try source.read(into: &bytes, offset: trailerOffset, count: SegmentFormat.trailerSize)
    let part = try trailer(bytes, name: source.name, trailerOffset: trailerOffset)
    try source.read(into: &bytes, offset: part.offset, count: part.length)
    let found = XXH64.hash(
      bytes.span, seed: SegmentFormat.seed(segment: segmentID, offset: part.offset))
    guard found == part.checksum else {
      throw StoreError(
        .damaged,
        "segment \(source.name): the footer has checksum \(hex(found)), expected \(hex(part.checksum))"
      )
    }
    do throws(EncodingFault) {
      let footer = try SegmentFooter(
        bytes, segmentID: segmentID, kind: kind, limit: part.offset)
      return SegmentReader(source: source, footer: footer, byteCount: size)
    } catch {
      throw StoreError(.damaged, "segment \(source.name): the footer is damaged: \(error.reason)")
    }
  }

  private init(source: any SegmentSource, footer: SegmentFooter, byteCount: Int) {
    name = source.name
    segmentID = footer.segmentID
    kind = footer.kind
    rowCount = footer.rowCount
    minimumTime = footer.minimumTime
    maximumTime = footer.maximumTime
    minimumReceivedTime = footer.minimumReceivedTime
    maximumReceivedTime = footer.maximumReceivedTime
    totals = footer.totals
    priceBytes = footer.prices
    codeSums = Dictionary(
      footer.codeSums.map { ($0.column, $0) }, uniquingKeysWith: { first, _ in first })
    columns = footer.columns
    let names = footer.columns.map(\.name)
    columnNames = names.filter { $0 != .overflowTags && $0 != .overflowUnits }
    places = Dictionary(
      names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    self.byteCount = byteCount
    self.source = source
  }

  /// The prices that rows of this segment were charged by: the n-th is that of code n + 1 of the
  /// column `price`.
  ///
  /// - Throws: `damaged`.
  package func storedPrices() throws(StoreError) -> [StoredPrice] {
    if kind(of: .price) == nil { return [] }
    let keys = try dictionary(.price)
    return priceBytes.enumerated().map {
      StoredPrice(key: keys.string(of: UInt32($0 + 1)) ?? "", bytes: $1)
    }
  }

  /// What the first read of a damaged part said; nil while every part that was read is intact.
  package var foundDamage: StoreError? { firstDamage.withLock { $0 } }

  /// What the first read of a damaged sum or distribution by code said; nil while all that were read
  /// are intact. The rows answer in their place, so no answer lacks anything.
  package var foundSumsDamage: StoreError? { firstSumsDamage.withLock { $0 } }

  package var blockCount: Int { SegmentFormat.blockCount(rows: rowCount) }

  /// The rows of a block.
  package func rows(inBlock block: Int) -> Range<Int> {
    let start = block * SegmentFormat.blockRows
    return start..<min(start + SegmentFormat.blockRows, rowCount)
  }

  /// How a column is read; nil where it is absent in every row.
  package func kind(of name: ColumnName) -> ColumnKind? {
    if let place = places[name] { return columns[place].kind }
    guard overflow(of: name) != nil else { return nil }
    return name.isTag ? .text : .integers
  }

  /// The column that may have the values of a tag or a unit without a column of its own.
  private func overflow(of name: ColumnName) -> ColumnName? {
    if places.isEmpty || places[name] != nil { return nil }
    if name.isTag, places[.overflowTags] != nil { return .overflowTags }
    if name.isUnit, places[.overflowUnits] != nil { return .overflowUnits }
    return nil
  }

  /// Least and greatest value of a block, of columns of integers; of columns of codes, least and
  /// greatest code, 0 among them where a row is absent. Nil where that is not known or no row has a
  /// value.
  package func zone(_ name: ColumnName, block: Int) -> (minimum: Int64, maximum: Int64)? {
    guard let place = places[name], let zone = columns[place].zones[block] else { return nil }
    return (zone.minimum, zone.maximum)
  }

  /// The bytes that a column takes in the segment, its dictionary included; 0 where it is absent.
  package func byteCount(of name: ColumnName) -> Int {
    guard let place = places[name] else { return 0 }
    let column = columns[place]
    return column.blocks.reduce(column.dictionary?.length ?? 0) { $0 + $1.length }
  }

  /// The texts of a column of codes; empty where the column is absent. Read once, then kept.
  ///
  /// - Throws: `damaged`; `invalidArgument` where the column is not one of codes.
  package func dictionary(_ name: ColumnName) throws(StoreError) -> TextDictionary {
    guard let place = places[name] else { return TextDictionary(texts: TextColumn()) }
    if let known = dictionaries.withLock({ $0[place] }) { return known }
    let column = columns[place]
    guard column.kind == .codes, let part = column.dictionary else {
      throw wrongKind(name, column.kind, .codes)
    }
    let scratch = ScanScratch()
    var texts = TextColumn()
    try loadNoted(part, what: "column \(name) dictionary", scratch: scratch)
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try TextBlock.decode(
        bytes, cursor: &cursor, count: column.entryCount, times: [], into: &texts,
        scratch: scratch)
    } catch {
      throw damaged("column \(name) dictionary", error)
    }
    let dictionary = TextDictionary(texts: texts)
    return dictionaries.withLock { known in
      if let first = known[place] { return first }
      known[place] = dictionary
      return dictionary
    }
  }

  /// Reads a block of codes into `codes`, one a row. An absent column is all 0.
  package func readCodes(
    _ name: ColumnName, block: Int, into codes: inout [UInt32], scratch: ScanScratch
  ) throws(StoreError) {
    let rows = rows(inBlock: block).count
    guard let column = try load(name, block: block, as: .codes, scratch: scratch) else {
      codes = [UInt32](repeating: 0, count: rows)
      return
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try CodeBlock.decode(
        bytes, cursor: &cursor, count: rows, limit: UInt32(column.entryCount) + 1, into: &codes,
        scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of integers. An absent column is absent in every row.
  package func readIntegers(
    _ name: ColumnName, block: Int, into column: inout IntegerColumn, scratch: ScanScratch
  ) throws(StoreError) {
    let rows = rows(inBlock: block).count
    if let shared = overflow(of: name) {
      var entries = TextColumn()
      try readText(shared, block: block, into: &entries, scratch: scratch)
      do throws(EncodingFault) {
        try OverflowEntries.counts(
          named: Array((name.entryName ?? "").utf8), in: entries, into: &column)
      } catch {
        throw damaged("column \(shared) block \(block)", error)
      }
      return
    }
    guard try load(name, block: block, as: .integers, scratch: scratch) != nil else {
      column.values = [Int64](repeating: 0, count: rows)
      column.validity = [UInt8](repeating: 0, count: rows)
      return
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try IntegerBlock.decode(
        bytes, cursor: &cursor, count: rows, into: &column, scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of reals. An absent column is absent in every row.
  package func readReals(
    _ name: ColumnName, block: Int, into column: inout RealColumn, scratch: ScanScratch
  ) throws(StoreError) {
    let rows = rows(inBlock: block).count
    guard try load(name, block: block, as: .reals, scratch: scratch) != nil else {
      column.values = [Double](repeating: 0, count: rows)
      column.validity = [UInt8](repeating: 0, count: rows)
      return
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try RealBlock.decode(bytes, cursor: &cursor, count: rows, into: &column, scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of texts. An absent column is absent in every row.
  package func readText(
    _ name: ColumnName, block: Int, into column: inout TextColumn, scratch: ScanScratch
  ) throws(StoreError) {
    let rows = rows(inBlock: block).count
    if let shared = overflow(of: name) {
      var entries = TextColumn()
      try readText(shared, block: block, into: &entries, scratch: scratch)
      do throws(EncodingFault) {
        try OverflowEntries.texts(
          named: Array((name.entryName ?? "").utf8), in: entries, into: &column)
      } catch {
        throw damaged("column \(shared) block \(block)", error)
      }
      return
    }
    guard try load(name, block: block, as: .text, scratch: scratch) != nil else {
      column.removeAll()
      column.offsets = [UInt32](repeating: 0, count: rows + 1)
      column.validity = [UInt8](repeating: 0, count: rows)
      return
    }
    if TextBlock.followsTime(scratch.block.span) {
      let own = scratch.block
      try readIntegers(.time, block: block, into: &scratch.times, scratch: scratch)
      scratch.block = own
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try TextBlock.decode(
        bytes, cursor: &cursor, count: rows, times: scratch.times.values, into: &column,
        scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of texts as 64-bit keys, without making the texts.
  ///
  /// - Returns: false, with `column` unspecified, where this block's texts do not fit into keys.
  package func readKeys(
    _ name: ColumnName, block: Int, into column: inout KeyColumn, scratch: ScanScratch
  ) throws(StoreError) -> Bool {
    guard try load(name, block: block, as: .text, scratch: scratch) != nil else { return false }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      return try TextBlock.decodeKeys(
        bytes, cursor: &cursor, count: rows(inBlock: block).count, into: &column,
        scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Calls `body` with every tag, or unit, of a block that has no column of its own: the row, the
  /// name, and the value of a tag or the count of a unit.
  ///
  /// - Throws: `damaged`.
  package func forEachOverflowEntry(
    isTags: Bool, block: Int, scratch: ScanScratch,
    _ body: (Int, ArraySlice<UInt8>, ArraySlice<UInt8>, Int64) -> Void
  ) throws(StoreError) {
    let shared: ColumnName = isTags ? .overflowTags : .overflowUnits
    guard places[shared] != nil else { return }
    var entries = TextColumn()
    try readText(shared, block: block, into: &entries, scratch: scratch)
    do throws(EncodingFault) {
      try OverflowEntries.forEach(in: entries, isTags: isTags, body)
    } catch {
      throw damaged("column \(shared) block \(block)", error)
    }
  }

  // MARK: - Parts

  /// Loads a column's block into `scratch.block`; nil where the column is absent.
  private func load(
    _ name: ColumnName, block: Int, as kind: ColumnKind, scratch: ScanScratch
  ) throws(StoreError) -> ColumnDirectory? {
    guard let place = places[name] else { return nil }
    let column = columns[place]
    guard column.kind == kind else { throw wrongKind(name, column.kind, kind) }
    try loadNoted(
      column.blocks[block], what: "column \(name) block \(block)", scratch: scratch)
    return column
  }

  /// As ``load(_:what:scratch:)``, keeping damage for ``foundDamage``.
  private func loadNoted(
    _ part: SegmentPart, what: @autoclosure () -> String, scratch: ScanScratch
  ) throws(StoreError) {
    do throws(StoreError) {
      try load(part, what: what(), scratch: scratch)
    } catch {
      throw noted(error)
    }
  }

  /// Reads a part and compares its checksum.
  func load(
    _ part: SegmentPart, what: @autoclosure () -> String, scratch: ScanScratch
  ) throws(StoreError) {
    guard part.length <= SegmentFormat.maximumPartSize else {
      throw StoreError(
        .damaged,
        "segment \(self.name) \(what()): it claims \(part.length) bytes, at most \(SegmentFormat.maximumPartSize) are possible"
      )
    }
    try source.read(into: &scratch.block, offset: part.offset, count: part.length)
    let loaded = scratch.block
    let found = XXH64.hash(
      loaded.span, seed: SegmentFormat.seed(segment: segmentID, offset: part.offset))
    guard found == part.checksum else {
      throw StoreError(
        .damaged,
        "segment \(self.name) \(what()): checksum \(hex(found)), expected \(hex(part.checksum))")
    }
  }

  private func damaged(_ what: String, _ fault: EncodingFault) -> StoreError {
    noted(StoreError(.damaged, "segment \(name) \(what) is damaged: \(fault.reason)"))
  }

  /// Keeps what reading says of damage for ``foundDamage``.
  private func noted(_ error: StoreError) -> StoreError {
    guard error.code == .damaged else { return error }
    firstDamage.withLock { first in if first == nil { first = error } }
    return error
  }

  /// Keeps what reading says of damaged sums for ``foundSumsDamage``.
  func noteSums(_ error: StoreError) -> StoreError {
    guard error.code == .damaged else { return error }
    firstSumsDamage.withLock { first in if first == nil { first = error } }
    return error
  }

  private func wrongKind(
    _ column: ColumnName, _ found: ColumnKind, _ expected: ColumnKind
  ) -> StoreError {
    StoreError(
      .invalidArgument, "segment \(name) column \(column) is read as \(found), not as \(expected)")
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
        "segment \(name): it has format version \(version), this build reads \(SegmentFormat.version)"
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
    guard length <= UInt64(SegmentFormat.maximumFooterSize), offset <= UInt64(trailerOffset),
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

/// A checksum for messages.
func hex(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
