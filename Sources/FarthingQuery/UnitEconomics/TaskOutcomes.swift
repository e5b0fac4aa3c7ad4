internal import FarthingCore
internal import FarthingStore

/// What somebody said of how a task ended.
struct OutcomeRecord {
  let time: Int64
  let receivedTime: Int64
  /// Order of arrival among equal arrival times: the highest bit, so that none is 0; whether it is
  /// an outcome event; then the place of the segment and of the row; and in the lowest bit whether
  /// it was a success.
  let sequence: UInt64

  var isSuccess: Bool { sequence & 1 == 1 }

  /// Whether it wins over `other`: the latest time, then the last to arrive.
  @inline(__always)
  func wins(over other: OutcomeRecord) -> Bool {
    if time != other.time { return time > other.time }
    if receivedTime != other.receivedTime { return receivedTime > other.receivedTime }
    return sequence > other.sequence
  }
}

/// The outcomes that one worker found, dealt out as ``KeyedRecords`` are.
///
/// The words of a record are the task's key, then those of ``OutcomeRecord``, then, where values
/// were asked for, the lower and the upper half of the value in picodollars.
///
/// `@unchecked Sendable`: one thread fills it, and once that is joined it is only read.
final class OutcomeRecords: @unchecked Sendable {
  let hasValues: Bool
  private let narrow: RecordPartitions
  private let wide: RecordPartitions
  private var upperHalf: UInt64?

  init(hasValues: Bool) {
    self.hasValues = hasValues
    narrow = RecordPartitions(stride: hasValues ? 6 : 4)
    wide = RecordPartitions(stride: hasValues ? 7 : 5)
  }

  var byteCount: Int { narrow.byteCount + wide.byteCount }

  /// Whether keys with this upper half are kept without it.
  func isNarrow(_ half: UInt64?) -> Bool {
    guard let half else { return false }
    if upperHalf == nil { upperHalf = half }
    return upperHalf == half
  }

  /// Appends the records of a block; their keys have an upper half of their own unless `isNarrow`.
  func append(_ words: [UInt64], isNarrow: Bool) {
    if isNarrow {
      narrow.append(words, count: words.count / narrow.stride, upperHalf: upperHalf ?? 0)
    } else {
      wide.append(words, count: words.count / wide.stride, upperHalf: nil)
    }
  }

  /// Calls `body` with all records of a partition, run by run.
  func forEachRun(_ place: Int, _ body: (Span<UInt64>, RecordLayout) -> Void) {
    let layout = RecordLayout(stride: narrow.stride, upperHalf: upperHalf ?? 0)
    narrow.forEachRun(place) { body($0, layout) }
    let full = RecordLayout(stride: wide.stride, upperHalf: nil)
    wide.forEachRun(place) { body($0, full) }
  }
}

/// Reads the outcomes of the whole store: outcome events, and requests that know their task's.
///
/// `@unchecked Sendable` for the reason that ``ScanWorker`` gives.
final class OutcomeScan: @unchecked Sendable {
  let records: OutcomeRecords
  private let reader: BlockReader
  private let keys: FieldKeys
  private let outcome: ColumnSlot
  private let time: ColumnSlot
  private let receivedTime: ColumnSlot
  private let value: ColumnSlot
  private let valueHigh: ColumnSlot
  private let success: TextMask
  private let present: TextMask
  private var isPresent: [UInt8] = []
  private var isSuccess: [UInt8] = []
  private var list: [UInt32] = []
  private var words: [UInt64] = []

  init(_ segments: [SegmentReader], hasValues: Bool) {
    reader = BlockReader(segments)
    keys = FieldKeys(RequestField.task, reader)
    outcome = reader.slot(.field(.outcome))
    time = reader.slot(.time)
    receivedTime = reader.slot(.receivedTime)
    value = reader.slot(.field(.valueUSD))
    valueHigh = reader.slot(ColumnName.field(.valueUSD).high)
    success = TextMask(outcome, TextTest(.oneOf([Array("success".utf8)])))
    present = TextMask(outcome, TextTest(.present))
    records = OutcomeRecords(hasValues: hasValues)
  }

  func enter(_ segment: SegmentReader) throws(StoreError) {
    try reader.enter(segment)
    keys.enterSegment()
    success.enterSegment()
    present.enterSegment()
  }

  /// - Parameter place: Of the segment among those of its kind, in the order of arrival.
  func read(block: Int, place: Int) throws(StoreError) {
    reader.enter(block: block)
    if keys.isAbsent || present.verdict(reader, block: block) == .none { return }
    let rows = reader.rowCount
    if isPresent.count < rows {
      isPresent = [UInt8](repeating: 1, count: rows)
      isSuccess = isPresent
      list = [UInt32](repeating: 0, count: rows + 1)
    }
    try present.fill(&isPresent, reader)
    let count = Kernels.select(isPresent, rows: rows, into: &list)
    if count == 0 { return }
    // Codes are tested for the rows that say something, not for all.
    // The mask may have been filled from runs, without them.
    if outcome.kind != .text { try reader.loadCodes(outcome) }
    let outcomes = outcome.kind == .text ? nil : outcome.codes
    if outcomes == nil { try success.fill(&isSuccess, reader) }
    let passing = success.passing
    try reader.loadIntegers(time)
    try reader.loadIntegers(receivedTime)
    let hasValues = records.hasValues && value.kind != nil
    if hasValues { try reader.loadIntegers(value) }
    if hasValues, valueHigh.kind != nil { try reader.loadIntegers(valueHigh) }
    let first = reader.segment.rows(inBlock: block).lowerBound
    let kind: UInt64 = reader.segment.kind == .outcome ? 1 << 62 : 0
    let start = 1 << 63 | kind | UInt64(place) << 32 | UInt64(first) << 1
    // Keys of codes are looked up for the rows that say something, not for all.
    var codes: [UInt32]?
    var known: CodeKeys?
    if let slot = keys.codeSlot {
      try reader.loadCodes(slot)
      codes = slot.codes
      known = try keys.keysOfCodes(reader)
    } else {
      try keys.load(reader)
    }
    let isNarrow = records.isNarrow(known == nil ? keys.block.upperHalf : known?.upperHalf)
    // Local values: a class's property would be checked for overlapping access at every row.
    var words: [UInt64] = []
    swap(&words, &self.words)
    defer { swap(&words, &self.words) }
    words.removeAll(keepingCapacity: true)
    let block = keys.block
    let times = time.integers.values
    let arrivals = receivedTime.integers.values
    for index in 0..<count {
      let row = Int(list[index])
      let key: TextKey
      if let codes, let known {
        let code = Int(codes[row])
        if code == 0 { continue }
        key = known[code]
      } else {
        if !block.isPresent(row) { continue }
        key = block[row]
      }
      words.append(key.low)
      if !isNarrow { words.append(key.high) }
      words.append(UInt64(bitPattern: times[row]))
      words.append(UInt64(bitPattern: arrivals[row]))
      let wins = outcomes.map { passing[Int($0[row])] } ?? isSuccess[row]
      words.append(start + UInt64(row) << 1 | UInt64(wins))
      if records.hasValues { append(hasValues ? amount(row) : 0, to: &words) }
    }
    records.append(words, isNarrow: isNarrow)
  }

  private func amount(_ row: Int) -> Int128 {
    let low = value.integers.values[row]
    if valueHigh.kind == nil { return Int128(low) }
    return wideAmount(high: valueHigh.integers.values[row], low: low)
  }

  private func append(_ amount: Int128, to words: inout [UInt64]) {
    words.append(UInt64(truncatingIfNeeded: amount))
    words.append(UInt64(truncatingIfNeeded: amount >> 64))
  }
}
