internal import FarthingStore

/// The winning outcome of each task of one partition.
struct TaskWinners {
  private var times: [Int64]
  private var arrivals: [Int64]
  /// 0 where nobody said how the task ended.
  private var sequences: [UInt64]
  private var values: [Int128]

  init(_ tasks: KeyTable, _ outcomes: [OutcomeRecords], partition place: Int) {
    let count = outcomes.isEmpty ? 0 : tasks.count
    times = [Int64](repeating: 0, count: count)
    arrivals = times
    sequences = [UInt64](repeating: 0, count: count)
    let hasValues = outcomes.contains { $0.hasValues }
    values = [Int128](repeating: 0, count: hasValues ? count : 0)
    var numbers: [UInt32] = []
    for worker in outcomes {
      worker.forEachRun(place) { run, layout in
        tasks.find(run, layout, into: &numbers)
        take(run, layout, numbers, hasValues: hasValues)
      }
    }
  }

  private mutating func take(
    _ run: Span<UInt64>, _ layout: RecordLayout, _ numbers: [UInt32], hasValues: Bool
  ) {
    for record in 0..<run.count / layout.stride where numbers[record] != 0 {
      let task = Int(numbers[record]) - 1
      let word = record * layout.stride + layout.first
      let said = OutcomeRecord(
        time: Int64(bitPattern: run[word]), receivedTime: Int64(bitPattern: run[word + 1]),
        sequence: run[word + 2])
      if sequences[task] != 0 {
        let winner = OutcomeRecord(
          time: times[task], receivedTime: arrivals[task], sequence: sequences[task])
        if !said.wins(over: winner) { continue }
      }
      times[task] = said.time
      arrivals[task] = said.receivedTime
      sequences[task] = said.sequence
      if hasValues {
        values[task] = Int128(Int64(bitPattern: run[word + 4])) << 64 | Int128(run[word + 3])
      }
    }
  }

  /// Whether the task is known to have succeeded or failed; nil where nobody said.
  func isSuccess(_ task: Int) -> Bool? {
    if sequences.isEmpty || sequences[task] == 0 { return nil }
    return sequences[task] & 1 == 1
  }

  func value(_ task: Int) -> Int128 { values.isEmpty ? 0 : values[task] }
}

/// Tasks of one partition by group.
struct TaskTallies {
  var tasks: [Int64]
  var successes: [Int64]
  var failures: [Int64]
  var values: [Int128]

  init(_ groupCount: Int) {
    tasks = [Int64](repeating: 0, count: groupCount)
    successes = tasks
    failures = tasks
    values = [Int128](repeating: 0, count: groupCount)
  }

  mutating func add(_ task: Int, _ group: Int, _ winners: TaskWinners) {
    tasks[group] += 1
    guard let isSuccess = winners.isSuccess(task) else { return }
    if isSuccess {
      successes[group] += 1
      values[group] += winners.value(task)
    } else {
      failures[group] += 1
    }
  }
}
