internal import FarthingCore
internal import FarthingStore

/// What somebody said of how a task ended.
struct OutcomeRecord {
  let key: TextKey
  let time: Int64
  let receivedTime: Int64
  /// Order of arrival among equal arrival times: whether it is an outcome event, then the place of
  /// the segment and of the row; and in the lowest bit whether it was a success.
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
struct OutcomeRecords {
  private(set) var partitions = [[OutcomeRecord]](
    repeating: [], count: KeyedRecords.partitionCount)
  /// Beside each record its value in picodollars, where values were asked for.
  private(set) var values = [[Int128]](repeating: [], count: KeyedRecords.partitionCount)
  let hasValues: Bool
  private(set) var count = 0

  init(hasValues: Bool) { self.hasValues = hasValues }

  var byteCount: Int { count * (MemoryLayout<OutcomeRecord>.stride + (hasValues ? 16 : 0)) }

  mutating func append(_ record: OutcomeRecord, value: Int128) {
    let place = KeyedRecords.partition(record.key.low, record.key.high)
    partitions[place].append(record)
    if hasValues { values[place].append(value) }
    count += 1
  }

  mutating func release(_ place: Int) {
    partitions[place] = []
    values[place] = []
  }
}

/// Reads the outcomes of the whole store: outcome events, and requests that know their task's.
///
/// `@unchecked Sendable` for the reason that ``ScanWorker`` gives.
final class OutcomeScan: @unchecked Sendable {
  private let reader: BlockReader
  private let keys: FieldKeys
  private let outcome: ColumnSlot
  private let time: ColumnSlot
  private let receivedTime: ColumnSlot
  private let value: ColumnSlot
  private let valueHigh: ColumnSlot
  private let success: TextMask
  private let present: TextMask
  private(set) var records: OutcomeRecords

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
    var isPresent = [UInt8](repeating: 1, count: rows)
    var isSuccess = isPresent
    try present.fill(&isPresent, reader)
    if Kernels.count(isPresent, rows: rows) == 0 { return }
    try success.fill(&isSuccess, reader)
    try keys.load(reader)
    try reader.loadIntegers(time)
    try reader.loadIntegers(receivedTime)
    let hasValues = records.hasValues && value.kind != nil
    if hasValues { try reader.loadIntegers(value) }
    if hasValues, valueHigh.kind != nil { try reader.loadIntegers(valueHigh) }
    let first = reader.segment.rows(inBlock: block).lowerBound
    let kind: UInt64 = reader.segment.kind == .outcome ? 1 << 62 : 0
    // Local values: a class's property would be checked for overlapping access at every row.
    var found = OutcomeRecords(hasValues: records.hasValues)
    swap(&found, &records)
    defer { swap(&found, &records) }
    let rowKeys = keys.keys
    let presence = keys.presence
    let times = time.integers.values
    let arrivals = receivedTime.integers.values
    for row in 0..<rows where isPresent[row] & presence[row] == 1 {
      let sequence = kind | UInt64(place) << 32 | UInt64(first + row) << 1 | UInt64(isSuccess[row])
      var amount: Int128 = 0
      if hasValues {
        amount = Int128(value.integers.values[row])
        if valueHigh.kind != nil {
          amount = wideAmount(
            high: valueHigh.integers.values[row], low: value.integers.values[row])
        }
      }
      found.append(
        OutcomeRecord(
          key: rowKeys[row], time: times[row], receivedTime: arrivals[row], sequence: sequence),
        value: amount)
    }
  }
}
