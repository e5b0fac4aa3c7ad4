package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore

/// `farthing isolations`: what is kept from calling, why, and how to give it back.
package struct IsolationsCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "isolations",
    abstract: "What is kept from calling: list, show, why, approve, release, extend, on and off.",
    discussion: """
      farthing isolations
      farthing isolations why iso-3f9c
      farthing isolations release iso-3f9c
      farthing isolations off
      farthing isolations verify --head 120:9af1…

      off is the kill switch: it gives back everything that is in force, and lets nothing be isolated \
      until on. On a folder that a server holds, what writes has to be sent to that server with \
      --server; its token needs the scope act. docs/isolation.md says how policies and guardrails work.
      """,
    subcommands: [
      IsolationsList.self, IsolationsShow.self, IsolationsWhy.self, IsolationsAdd.self,
      IsolationsApprove.self, IsolationsRelease.self, IsolationsExtend.self, IsolationsOff.self,
      IsolationsOn.self, IsolationsVerify.self,
    ],
    defaultSubcommand: IsolationsList.self)

  package init() {}
}

/// Where a command about isolations is done: at a server, or on the folder.
enum IsolationsPlace {
  /// - Parameters:
  ///   - question: what a server is asked.
  ///   - local: the same of what a folder keeps.
  /// - Returns: JSON; that of an empty array where the folder keeps no isolations.
  static func read(
    _ global: GlobalOptions, _ question: RemoteQuestion,
    _ local: (IsolationReader) throws -> [UInt8]
  ) async throws -> [UInt8] {
    let place = try global.place()
    if let server = place.server {
      return try await server.use { try await $0.answer(question.target) }.body
    }
    var failure: (any Error)?
    let found = try IsolationReader.reading(directory: place.settings.dataFolder) {
      (reader) -> [UInt8] in
      do {
        return try local(reader)
      } catch {
        failure = error
        return []
      }
    }
    if let fault = failure as? IsolationFault { throw CommandFailure(fault) }
    if let failure { throw failure }
    return found ?? Array("[]\n".utf8)
  }

  /// Changes the book of a folder that no other process writes, and makes the calls to hooks that follow.
  ///
  /// - Throws: ``StoreError`` with `locked` that names the server or process that has the folder.
  static func change(
    _ settings: Settings,
    _ body: (inout IsolationBook, IsolationReader) throws -> IsolationBook.Outcome
  ) async throws {
    let configured = settings.configuration.isolation
    let ledger = try IsolationLedger.exclusively(directory: settings.dataFolder)
    let hooks = ServeCommand.hooks(configured.hooks)
    var book = try IsolationBook(configured, kept: ledger.reader, now: now()) {
      (name, action, dimension) in
      hooks.first { $0.name == name }?.supports(action, on: dimension) ?? false
    }
    do {
      try ledger.commit(try body(&book, ledger.reader).change)
    } catch let fault as IsolationFault {
      throw CommandFailure(fault)
    }
    // Once each: what does not succeed is tried again by the next server.
    for due in book.takeDue(now: now()) where due.order.verb == .release {
      guard let hook = hooks.first(where: { $0.name == due.hook }) else { continue }
      let answer = await hook.perform(due.order)
      try ledger.commit(book.settle(due.order.id, hook: due.hook, answer, now: now()).change)
      if case .done = answer { continue }
      Console.note(
        "farthing: warning: hook \(due.hook) did not give \(due.order.target.text.printable) back: "
          + "\(answer.words.evidence.printable); the next server tries again")
    }
  }

  static func now() -> IsolationTime {
    IsolationTime(wall: HostProcess.now(), monotonic: HostProcess.monotonic())
  }

  /// Has something done to one isolation, at the server or on the folder.
  static func act(
    _ global: GlobalOptions, _ id: String, _ verb: String, _ body: [UInt8]? = nil,
    _ local: ((inout IsolationBook, String) throws -> IsolationBook.Outcome)?
  ) async throws {
    let place = try global.place()
    if let server = place.server {
      _ = try await server.use {
        try await $0.act("POST", "/v1/isolations/\(RemoteQuestion.escaped(id))/\(verb)", body)
      }
    } else if let local {
      try await change(place.settings) { book, reader in
        try local(&book, try IsolationTexts.whole(id, reader))
      }
    } else {
      throw CommandFailure.failed(
        "\(verb) needs a running server, which knows who is active; use --server")
    }
  }

  static func length(_ text: String, _ option: String) throws(CommandFailure) -> Int64 {
    guard let nanoseconds = CivilTime.parseDuration(text), nanoseconds >= CivilTime.second,
      nanoseconds <= IsolationBook.longest
    else {
      throw .usage(
        "\(option) \"\(text.printable)\": expected a length of time from 1s to 30d, such as 2h")
    }
    return nanoseconds
  }

  static func expectNoChart(_ format: OutputFormat) throws(CommandFailure) {
    if format == .chart {
      throw .usage("isolations are words; use --output table, json or csv")
    }
  }
}

extension CommandFailure {
  /// What cannot be done to an isolation.
  init(_ fault: IsolationFault) {
    self = fault.code == .invalid ? .usage(fault.message) : .failed(fault.message)
  }
}
