internal import FarthingPipeline
internal import FarthingStore
internal import NIOPosix

/// Runs commands on threads of their own: no shell, an environment of their own, an end in any case.
struct CommandCall: Sendable {
  let threads: NIOThreadPool

  /// All that commands get: nothing of this process's own, where tokens may stand.
  static let environment = [
    ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"), ("LANG", "C.UTF-8"),
  ]

  /// Runs one to its end.
  ///
  /// - Parameters:
  ///   - more: variables beside those that every command gets.
  ///   - milliseconds: after which it is ended.
  func run(
    _ command: [String], more: [(String, String)] = [], input: [UInt8], milliseconds: Int
  ) async throws(DeliveryFailure) -> ChildProcess.Outcome {
    do {
      return try await threads.runIfActive {
        try ChildProcess.run(
          command, environment: Self.environment + more, input: input, milliseconds: milliseconds)
      }
    } catch {
      throw DeliveryFailure(message: "\(error)")
    }
  }

  /// How a command ended and the beginning of what it said, in one line.
  static func words(of outcome: ChildProcess.Outcome, seconds: Int, limit: Int) -> String {
    var words: String
    if outcome.isTimedOut {
      words = "the command took longer than \(seconds) s and was ended"
    } else if let signal = outcome.signal {
      words = "the command was ended by signal \(signal)"
    } else {
      words = "exit status \(outcome.status ?? -1)"
    }
    let said = Payloads.oneLine(String(decoding: outcome.output, as: UTF8.self), limit)
    if !said.isEmpty { words += ": \(said)" }
    return words
  }
}
