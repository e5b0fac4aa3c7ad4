internal import Glibc

/// Runs one piece of work on several threads at once and waits for all of them.
///
/// Long scans run here and not on the shared pool, whose threads are as many as cores and must not
/// be held. Unsafe because: a thread is started through C with a reference that it takes over.
package enum ThreadTeam {
  /// Calls `body` once for each number below `count`, number 0 on the calling thread.
  ///
  /// Where the system has no thread to give, the caller does that share too. Returns when all are
  /// done.
  package static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    var threads: [pthread_t] = []
    var leftOver: [Int] = []
    for number in 1..<max(count, 1) {
      var thread = pthread_t()
      let context = unsafe Unmanaged.passRetained(Share(number, body))
      // The thread takes over the reference and releases it when its share is done.
      let result = unsafe pthread_create(
        &thread, nil,
        { context in
          guard let context = unsafe context else { return nil }
          let share = unsafe Unmanaged<Share>.fromOpaque(context).takeRetainedValue()
          share.body(share.number)
          return nil
        }, context.toOpaque())
      if result == 0 {
        threads.append(thread)
      } else {
        unsafe context.release()
        leftOver.append(number)
      }
    }
    body(0)
    for number in leftOver { body(number) }
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class Share: Sendable {
    let number: Int
    let body: @Sendable (Int) -> Void

    init(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.number = number
      self.body = body
    }
  }
}
