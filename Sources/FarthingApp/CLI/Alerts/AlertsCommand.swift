package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore

/// `farthing alerts`: what was noticed, and what people have to say to it.
package struct AlertsCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "What was noticed: list and show alerts, acknowledge, silence, test receivers.",
    discussion: """
      farthing alerts
      farthing alerts --status firing --match severity=critical
      farthing alerts show inc-3f9c
      farthing alerts ack inc-3f9c --note 'rolled back'
      farthing alerts silence identity=batch-7 --for 2h --comment 'load test'
      farthing alerts test ops

      What writes (ack, silence, unsilence) on a folder that a server holds has to be sent to that \
      server with --server; its token needs the scope act. docs/alerts.md says how receivers, routes \
      and silences work.
      """,
    subcommands: [
      AlertsList.self, AlertsShow.self, AlertsAck.self, AlertsSilence.self, AlertsSilences.self,
      AlertsUnsilence.self, AlertsTest.self, AlertsReceipts.self,
    ],
    defaultSubcommand: AlertsList.self)

  package init() {}
}

/// Where a command about alerts is done: at a server, or on the folder.
enum AlertsPlace {
  /// - Parameters:
  ///   - question: what a server is asked.
  ///   - local: the same of what a folder keeps.
  /// - Returns: JSON; that of an empty array where the folder keeps no alerts.
  static func read(
    _ global: GlobalOptions, _ question: RemoteQuestion,
    _ local: (LedgerReader) throws -> [UInt8]
  ) async throws -> [UInt8] {
    let place = try global.place()
    if let server = place.server {
      return try await server.use { try await $0.answer(question.target) }.body
    }
    var failure: (any Error)?
    let found = try LedgerReader.reading(directory: place.settings.dataFolder) {
      (reader) -> [UInt8] in
      do {
        return try local(reader)
      } catch {
        failure = error
        return []
      }
    }
    if let fault = failure as? AlertFault { throw CommandFailure(fault) }
    if let failure { throw failure }
    return found ?? Array("[]\n".utf8)
  }

  /// Changes the book of a folder that no other process writes.
  ///
  /// - Throws: ``StoreError`` with `locked` that names the server or process that has the folder.
  static func change(
    _ settings: Settings, _ body: (inout AlertBook, LedgerReader) throws -> LedgerChange
  ) throws {
    let ledger = try AlertLedger.exclusively(directory: settings.dataFolder)
    var book = try AlertBook(
      settings.configuration.alerting, kept: ledger.reader, now: HostProcess.now())
    do {
      try ledger.commit(try body(&book, ledger.reader))
    } catch let fault as AlertFault {
      throw CommandFailure(fault)
    }
  }

  /// Who is named in the history.
  static var person: String { HostProcess.userName() }

  static func matchers(_ texts: [String]) throws(CommandFailure) -> [AlertMatcher] {
    var matchers: [AlertMatcher] = []
    for text in texts {
      do throws(AlertMatcher.Fault) {
        matchers.append(try AlertMatcher(text))
      } catch {
        throw .usage(error.message)
      }
    }
    return matchers
  }

  static func expectNoChart(_ format: OutputFormat) throws(CommandFailure) {
    if format == .chart {
      throw .usage("alerts are words; use --output table, json or csv")
    }
  }
}

extension CommandFailure {
  /// What cannot be done to an alert or a silence.
  init(_ fault: AlertFault) {
    self = fault.code == .invalid ? .usage(fault.message) : .failed(fault.message)
  }
}
