package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// `farthing alerts ack`.
package struct AlertsAck: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "ack",
    abstract: "Say that you have an alert in hand: it is not repeated any more.")

  @Argument(help: "The alert's id, or enough of its beginning.")
  package var id: String
  @Option(help: ArgumentHelp("What others should know.", valueName: "text"))
  package var note: String?
  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    let (wanted, note) = (id, note)
    let place = try global.place()
    if let server = place.server {
      var writer = JSONWriter()
      writer.object { $0.member("note", note) }
      let body = writer.bytes
      _ = try await server.use {
        try await $0.act("POST", "/v1/alerts/\(RemoteQuestion.escaped(wanted))/ack", body)
      }
    } else {
      try AlertsPlace.change(place.settings) { book, reader in
        try book.acknowledge(
          try AlertTexts.whole(wanted, reader), by: AlertsPlace.person, note: note,
          now: HostProcess.now())
      }
    }
    Console.note("farthing: acknowledged \(wanted.printable)")
  }
}

/// `farthing alerts silence`.
package struct AlertsSilence: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "silence",
    abstract: "Let nobody be told of some alerts for a time.",
    discussion: """
      farthing alerts silence identity=batch-7 --for 2h --comment 'load test'
      farthing alerts silence kind=spend_spike 'tenant=~"acme-.*"' --for 30m

      All matchers have to hold. Alerts are kept all the same and show as silenced; what still fires \
      when the silence ends is told then.
      """)

  @Argument(
    help: ArgumentHelp(
      "LABEL=VALUE, or != =~ !~; labels: kind, severity, metric and dimensions such as identity.",
      valueName: "matcher"))
  package var matchers: [String]
  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long: 30m, 2h, 1d.", valueName: "duration"))
  package var length: String?
  @Option(
    help: ArgumentHelp("When it ends, instead of how long it lasts.", valueName: "time"))
  package var until: String?
  @Option(help: ArgumentHelp("Why.", valueName: "text"))
  package var comment = ""
  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    let now = HostProcess.now()
    let silence = Silence(
      id: Self.identifier(), matchers: try AlertsPlace.matchers(matchers), startsAt: now,
      endsAt: try end(now), author: AlertsPlace.person, comment: comment, createdAt: now)
    let place = try global.place()
    var id = silence.id
    if let server = place.server {
      var writer = JSONWriter()
      writer.object { writer in
        writer.member("matchers", silence.matchers.map(\.description))
        writer.member("ends_at", time: silence.endsAt)
        writer.member("comment", silence.comment)
      }
      let body = writer.bytes
      let answer = try await server.use { try await $0.act("POST", "/v1/silences", body) }
      id = AlertTable.rows(answer).first?["id"]?.text ?? id
    } else {
      try AlertsPlace.change(place.settings) { book, _ in try book.add(silence, now: now) }
    }
    try Console.result(id)
    Console.note("farthing: silenced until \(TimeText.rfc3339(silence.endsAt))")
  }

  private func end(_ now: Int64) throws(CommandFailure) -> Int64 {
    switch (length, until) {
    case (let length?, nil):
      guard let nanoseconds = CivilTime.parseDuration(length) else {
        throw .usage("--for \"\(length.printable)\": expected a length of time such as 2h or 30m")
      }
      return now + nanoseconds
    case (nil, let until?): return try InstantOption.parse(until, of: "--until")
    default: throw .usage("a silence needs an end: give one of --for and --until")
    }
  }

  private static func identifier() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

/// `farthing alerts unsilence`.
package struct AlertsUnsilence: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "unsilence", abstract: "End a silence now.")

  @Argument(help: "The silence's id, as silence and silences print it.")
  package var id: String
  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    let id = id
    let place = try global.place()
    if let server = place.server {
      _ = try await server.use {
        try await $0.act("DELETE", "/v1/silences/\(RemoteQuestion.escaped(id))")
      }
    } else {
      try AlertsPlace.change(place.settings) { book, _ in
        try book.end(silence: id, now: HostProcess.now())
      }
    }
    Console.note("farthing: the silence \(id.printable) has ended")
  }
}

/// `farthing alerts silences`.
package struct AlertsSilences: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "silences", abstract: "The silences that have not ended.")

  @Flag(help: "Those that have ended, too.")
  package var all = false
  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try AlertsPlace.expectNoChart(output.output)
    let all = all
    let now = HostProcess.now()
    let json = try await AlertsPlace.read(
      global, RemoteQuestion("/v1/silences", [("all", all ? "true" : nil)])
    ) { AlertTexts.silences(try $0.silences(endingAfter: all ? nil : now), now: now) }
    if output.output == .json { return try Console.result(json) }
    let keys = ["id", "status", "starts_at", "ends_at", "author", "comment"]
    try output.write(
      Answer(
        columns: keys.map { .init($0) } + [.init("matchers")],
        rows: AlertTable.rows(json).map { row in
          keys.map { AlertTable.text(row[JSONPath(key: $0)]) } + [
            .text((row["matchers"]?.elements ?? []).compactMap(\.text).joined(separator: " "))
          ]
        }))
  }
}

/// `farthing alerts receipts`.
package struct AlertsReceipts: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "receipts", abstract: "What came of attempts to tell receivers, the latest last.")

  @Option(help: ArgumentHelp("Of one receiver.", valueName: "name"))
  package var receiver: String?
  @Option(help: ArgumentHelp("The latest so many.", valueName: "n"))
  package var limit = 100
  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try AlertsPlace.expectNoChart(output.output)
    guard (1...999_999).contains(limit) else {
      throw CommandFailure.usage("--limit \(limit): expected a number from 1 to 999999")
    }
    let (receiver, limit) = (receiver, limit)
    let json = try await AlertsPlace.read(
      global,
      RemoteQuestion("/v1/deliveries", [("receiver", receiver), ("limit", "\(limit)")])
    ) { AlertTexts.receipts(try $0.receipts(receiver: receiver, limit: limit)) }
    if output.output == .json { return try Console.result(json) }
    try output.write(ReceiptTable.answer(json))
  }
}

enum ReceiptTable {
  static func answer(_ json: [UInt8]) -> Answer {
    let keys = ["at", "receiver", "result", "notification", "detail"]
    return Answer(
      columns: keys.map { .init($0) } + [.init("attempt", .figure)],
      rows: AlertTable.rows(json).map { row in
        keys.map { AlertTable.text(row[JSONPath(key: $0)]) } + [
          row["attempt"]?.integer.map { .count(Int128($0)) } ?? .null
        ]
      })
  }
}

/// `farthing alerts test`.
package struct AlertsTest: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Send a receiver of the configuration a test notification.",
    discussion: """
      farthing alerts test ops --config /etc/farthing.yaml

      Sends once from here; with --server from there, where it is tried again like any other \
      notification if the receiver does not take it. Exit status 1 where it was not delivered.
      """)

  @Argument(help: "The receiver's name.")
  package var receiver: String
  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try AlertsPlace.expectNoChart(output.output)
    let name = receiver
    let place = try global.place()
    let json: [UInt8]
    if let server = place.server {
      json = try await server.use {
        try await $0.act("POST", "/v1/receivers/\(RemoteQuestion.escaped(name))/test", [])
      }
    } else {
      json = try await sendFromHere(place.settings)
    }
    if output.output == .json {
      try Console.result(json)
    } else {
      try output.write(ReceiptTable.answer(json))
    }
    guard AlertTable.rows(json).first?["result"]?.text == "delivered" else {
      throw CommandFailure.failed("the notification was not delivered")
    }
  }

  private func sendFromHere(_ settings: Settings) async throws -> [UInt8] {
    var book = AlertBook(settings.configuration.alerting)
    let now = HostProcess.now()
    let (id, change): (String, LedgerChange)
    do throws(AlertFault) {
      (id, change) = try book.test(receiver, now: now) { .random(in: .min ... .max) }
    } catch {
      throw CommandFailure.usage(error.message)
    }
    guard let row = change.messages.first, let notification = Notification(kept: row.body),
      let chosen = settings.configuration.alerting.receiver(receiver)
    else { throw CommandFailure.failed("the notification could not be made") }
    let result = await AlertService.send(
      notification, id: id, to: chosen,
      externalURL: settings.configuration.alerting.externalURL,
      around: ServeCommand.alertSurroundings())
    return AlertTexts.receipts([ReceiptRow(result, id: id, receiver: receiver, at: now)])
  }
}

extension ReceiptRow {
  fileprivate init(_ result: DeliveryResult, id: String, receiver: String, at: Int64) {
    switch result {
    case .delivered(let detail):
      self.init(
        message: id, receiver: receiver, at: at, attempt: 1, result: "delivered", detail: detail)
    case .failed(let detail, _):
      self.init(
        message: id, receiver: receiver, at: at, attempt: 1, result: "failed", detail: detail)
    }
  }
}
