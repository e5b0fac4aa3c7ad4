internal import FarthingCore
internal import FarthingStore

/// The tasks whose first request in the whole store lies in a window, and when that was.
final class TaskCohort: Sendable {
  private let tables: [KeyTable]
  private let starts: [[Int64]]

  /// - Parameter records: Of each worker: every request's task, its time as the amount.
  init(_ records: [KeyedRecords], since: Int64?, until: Int64?) {
    var tables: [KeyTable] = []
    var starts: [[Int64]] = []
    for place in 0..<KeyedRecords.partitionCount {
      let total = records.reduce(0) { $0 + $1.recordCount(place) }
      var table = KeyTable(capacity: total, hasGroups: false)
      var first: [Int64] = []
      var numbers: [UInt32] = []
      for worker in records {
        worker.forEachRun(place) { run, layout in
          table.number(run, layout, groupWord: nil, [], into: &numbers)
          for record in 0..<run.count / layout.stride {
            let task = Int(numbers[record])
            let time = Int64(bitPattern: run[record * layout.stride + layout.first])
            // Tasks are numbered in this order, so the next one is new.
            if task == first.count {
              first.append(time)
            } else {
              first[task] = min(first[task], time)
            }
          }
        }
      }
      // A task outside the window is marked by the latest time there is, which no event has.
      for task in first.indices {
        let isInside = first[task] >= since ?? .min && (until.map { first[task] < $0 } ?? true)
        if !isInside { first[task] = .max }
      }
      tables.append(table)
      starts.append(first)
    }
    self.tables = tables
    self.starts = starts
  }

  /// When a task of the cohort started; nil for other tasks.
  func start(of key: TextKey) -> Int64? {
    let place = RecordPartitions.place(key.low, key.high)
    guard let task = tables[place].find(key.low, key.high) else { return nil }
    let start = starts[place][task]
    return start == .max ? nil : start
  }
}

/// Looks the rows of one worker up in a cohort.
final class CohortLookup {
  private let cohort: TaskCohort
  private let keys: FieldKeys
  /// The start of each row's task in the block at hand; the row's mask says whether it has one.
  private(set) var starts: [Int64] = []

  init(_ cohort: TaskCohort, _ reader: BlockReader) {
    self.cohort = cohort
    keys = FieldKeys(.task, reader)
  }

  func enterSegment() { keys.enterSegment() }

  /// Clears the mask of rows whose task is not of the cohort.
  func narrow(_ mask: inout [UInt8], _ reader: BlockReader) throws(StoreError) {
    if starts.count < reader.rowCount { starts = [Int64](repeating: 0, count: reader.rowCount) }
    if keys.isAbsent {
      Kernels.set(&mask, 0, rows: reader.rowCount)
      return
    }
    try keys.load(reader)
    let block = keys.block
    for row in 0..<reader.rowCount {
      if block.isPresent(row), let start = cohort.start(of: block[row]) {
        starts[row] = start
      } else {
        mask[row] = 0
      }
    }
  }
}

/// Collects when each request of a task happened.
///
/// `@unchecked Sendable` for the reason that ``ScanWorker`` gives.
final class CohortScan: @unchecked Sendable {
  private let reader: BlockReader
  private let keys: FieldKeys
  private let time: ColumnSlot
  let records = KeyedRecords(hasGroups: false, hasAmounts: true)

  init(_ segments: [SegmentReader]) {
    reader = BlockReader(segments)
    keys = FieldKeys(.task, reader)
    time = reader.slot(.time)
  }

  func enter(_ segment: SegmentReader) throws(StoreError) {
    try reader.enter(segment)
    keys.enterSegment()
  }

  func read(block: Int) throws(StoreError) {
    if keys.isAbsent { return }
    reader.enter(block: block)
    try keys.load(reader)
    try reader.loadIntegers(time)
    let all = BlockGroups(
      selection: RowSelection(count: reader.rowCount, list: nil), groups: [], isSingle: true,
      groupCount: 1)
    records.append(keys.block, all, amounts: time.integers.values, highAmounts: nil)
  }
}
