internal import FarthingCore

// What arrived in ten seconds, summed.
//
// Detectors see closed buckets only, and within one every sum is of integers: so neither the order in which events
// came nor that in which a hash table is walked can change a verdict.

/// The slice that a cell sums.
struct CellKey: Hashable, Sendable {
  var identity: ObservedName
  var workload: ObservedName
  var tenant: ObservedName
  var endpoint: ObservedName
  var model: ObservedName
  var provider: ObservedName
  var site: ObservedName
  var fallbackFrom: ObservedName

  /// The name in one dimension; absent for pools, which requests do not name.
  subscript(dimension: ObservedDimension) -> ObservedName {
    switch dimension {
    case .identity: identity
    case .workload: workload
    case .tenant: tenant
    case .endpoint: endpoint
    case .model: model
    case .provider: provider
    case .site: site
    case .pool: .absent
    }
  }
}

extension CellKey: Archivable {
  static let none = CellKey(
    identity: .absent, workload: .absent, tenant: .absent, endpoint: .absent, model: .absent,
    provider: .absent, site: .absent, fallbackFrom: .absent)

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&identity)
    archive.field(&workload)
    archive.field(&tenant)
    archive.field(&endpoint)
    archive.field(&model)
    archive.field(&provider)
    archive.field(&site)
    archive.field(&fallbackFrom)
  }
}

/// Sums over requests; money in picodollars.
struct CellSums: Sendable {
  var requests: Int64 = 0
  var charged: Int64 = 0
  var cost: Int64 = 0
  var constantCost: Int64 = 0
  var steadyCost: Int64 = 0
  var unforeseen: Int64 = 0
  /// Requests whose status is not ok; those that timed out; those after a first attempt; those that are
  /// either failed or repeated, and what these cost.
  var failures: Int64 = 0
  var timeouts: Int64 = 0
  var retries: Int64 = 0
  var troubled: Int64 = 0
  var troubledCost: Int64 = 0
  /// Requests that say their tokens, and the tokens of these.
  var measured: Int64 = 0
  var input: Int64 = 0
  var cached: Int64 = 0
  var output: Int64 = 0
  var reasoning: Int64 = 0
  /// Successful requests with a latency, and the sum of its logarithm in 2⁻²⁰.
  var timed: Int64 = 0
  var logLatency: Int64 = 0
  /// Cost of output, in all of ``cost``.
  var outputCost: Int64 = 0
  /// Microseconds of accelerators that unpriced requests used.
  var ownCompute: Int64 = 0

  mutating func add(_ other: CellSums) {
    requests += other.requests
    charged += other.charged
    cost = cost.addingClamped(other.cost)
    constantCost = constantCost.addingClamped(other.constantCost)
    steadyCost = steadyCost.addingClamped(other.steadyCost)
    unforeseen = unforeseen.addingClamped(other.unforeseen)
    failures += other.failures
    timeouts += other.timeouts
    retries += other.retries
    troubled += other.troubled
    troubledCost = troubledCost.addingClamped(other.troubledCost)
    measured += other.measured
    input = input.addingClamped(other.input)
    cached = cached.addingClamped(other.cached)
    output = output.addingClamped(other.output)
    reasoning = reasoning.addingClamped(other.reasoning)
    timed += other.timed
    logLatency += other.logLatency
    outputCost = outputCost.addingClamped(other.outputCost)
    ownCompute = ownCompute.addingClamped(other.ownCompute)
  }

  mutating func add(_ observation: Observation) {
    requests += 1
    let isTroubled = observation.status != .ok || observation.attempt > 1
    if observation.isPriced {
      charged += 1
      cost = cost.addingClamped(observation.cost)
      constantCost = constantCost.addingClamped(observation.constantCost)
      steadyCost = steadyCost.addingClamped(observation.steadyCost)
      unforeseen = unforeseen.addingClamped(observation.unforeseenCost)
      outputCost = outputCost.addingClamped(observation.outputCost)
      if isTroubled { troubledCost = troubledCost.addingClamped(observation.cost) }
    }
    if !observation.isPriced { ownCompute = ownCompute.addingClamped(observation.compute) }
    if observation.status != .ok { failures += 1 }
    if observation.status == .timeout { timeouts += 1 }
    if observation.attempt > 1 { retries += 1 }
    if isTroubled { troubled += 1 }
    if observation.inputTokens >= 0 {
      measured += 1
      input = input.addingClamped(observation.inputTokens)
      cached = cached.addingClamped(observation.cachedInputTokens)
      output = output.addingClamped(max(0, observation.outputTokens))
      reasoning = reasoning.addingClamped(observation.reasoningTokens)
    }
    if observation.status == .ok, observation.latency > 0 {
      timed += 1
      // Rounded to 2⁻²⁰, so that sums do not depend on their order.
      logLatency += Int64(ReproducibleMath.logarithm(Double(observation.latency)) * 1_048_576)
    }
  }
}

extension CellSums: Archivable {
  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&requests)
    archive.field(&charged)
    archive.field(&cost)
    archive.field(&constantCost)
    archive.field(&steadyCost)
    archive.field(&unforeseen)
    archive.field(&failures)
    archive.field(&timeouts)
    archive.field(&retries)
    archive.field(&troubled)
    archive.field(&troubledCost)
    archive.field(&measured)
    archive.field(&input)
    archive.field(&cached)
    archive.field(&output)
    archive.field(&reasoning)
    archive.field(&timed)
    archive.field(&logLatency)
    archive.field(&outputCost)
    archive.field(&ownCompute)
  }
}

extension Int64 {
  /// The sum, or the nearest integer that there is.
  func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
}

/// A request that cost much: evidence.
struct DearRequest: Sendable, Archivable {
  var cost: Int64 = 0
  var id = ""

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&cost)
    archive.field(&id)
  }

  static func isDearer(_ left: DearRequest, _ right: DearRequest) -> Bool {
    left.cost != right.cost ? left.cost > right.cost : left.id < right.id
  }
}

/// One cell: a slice's sums, and its dearest request.
struct Cell: Sendable, Archivable {
  var key = CellKey.none
  var sums = CellSums()
  var dearest = DearRequest()

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&key)
    archive.field(&sums)
    archive.field(&dearest)
  }
}

/// What one task did within a bucket.
struct TaskSums: Sendable, Archivable {
  var task: UInt64 = 0
  var cost: Int64 = 0
  var requests: Int64 = 0
  var key = CellKey.none
  var text = ""
  /// When its own requests said how it ended, and how; 0 for never.
  var toldAt: Int64 = 0
  var succeeded = false

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&task)
    archive.field(&cost)
    archive.field(&requests)
    archive.field(&key)
    archive.field(&text)
    archive.field(&toldAt)
    archive.field(&succeeded)
  }
}

/// How often an identity sent one prompt within a bucket.
struct PromptSums: Sendable, Archivable {
  var identity = ObservedName.absent
  var workload = ObservedName.absent
  var tenant = ObservedName.absent
  var hash: UInt64 = 0
  var count: Int64 = 0
  var cost: Int64 = 0

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&identity)
    archive.field(&workload)
    archive.field(&tenant)
    archive.field(&hash)
    archive.field(&count)
    archive.field(&cost)
  }
}

struct PromptKey: Hashable, Sendable {
  var identity: ObservedName
  var hash: UInt64
}

/// How a task ended, as an event of its own said.
struct ToldOutcome: Sendable, Archivable {
  var task: UInt64 = 0
  var time: Int64 = 0
  var succeeded = false

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&task)
    archive.field(&time)
    archive.field(&succeeded)
  }
}

/// A period of capacity, and what it cost.
struct CapacityPeriod: Sendable, Archivable {
  var time: Int64 = 0
  var until: Int64 = 0
  var pool = ObservedName.absent
  var site = ObservedName.absent
  var model = ObservedName.absent
  var cost: Int64 = 0
  var accelerators: Int64 = 0

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&time)
    archive.field(&until)
    archive.field(&pool)
    archive.field(&site)
    archive.field(&model)
    archive.field(&cost)
    archive.field(&accelerators)
  }
}

/// A bucket of ten seconds that still takes events.
struct OpenBucket: Sendable {
  /// Most slices that are told apart; what exceeds them is summed under its tenant alone.
  static let maximumCells = 32_768
  static let nanoseconds: Int64 = 10_000_000_000

  /// Unix time in buckets.
  var number: Int64
  private(set) var cells: [Cell] = []
  private var places: [CellKey: Int] = [:]
  private(set) var tasks: [TaskSums] = []
  private var taskPlaces: [UInt64: Int] = [:]
  private(set) var prompts: [PromptSums] = []
  private var promptPlaces: [PromptKey: Int] = [:]
  private(set) var outcomes: [ToldOutcome] = []
  private(set) var capacities: [CapacityPeriod] = []
  private(set) var heard: [ObservedName] = []

  init(number: Int64) { self.number = number }

  mutating func add(_ observation: Observation) {
    if observation.site != .absent, heard.last != observation.site {
      if !heard.contains(observation.site) { heard.append(observation.site) }
    }
    switch observation.kind {
    case .request: addRequest(observation)
    case .outcome:
      guard outcomes.count < Self.maximumCells else { return }
      outcomes.append(
        ToldOutcome(
          task: observation.task, time: observation.time,
          succeeded: observation.succeeded ?? false))
    case .capacity:
      guard capacities.count < Self.maximumCells else { return }
      capacities.append(
        CapacityPeriod(
          time: observation.time, until: observation.until, pool: observation.pool,
          site: observation.site, model: observation.model, cost: observation.cost,
          accelerators: observation.accelerators))
    case .heartbeat: break
    }
  }

  private mutating func addRequest(_ observation: Observation) {
    var key = CellKey(
      identity: observation.identity, workload: observation.workload, tenant: observation.tenant,
      endpoint: observation.endpoint, model: observation.model, provider: observation.provider,
      site: observation.site, fallbackFrom: observation.fallbackFrom)
    var place = places[key]
    if place == nil, cells.count >= Self.maximumCells {
      key = CellKey.none
      key.identity = .others
      key.tenant = observation.tenant
      place = places[key]
    }
    let cell = place ?? cells.count
    if place == nil {
      cells.append(Cell(key: key))
      places[key] = cell
    }
    cells[cell].sums.add(observation)
    if observation.isPriced {
      let candidate = DearRequest(cost: observation.cost, id: observation.id)
      if !observation.id.isEmpty, DearRequest.isDearer(candidate, cells[cell].dearest) {
        cells[cell].dearest = candidate
      }
    }
    if observation.task != 0 { addTask(observation, key) }
    if observation.promptHash != 0 { addPrompt(observation) }
  }

  private mutating func addTask(_ observation: Observation, _ key: CellKey) {
    let place: Int
    if let known = taskPlaces[observation.task] {
      place = known
    } else {
      guard tasks.count < Self.maximumCells else { return }
      place = tasks.count
      taskPlaces[observation.task] = place
      tasks.append(TaskSums(task: observation.task, key: key, text: observation.taskText))
    }
    tasks[place].requests += 1
    if observation.isPriced {
      tasks[place].cost = tasks[place].cost.addingClamped(observation.cost)
    }
    if let succeeded = observation.succeeded {
      let isLater =
        observation.time > tasks[place].toldAt
        || observation.time == tasks[place].toldAt && !succeeded
      if isLater {
        tasks[place].toldAt = observation.time
        tasks[place].succeeded = succeeded
      }
    }
  }

  private mutating func addPrompt(_ observation: Observation) {
    let key = PromptKey(identity: observation.identity, hash: observation.promptHash)
    let place: Int
    if let known = promptPlaces[key] {
      place = known
    } else {
      guard prompts.count < Self.maximumCells else { return }
      place = prompts.count
      promptPlaces[key] = place
      prompts.append(
        PromptSums(
          identity: observation.identity, workload: observation.workload,
          tenant: observation.tenant, hash: observation.promptHash))
    }
    prompts[place].count += 1
    if observation.isPriced {
      prompts[place].cost = prompts[place].cost.addingClamped(observation.cost)
    }
  }
}

extension OpenBucket: Archivable {
  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&number)
    archive.field(&cells, Cell())
    archive.field(&tasks, TaskSums())
    archive.field(&prompts, PromptSums())
    archive.field(&outcomes, ToldOutcome())
    archive.field(&capacities, CapacityPeriod())
    archive.array(&heard, .absent) { $1.field(&$0) }
    guard archive.isReading else { return }
    for (place, cell) in cells.enumerated() { places[cell.key] = place }
    for (place, task) in tasks.enumerated() { taskPlaces[task.task] = place }
    for (place, prompt) in prompts.enumerated() {
      promptPlaces[PromptKey(identity: prompt.identity, hash: prompt.hash)] = place
    }
  }
}
