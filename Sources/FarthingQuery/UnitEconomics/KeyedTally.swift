internal import FarthingCore

/// Counts what the records of all workers say, one partition at a time.
///
/// One tally is filled by one worker with the partitions that are its share.
struct KeyedTally {
  /// By quantity; groups are those of the merged index.
  private(set) var sums: [Metric.Quantity: SumAccumulator] = [:]
  private let groupCount: Int

  init(groupCount: Int) { self.groupCount = groupCount }

  mutating func add(_ amount: Int128, _ quantity: Metric.Quantity, _ group: Int) {
    if sums[quantity] == nil {
      var sum = SumAccumulator()
      sum.grow(to: groupCount)
      sums[quantity] = sum
    }
    sums[quantity]?.add(amount, to: group)
  }

  private mutating func markOverflow(_ quantity: Metric.Quantity) {
    add(0, quantity, 0)
    sums[quantity]?.markOverflow()
  }

  private mutating func add(_ counts: [Int64], _ quantity: Metric.Quantity) {
    for (group, count) in counts.enumerated() where count != 0 {
      add(Int128(count), quantity, group)
    }
  }

  mutating func merge(_ other: KeyedTally) {
    let identity = Array(0..<UInt32(groupCount))
    for (quantity, sum) in other.sums {
      if sums[quantity] == nil {
        sums[quantity] = sum
      } else {
        sums[quantity]?.merge(sum, identity)
      }
    }
  }

  /// How many records a partition has over all workers.
  private static func count(_ records: [(KeyedRecords, [UInt32])], _ place: Int) -> Int {
    records.reduce(0) { $0 + $1.0.partitions[place].low.count }
  }

  /// Counts different values.
  /// - Parameter records: Of each worker, with the merged number of each of its groups.
  mutating func countDistinct(
    _ quantity: Metric.Quantity, _ records: [(KeyedRecords, [UInt32])], partition place: Int
  ) {
    let total = KeyedTally.count(records, place)
    if total == 0 { return }
    var counts = [Int64](repeating: 0, count: groupCount)
    var table = KeyTable(capacity: total)
    for (worker, numbers) in records {
      let part = worker.partitions[place]
      for index in part.low.indices {
        let group = worker.hasGroups ? numbers[Int(part.groups[index])] : 0
        let (_, isNew) = table.insert(part.low[index], part.high[index], group: group)
        if isNew { counts[Int(group)] += 1 }
      }
    }
    add(counts, quantity)
  }

  /// Counts tasks, and looks their outcomes up if `outcomes` are given.
  mutating func countTasks(
    _ records: [(KeyedRecords, [UInt32])], outcomes: [OutcomeRecords], partition place: Int
  ) {
    let total = KeyedTally.count(records, place)
    if total == 0 { return }
    var tasks = KeyTable(capacity: total)
    var home: [UInt32] = []
    // Tasks that touch further groups: task and group, each pair once.
    var further = KeyInterner()
    for (worker, numbers) in records {
      let part = worker.partitions[place]
      for index in part.low.indices {
        let group = worker.hasGroups ? numbers[Int(part.groups[index])] : 0
        let (task, isNew) = tasks.insert(part.low[index], part.high[index], group: 0)
        if isNew {
          home.append(group)
        } else if home[task] != group {
          _ = further.intern(UInt64(task) << 32 | UInt64(group))
        }
      }
    }
    var tallies = TaskTallies(groupCount)
    let winners = TaskWinners(tasks, outcomes, partition: place)
    for (task, group) in home.enumerated() { tallies.add(task, Int(group), winners) }
    for pair in further.keys {
      tallies.add(Int(pair >> 32), Int(pair & 0xffff_ffff), winners)
    }
    add(tallies.tasks, .tasks)
    add(tallies.successes, .successfulTasks)
    add(tallies.failures, .failedTasks)
    for (group, value) in tallies.values.enumerated() where value != 0 {
      add(value, .outcomeValue, group)
    }
  }

  /// Counts repeated prompts and what they cost beyond their dearest request.
  mutating func countRepeats(
    _ records: [(KeyedRecords, [UInt32])], partition place: Int
  ) {
    let total = KeyedTally.count(records, place)
    if total == 0 { return }
    var table = KeyTable(capacity: total)
    var counts: [Int64] = []
    var sums: [Int128] = []
    var dearest: [Int128] = []
    for (worker, numbers) in records {
      let part = worker.partitions[place]
      for index in part.low.indices {
        let group = worker.hasGroups ? numbers[Int(part.groups[index])] : 0
        let cost =
          worker.isWide
          ? wideAmount(high: part.amountsHigh[index], low: part.amounts[index])
          : Int128(part.amounts[index])
        let (prompt, isNew) = table.insert(part.low[index], part.high[index], group: group)
        if isNew {
          counts.append(1)
          sums.append(cost)
          dearest.append(cost)
        } else {
          counts[prompt] += 1
          let (sum, overflow) = sums[prompt].addingReportingOverflow(cost)
          if overflow { markOverflow(.repeatedCost) }
          sums[prompt] = sum
          dearest[prompt] = max(dearest[prompt], cost)
        }
      }
    }
    // A sum that left 128 bits is marked; a true one is at least its greatest part, so the
    // difference does not wrap.
    for prompt in counts.indices where counts[prompt] > 1 {
      let group = Int(table.groups[prompt])
      add(1, .repeatedPrompts, group)
      add(Int128(counts[prompt] - 1), .repeatedRequests, group)
      add(sums[prompt] &- dearest[prompt], .repeatedCost, group)
    }
  }
}

/// Tasks of one partition by group.
private struct TaskTallies {
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
    guard let winner = winners.winner(task) else { return }
    if winner.isSuccess {
      successes[group] += 1
      values[group] += winners.value(task)
    } else {
      failures[group] += 1
    }
  }
}

/// The winning outcome of each task of one partition.
private struct TaskWinners {
  private var winners: [OutcomeRecord?]
  private var values: [Int128]

  init(_ tasks: KeyTable, _ outcomes: [OutcomeRecords], partition place: Int) {
    winners = [OutcomeRecord?](repeating: nil, count: outcomes.isEmpty ? 0 : tasks.count)
    let hasValues = outcomes.contains { $0.hasValues }
    values = [Int128](repeating: 0, count: hasValues ? tasks.count : 0)
    for worker in outcomes {
      for (index, record) in worker.partitions[place].enumerated() {
        guard let task = tasks.find(record.key) else { continue }
        if let winner = winners[task], !record.wins(over: winner) { continue }
        winners[task] = record
        if hasValues { values[task] = worker.values[place][index] }
      }
    }
  }

  func winner(_ task: Int) -> OutcomeRecord? { winners.isEmpty ? nil : winners[task] }

  func value(_ task: Int) -> Int128 { values.isEmpty ? 0 : values[task] }
}
