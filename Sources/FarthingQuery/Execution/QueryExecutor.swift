internal import FarthingCore
package import FarthingStore
internal import Synchronization

// How a plan becomes rows:
//
// 1. Segments outside the window are left out. Those that lie in it whole, in one bucket, and know
//    all that is asked of them answer without a scan; see `KnownSums.swift`.
// 2. The blocks of the others are dealt out to threads. A block is skipped where its zone maps show
//    that no row is kept; else its rows are selected, given group numbers, and added up.
// 3. The workers' groups are merged into the first one's.
// 4. What needs all records of a task or prompt together is counted partition by partition.
// 5. Metrics are computed for each group, rows ordered, cut and given their values.

/// Answers plans from segments.
package struct QueryExecutor: Sendable {
  /// Bytes; beyond it a query ends with an error that says so.
  package var memoryLimit: Int
  /// How many threads scan at once.
  package var threads: Int

  /// Fewer blocks than this are not worth a further thread: 65,536 rows take about as long as
  /// starting one.
  package var blocksPerThread = 4

  package init(memoryLimit: Int = 1 << 30, threads: Int = 2) {
    self.memoryLimit = memoryLimit
    self.threads = threads
  }

  /// The rows that answer a plan over one snapshot of a store.
  ///
  /// - Throws: ``QueryError`` of code `memory`, `overflow` or `store`.
  package func run(
    _ plan: QueryPlan, over snapshot: StoreSnapshot
  ) throws(QueryError) -> QueryResult {
    try run(plan, requests: snapshot.requests, outcomes: snapshot.outcomes)
  }

  /// The rows that answer a plan.
  ///
  /// - Parameters:
  ///   - requests: All segments of requests, in the order in which their rows arrived.
  ///   - outcomes: All segments of outcome events, likewise.
  /// - Throws: ``QueryError`` of code `memory`, `overflow` or `store`.
  package func run(
    _ plan: QueryPlan, requests: [SegmentReader], outcomes: [SegmentReader]
  ) throws(QueryError) -> QueryResult {
    let memory = MemoryBudget(limit: memoryLimit)
    let scan = ParallelScan(
      threads: threads, memory: memory, blocksPerThread: blocksPerThread)
    let cohort = plan.closedCohort ? try taskCohort(plan, requests, scan) : nil
    let segments = requests.filter { segment in
      if cohort != nil { return true }
      let isBefore = plan.since.map { segment.maximumTime < $0 } ?? false
      let isAfter = plan.until.map { segment.minimumTime >= $0 } ?? false
      return !isBefore && !isAfter
    }
    if segments.isEmpty { return try AnswerBuilder(plan).emptyResult() }
    let needs: ScanRequirements
    do {
      needs = try ScanRequirements(plan, segments)
    } catch {
      throw QueryError(.store, error.description)
    }
    let known = cohort == nil ? KnownSums(plan, needs, segments) : .none
    let units = QueryExecutor.units(segments, plan, isWindowed: cohort == nil, known)
    let workers = try scan.run(
      units,
      make: { ScanWorker(plan, needs, segments, cohort: cohort) },
      enter: { (worker, place) throws(StoreError) in
        if known[place] == nil { try worker.enter(segments[place], place: place) }
      },
      read: { (worker, unit) throws(StoreError) in
        if let block = unit.block {
          try worker.scan(block: block)
        } else if let answer = known[unit.segment] {
          try worker.addKnown(answer, of: segments[unit.segment], place: unit.segment)
        }
      },
      byteCount: { $0.byteCount })
    var numbers = [Array(0..<UInt32(workers[0].index.groupCount))]
    for worker in workers.dropFirst() { numbers.append(workers[0].absorb(worker)) }
    // Absorbing may have added groups: the first worker's own numbers stay.
    let tally = try tally(plan, needs, workers, numbers, requests, outcomes, scan)
    return try AnswerBuilder(plan).result(workers[0], tally)
  }

  // MARK: - What to read

  private static func units(
    _ segments: [SegmentReader], _ plan: QueryPlan, isWindowed: Bool, _ known: KnownSums
  ) -> [ScanUnit] {
    var units: [ScanUnit] = []
    for (place, segment) in segments.enumerated() {
      if known[place] != nil {
        units.append(ScanUnit(segment: place, block: nil))
        continue
      }
      for block in 0..<segment.blockCount {
        if isWindowed, let zone = segment.zone(.time, block: block) {
          if let since = plan.since, zone.maximum < since { continue }
          if let until = plan.until, zone.minimum >= until { continue }
        }
        units.append(ScanUnit(segment: place, block: block))
      }
    }
    return units
  }

  // MARK: - Tasks, prompts, different values

  private func tally(
    _ plan: QueryPlan, _ needs: ScanRequirements, _ workers: [ScanWorker], _ numbers: [[UInt32]],
    _ requests: [SegmentReader], _ outcomes: [SegmentReader], _ scan: ParallelScan
  ) throws(QueryError) -> KeyedTally {
    let groupCount = workers[0].index.groupCount
    var total = KeyedTally(groupCount: groupCount)
    guard !workers[0].keyed.isEmpty else { return total }
    let said =
      needs.wantsOutcomes
      ? try outcomeRecords(requests + outcomes, hasValues: needs.wantsValues, scan) : []
    let count = max(1, threads)
    let gathered = Mutex<[Int: KeyedTally]>([:])
    ThreadTeam.run(count) { number in
      var tally = KeyedTally(groupCount: groupCount)
      for partition in stride(from: number, to: KeyedRecords.partitionCount, by: count) {
        for place in workers[0].keyed.indices {
          let records = workers.indices.map { (workers[$0].keyed[place].scan.records, numbers[$0]) }
          switch workers[0].keyed[place].quantity {
          case .tasks: tally.countTasks(records, outcomes: said, partition: partition)
          case .repeatedPrompts: tally.countRepeats(records, partition: partition)
          case let quantity: tally.countDistinct(quantity, records, partition: partition)
          }
        }
      }
      gathered.withLock { $0[number] = tally }
    }
    let tallies = gathered.withLock { $0 }
    for number in 0..<count { if let tally = tallies[number] { total.merge(tally) } }
    return total
  }

  private func outcomeRecords(
    _ segments: [SegmentReader], hasValues: Bool, _ scan: ParallelScan
  ) throws(QueryError) -> [OutcomeRecords] {
    // Arrival decides between equal times: the segments stand in the order of theirs.
    let ordered = segments.filter {
      $0.kind(of: .field(.outcome)) != nil && $0.kind(of: .field(.task)) != nil
    }
    if ordered.isEmpty { return [] }
    let units = ordered.indices.flatMap { place in
      (0..<ordered[place].blockCount).map { ScanUnit(segment: place, block: $0) }
    }
    let scans = try scan.run(
      units,
      make: { OutcomeScan(ordered, hasValues: hasValues) },
      enter: { (worker, place) throws(StoreError) in try worker.enter(ordered[place]) },
      read: { (worker, unit) throws(StoreError) in
        try worker.read(block: unit.block ?? 0, place: unit.segment)
      },
      byteCount: { $0.records.byteCount })
    return scans.map(\.records)
  }

  private func taskCohort(
    _ plan: QueryPlan, _ requests: [SegmentReader], _ scan: ParallelScan
  ) throws(QueryError) -> TaskCohort {
    let segments = requests.filter { $0.kind(of: .field(.task)) != nil }
    if segments.isEmpty { return TaskCohort([], since: plan.since, until: plan.until) }
    let units = QueryExecutor.units(segments, plan, isWindowed: false, .none)
    let scans = try scan.run(
      units,
      make: { CohortScan(segments) },
      enter: { (worker, place) throws(StoreError) in try worker.enter(segments[place]) },
      read: { (worker, unit) throws(StoreError) in try worker.read(block: unit.block ?? 0) },
      byteCount: { $0.records.byteCount })
    return TaskCohort(scans.map(\.records), since: plan.since, until: plan.until)
  }
}
