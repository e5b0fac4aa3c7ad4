internal import FarthingCore
internal import FarthingStore
internal import Synchronization

/// A block to read: the place of its segment in a list, and its number there; nil for what the
/// segment knows of all its rows.
struct ScanUnit: Sendable {
  let segment: Int
  let block: Int?
}

/// Deals blocks out to threads and gathers what went wrong.
///
/// Each thread takes one run of the list, so that a thread meets few segments and the shares do not
/// depend on timing: the same query over the same store adds up in the same order.
struct ParallelScan: Sendable {
  let threads: Int
  let memory: MemoryBudget
  let blocksPerThread: Int

  /// Makes a worker for each share, feeds it and gives back all workers in order.
  func run<Worker: Sendable>(
    _ units: [ScanUnit], make: @escaping @Sendable () -> Worker,
    enter: @escaping @Sendable (Worker, Int) throws(StoreError) -> Void,
    read: @escaping @Sendable (Worker, ScanUnit) throws(StoreError) -> Void,
    byteCount: @escaping @Sendable (Worker) -> Int
  ) throws(QueryError) -> [Worker] {
    // What a segment knows takes a small part of the time of a block.
    let blocks = units.reduce(0) { $0 + ($1.block == nil ? 1 : 8) } / 8
    let count = max(1, min(threads, (blocks + blocksPerThread - 1) / blocksPerThread))
    let gathered = Mutex<[Int: Result<Worker, QueryError>]>([:])
    let memory = memory
    ThreadTeam.run(count) { number in
      let share = units[units.count * number / count..<units.count * (number + 1) / count]
      let result = Result { () throws(QueryError) -> Worker in
        let worker = make()
        try ParallelScan.feed(worker, share, memory, enter, read, byteCount)
        return worker
      }
      gathered.withLock { $0[number] = result }
    }
    let results = gathered.withLock { $0 }
    var workers: [Worker] = []
    for number in 0..<count {
      if let result = results[number] { workers.append(try result.get()) }
    }
    return workers
  }

  private static func feed<Worker>(
    _ worker: Worker, _ units: ArraySlice<ScanUnit>, _ memory: MemoryBudget,
    _ enter: (Worker, Int) throws(StoreError) -> Void,
    _ read: (Worker, ScanUnit) throws(StoreError) -> Void, _ byteCount: (Worker) -> Int
  ) throws(QueryError) {
    var segment = -1
    var counted = 0
    for unit in units {
      do {
        if unit.segment != segment {
          segment = unit.segment
          try enter(worker, segment)
        }
        try read(worker, unit)
      } catch {
        throw QueryError(.store, error.description)
      }
      let bytes = byteCount(worker)
      try memory.add(bytes - counted)
      counted = bytes
    }
  }
}

/// How much memory a query may take in all, and how much it takes so far.
final class MemoryBudget: Sendable {
  private let limit: Int
  private let used = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  /// - Throws: ``QueryError/Code-swift.enum/memory`` where it goes beyond the limit.
  func add(_ bytes: Int) throws(QueryError) {
    let total = used.add(bytes, ordering: .relaxed).newValue
    if total > limit {
      throw QueryError(
        .memory,
        "the query needs more than its memory limit of \(limit >> 20) MiB; group by fewer or "
          + "coarser fields, narrow the window, add a where, or raise the limit")
    }
  }
}
