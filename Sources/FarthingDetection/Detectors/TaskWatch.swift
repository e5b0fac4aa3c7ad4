// Rules on single tasks: one that costs many times what tasks of its workload do, and how tasks end.
//
// Live tasks are kept in two generations: when the newer one is full it becomes the older one, and what stood in
// that is forgotten. A task that goes on is taken over. So the memory is bounded and no task is forgotten while it is
// among the newest `capacity`.

internal import FarthingCore

struct LiveTask: Sendable, Archivable {
  var cost: Int64 = 0
  var requests: Int64 = 0
  var key = CellKey.none
  var text = ""
  var firstBucket: Int64 = 0
  var lastBucket: Int64 = 0
  var isTold = false
  var isAlarmed = false

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&cost)
    archive.field(&requests)
    archive.field(&key)
    archive.field(&text)
    archive.field(&firstBucket)
    archive.field(&lastBucket)
    archive.field(&isTold)
    archive.field(&isAlarmed)
  }
}

/// The two dearest tasks of a workload so far, so that a task is never measured by itself.
struct DearestTasks: Sendable, Archivable {
  private(set) var first: (task: UInt64, cost: Double) = (0, 0)
  private(set) var second: (task: UInt64, cost: Double) = (0, 0)
  private(set) var count = 0.0
  private var decayedAt: Int64 = 0

  /// The dearest of the other tasks.
  func other(than task: UInt64) -> Double { first.task == task ? second.cost : first.cost }

  mutating func add(_ task: UInt64, cost: Double, isNew: Bool, bucket: Int64) {
    if isNew { count += 1 }
    let days = Double(bucket - decayedAt) / Double(SpendSeries.bucketsPerDay)
    if days >= 1 {
      // 3 % a day: what was dear a month ago is half as dear.
      let factor = ReproducibleMath.exponential(-0.03 * days)
      first.cost *= factor
      second.cost *= factor
      decayedAt = bucket
    }
    if first.task == task {
      first.cost = max(first.cost, cost)
    } else if cost > first.cost || cost == first.cost && task < first.task {
      second = first
      first = (task, cost)
    } else if second.task == task {
      second.cost = max(second.cost, cost)
    } else if cost > second.cost || cost == second.cost && task < second.task {
      second = (task, cost)
    }
    if second.cost > first.cost { swap(&first, &second) }
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&first.task)
    archive.field(&first.cost)
    archive.field(&second.task)
    archive.field(&second.cost)
    archive.field(&count)
    archive.field(&decayedAt)
  }
}

/// A task that ran away.
struct RunawayTask: Sendable {
  var task: UInt64
  var state: LiveTask
  /// US dollars: what it cost so far, and what the dearest other one did.
  var dollars: Double
  var usual: Double
}

struct TaskWatch: Sendable, Archivable {
  private var newer: [UInt64: LiveTask] = [:]
  private var older: [UInt64: LiveTask] = [:]
  private var dearest: [UInt32: DearestTasks] = [:]
  let capacity: Int

  init(capacity: Int) { self.capacity = max(16, capacity) }

  func find(_ task: UInt64) -> LiveTask? { newer[task] ?? older[task] }

  /// Takes a bucket's sums of one task.
  ///
  /// - Returns: the task where it ran away just now.
  mutating func add(
    _ sums: TaskSums, bucket: Int64, isReady: Bool, _ settings: DetectionSettings
  ) -> RunawayTask? {
    let known = find(sums.task)
    var state =
      known
      ?? LiveTask(key: sums.key, text: sums.text, firstBucket: bucket)
    state.cost = state.cost.addingClamped(sums.cost)
    state.requests += sums.requests
    state.lastBucket = bucket
    let dollars = estimatedDollars(state.cost)
    var found: RunawayTask?
    let workload = state.key.workload.code
    var record = dearest[workload] ?? DearestTasks()
    let usual = record.other(than: sums.task)
    let isKnownWorkload = record.count >= 50 && isReady
    let limit =
      isKnownWorkload
      ? max(0.5 * settings.minUSD, 3.5 * usual) : max(5 * settings.minUSD, 8 * usual)
    if !state.isAlarmed, dollars > limit, state.requests >= 3 {
      state.isAlarmed = true
      found = RunawayTask(task: sums.task, state: state, dollars: dollars, usual: usual)
    }
    // What ran away is no measure for others.
    if !state.isAlarmed, dearest.count < 65_536 || dearest[workload] != nil {
      record.add(sums.task, cost: dollars, isNew: known == nil, bucket: bucket)
      dearest[workload] = record
    }
    newer[sums.task] = state
    return found
  }

  /// Notes that an outcome was counted; false where it was before, or the task is not known.
  mutating func tellOutcome(_ task: UInt64) -> LiveTask? {
    guard var state = find(task), !state.isTold else { return nil }
    state.isTold = true
    newer[task] = state
    return state
  }

  /// Forgets the oldest where there are too many; called between buckets.
  mutating func trim() {
    guard newer.count * 2 > capacity else { return }
    older = newer
    newer = [:]
  }

  mutating func archive(_ archive: inout StateArchive) {
    Self.archive(&newer, &archive)
    Self.archive(&older, &archive)
    var workloads = dearest.keys.sorted()
    archive.field(&workloads)
    for workload in workloads {
      var record = dearest[workload] ?? DearestTasks()
      archive.field(&record)
      dearest[workload] = record
    }
  }

  private static func archive(
    _ tasks: inout [UInt64: LiveTask], _ archive: inout StateArchive
  ) {
    var numbers = tasks.keys.sorted()
    archive.array(&numbers, 0) { $1.field(&$0) }
    for number in numbers {
      var state = tasks[number] ?? LiveTask()
      archive.field(&state)
      tasks[number] = state
    }
  }
}
