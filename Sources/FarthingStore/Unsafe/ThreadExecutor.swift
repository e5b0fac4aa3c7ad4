internal import Glibc

/// Runs an actor's jobs one after another on a thread of its own.
///
/// The store blocks in fdatasync, SQLite and encoding; on the shared pool of as many threads as
/// cores that would stall every other task of the process. The thread ends when its executor is
/// released. Jobs wait in a list that is bounded by the number of callers, since each caller
/// suspends until its job ran.
package final class ThreadExecutor: SerialExecutor {
  private let jobs: JobQueue

  /// - Throws: `limitExceeded` where the system has no thread to give.
  package init() throws(StoreError) {
    jobs = JobQueue()
    try JobQueue.startThread(running: jobs)
  }

  // The last reference may go on the thread itself, in the middle of its last job, so the thread
  // is told to end and not waited for.
  deinit { jobs.stop() }

  package func enqueue(_ job: consuming ExecutorJob) {
    unsafe jobs.append(UnownedJob(job), executor: asUnownedSerialExecutor())
  }
}

/// The list between ``ThreadExecutor/enqueue(_:)`` and the thread.
///
/// `@unchecked Sendable`: `pending` and `stopped` are touched with `mutex` held only; the two
/// pthread objects are allocated once, never moved, and freed when the last reference is gone,
/// which the running thread holds until it leaves its loop.
@safe private final class JobQueue: @unchecked Sendable {
  @safe private struct Entry {
    let job: UnownedJob
    let executor: UnownedSerialExecutor
  }

  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var pending: [Entry] = []
  private var stopped = false

  init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition = .allocate(capacity: 1)
    unsafe condition.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  func append(_ job: UnownedJob, executor: UnownedSerialExecutor) {
    unsafe pthread_mutex_lock(mutex)
    unsafe pending.append(Entry(job: job, executor: executor))
    unsafe pthread_cond_signal(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  func stop() {
    unsafe pthread_mutex_lock(mutex)
    stopped = true
    unsafe pthread_cond_signal(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  private func run() {
    var batch: [Entry] = []
    while true {
      unsafe pthread_mutex_lock(mutex)
      while pending.isEmpty && !stopped {
        unsafe pthread_cond_wait(condition, mutex)
      }
      swap(&batch, &pending)
      unsafe pthread_mutex_unlock(mutex)
      if batch.isEmpty { return }
      for entry in batch {
        unsafe entry.job.runSynchronously(on: entry.executor)
      }
      batch.removeAll(keepingCapacity: true)
    }
  }

  static func startThread(running queue: JobQueue) throws(StoreError) {
    var thread = pthread_t()
    // The thread takes over this reference and releases it when its loop ends.
    let context = unsafe Unmanaged.passRetained(queue)
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        let queue = unsafe Unmanaged<JobQueue>.fromOpaque(context!).takeRetainedValue()
        queue.run()
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      unsafe context.release()
      throw StoreError(
        .limitExceeded, "the system gives the store no further thread; raise its limit (ulimit -u)",
        cause: unsafe String(cString: strerror(result)))
    }
    pthread_detach(thread)
  }
}
