internal import ArgumentParser
internal import FarthingStore

/// Runs a command line from its words to its exit status.
public enum CommandLineTool {
  /// Parses and runs the words after the program's name; ends the process.
  ///
  /// The status is 0 where it is done, 1 where it ran and failed, 2 for wrong usage or configuration.
  public static func main(_ words: [String]) async -> Never {
    HostProcess.ignoreBrokenPipes()
    HostProcess.exit(await status(of: words))
  }

  /// Runs the words and writes what went wrong, if anything, to standard error.
  static func status(of words: [String]) async -> Int32 {
    do {
      if let topic = try HelpTopic.asked(words) {
        Console.write(Array(topic.text.utf8))
        return 0
      }
      var command = try FarthingCommand.parseAsRoot(CommandWords.normalised(words))
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return 0
    } catch let failure as CommandFailure {
      if let message = failure.message { Console.note("farthing: \(message)") }
      return failure.status
    } catch let error as StoreError where error.code == .closed && Console.isOutputGone {
      // `farthing events | head`: the reader has what it wanted.
      return 0
    } catch let error as StoreError {
      Console.note("farthing: \(error)")
      return 1
    } catch {
      return report(error, words: words)
    }
  }

  private static func report(_ error: any Error, words: [String]) -> Int32 {
    let status = FarthingCommand.exitCode(for: error)
    let message = FarthingCommand.fullMessage(for: error)
    guard !status.isSuccess else {
      // Help and version were asked for: they are the result.
      Console.write(Array((message + "\n").utf8))
      return 0
    }
    if let unknown = CommandWords.unknownCommand(in: words) {
      Console.note("farthing: \(unknown)")
      return 2
    }
    Console.note(message.hasPrefix("Error: ") ? "farthing: " + message.dropFirst(7) : message)
    return status.rawValue == ExitCode.failure.rawValue ? 1 : 2
  }
}

/// Why a command ends with another status than 0.
package struct CommandFailure: Error, Equatable {
  package var status: Int32
  /// What standard error is told; nil where it was told already.
  package var message: String?

  /// The command ran and failed.
  package static func failed(_ message: String?) -> CommandFailure {
    CommandFailure(status: 1, message: message)
  }

  /// The words or the configuration are wrong.
  package static func usage(_ message: String) -> CommandFailure {
    CommandFailure(status: 2, message: message)
  }
}
