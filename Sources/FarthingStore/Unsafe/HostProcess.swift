internal import Glibc

/// What a command asks of the process and the terminal that it runs in.
///
/// The C library's calls stand here so that the command line needs no Foundation, which would
/// cost more time to load than a small query takes to answer.
package enum HostProcess {
  /// The standard streams.
  package enum Stream: Int32, Sendable {
    case input = 0
    case output = 1
    case error = 2
  }

  /// A variable of the environment; nil where it is not set or empty.
  package static func environment(_ name: String) -> String? {
    // The C string belongs to the environment, which nothing in this process changes.
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// Whether the stream is a terminal.
  package static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

  /// The number of cells in a line of the terminal; nil where the stream is none.
  package static func terminalColumns(_ stream: Stream) -> Int? {
    var size = winsize()
    // `TIOCGWINSZ` fills the local structure that it is handed.
    guard unsafe ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return Int(size.ws_col)
  }

  /// The terminal's cells in a line and its lines; nil where the stream is none, or it does not say.
  package static func terminalSize(_ stream: Stream) -> (columns: Int, lines: Int)? {
    var size = winsize()
    // As above.
    guard unsafe ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
      size.ws_row > 0
    else { return nil }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Writes all bytes to a standard stream.
  ///
  /// - Throws: `closed` where the reader has gone (a closed pipe), `diskFull` or `io`.
  package static func write(_ bytes: [UInt8], to stream: Stream) throws(StoreError) {
    let name = stream == .output ? "standard output" : "standard error"
    try writeAll(bytes, to: stream.rawValue, named: name)
  }

  private static func writeAll(
    _ bytes: [UInt8], to descriptor: Int32, named name: String
  ) throws(StoreError) {
    var done = 0
    while done < bytes.count {
      // The array is contiguous; `count − done` bytes at `done` stay inside it.
      let result = unsafe bytes.withUnsafeBytes { all in
        unsafe Glibc.write(
          descriptor, all.baseAddress.unsafelyUnwrapped + done, bytes.count - done)
      }
      if result >= 0 {
        done += result
      } else if errno == EPIPE {
        throw StoreError(.closed, "nothing reads what is written any more")
      } else if errno != EINTR {
        throw failure("writing", name, errno)
      }
    }
  }

  /// Writes a small result file anew; what had the name before is gone.
  ///
  /// Not for the store: nothing is synced.
  package static func replaceFile(_ path: String, with bytes: [UInt8]) throws(StoreError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("writing", path, errno) }
    defer { _ = Glibc.close(descriptor) }
    try writeAll(bytes, to: descriptor, named: path)
  }

  /// Makes a write to a closed pipe an error of the call instead of the end of the process.
  package static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

  /// Bounds every file that this process makes longer from here on; a write beyond is an error of
  /// the call. For processes that write nothing but temporary files.
  package static func limitFileSize(bytes: Int) {
    _ = signal(SIGXFSZ, SIG_IGN)
    let most = rlim_t(max(0, bytes))
    var limit = rlimit(rlim_cur: most, rlim_max: most)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
  }

  /// The wall clock in Unix nanoseconds; that of a broken one, before 1970 or far ahead, stands still.
  package static func now() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return min(max(0, Int64(time.tv_sec)), lastSecond) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// The last second of a clock that is taken at its word, in the year 2261: nanoseconds of a later one do
  /// not fit, nor would spans of years be added to it.
  private static let lastSecond: Int64 = 9_200_000_000

  /// Nanoseconds since some moment of the past, which no setting of the clock changes.
  package static func monotonic() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// User and system time of the process so far, nanoseconds.
  package static func processorTime() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// The number of this process.
  package static var identifier: Int { Int(getpid()) }

  /// The name of the user that the process runs as, or the number of one without a name.
  package static func userName() -> String {
    let user = geteuid()
    var entry = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16_384)
    // The entry's texts point into the buffer, which outlives their reading; the call is told its size.
    let name: String? = unsafe buffer.withUnsafeMutableBufferPointer { space in
      guard let start = space.baseAddress,
        unsafe getpwuid_r(user, &entry, start, space.count, &found) == 0, unsafe found != nil,
        let text = unsafe entry.pw_name
      else { return nil }
      return unsafe String(cString: text)
    }
    return name ?? "uid \(user)"
  }

  /// The number of processors that this process may use, at least 1.
  package static func processorCount() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Ends the process.
  package static func exit(_ status: Int32) -> Never { Glibc.exit(status) }

  /// The error for the operating system's number, told for what was being done to what.
  static func failure(_ verb: String, _ name: String, _ number: Int32) -> StoreError {
    switch number {
    case ENOENT, ENOTDIR: return StoreError(.notFound, "\(name) does not exist")
    case EACCES, EPERM:
      return StoreError(.accessDenied, "\(verb) \(name) is not allowed; check its owner and mode")
    case ENOSPC, EDQUOT:
      return StoreError(.diskFull, "\(verb) \(name) failed: no space is left")
    default:
      // `strerror` answers with a text that lives at least until its next call on this thread.
      let cause = unsafe String(cString: strerror(number))
      return StoreError(.io, "\(verb) \(name) failed", cause: cause)
    }
  }
}
