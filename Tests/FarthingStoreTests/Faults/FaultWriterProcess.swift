import Foundation

/// A process of its own that writes a store, to be killed.
final class FaultWriterProcess {
  private let process = Process()
  private let output = Pipe()
  private let error = Pipe()
  private var unread: [UInt8] = []
  private var isAtEnd = false

  /// Starts the writer, which the build put beside the test program.
  ///
  /// - Parameters:
  ///   - path: `log` or `segment`.
  ///   - first: The number of the first event.
  init(_ directory: String, path: String, first: Int) throws {
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.executableURL = program.deletingLastPathComponent()
      .appending(path: "farthing-fault-writer")
    process.arguments = [directory, path, String(first)]
    process.standardOutput = output
    process.standardError = error
    try process.run()
  }

  /// The next line of its output, awaited; nil at the end.
  func line() -> String? {
    while true {
      if let end = unread.firstIndex(of: 0x0A) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread.removeSubrange(...end)
        return line
      }
      if isAtEnd { return nil }
      let bytes = output.fileHandleForReading.availableData
      isAtEnd = bytes.isEmpty
      unread += bytes
    }
  }

  /// Ends it as nothing can be prepared for.
  func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

  /// Waits for its end.
  ///
  /// - Returns: what it had to complain of.
  func complaint() -> String {
    process.waitUntilExit()
    return String(decoding: error.fileHandleForReading.availableData, as: UTF8.self)
  }
}
