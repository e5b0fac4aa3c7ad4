internal import Glibc
internal import Synchronization

/// Asks a long command to end in good order: Ctrl-C, or SIGTERM from a supervisor; and a daemon to
/// read its configuration again: SIGHUP.
///
/// Unsafe because: a signal handler runs between any two instructions of any thread, so it does
/// nothing but store a number and write a byte, both of which POSIX allows it.
package enum Interruption {
  /// The signal that came; 0 for none.
  private static let received = Atomic<Int32>(0)
  /// Both ends of a pipe that wakes whoever waits for input; −1 while nothing is watched.
  private static let readEnd = Atomic<Int32>(-1)
  private static let writeEnd = Atomic<Int32>(-1)
  /// The same for SIGHUP, apart from it: a reload is no reason to stop waiting for input.
  private static let reloadReadEnd = Atomic<Int32>(-1)
  private static let reloadWriteEnd = Atomic<Int32>(-1)

  /// The signal that asked for the end; nil while none did.
  package static var signal: Int32? {
    let number = received.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  /// From now on the first SIGINT or SIGTERM is only noted; a second one ends the process.
  package static func watch() {
    guard readEnd.load(ordering: .acquiring) < 0 else { return }
    guard let ends = makePipe() else { return }
    received.store(0, ordering: .releasing)
    writeEnd.store(ends.writing, ordering: .releasing)
    readEnd.store(ends.reading, ordering: .releasing)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { number in
      Interruption.received.store(number, ordering: .releasing)
      var byte: UInt8 = 0
      _ = unsafe Glibc.write(Interruption.writeEnd.load(ordering: .acquiring), &byte, 1)
    }
    // The handler goes with its first call, so that who cannot wait has a second.
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
    for number in [SIGINT, SIGTERM] { unsafe _ = sigaction(number, &action, nil) }
  }

  /// From now on SIGHUP, which would end the process, is only noted.
  package static func watchReload() {
    guard reloadReadEnd.load(ordering: .acquiring) < 0, let ends = makePipe() else { return }
    reloadWriteEnd.store(ends.writing, ordering: .releasing)
    reloadReadEnd.store(ends.reading, ordering: .releasing)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in
      // What was interrupted may be about to look at its own error.
      let kept = errno
      var byte: UInt8 = 0
      _ = unsafe Glibc.write(Interruption.reloadWriteEnd.load(ordering: .acquiring), &byte, 1)
      errno = kept
    }
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESTART))
    unsafe _ = sigaction(SIGHUP, &action, nil)
  }

  /// Both ends of a pipe that neither blocks nor passes to other programs.
  private static func makePipe() -> (reading: Int32, writing: Int32)? {
    var ends: (Int32, Int32) = (-1, -1)
    // The tuple is two numbers long, as `pipe` asks.
    let result = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
      unsafe pipe(bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int32.self))
    }
    guard result == 0 else { return nil }
    for descriptor in [ends.0, ends.1] {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }
    return (ends.0, ends.1)
  }

  /// What a daemon is asked for.
  package enum Request: Sendable {
    /// SIGHUP: to read its configuration again. Several that come at once are one.
    case reload
    /// SIGTERM or SIGINT.
    case end
  }

  /// Blocks the calling thread until something is asked for. ``watch()`` comes first, and
  /// ``watchReload()`` where reloads are meant to be heard of.
  ///
  /// - Returns: `end` where nothing is watched.
  package static func wait() -> Request {
    let wake = readEnd.load(ordering: .acquiring)
    guard wake >= 0 else { return .end }
    let reload = reloadReadEnd.load(ordering: .acquiring)
    while true {
      if signal != nil { return .end }
      // A descriptor below zero is passed over.
      var waits = (
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        pollfd(fd: reload, events: Int16(POLLIN), revents: 0)
      )
      // Two structures stand behind each other in the tuple, as many as `poll` is told.
      _ = unsafe withUnsafeMutableBytes(of: &waits) { bytes in
        unsafe poll(
          bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: pollfd.self), 2, -1)
      }
      guard signal == nil, waits.1.revents != 0 else { continue }
      var byte: UInt8 = 0
      // Where the pipe is empty the read returns at once.
      while unsafe Glibc.read(reload, &byte, 1) > 0 {}
      return .reload
    }
  }

  /// Waits until a descriptor has bytes or ends.
  ///
  /// - Returns: false where the end is asked for.
  static func waitForInput(_ descriptor: Int32) -> Bool {
    let wake = readEnd.load(ordering: .acquiring)
    guard wake >= 0 else { return true }
    while true {
      if signal != nil { return false }
      var waits = (
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
      )
      // Two structures stand behind each other in the tuple, as many as `poll` is told.
      let result = unsafe withUnsafeMutableBytes(of: &waits) { bytes in
        unsafe poll(
          bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: pollfd.self), 2, -1)
      }
      if result < 0, errno != EINTR { return true }
      if result > 0 { return waits.1.revents == 0 }
    }
  }
}
