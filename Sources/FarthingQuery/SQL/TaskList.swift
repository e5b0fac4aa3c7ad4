internal import FarthingCore
internal import FarthingStore

/// The tasks of a store: what their requests and their outcomes say of them.
///
/// A task is listed where any request or outcome event names it. Its outcome is the one that wins
/// over the whole store: the latest time, then the last to arrive.
struct TaskList {
  /// What is known of one task.
  struct Entry {
    var firstTime = Int64.max
    var lastTime = Int64.min
    var requestCount: Int64 = 0
    var pricedCount: Int64 = 0
    /// Picodollars of its priced requests.
    var cost: Int128 = 0
    var isCostTooLarge = false
    var outcome: Outcome?
  }

  /// A word on how the task ended.
  struct Outcome {
    let time: Int64
    let receivedTime: Int64
    /// Order of arrival among equal arrival times: outcome events after requests, then by place.
    let sequence: UInt64
    let isSuccess: Bool
    /// What the success was worth, picodollars; 0 where that is not known.
    let value: Int128
    let hasValue: Bool

    func wins(over other: Outcome) -> Bool {
      if time != other.time { return time > other.time }
      if receivedTime != other.receivedTime { return receivedTime > other.receivedTime }
      return sequence > other.sequence
    }
  }

  private(set) var entries: [Entry] = []
  /// The names, by place of the entry.
  private(set) var names = TextColumn()
  private var table = TextPlaces()

  var count: Int { entries.count }

  /// The place of a task; nil where it is not listed.
  func place(of name: Span<UInt8>) -> Int? { table.place(of: name, in: names) }

  /// About the bytes that the list takes.
  var byteCount: Int {
    entries.count * MemoryLayout<Entry>.stride + names.bytes.count + names.offsets.count * 4
      + table.byteCount
  }

  /// Adds what the segments say.
  ///
  /// - Parameters:
  ///   - requests: In the order in which their rows arrived; outcomes likewise.
  ///   - check: Called after each block with the bytes taken so far; may throw to end it.
  init(
    requests: [SegmentReader], outcomes: [SegmentReader], check: (Int) throws -> Void
  ) throws {
    if let scan = TaskScan(requests) {
      for place in requests.indices { try scan.add(requests[place], place, to: &self, check) }
    }
    if let scan = TaskScan(outcomes) {
      for place in outcomes.indices { try scan.add(outcomes[place], place, to: &self, check) }
    }
  }

  /// The place of a task, made where it is new.
  mutating func place(makingOf name: Span<UInt8>) -> Int {
    let place = table.place(makingOf: name, in: &names)
    if place == entries.count { entries.append(Entry()) }
    return place
  }

  mutating func update(_ place: Int, _ change: (inout Entry) -> Void) { change(&entries[place]) }
}

/// Texts to their places, without a String for each: open addressing over one column of texts.
struct TextPlaces {
  /// One above the place of a text; 0 where empty. A power of two, at most half full.
  private var cells = [UInt32](repeating: 0, count: 1_024)
  /// The upper half of each cell's hash.
  private var tags = [UInt32](repeating: 0, count: 1_024)

  var byteCount: Int { cells.count * 8 }

  /// FNV-1a by words with a final mix. Not keyed: names that collide cost time, never an answer, and
  /// the time is bounded by the statement's own.
  private static func hash(_ text: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for place in 0..<text.count {
      hash = (hash ^ UInt64(text[place])) &* 0x100_0000_01B3
    }
    hash ^= hash >> 32
    return hash &* 0x9E37_79B9_7F4A_7C15
  }

  func place(of text: Span<UInt8>, in column: TextColumn) -> Int? {
    let hash = TextPlaces.hash(text)
    let place = cell(text, hash, column)
    return cells[place] == 0 ? nil : Int(cells[place]) - 1
  }

  /// The cell of a text, or the empty one where it belongs.
  private func cell(_ text: Span<UInt8>, _ hash: UInt64, _ column: TextColumn) -> Int {
    let mask = cells.count - 1
    let tag = UInt32(truncatingIfNeeded: hash >> 32)
    var place = Int(truncatingIfNeeded: hash) & mask
    while cells[place] != 0 {
      if tags[place] == tag, isEqual(text, Int(cells[place]) - 1, column) { return place }
      place = (place + 1) & mask
    }
    return place
  }

  private func isEqual(_ text: Span<UInt8>, _ row: Int, _ column: TextColumn) -> Bool {
    let start = Int(column.offsets[row])
    guard Int(column.offsets[row + 1]) - start == text.count else { return false }
    for place in 0..<text.count where column.bytes[start + place] != text[place] { return false }
    return true
  }

  /// The place of a text in `column`, appended there where it is new.
  mutating func place(makingOf text: Span<UInt8>, in column: inout TextColumn) -> Int {
    if (column.count + 1) * 2 > cells.count { grow(column) }
    let hash = TextPlaces.hash(text)
    let place = cell(text, hash, column)
    if cells[place] != 0 { return Int(cells[place]) - 1 }
    let row = column.count
    for index in 0..<text.count { column.bytes.append(text[index]) }
    column.offsets.append(UInt32(truncatingIfNeeded: column.bytes.count))
    cells[place] = UInt32(truncatingIfNeeded: row + 1)
    tags[place] = UInt32(truncatingIfNeeded: hash >> 32)
    return row
  }

  private mutating func grow(_ column: TextColumn) {
    let size = cells.count * 4
    cells = [UInt32](repeating: 0, count: size)
    tags = cells
    let bytes = column.bytes.span
    for row in 0..<column.count {
      let text = bytes.extracting(Int(column.offsets[row])..<Int(column.offsets[row + 1]))
      let hash = TextPlaces.hash(text)
      var place = Int(truncatingIfNeeded: hash) & (size - 1)
      while cells[place] != 0 { place = (place + 1) & (size - 1) }
      cells[place] = UInt32(truncatingIfNeeded: row + 1)
      tags[place] = UInt32(truncatingIfNeeded: hash >> 32)
    }
  }
}

/// Reads what segments of one kind say of tasks.
private struct TaskScan {
  private let reader: BlockReader
  private let task: ColumnSlot
  private let outcome: ColumnSlot
  private let time: ColumnSlot
  private let receivedTime: ColumnSlot
  private let cost: (low: ColumnSlot, high: ColumnSlot, state: ColumnSlot)
  private let value: (low: ColumnSlot, high: ColumnSlot)

  /// nil where there are no segments.
  init?(_ segments: [SegmentReader]) {
    if segments.isEmpty { return nil }
    let reader = BlockReader(segments)
    self.reader = reader
    task = reader.slot(.field(.task))
    outcome = reader.slot(.field(.outcome))
    time = reader.slot(.time)
    receivedTime = reader.slot(.receivedTime)
    cost = (reader.slot(.cost), reader.slot(ColumnName.cost.high), reader.slot(.costState))
    let name = ColumnName.field(.valueUSD)
    value = (reader.slot(name), reader.slot(name.high))
  }

  /// - Parameter place: Of the segment among those of its kind.
  func add(
    _ segment: SegmentReader, _ place: Int, to list: inout TaskList, _ check: (Int) throws -> Void
  ) throws {
    if segment.kind(of: task.name) == nil { return }
    try reader.enter(segment)
    // A code's place in the list, looked up when its first row comes: an entry of the dictionary
    // may be without rows.
    var places = [Int](repeating: -1, count: task.codeCount)
    for block in 0..<segment.blockCount {
      reader.enter(block: block)
      let tasks = try taskPlaces(&places, &list)
      if segment.kind == .request { try addRequests(tasks, &list) }
      if outcome.kind != nil { try addOutcomes(tasks, place, &list) }
      try check(list.byteCount)
    }
  }

  /// The place of each row's task in the list; −1 where it names none.
  private func taskPlaces(
    _ known: inout [Int], _ list: inout TaskList
  ) throws(StoreError) -> [Int] {
    var places = [Int](repeating: -1, count: reader.rowCount)
    if task.kind == .text {
      try reader.loadText(task)
      let column = task.text
      for row in 0..<reader.rowCount {
        if let range = column.range(row) {
          places[row] = list.place(makingOf: column.bytes.span.extracting(range))
        }
      }
      return places
    }
    try reader.loadCodes(task)
    guard let dictionary = task.dictionary else { return places }
    let codes = task.codes
    let texts = dictionary.bytes
    for row in 0..<reader.rowCount {
      let code = Int(codes[row])
      if code == 0 { continue }
      if known[code] < 0, let range = dictionary.range(of: codes[row]) {
        known[code] = list.place(makingOf: texts.span.extracting(range))
      }
      places[row] = known[code]
    }
    return places
  }

  private func addRequests(_ tasks: [Int], _ list: inout TaskList) throws(StoreError) {
    try reader.loadIntegers(time)
    let times = time.integers.values
    if cost.low.kind != nil { try reader.loadIntegers(cost.low) }
    if cost.high.kind != nil { try reader.loadIntegers(cost.high) }
    let amounts = cost.low.integers.values
    var isPriced = [UInt8](repeating: cost.low.kind == nil ? 0 : 1, count: reader.rowCount)
    if cost.low.kind != nil {
      let mask = TextMask(cost.state, TextTest(.oneOf([Array("unpriced".utf8)]), isNegated: true))
      mask.enterSegment()
      try mask.fill(&isPriced, reader)
    }
    for row in tasks.indices where tasks[row] >= 0 {
      let instant = times[row]
      var amount: Int128 = 0
      if isPriced[row] == 1 {
        amount = Int128(amounts[row])
        if cost.high.kind != nil {
          amount = wideAmount(high: cost.high.integers.values[row], low: amounts[row])
        }
      }
      let priced = Int64(isPriced[row])
      list.update(tasks[row]) { entry in
        entry.firstTime = min(entry.firstTime, instant)
        entry.lastTime = max(entry.lastTime, instant)
        entry.requestCount += 1
        entry.pricedCount += priced
        let (sum, overflow) = entry.cost.addingReportingOverflow(amount)
        entry.cost = sum
        if overflow { entry.isCostTooLarge = true }
      }
    }
  }

  private func addOutcomes(
    _ tasks: [Int], _ place: Int, _ list: inout TaskList
  ) throws(StoreError) {
    let present = TextMask(outcome, TextTest(.present))
    let success = TextMask(outcome, TextTest(.oneOf([Array("success".utf8)])))
    present.enterSegment()
    success.enterSegment()
    if present.verdict(reader, block: reader.block) == .none { return }
    var isPresent = [UInt8](repeating: 0, count: reader.rowCount)
    var isSuccess = isPresent
    try present.fill(&isPresent, reader)
    try success.fill(&isSuccess, reader)
    try reader.loadIntegers(time)
    try reader.loadIntegers(receivedTime)
    let isEvent = reader.segment.kind == .outcome
    if isEvent, value.low.kind != nil { try reader.loadIntegers(value.low) }
    if isEvent, value.high.kind != nil { try reader.loadIntegers(value.high) }
    let first = reader.segment.rows(inBlock: reader.block).lowerBound
    let kind: UInt64 = isEvent ? 1 << 62 : 0
    for row in tasks.indices where tasks[row] >= 0 && isPresent[row] == 1 {
      let worth = isEvent ? amount(row) : nil
      let found = TaskList.Outcome(
        time: time.integers.values[row], receivedTime: receivedTime.integers.values[row],
        sequence: kind | UInt64(place) << 32 | UInt64(first + row),
        isSuccess: isSuccess[row] == 1, value: worth ?? 0, hasValue: worth != nil)
      list.update(tasks[row]) { entry in
        if entry.outcome.map({ found.wins(over: $0) }) ?? true { entry.outcome = found }
      }
    }
  }

  /// The row's `value_usd` in picodollars.
  private func amount(_ row: Int) -> Int128? {
    guard value.low.kind != nil, value.low.integers.validity.map({ $0[row] != 0 }) ?? true else {
      return nil
    }
    let low = value.low.integers.values[row]
    if value.high.kind == nil { return Int128(low) }
    return wideAmount(high: value.high.integers.values[row], low: low)
  }
}
