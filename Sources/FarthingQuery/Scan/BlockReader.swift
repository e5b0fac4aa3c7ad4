internal import FarthingCore
internal import FarthingStore

/// One column as a worker reads it: its values in the block at hand.
final class ColumnSlot {
  let name: ColumnName
  /// How the segment at hand holds it; nil where no row has it.
  fileprivate(set) var kind: ColumnKind?
  fileprivate var loadedBlock = -1
  fileprivate(set) var codes: [UInt32] = []
  fileprivate(set) var integers = IntegerColumn()
  /// The rows of the block whose integers are loaded.
  fileprivate var loadedRows = 0..<0
  fileprivate(set) var reals = RealColumn()
  fileprivate(set) var text = TextColumn()
  /// Of a column held as text, where ``BlockReader/loadKeys(_:)`` found keys.
  fileprivate(set) var keys = KeyColumn()
  fileprivate var keysBlock = -1
  fileprivate var hasKeys = false
  /// Entries of the dictionary of the segment at hand with the one for absent, and beyond them the
  /// two that `usage` may add.
  fileprivate(set) var dictionary: TextDictionary?
  /// What an absent text shows as.
  let defaultText: [UInt8]?
  let isUsage: Bool

  fileprivate init(_ name: ColumnName) {
    self.name = name
    defaultText = RequestField.named(name.rawValue)?.defaultText.map { Array($0.utf8) }
    isUsage = name.rawValue == "usage"
  }

  static let reported = Array("reported".utf8)
  static let missing = Array("missing".utf8)

  /// How many codes there are: every code of the segment at hand is below.
  var codeCount: Int { known + (isUsage ? 2 : 0) }

  /// How many codes the segment at hand gives, without those that `usage` adds.
  fileprivate var known = 1
  /// Whether anybody looks at the texts: the dictionary of tasks is as large as all else together.
  fileprivate var wantsTexts = false

  /// Calls `body` with the bytes of every code, absent ones as an empty range and `false`.
  func forEachCode(_ body: (Int, Span<UInt8>, Range<Int>, Bool) -> Void) {
    let empty: [UInt8] = []
    if let defaultText {
      body(0, defaultText.span, 0..<defaultText.count, true)
    } else {
      body(0, empty.span, 0..<0, false)
    }
    if let dictionary, known > 1 {
      let bytes = dictionary.bytes
      for code in 1..<known {
        body(code, bytes.span, dictionary.range(of: UInt32(code)) ?? 0..<0, true)
      }
    }
    if isUsage {
      body(known, ColumnSlot.reported.span, 0..<ColumnSlot.reported.count, true)
      body(known + 1, ColumnSlot.missing.span, 0..<ColumnSlot.missing.count, true)
    }
  }
}

/// Reads the columns of one block at a time, each at most once, for one worker.
///
/// It applies the contract's defaults: `status`, `service_tier` and `usage` by their code,
/// `attempt` by its value.
final class BlockReader {
  private(set) var segment: SegmentReader
  private(set) var block = 0
  private(set) var rowCount = 0
  let scratch = ScanScratch()
  private var runs = CodeRuns()
  private var slots: [ColumnSlot] = []
  private var places: [ColumnName: Int] = [:]

  private let objectColumns: [ColumnName]
  private let prices: PriceKnowledge

  /// - Parameters:
  ///   - segments: All segments that it will be asked to enter; at least one.
  ///   - prices: Which charge the columns of costs, states and prices are of.
  init(_ segments: [SegmentReader], prices: PriceKnowledge = .current) {
    segment = segments[0]
    self.prices = prices
    var names: Set<ColumnName> = []
    for segment in segments { names.formUnion(segment.columnNames) }
    objectColumns = names.filter { $0.isTag || $0.isUnit }.sorted()
  }

  /// The columns of tags, or of units, that any of the segments has, by name.
  func objectNames(isTags: Bool) -> [ColumnName] { objectColumns.filter { $0.isTag == isTags } }

  /// The slot of a column, made at its first mention.
  ///
  /// - Parameter wantsTexts: false where codes, or their keys, are enough.
  func slot(_ plain: ColumnName, wantsTexts: Bool = true) -> ColumnSlot {
    let name = prices.column(plain)
    if let place = places[name] {
      if wantsTexts { slots[place].wantsTexts = true }
      return slots[place]
    }
    let slot = ColumnSlot(name)
    slot.wantsTexts = wantsTexts
    places[name] = slots.count
    slots.append(slot)
    return slot
  }

  /// Turns to another segment.
  ///
  /// - Parameter names: The columns that will be looked at; nil for all.
  func enter(_ segment: SegmentReader, only names: Set<ColumnName>? = nil) throws(StoreError) {
    self.segment = segment
    block = -1
    for slot in slots where names?.contains(slot.name) ?? true {
      slot.loadedBlock = -1
      slot.keysBlock = -1
      slot.kind = segment.kind(of: slot.name)
      slot.dictionary = nil
      slot.known = slot.kind == .codes ? try segment.codeCount(of: slot.name) : 1
      if slot.kind == .codes, slot.wantsTexts || slot.isUsage {
        slot.dictionary = try segment.dictionary(slot.name)
      }
      if slot.isUsage, slot.kind == nil { slot.kind = .codes }
    }
  }

  func enter(block: Int) {
    self.block = block
    rowCount = segment.rows(inBlock: block).count
  }

  /// The codes of a column that the segment holds as codes; all 0 where it has none.
  func loadCodes(_ slot: ColumnSlot) throws(StoreError) {
    if slot.loadedBlock == block { return }
    slot.loadedBlock = block
    if slot.known == 1 {
      slot.codes.removeAll(keepingCapacity: true)
      slot.codes.append(contentsOf: repeatElement(0, count: rowCount))
    } else {
      try segment.readCodes(slot.name, block: block, into: &slot.codes, scratch: scratch)
    }
    if slot.isUsage { try applyUsageDefault(slot) }
  }

  /// Writes `table[code]` of every row to the front of `mask`, where the block is stored as runs and
  /// its codes are not loaded: then they need not be written out.
  /// - Returns: false where it has to be done by ``loadCodes(_:)``.
  func lookUpRuns(
    _ slot: ColumnSlot, _ table: [UInt8], into mask: inout [UInt8]
  ) throws(StoreError) -> Bool {
    guard slot.kind == .codes, slot.loadedBlock != block, !slot.isUsage,
      try segment.readRuns(slot.name, block: block, into: &runs, scratch: scratch)
    else { return false }
    return runs.expand(table, rows: rowCount, into: &mask)
  }

  func loadText(_ slot: ColumnSlot) throws(StoreError) {
    if slot.loadedBlock == block { return }
    slot.loadedBlock = block
    try segment.readText(slot.name, block: block, into: &slot.text, scratch: scratch)
  }

  /// The texts of chosen rows of a column that the segment holds as text.
  func readText(
    _ slot: ColumnSlot, rows: [UInt32], into texts: inout TextColumn
  ) throws(StoreError) {
    try segment.readText(slot.name, block: block, rows: rows, into: &texts, scratch: scratch)
  }

  /// The keys of the texts of a column that the segment holds as text.
  /// - Returns: false where the block's texts do not pack into keys.
  func loadKeys(_ slot: ColumnSlot) throws(StoreError) -> Bool {
    if slot.keysBlock != block {
      slot.keysBlock = block
      slot.hasKeys = try segment.readKeys(
        slot.name, block: block, into: &slot.keys, scratch: scratch)
    }
    return slot.hasKeys
  }

  /// Loads a column of integers.
  ///
  /// - Parameter part: The rows that the caller looks at; nil for all. Packed values of others are
  ///   not unpacked.
  func loadIntegers(_ slot: ColumnSlot, rows part: Range<Int>? = nil) throws(StoreError) {
    let isAttempt = slot.name.rawValue == "attempt"
    let rows = isAttempt ? 0..<rowCount : part ?? 0..<rowCount
    if slot.loadedBlock == block, slot.loadedRows.lowerBound <= rows.lowerBound,
      slot.loadedRows.upperBound >= rows.upperBound
    {
      return
    }
    slot.loadedBlock = block
    slot.loadedRows = rows
    try segment.readIntegers(
      slot.name, block: block, rows: rows, into: &slot.integers, scratch: scratch)
    if isAttempt, let validity = slot.integers.validity {
      for row in 0..<rowCount where validity[row] == 0 { slot.integers.values[row] = 1 }
      slot.integers.validity = nil
    }
  }

  func loadReals(_ slot: ColumnSlot) throws(StoreError) {
    if slot.loadedBlock == block { return }
    slot.loadedBlock = block
    try segment.readReals(slot.name, block: block, into: &slot.reals, scratch: scratch)
  }

  /// Least and greatest value of an integer column in a block, defaults included; nil where that is
  /// unknown or no row has a value.
  func zone(_ name: ColumnName, block: Int) -> ClosedRange<Int64>? {
    guard let zone = segment.zone(prices.column(name), block: block) else {
      return name.rawValue == "attempt" && segment.kind(of: name) == nil ? 1...1 : nil
    }
    if name.rawValue == "attempt" { return min(zone.minimum, 1)...max(zone.maximum, 1) }
    return zone.minimum...zone.maximum
  }

  /// Replaces code 0 of `usage` by the code of what the row's counts make it.
  private func applyUsageDefault(_ slot: ColumnSlot) throws(StoreError) {
    guard slot.codes.contains(0) else { return }
    let counts = segment.columnNames.filter { name in
      name.isUnit || BlockReader.tokenNames.contains(name)
    }
    var hasCount = [Bool](repeating: false, count: rowCount)
    var column = IntegerColumn()
    for name in counts {
      try segment.readIntegers(name, block: block, into: &column, scratch: scratch)
      for row in 0..<rowCount where column.validity.map({ $0[row] != 0 }) ?? true {
        hasCount[row] = true
      }
    }
    let known = UInt32(slot.dictionary?.count ?? 1)
    for row in 0..<rowCount where slot.codes[row] == 0 {
      slot.codes[row] = hasCount[row] ? known : known + 1
    }
  }

  private static let tokenNames = Set(
    [
      IntegerField.inputTokens, .cachedInputTokens, .cacheWriteTokens, .cacheWrite1hTokens,
      .outputTokens, .reasoningTokens, .inputAudioTokens, .outputAudioTokens, .inputImageTokens,
    ].map { ColumnName.field($0) })
}
