import Foundation

/// The real command `farthing serve` as a process of its own.
final class ServerProcess {
  private let process = Process()
  private let error = Pipe()
  private(set) var said: [String] = []
  private(set) var port = 0
  private(set) var isSecure = false
  private var unread: [UInt8] = []

  /// Starts it over a folder and waits until it listens, or ends.
  convenience init(_ directory: String, port: Int = 0, words: [String] = []) throws {
    try self.init(["serve", "--listen", "127.0.0.1:\(port)", "--data", directory] + words)
  }

  /// Starts the command with any words, and waits until it listens, or ends.
  ///
  /// - Parameter environment: variables beside those of the tests.
  init(_ words: [String], environment: [String: String] = [:]) throws {
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.executableURL = program.deletingLastPathComponent().appending(path: "farthing")
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error
    try process.run()
    guard let line = line(after: "listening on http") else { return }
    isSecure = line.hasPrefix("s")
    port = Int(line.split(separator: ":").last ?? "") ?? 0
  }

  /// Waits for a line that it says on standard error; those before it are kept in `said`.
  ///
  /// - Returns: the line behind its beginning; nil where the process ends without one.
  func line(after beginning: String) -> Substring? {
    while true {
      while let end = unread.firstIndex(of: 0x0A) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread.removeSubrange(...end)
        said.append(line)
        if line.hasPrefix(beginning) { return line.dropFirst(beginning.count) }
      }
      let bytes = error.fileHandleForReading.availableData
      if bytes.isEmpty { return nil }
      unread += bytes
    }
  }

  /// Asks it to read its configuration again.
  func reload() { _ = Foundation.kill(process.processIdentifier, SIGHUP) }

  /// Ends it as nothing can be prepared for.
  var kill: @Sendable () -> Void {
    let identifier = process.processIdentifier
    return { _ = Foundation.kill(identifier, SIGKILL) }
  }

  func terminate() { process.terminate() }

  /// Waits for its end.
  ///
  /// - Returns: its status, and all that it said since it listened.
  func end() -> (status: Int32, said: String) {
    unread += error.fileHandleForReading.readDataToEndOfFile()
    let rest = String(decoding: unread, as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, rest)
  }
}
