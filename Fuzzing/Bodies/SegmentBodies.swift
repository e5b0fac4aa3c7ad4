import FarthingCore
import FarthingQuery

@testable import FarthingStore

enum SegmentBodies {
  static var seeds: [[UInt8]] {
    [
      FuzzStore.segment(.request, rows: 1), FuzzStore.segment(.request, rows: 12),
      FuzzStore.segment(.request, rows: 40), FuzzStore.segment(.outcome, rows: 12),
      FuzzStore.segment(.capacity, rows: 1),
      // The times of its rows lie outside of what it says of them.
      SegmentReseal.resealed(FuzzStore.segment(.request, rows: 12)) { footer in
        footer.maximumTime = footer.minimumTime
      },
    ]
  }

  /// The bytes as a segment, and again with all marks and checksums made to hold.
  static func segments(_ bytes: [UInt8]) throws(BrokenProperty) {
    try read(bytes)
    try read(SegmentReseal.resealed(bytes))
  }

  /// More rows than this are not turned into texts.
  private static let rowLimit = 2_000

  private static func read(_ bytes: [UInt8]) throws(BrokenProperty) {
    let reader: SegmentReader
    do throws(StoreError) {
      reader = try SegmentReader.open(MemorySegmentSource(name: "9", bytes: bytes))
      try reader.verify(scratch: ScanScratch())
    } catch {
      return try require(
        error.message.hasPrefix("segment 9"), "an error without its place: \(error)")
    }
    guard reader.rowCount <= rowLimit else { return }
    for name in reader.columnNames {
      do {
        try values(of: name, reader)
      } catch let broken as BrokenProperty {
        throw broken
      } catch {
        throw BrokenProperty(description: "what was verified cannot be read: \(error)")
      }
    }
    _ = try? reader.totals()
    _ = try? reader.storedPrices().map { ResolvedPrice.deserialised($0.bytes.span) }
    let index = DeduplicationIndex(window: 1 << 40, seed: Array(1...16), now: fuzzClock)
    if let keys = try? reader.ids(index.hash, scratch: ScanScratch()) {
      index.restore([keys], threads: 2)
    }
    var snapshot = StoreSnapshot()
    snapshot.add(reader)
    ask(snapshot)
  }

  /// The values of a column by both ways of reading it.
  private static func values(of name: ColumnName, _ reader: SegmentReader) throws {
    let scratch = ScanScratch()
    for block in 0..<reader.blockCount {
      let rows = reader.rows(inBlock: block).count
      _ = reader.zone(name, block: block)
      switch reader.kind(of: name) {
      case .codes:
        var codes: [UInt32] = []
        try reader.readCodes(name, block: block, into: &codes, scratch: scratch)
        let dictionary = try reader.dictionary(name)
        try require(codes.count == rows, "\(name) has \(codes.count) codes of \(rows)")
        for code in codes { _ = dictionary.string(of: code) }
        _ = dictionary.code(for: "m-1")
      case .text:
        var column = TextColumn()
        var keys = KeyColumn()
        try reader.readText(name, block: block, into: &column, scratch: scratch)
        try require(column.count == rows, "\(name) has \(column.count) texts of \(rows)")
        for row in 0..<rows { _ = column.string(row) }
        _ = try reader.readKeys(name, block: block, into: &keys, scratch: scratch)
      case .integers:
        var column = IntegerColumn()
        try reader.readIntegers(name, block: block, into: &column, scratch: scratch)
        try require(column.values.count == rows, "\(name) has \(column.values.count) of \(rows)")
      case .reals:
        var column = RealColumn()
        try reader.readReals(name, block: block, into: &column, scratch: scratch)
        try require(column.values.count == rows, "\(name) has \(column.values.count) of \(rows)")
      case nil: break
      }
    }
    for isTags in [true, false] {
      try reader.forEachOverflowEntry(isTags: isTags, block: 0, scratch: scratch) { _, _, _, _ in }
    }
  }

  private static let questions: [QueryPlan] = [
    QueryWords(metrics: "cost,requests,tokens,cost_per_1m_tokens", by: "model,status"),
    QueryWords(metrics: "cost,latency_p95,error_rate", every: "1h"),
    QueryWords(metrics: "cost_per_successful_task,distinct_task", by: "tags.team"),
    QueryWords(
      metrics: "cost", filter: "input_tokens > 5 and task like '%1' or units.web_search = 3"),
    QueryWords(metrics: "repeat_prompt_share,cache_savings", order: "cache_savings", limit: "3"),
  ].compactMap { try? QueryPlan.parse($0, now: fuzzClock) }

  /// Asks a segment whose bytes are hostile behind checksums that hold.
  static func ask(_ snapshot: StoreSnapshot) {
    let executor = QueryExecutor(memoryLimit: 64 << 20, threads: 1)
    for question in questions { _ = try? executor.run(question, over: snapshot) }
    guard
      let events = try? EventsPlan.parse(
        columns: "time,id,model,cost,tags,units,latency_ms,price,cost_picodollars", limit: "20",
        now: fuzzClock)
    else { return }
    _ = try? executor.run(events, over: snapshot)
  }

  /// A block of each kind: rows in the first two bytes, the kind in the third.
  static func blocks(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let rows = (Int(input.byte()) | Int(input.byte()) << 8) % (SegmentFormat.blockRows + 1)
    let kind = input.byte()
    let block = input.bytes
    let span = block.span
    let scratch = ScanScratch()
    var cursor = ByteCursor(span)
    do {
      switch kind % 6 {
      case 0:
        var column = IntegerColumn()
        try IntegerBlock.decode(span, cursor: &cursor, count: rows, into: &column, scratch: scratch)
        try require(column.values.count == rows, "integers of other rows")
      case 1:
        var column = RealColumn()
        try RealBlock.decode(span, cursor: &cursor, count: rows, into: &column, scratch: scratch)
        try require(column.values.count == rows, "reals of other rows")
      case 2:
        var codes: [UInt32] = []
        try CodeBlock.decode(
          span, cursor: &cursor, count: rows, limit: UInt32(kind) + 1, into: &codes,
          scratch: scratch)
        try require(
          codes.count == rows && codes.allSatisfy { $0 <= UInt32(kind) }, "a code beyond the limit")
      case 3:
        var column = TextColumn()
        try TextBlock.decode(
          span, cursor: &cursor, count: rows, times: [Int64](repeating: fuzzClock, count: rows),
          into: &column, scratch: scratch)
        try require(column.count == rows, "texts of other rows")
        for row in 0..<min(rows, 300) { _ = column.string(row) }
      case 4:
        var column = KeyColumn()
        _ = try TextBlock.decodeKeys(
          span, cursor: &cursor, count: rows, into: &column, scratch: scratch)
      default:
        _ = try? SegmentTotals.sketches(block)
        _ = try? SegmentFooter(block, kind: .request, limit: 1_000)
        for column in try ColumnDirectory.list(span, limit: 1_000) {
          _ = try ColumnBlocks(span, column, count: rows % 17, limit: 1_000)
        }
      }
    } catch is EncodingFault {
      // Refused by name.
    } catch let broken as BrokenProperty {
      throw broken
    } catch {
      throw BrokenProperty(description: "\(error)")
    }
  }
}

/// Makes the marks and checksums of a segment hold, so that what they guard is reached.
enum SegmentReseal {
  private static let id: Int64 = 9

  /// - Parameter change: what to make the core say instead, where it can be read.
  static func resealed(
    _ bytes: [UInt8], change: (inout SegmentFooter) -> Void = { _ in }
  ) -> [UInt8] {
    let header = SegmentFormat.headerSize
    let trailer = SegmentFormat.trailerSize
    guard bytes.count >= header + trailer else { return bytes }
    var result = Array(bytes.dropLast(trailer))
    var cursor = ByteCursor(place: result.count, end: bytes.count)
    let told = (try? cursor.word(bytes.span, bytes: 8)) ?? 0
    // Where the trailer tells the truth, that is where the core begins.
    let place = header + Int((told &- UInt64(header)) % UInt64(result.count - header + 1))
    var core = Array(result[place...])
    let start = result.count - core.count
    let kind = core.first.flatMap(EventKind.init) ?? .request
    var head = SegmentFormat.headerMark
    head.append(word: UInt64(SegmentFormat.version), bytes: 4)
    head += [kind.rawValue, 0, 0, 0]
    head.append(word: UInt64(bitPattern: id), bytes: 8)
    result.replaceSubrange(0..<header, with: head)
    if var footer = try? SegmentFooter(core, kind: kind, limit: start) {
      if let part = footer.sections[.columns] { resealColumns(part, footer.rowCount, &result) }
      for (section, part) in footer.sections {
        footer.sections[section] = resealed(part, result)
      }
      change(&footer)
      core = footer.serialised()
    }
    result.removeSubrange(start...)
    result += core
    result.append(word: UInt64(start), bytes: 8)
    result.append(word: UInt64(core.count), bytes: 8)
    result.append(
      word: XXH64.hash(core.span, seed: SegmentFormat.seed(segment: id, offset: start)), bytes: 8)
    return result + SegmentFormat.trailerMark
  }

  /// Writes the checksums of blocks and dictionaries into the section of columns.
  private static func resealColumns(_ part: SegmentPart, _ rows: Int, _ bytes: inout [UInt8]) {
    guard part.offset + part.length <= bytes.count else { return }
    let section = Array(bytes[part.offset..<part.offset + part.length])
    guard let columns = try? ColumnDirectory.list(section.span, limit: part.offset) else { return }
    var list: [UInt8] = []
    list.append(variable: UInt64(columns.count))
    for var column in columns {
      column.dictionary = column.dictionary.map { resealed($0, bytes) }
      var table = Array(section[column.table])
      if var blocks = try? ColumnBlocks(
        section.span, column, count: SegmentFormat.blockCount(rows: rows), limit: part.offset)
      {
        blocks.parts = blocks.parts.map { resealed($0, bytes) }
        table = blocks.serialised()
      }
      column.serialise(table: table, into: &list)
    }
    // Integers that were not written in the shortest way take less room now.
    guard list.count == part.length else { return }
    bytes.replaceSubrange(part.offset..<part.offset + part.length, with: list)
  }

  private static func resealed(_ part: SegmentPart, _ bytes: [UInt8]) -> SegmentPart {
    var part = part
    guard part.offset + part.length <= bytes.count else { return part }
    part.checksum = XXH64.hash(
      bytes.span.extracting(part.offset..<part.offset + part.length),
      seed: SegmentFormat.seed(segment: id, offset: part.offset))
    return part
  }
}
