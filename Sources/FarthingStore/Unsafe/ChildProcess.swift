// Running a command: no shell, an environment of one's own, an end in any case.
//
// Unsafe because: posix_spawn takes arrays of C strings, which are made by strdup and freed after the
// call, and fills structures that live on this stack; read and write take pointers into arrays with
// counts that stay inside them.
//
// The child is a group of its own, so that what it starts ends with it. Its descriptors are the three
// standard streams: all others of this process close on exec.

internal import Glibc
internal import Synchronization

/// A command that is run to its end.
package enum ChildProcess {
  /// Held from the opening of pipes until their child runs: between an opening and its mark to close on
  /// exec another child would inherit it.
  private static let spawning = Mutex(())

  /// What came of it.
  package struct Outcome: Sendable, Equatable {
    /// Its exit status; nil where a signal ended it.
    package var status: Int32?
    /// The signal that ended it; nil where it ended by itself.
    package var signal: Int32?
    /// Whether it was ended because its time was over.
    package var isTimedOut = false
    /// The beginning of what it wrote to both its streams.
    package var output: [UInt8] = []
  }

  /// Runs a command and waits for it. Blocks its thread.
  ///
  /// - Parameters:
  ///   - arguments: the program first, with its path; it is not looked for anywhere.
  ///   - environment: all that it gets.
  ///   - input: for its standard input.
  ///   - milliseconds: after which it is killed, with all of its group.
  ///   - outputLimit: bytes of what it writes that are kept; the rest is read and thrown away.
  /// - Throws: `notFound`, `accessDenied`, `invalidArgument`, `io` where it cannot be started.
  package static func run(
    _ arguments: [String], environment: [(String, String)], input: [UInt8], milliseconds: Int,
    outputLimit: Int = 4096
  ) throws(StoreError) -> Outcome {
    guard let program = arguments.first, program.hasPrefix("/"),
      !(arguments + environment.map { $0.0 + $0.1 }).contains(where: { $0.utf8.contains(0) })
    else {
      throw StoreError(
        .invalidArgument, "a command begins with its program's whole path and has no zero bytes")
    }
    // A command need not read what it is given.
    HostProcess.ignoreBrokenPipes()
    let started = spawning.withLock { _ -> Result<(pid_t, Pipe, Pipe), StoreError> in
      do throws(StoreError) {
        let inward = try Pipe()
        let outward = try Pipe()
        return .success(
          (try spawn(program, arguments, environment, inward, outward), inward, outward))
      } catch {
        return .failure(error)
      }
    }
    let (child, inward, outward) = try started.get()
    inward.closeReading()
    outward.closeWriting()
    return attend(
      child, inward, outward, input,
      deadline: HostProcess.monotonic() + Int64(milliseconds) * 1_000_000, outputLimit)
  }

  /// Both ends of a pipe; they are closed with it.
  private final class Pipe {
    private(set) var reading: Int32 = -1
    private(set) var writing: Int32 = -1

    init() throws(StoreError) {
      var ends: [Int32] = [-1, -1]
      // The call fills two numbers.
      let result = unsafe ends.withUnsafeMutableBufferPointer { place in
        unsafe pipe(place.baseAddress.unsafelyUnwrapped)
      }
      guard result == 0 else { throw HostProcess.failure("opening", "a pipe", errno) }
      reading = ends[0]
      writing = ends[1]
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
      closeReading()
      closeWriting()
    }

    func closeReading() {
      if reading >= 0 { _ = close(reading) }
      reading = -1
    }

    func closeWriting() {
      if writing >= 0 { _ = close(writing) }
      writing = -1
    }
  }

  private static func spawn(
    _ program: String, _ arguments: [String], _ environment: [(String, String)], _ inward: Pipe,
    _ outward: Pipe
  ) throws(StoreError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, inward.reading, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, outward.writing, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, outward.writing, 2)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var standard = sigset_t()
    unsafe sigemptyset(&none)
    // This process ignores and blocks some signals; a command expects none of that.
    unsafe sigfillset(&standard)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &standard)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup("\($0.0)=\($0.1)") } + [nil]
    defer {
      for place in unsafe words.indices { unsafe free(words[place]) }
      for place in unsafe variables.indices { unsafe free(variables[place]) }
    }
    var child = pid_t()
    let result = unsafe posix_spawn(&child, program, &actions, &attributes, &words, &variables)
    guard result == 0 else { throw HostProcess.failure("running", program, result) }
    return child
  }

  /// Feeds the child and reads it until it ends or its time is over.
  private static func attend(
    _ child: pid_t, _ inward: Pipe, _ outward: Pipe, _ input: [UInt8], deadline: Int64,
    _ outputLimit: Int
  ) -> Outcome {
    var outcome = Outcome()
    var sent = 0
    _ = fcntl(inward.writing, F_SETFL, O_NONBLOCK)
    _ = fcntl(outward.reading, F_SETFL, O_NONBLOCK)
    if input.isEmpty { inward.closeWriting() }
    while true {
      if let status = reap(child) {
        read(outward, &outcome.output, outputLimit)
        // What it left behind ends too.
        _ = kill(-child, SIGKILL)
        finish(&outcome, status)
        return outcome
      }
      let left = deadline - HostProcess.monotonic()
      if left <= 0, !outcome.isTimedOut {
        outcome.isTimedOut = true
        _ = kill(-child, SIGKILL)
      }
      var polled = [
        pollfd(fd: outward.reading, events: Int16(POLLIN), revents: 0),
        pollfd(fd: inward.writing, events: Int16(POLLOUT), revents: 0),
      ]
      // A child that closed its streams shows by its end alone, so the wait is short.
      let wait = Int32(clamping: max(1, min(20, left / 1_000_000)))
      _ = unsafe poll(&polled, 2, wait)
      if !read(outward, &outcome.output, outputLimit) { outward.closeReading() }
      if inward.writing >= 0 { write(input, &sent, to: inward) }
    }
  }

  /// The wait status of a child that ended; nil while it runs.
  private static func reap(_ child: pid_t) -> Int32? {
    var status: Int32 = 0
    return unsafe waitpid(child, &status, WNOHANG) == child ? status : nil
  }

  private static func finish(_ outcome: inout Outcome, _ status: Int32) {
    let signal = status & 0x7F
    if signal == 0 {
      outcome.status = (status >> 8) & 0xFF
    } else {
      outcome.signal = signal
    }
  }

  /// - Returns: false where nothing more will come.
  @discardableResult
  private static func read(_ pipe: Pipe, _ output: inout [UInt8], _ limit: Int) -> Bool {
    guard pipe.reading >= 0 else { return true }
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe Glibc.read(pipe.reading, bytes.baseAddress, bytes.count)
      }
      guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
      output += buffer[..<min(count, max(0, limit - output.count))]
    }
  }

  private static func write(_ input: [UInt8], _ sent: inout Int, to pipe: Pipe) {
    let count = unsafe input.withUnsafeBytes { bytes in
      unsafe Glibc.write(
        pipe.writing, bytes.baseAddress.unsafelyUnwrapped + sent, bytes.count - sent)
    }
    if count > 0 { sent += count }
    let isOver = count < 0 && errno != EAGAIN && errno != EINTR
    if isOver || sent == input.count { pipe.closeWriting() }
  }
}
