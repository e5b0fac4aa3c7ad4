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
  /// Sums of every additive measure over all rows, of requests; zero for other kinds.
  package let measures: MeasureTotals
  /// The size of the whole segment.
  package let byteCount: Int
  /// The columns that some row has a value in, in the order in which they are stored. Tags and
  /// units beyond the first 512 and 128 names are not among them, but are read like the others.
  package let columnNames: [ColumnName]

  private let source: any SegmentSource
  let columns: [ColumnDirectory]
  let places: [ColumnName: Int]
  let sections: [SegmentSection: SegmentPart]
  /// The section of columns, whose tables are read on demand.
  private let list: [UInt8]
  /// Guards the tables that were read so far, by place of their column.
  private let tables: Mutex<[ColumnBlocks?]>
  /// Guards the dictionaries that were read so far, by place of their column.
  private let dictionaries = Mutex<[Int: TextDictionary]>([:])
  /// Likewise the keys of their texts.
  let keysOfDictionaries = Mutex<[Int: DictionaryKeys]>([:])
  /// Guards the dictionaries as booked that were made so far, by the column of the charge.
  let bookedDictionaries = Mutex<[ColumnName: BookedTexts]>([:])
  /// The first damage that reading met.
  private let firstDamage = Mutex<StoreError?>(nil)
  /// Guards where sums by the codes of columns stand; nil while nobody has asked.
  let codeSums = Mutex<[ColumnName: CodeSumsDirectory]?>(nil)
  /// The first damage that reading met in sums by code.
  let firstSumsDamage = Mutex<StoreError?>(nil)

  /// - Parameters:
  ///   - columns: What `list`, the section of columns, says.
  ///   - byteCount: The size of the whole segment.
  init(
    source: any SegmentSource, segmentID: Int64, footer: SegmentFooter,
    columns: [ColumnDirectory], list: [UInt8], byteCount: Int
  ) {
    name = source.name
    self.segmentID = segmentID
    kind = footer.kind
    rowCount = footer.rowCount
    minimumTime = footer.minimumTime
    maximumTime = footer.maximumTime
    minimumReceivedTime = footer.minimumReceivedTime
    maximumReceivedTime = footer.maximumReceivedTime
    measures = footer.measures
    sections = footer.sections
    self.columns = columns
    self.list = list
    tables = Mutex([ColumnBlocks?](repeating: nil, count: columns.count))
    var names: [ColumnName] = []
    names.reserveCapacity(columns.count)
    var places: [ColumnName: Int] = [:]
    places.reserveCapacity(columns.count)
    for (place, column) in columns.enumerated() where places[column.name] == nil {
      places[column.name] = place
      if column.name != .overflowTags, column.name != .overflowUnits { names.append(column.name) }
    }
    columnNames = names
    self.places = places
    self.byteCount = byteCount
    self.source = source
  }

  /// What the first read of a damaged part said; nil while every part that was read is intact.
  package var foundDamage: StoreError? { firstDamage.withLock { $0 } }

  package var blockCount: Int { SegmentFormat.blockCount(rows: rowCount) }

  /// The rows of a block.
  package func rows(inBlock block: Int) -> Range<Int> {
    let start = block * SegmentFormat.blockRows
    return start..<min(start + SegmentFormat.blockRows, rowCount)
  }

  /// How a column is read; nil where it is absent in every row.
  package func kind(of name: ColumnName) -> ColumnKind? {
    if let base = name.bookedBase { return bookedKind(of: base) }
    if let place = places[name] { return columns[place].kind }
    guard overflow(of: name) != nil else { return nil }
    return name.isTag ? .text : .integers
  }

  /// The column that may have the values of a tag or a unit without a column of its own.
  func overflow(of name: ColumnName) -> ColumnName? {
    if places.isEmpty || places[name] != nil { return nil }
    if name.isTag, places[.overflowTags] != nil { return .overflowTags }
    if name.isUnit, places[.overflowUnits] != nil { return .overflowUnits }
    return nil
  }

  /// Least and greatest value of a block, of columns of integers; of columns of codes, least and
  /// greatest code, 0 among them where a row is absent. Nil where that is not known or no row has a
  /// value.
  package func zone(_ name: ColumnName, block: Int) -> (minimum: Int64, maximum: Int64)? {
    if let base = name.bookedBase { return bookedZone(of: base, block: block) }
    guard let place = places[name],
      let zone = try? blocks(ofColumn: place).zones[block]
    else { return nil }
    return (zone.minimum, zone.maximum)
  }

  /// The bytes that a column takes in the segment, its dictionary included; 0 where it is absent.
  package func byteCount(of name: ColumnName) -> Int {
    guard let place = places[name] else { return 0 }
    let parts = (try? blocks(ofColumn: place).parts) ?? []
    return parts.reduce(columns[place].dictionary?.length ?? 0) { $0 + $1.length }
  }

  /// The texts of a column of codes; empty where the column is absent. Read once, then kept.
  ///
  /// - Throws: `damaged`; `invalidArgument` where the column is not one of codes.
  package func dictionary(_ name: ColumnName) throws(StoreError) -> TextDictionary {
    if let base = name.bookedBase { return try bookedDictionary(of: base) }
    guard let place = places[name] else { return TextDictionary(texts: TextColumn()) }
    if let known = dictionaries.withLock({ $0[place] }) { return known }
    let column = columns[place]
    guard column.kind == .codes, let part = column.dictionary else {
      throw wrongKind(name, column.kind, .codes)
    }
    let scratch = ScanScratch()
    var texts = TextColumn()
    try load(part, what: "column \(name) dictionary", scratch: scratch)
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

  // MARK: - Parts

  /// Loads a column's block into `scratch.block`; nil where the column is absent.
  func load(
    _ name: ColumnName, block: Int, as kind: ColumnKind, scratch: ScanScratch
  ) throws(StoreError) -> ColumnDirectory? {
    guard let place = places[name] else { return nil }
    let column = columns[place]
    guard column.kind == kind else { throw wrongKind(name, column.kind, kind) }
    let part = try blocks(ofColumn: place).parts[block]
    try load(part, what: "column \(name) block \(block)", scratch: scratch)
    return column
  }

  /// The blocks of the column at a place. Read once, then kept.
  func blocks(ofColumn place: Int) throws(StoreError) -> ColumnBlocks {
    if let known = tables.withLock({ $0[place] }) { return known }
    do throws(EncodingFault) {
      let own = list
      let bytes = own.span
      let blocks = try ColumnBlocks(
        bytes, columns[place], count: blockCount, limit: byteCount)
      tables.withLock { $0[place] = blocks }
      return blocks
    } catch {
      throw damaged("column \(columns[place].name) table of blocks", error)
    }
  }

  /// Reads a part, keeping damage for ``foundDamage``.
  func load(
    _ part: SegmentPart, what: @autoclosure () -> String, scratch: ScanScratch
  ) throws(StoreError) {
    do throws(StoreError) {
      try loadUnnoted(part, what: what(), scratch: scratch)
    } catch {
      throw noted(error)
    }
  }

  /// Reads a part and compares its checksum.
  func loadUnnoted(
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

  func damaged(_ what: String, _ fault: EncodingFault) -> StoreError {
    noted(StoreError(.damaged, "segment \(name) \(what) is damaged: \(fault.reason)"))
  }

  /// Keeps what reading says of damage for ``foundDamage``.
  private func noted(_ error: StoreError) -> StoreError {
    guard error.code == .damaged else { return error }
    firstDamage.withLock { first in if first == nil { first = error } }
    return error
  }

  func wrongKind(
    _ column: ColumnName, _ found: ColumnKind, _ expected: ColumnKind
  ) -> StoreError {
    StoreError(
      .invalidArgument, "segment \(name) column \(column) is read as \(found), not as \(expected)")
  }
}

/// A checksum for messages.
func hex(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
