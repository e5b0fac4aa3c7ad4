internal import Glibc
internal import Synchronization

/// The terminal of a program that draws the whole screen: keys one by one, a screen of its own, and the old
/// one given back however the program ends.
///
/// Unsafe because: handlers of signals run between any two instructions of any thread. They do nothing
/// but store numbers, write bytes, set the terminal's mode and raise signals, all of which POSIX allows
/// them (signal-safety(7) lists `write`, `tcsetattr` and `raise`). What they read is set before they are
/// installed and never freed.
package enum Terminal {
  /// What a program waits for.
  package enum Event: Sendable, Equatable {
    /// Bytes that were typed.
    case input([UInt8])
    case resized
    /// Someone called ``wake()``.
    case woken
    /// The program was stopped and goes on: all of the screen has to be drawn.
    case resumed
    /// SIGTSTP: the program is to stop.
    case stopAsked
    /// SIGTERM, SIGHUP, SIGINT, or the terminal is gone.
    case ended
  }

  /// The mode that is given back; allocated once.
  nonisolated(unsafe) private static let saved: UnsafeMutablePointer<termios> = {
    // Never freed: a handler may read it until the process is over. Written before handlers are
    // installed, and by `open` only while `isOpen` is false, so no handler reads a half of it.
    let place = UnsafeMutablePointer<termios>.allocate(capacity: 1)
    unsafe place.initialize(to: termios())
    return unsafe place
  }()
  private static let isOpen = Atomic(false)
  private static let readEnd = Atomic<Int32>(-1)
  private static let writeEnd = Atomic<Int32>(-1)

  /// Synchronized output off, wrapping on, paste and mouse off, plain style, cursor on, the old screen.
  private static let farewell: StaticString =
    "\u{1B}[?2026l\u{1B}[?7h\u{1B}[?2004l\u{1B}[?1006l\u{1B}[?1000l\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l"
  private static let greeting: StaticString =
    "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[?2004h\u{1B}[?1000h\u{1B}[?1006h\u{1B}[2J"

  /// Takes the terminal over.
  ///
  /// - Throws: `io` where standard input or output is none.
  package static func open() throws(StoreError) {
    guard HostProcess.isTerminal(.input), HostProcess.isTerminal(.output) else {
      throw StoreError(.io, "standard input and output are no terminal")
    }
    if readEnd.load(ordering: .acquiring) < 0 {
      guard let ends = pipeEnds() else { throw StoreError(.io, "no pipe could be made") }
      writeEnd.store(ends.writing, ordering: .releasing)
      readEnd.store(ends.reading, ordering: .releasing)
    }
    guard unsafe tcgetattr(0, saved) == 0 else {
      throw StoreError(.io, "the terminal does not say its mode")
    }
    watch()
    try show()
  }

  /// Sets the mode and greets.
  private static func show() throws(StoreError) {
    var raw = unsafe saved.pointee
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    raw.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | IGNCR | ISTRIP)
    raw.c_oflag |= tcflag_t(OPOST | ONLCR)
    guard unsafe tcsetattr(0, TCSAFLUSH, &raw) == 0 else {
      throw StoreError(.io, "the terminal's mode cannot be set")
    }
    isOpen.store(true, ordering: .releasing)
    say(greeting)
  }

  /// Gives the terminal back; a second call does nothing. Safe in a handler.
  package static func close() {
    guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
    say(farewell)
    _ = unsafe tcsetattr(0, TCSAFLUSH, saved)
  }

  private static func say(_ text: StaticString) {
    // The text is part of the program.
    _ = unsafe Glibc.write(1, text.utf8Start, text.utf8CodeUnitCount)
  }

  /// Gives the terminal back, stops the process until a shell lets it go on, and takes it over again.
  package static func stop() throws(StoreError) {
    close()
    _ = raise(SIGSTOP)
    try show()
  }

  /// Ends a ``wait(milliseconds:)`` of another thread.
  package static func wake() { note(UInt8(ascii: "k")) }

  private static func note(_ byte: UInt8) {
    var byte = byte
    _ = unsafe Glibc.write(writeEnd.load(ordering: .acquiring), &byte, 1)
  }

  private static func pipeEnds() -> (reading: Int32, writing: Int32)? {
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

  /// From now on signals are noted, and a crash gives the terminal back first.
  private static func watch() {
    func handle(
      _ numbers: [Int32], flags: Int32, _ handler: @escaping @convention(c) (Int32) -> Void
    ) {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = handler
      action.sa_flags = flags
      for number in numbers { unsafe _ = sigaction(number, &action, nil) }
    }
    handle([SIGWINCH], flags: Int32(SA_RESTART)) { _ in Terminal.noteSignal(UInt8(ascii: "w")) }
    handle([SIGTSTP], flags: Int32(SA_RESTART)) { _ in Terminal.noteSignal(UInt8(ascii: "z")) }
    handle([SIGCONT], flags: Int32(SA_RESTART)) { _ in Terminal.noteSignal(UInt8(ascii: "c")) }
    handle([SIGTERM, SIGHUP, SIGINT], flags: Int32(SA_RESTART)) { _ in
      Terminal.noteSignal(UInt8(ascii: "t"))
    }
    handle(
      [SIGSEGV, SIGABRT, SIGILL, SIGTRAP, SIGBUS, SIGFPE],
      flags: Int32(bitPattern: UInt32(SA_RESETHAND))
    ) { number in
      Terminal.close()
      // The handler is gone with its first call: the signal now does what it does to any program.
      _ = raise(number)
    }
  }

  private static func noteSignal(_ byte: UInt8) {
    // What was interrupted may be about to look at its own error.
    let kept = errno
    note(byte)
    errno = kept
  }

  /// Waits until something happens, at most so long.
  ///
  /// - Returns: what happened, in no order of its own; nothing where the time is over.
  package static func wait(milliseconds: Int) -> [Event] {
    let wake = readEnd.load(ordering: .acquiring)
    var waits = (
      pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
    )
    // Two structures stand behind each other in the tuple, as many as `poll` is told.
    let result = unsafe withUnsafeMutableBytes(of: &waits) { bytes in
      unsafe poll(
        bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: pollfd.self), 2,
        Int32(clamping: max(0, milliseconds)))
    }
    guard result > 0 else { return [] }
    var events: [Event] = []
    if waits.1.revents != 0 { events += signals(wake) }
    if waits.0.revents != 0 {
      let bytes = read(0, count: 4096)
      events.append(bytes.isEmpty ? .ended : .input(bytes))
    }
    return events
  }

  private static func signals(_ descriptor: Int32) -> [Event] {
    var events: [Event] = []
    for byte in read(descriptor, count: 256) {
      let event: Event =
        switch byte {
        case UInt8(ascii: "w"): .resized
        case UInt8(ascii: "z"): .stopAsked
        case UInt8(ascii: "c"): .resumed
        case UInt8(ascii: "t"): .ended
        default: .woken
        }
      if !events.contains(event) { events.append(event) }
    }
    return events
  }

  private static func read(_ descriptor: Int32, count: Int) -> [UInt8] {
    // The call fills at most `capacity` bytes of the new array and says how many.
    unsafe [UInt8](unsafeUninitializedCapacity: count) { space, filled in
      let result = unsafe Glibc.read(descriptor, space.baseAddress.unsafelyUnwrapped, space.count)
      filled = max(0, result)
    }
  }
}
