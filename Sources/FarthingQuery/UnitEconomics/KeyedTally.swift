internal import FarthingCore
internal import FarthingStore

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
    if !counts.contains(where: { $0 != 0 }) { return }
    // Taken out and put back: a look-up by quantity takes longer than adding a group does.
    var sum = SumAccumulator()
    swap(&sum, &sums[quantity, default: SumAccumulator()])
    sum.grow(to: groupCount)
    for (group, count) in counts.enumerated() where count != 0 {
      sum.add(Int128(count), to: group)
    }
    sums[quantity] = sum
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
    records.reduce(0) { $0 + $1.0.recordCount(place) }
  }

  /// Counts different values.
  /// - Parameter records: Of each worker, with the merged number of each of its groups.
  mutating func countDistinct(
    _ quantity: Metric.Quantity, _ records: [(KeyedRecords, [UInt32])], partition place: Int
  ) {
    let total = KeyedTally.count(records, place)
    if total == 0 { return }
    let hasGroups = records.contains { $0.0.hasGroups }
    var table = KeyTable(capacity: total, hasGroups: hasGroups)
    var numbers: [UInt32] = []
    for (worker, map) in records {
      worker.forEachRun(place) { run, layout in
        table.number(
          run, layout, groupWord: hasGroups ? layout.first : nil, map, into: &numbers)
      }
    }
    var counts = [Int64](repeating: 0, count: groupCount)
    if hasGroups {
      for pair in 0..<table.count { counts[Int(table.groups[pair])] += 1 }
    } else {
      counts[0] = Int64(table.count)
    }
    add(counts, quantity)
  }

  /// Counts tasks, and looks their outcomes up if `outcomes` are given.
  mutating func countTasks(
    _ records: [(KeyedRecords, [UInt32])], outcomes: [OutcomeRecords], partition place: Int
  ) {
    let total = KeyedTally.count(records, place)
    if total == 0 { return }
    let hasGroups = records.contains { $0.0.hasGroups }
    var tasks = KeyTable(capacity: total, hasGroups: false)
    var homes = TaskHomes(capacity: hasGroups ? total : 0)
    var numbers: [UInt32] = []
    for (worker, map) in records {
      worker.forEachRun(place) { run, layout in
        tasks.number(run, layout, groupWord: nil, map, into: &numbers)
        if hasGroups { homes.add(run, layout, numbers, map) }
      }
    }
    var tallies = TaskTallies(groupCount)
    let winners = TaskWinners(tasks, outcomes, partition: place)
    for task in 0..<tasks.count {
      tallies.add(task, hasGroups ? Int(homes.home[task]) : 0, winners)
    }
    for pair in homes.further.keys {
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
    if total < 2 { return }
    let hasGroups = records.contains { $0.0.hasGroups }
    var finder = RepeatFinder(count: total)
    for (worker, map) in records {
      worker.forEachRun(place) { run, layout in
        finder.note(run, layout, groupWord: hasGroups ? layout.first : nil, map)
      }
    }
    var prompts = PromptTallies(capacity: total / 4, hasGroups: hasGroups)
    var words: [UInt64] = []
    for (worker, map) in records {
      worker.forEachRun(place) { run, layout in
        let groupWord = hasGroups ? layout.first : nil
        let count = finder.candidates(
          run, layout, groupWord: groupWord, map, into: &words)
        prompts.add(words.span.extracting(0..<count), layout, groupWord: groupWord, map)
      }
    }
    if prompts.hasOverflowed { markOverflow(.repeatedCost) }
    add(prompts)
  }

  private mutating func add(_ prompts: PromptTallies) {
    var found = [Int64](repeating: 0, count: groupCount)
    var repeats = found
    var costs = [Int128](repeating: 0, count: groupCount)
    // A sum that left 128 bits is marked; a true one is at least its greatest part, so the
    // difference does not wrap.
    for prompt in prompts.counts.indices where prompts.counts[prompt] > 1 {
      let group = prompts.group(prompt)
      found[group] += 1
      repeats[group] += prompts.counts[prompt] - 1
      let (sum, overflow) = costs[group].addingReportingOverflow(
        prompts.sums[prompt] &- prompts.dearest[prompt])
      if overflow { markOverflow(.repeatedCost) }
      costs[group] = sum
    }
    add(found, .repeatedPrompts)
    add(repeats, .repeatedRequests)
    for (group, cost) in costs.enumerated() where cost != 0 { add(cost, .repeatedCost, group) }
  }
}

/// The group of each task of a partition: mostly there is one.
private struct TaskHomes {
  private(set) var home: [UInt32]
  /// Tasks that touch further groups: task and group, each pair once.
  private(set) var further = KeyInterner()
  private var count = 0

  init(capacity: Int) { home = [UInt32](repeating: 0, count: capacity) }

  mutating func add(
    _ run: Span<UInt64>, _ layout: RecordLayout, _ numbers: [UInt32], _ map: [UInt32]
  ) {
    for record in 0..<run.count / layout.stride {
      let task = Int(numbers[record])
      let group = map[Int(truncatingIfNeeded: run[record * layout.stride + layout.first])]
      // Tasks are numbered in this order, so the next one is new.
      if task == count {
        home[task] = group
        count += 1
      } else if home[task] != group {
        _ = further.intern(UInt64(task) << 32 | UInt64(group))
      }
    }
  }
}

/// What the requests of each prompt of a partition cost.
private struct PromptTallies {
  private(set) var counts: [Int64] = []
  private(set) var sums: [Int128] = []
  private(set) var dearest: [Int128] = []
  private(set) var hasOverflowed = false
  private var table: KeyTable
  private let hasGroups: Bool
  private var numbers: [UInt32] = []

  init(capacity: Int, hasGroups: Bool) {
    table = KeyTable(capacity: capacity, hasGroups: hasGroups)
    self.hasGroups = hasGroups
  }

  func group(_ prompt: Int) -> Int { hasGroups ? Int(table.groups[prompt]) : 0 }

  mutating func add(
    _ run: Span<UInt64>, _ layout: RecordLayout, groupWord: Int?, _ map: [UInt32]
  ) {
    table.number(run, layout, groupWord: groupWord, map, into: &numbers)
    let place = layout.first + (hasGroups ? 1 : 0)
    for record in 0..<run.count / layout.stride {
      let prompt = Int(numbers[record])
      let first = record * layout.stride + place
      let low = Int64(bitPattern: run[first])
      let cost =
        layout.upperHalf == nil
        ? wideAmount(high: Int64(bitPattern: run[first + 1]), low: low) : Int128(low)
      // Prompts are numbered in this order, so the next one is new.
      if prompt == counts.count {
        counts.append(1)
        sums.append(cost)
        dearest.append(cost)
      } else {
        counts[prompt] += 1
        let (sum, overflow) = sums[prompt].addingReportingOverflow(cost)
        if overflow { hasOverflowed = true }
        sums[prompt] = sum
        dearest[prompt] = max(dearest[prompt], cost)
      }
    }
  }
}
