import Foundation
import Testing

@Suite struct `A followed file under kill` {
  /// `FARTHING_FOLLOW_KILLS` asks for more rounds.
  private static let rounds =
    ProcessInfo.processInfo.environment["FARTHING_FOLLOW_KILLS"].flatMap { Int($0) } ?? 12

  private func start(_ folder: ScratchFolder) throws -> Process {
    let process = Process()
    process.executableURL = CommandRun.binary
    process.arguments = ["ingest", "--follow", "a.log", "b.log"]
    process.currentDirectoryURL = folder.url
    let inherited = ProcessInfo.processInfo.environment
    process.environment = [
      "HOME": folder.url.path, "PATH": inherited["PATH"] ?? "",
      "LD_LIBRARY_PATH": inherited["LD_LIBRARY_PATH"] ?? "", "FARTHING_DATA": "data",
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Tokens and requests as the store has them; nil before there is one.
  private func stored(_ folder: ScratchFolder) throws -> [Int]? {
    let run = try folder.farthing("query", "requests,input_tokens", "--output", "csv")
    guard run.status == 0, let row = run.output.split(separator: "\n").dropFirst().first else {
      return nil
    }
    return row.split(whereSeparator: { $0 == "," || $0 == "\r" }).compactMap { Int($0) }
  }

  /// What is stored once it is as many lines, or after 30 seconds.
  private func waitForAll(_ lines: Int, _ folder: ScratchFolder) throws -> [Int]? {
    let deadline = Date(timeIntervalSinceNow: 30)
    while try stored(folder)?.first ?? 0 < lines, Date() < deadline {}
    return try stored(folder)
  }

  @Test func `stores each line once, without ids, over kills and rotations`() throws {
    let folder = try ScratchFolder()
    var random = SystemRandomNumberGenerator()
    var lines = 0
    var sum = 0
    func append(_ name: String) throws {
      let path = folder.url.appending(path: name).path
      if !FileManager.default.fileExists(atPath: path) {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
      }
      let file = try #require(FileHandle(forWritingAtPath: path))
      defer { try? file.close() }
      try file.seekToEnd()
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        lines += 1
        sum += lines
        try file.write(
          contentsOf: Data(
            "{\"time\":\"2026-11-20T00:00:00Z\",\"model\":\"m\",\"input_tokens\":\(lines)}\n".utf8))
      }
      try file.synchronize()
    }
    func rotate(_ name: String) throws {
      let url = folder.url.appending(path: name)
      guard FileManager.default.fileExists(atPath: url.path) else { return }
      // The file before last has been read long since, or is found beside its name.
      let old = folder.url.appending(path: name + ".1")
      guard !FileManager.default.fileExists(atPath: old.path) else { return }
      try FileManager.default.moveItem(at: url, to: old)
      try append(name)
    }
    for round in 1...Self.rounds {
      let process = try start(folder)
      // From here on it has seen both files: one that comes and goes unseen is out of reach.
      try append("a.log")
      try append("b.log")
      let seen = try waitForAll(lines, folder)
      #expect(seen == [lines, sum], "round \(round)")
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        try append(Bool.random(using: &random) ? "a.log" : "b.log")
      }
      if round == Self.rounds / 3 { try rotate("a.log") }
      if round == Self.rounds / 2 { try rotate("b.log") }
      kill(process.processIdentifier, round % 4 == 0 ? SIGTERM : SIGKILL)
      process.waitUntilExit()
      // A signal that comes before the process has begun ends it like any other.
      if process.terminationReason == .exit { #expect(process.terminationStatus == 0) }
    }
    let process = try start(folder)
    defer { process.terminate() }
    _ = try waitForAll(lines, folder)
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try stored(folder) == [lines, sum])
  }

  @Test func `needs the store for itself, and says what belongs together`() throws {
    let folder = try ScratchFolder()
    try folder.write("a.log", "")
    for words in [["--from-end"], ["--follow", "--dry-run"], ["--follow", "--format", "openai"]] {
      let run = try CommandRun(["ingest"] + words + ["a.log"], in: folder.url)
      #expect(run.status == 2, "\(words)")
    }
  }

  @Test func `takes standard input to its end`() throws {
    let folder = try ScratchFolder()
    let run = try folder.farthing(
      "ingest", "--follow", "-",
      input: "{\"time\":\"2026-11-20T00:00:00Z\",\"model\":\"m\"}\nbad\n"
        + "{\"time\":\"2026-11-20T00:00:00Z\",\"model\":\"m\"}")
    #expect(run.status == 0)
    #expect(run.output == "2 events accepted, 0 duplicates, 1 refused\n")
  }
}
