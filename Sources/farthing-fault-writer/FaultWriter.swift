// Writes a store until it is killed, and says on standard output what was acknowledged.
//
//     farthing-fault-writer FOLDER log|segment|unsealed|recover FIRST [EVENTS TASKS BATCHES [FILE]]
//
// Standard output, a line at once: `opening`, `ready` when the store is recovered, then `ack FIRST`
// for each batch, never before the store has promised that the batch is durable. A batch is the
// `EVENTS` numbered requests from FIRST on (8), with the outcomes among them; it is written by one
// of `TASKS` tasks (8); `BATCHES` of them end the process, without closing the store (no end).
//
// `log` and `segment` write by that path into buffers and log files so small that rows are sealed,
// logs ended and segments merged all the time. `unsealed` writes by the log onto a disk that takes no
// segment, so that everything stays in the log; `recover` opens a store as the command does and ends.
// With these two recovery is measured. With a FILE of events a batch is `EVENTS` KiB of its lines instead.

internal import FarthingCore
internal import FarthingStore
internal import FarthingTestSupport
internal import Synchronization

@main
enum FaultWriter {
  enum Mode: String {
    case log, segment, unsealed, recover
  }

  static func main() async {
    let words = Array(CommandLine.arguments.dropFirst())
    let numbers = words.dropFirst(2).prefix(4).compactMap { Int($0) }
    guard words.count >= 3, let mode = Mode(rawValue: words[1]),
      numbers.count == min(words.count - 2, 4)
    else {
      fail(
        "usage: farthing-fault-writer FOLDER log|segment|unsealed|recover FIRST [EVENTS TASKS BATCHES]"
      )
    }
    do {
      try say("opening")
      let writer = try StoreWriter(
        directory: words[0], options: options(mode), fileSystem: disk(mode), now: arrival,
        randomBytes: testKey)
      try say("ready")
      if mode == .recover { return }
      let work = Work(
        writer: writer, mode: mode, events: numbers.count > 1 ? numbers[1] : 8, first: numbers[0],
        last: numbers.count > 3 ? numbers[3] : .max,
        lines: words.count > 6 ? try EventLines(words[6]) : nil)
      try await work.run(tasks: numbers.count > 2 ? numbers[2] : 8)
    } catch {
      fail("\(error)")
    }
  }

  private static func options(_ mode: Mode) -> StoreOptions {
    var options = StoreOptions()
    switch mode {
    case .unsealed:
      options.maximumSealingBuffers = .max
      options.maximumLogFiles = .max
    case .log, .segment:
      options.segmentRows = 300
      options.logFileBytes = 64 << 10
      options.maximumLogFiles = 3
    case .recover: break
    }
    return options
  }

  private static func disk(_ mode: Mode) -> any FileSystem {
    if mode == .unsealed { UnsealableDisk() } else { PosixFileSystem() }
  }

  static func say(_ line: String) throws(StoreError) {
    try HostProcess.write(Array((line + "\n").utf8), to: .output)
  }

  private static func fail(_ message: String) -> Never {
    try? HostProcess.write(Array("farthing-fault-writer: \(message)\n".utf8), to: .error)
    HostProcess.exit(1)
  }
}

/// Batches that tasks take one after the other.
final class Work: Sendable {
  private let writer: StoreWriter
  private let mode: FaultWriter.Mode
  private let events: Int
  private let first: Int
  private let last: Int
  private let taken = Atomic<Int>(0)
  private let lines: EventLines?

  init(
    writer: StoreWriter, mode: FaultWriter.Mode, events: Int, first: Int, last: Int,
    lines: EventLines?
  ) {
    self.lines = lines
    self.writer = writer
    self.mode = mode
    self.events = events
    self.first = first
    self.last = last
  }

  func run(tasks: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<tasks { group.addTask { try await self.write() } }
      try await group.waitForAll()
    }
  }

  private func write() async throws {
    while true {
      let number = taken.add(1, ordering: .relaxed).oldValue
      guard number < last else { return }
      let start = first + number * events
      let batch =
        if let lines {
          Batches.charge(try lines.next(kibibytes: events))
        } else {
          Batches.make(start..<start + events)
        }
      _ = try await writer.append(
        batch, receivedTime: arrival, durability: mode == .segment ? .segment : .log)
      if mode == .segment { try await writer.flush() }
      try FaultWriter.say("ack \(start)")
    }
  }
}

/// The lines of a file, a piece at a time, for whichever task asks.
final class EventLines: Sendable {
  private let file: any StoreFile
  private let place = Mutex<Int>(0)

  init(_ path: String) throws(StoreError) {
    file = try PosixFileSystem().open(path, .read)
  }

  /// About so many KiB of whole lines; empty at the end of the file.
  func next(kibibytes: Int) throws -> String {
    let piece = try place.withLock { place in
      var bytes: [UInt8] = []
      _ = try file.read(into: &bytes, offset: place, count: kibibytes << 10)
      let end = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
      place += end
      return bytes.prefix(end)
    }
    return String(decoding: piece, as: UTF8.self)
  }
}
