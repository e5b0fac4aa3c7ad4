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
      var table = KeyTable(capacity: 64)
      var first: [Int64] = []
      for worker in records {
        let part = worker.partitions[place]
        for index in part.low.indices {
          let (task, isNew) = table.insert(part.low[index], part.high[index], group: 0)
          if isNew {
            first.append(part.amounts[index])
          } else {
            first[task] = min(first[task], part.amounts[index])
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
    let place = KeyedRecords.partition(key.low, key.high)
    guard let task = tables[place].find(key) else { return nil }
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
    for row in 0..<reader.rowCount {
      if keys.presence[row] == 1, let start = cohort.start(of: keys.keys[row]) {
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
  private(set) var records = KeyedRecords(hasGroups: false, hasAmounts: true)
  private var stage = RecordStage(hasGroups: false, hasAmounts: true)

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
    for row in 0..<reader.rowCount where keys.presence[row] == 1 {
      stage.append(keys.keys[row], group: 0, low: time.integers.values[row], high: 0)
    }
    records.append(&stage)
  }
}
