package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore

/// `farthing isolations add`.
package struct IsolationsAdd: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Isolate something by hand; in a dry run only written down.",
    discussion: """
      farthing isolations add identity=stolen-key --for 2h --reason 'posted on a forum'
      farthing isolations add endpoint=e7 --action throttle --calls-per-minute 60
      """)

  @Argument(
    help: ArgumentHelp(
      "DIMENSION=VALUE, of identity, endpoint, model or site; tenant=VALUE narrows it.",
      valueName: "target"))
  package var target: [String]
  @Option(help: ArgumentHelp("observe, degrade, throttle or isolate.", valueName: "action"))
  package var action = "isolate"
  @Option(
    name: .customLong("for"), help: ArgumentHelp("How long: 30m, 2h, 1d.", valueName: "duration"))
  package var length = "1h"
  @Option(help: ArgumentHelp("Why.", valueName: "text"))
  package var reason: String?
  @Option(
    help: ArgumentHelp("What answers instead where it is degraded.", valueName: "model"))
  package var degradeModel: String?
  @Option(help: ArgumentHelp("What throttle lets through.", valueName: "n"))
  package var callsPerMinute: Int?
  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    _ = try IsolationsPlace.length(length, "--for")
    var parts: [(String, String)] = []
    for word in target {
      let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, ["identity", "endpoint", "model", "site", "tenant"].contains(pair[0])
      else {
        throw CommandFailure.usage(
          "\"\(word.printable)\": expected DIMENSION=VALUE, such as identity=svc-7")
      }
      parts.append((pair[0], pair[1]))
    }
    let place = try global.place()
    guard let server = place.server else {
      throw CommandFailure.failed(
        "add needs a running server, which answers the gateways; use --server")
    }
    var writer = JSONWriter()
    let (action, length, reason) = (action, length, reason)
    let (model, calls) = (degradeModel, callsPerMinute)
    writer.object { writer in
      writer.member("target", parts)
      writer.member("action", action)
      writer.member("duration", length)
      writer.member("reason", reason)
      writer.member("degrade_model", model)
      if let calls { writer.member("calls_per_minute", calls) }
    }
    let body = writer.bytes
    let answer = try await server.use { try await $0.act("POST", "/v1/isolations", body) }
    let root = (try? JSONTree(answer))?.root
    try Console.result(root?["isolation.id"]?.text ?? "")
  }
}

/// `farthing isolations approve`.
package struct IsolationsApprove: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Agree to what waits for a person.")

  @Argument(help: "The isolation's id, or enough of its beginning.")
  package var id: String
  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    try await IsolationsPlace.act(global, id, "approve", nil, nil)
    Console.note("farthing: approved \(id.printable)")
  }
}

/// `farthing isolations release`.
package struct IsolationsRelease: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Give a target back, or decline what waits; it is then left alone for this incident.")

  @Argument(help: "The isolation's id, or enough of its beginning.")
  package var id: String
  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    try await IsolationsPlace.act(global, id, "release") { book, id in
      try book.release(id, by: HostProcess.userName(), now: IsolationsPlace.now())
    }
    Console.note("farthing: released \(id.printable)")
  }
}

/// `farthing isolations extend`.
package struct IsolationsExtend: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "extend", abstract: "Let an isolation end so long from now, not earlier or later.")

  @Argument(help: "The isolation's id, or enough of its beginning.")
  package var id: String
  @Option(
    name: .customLong("for"), help: ArgumentHelp("How long: 30m, 2h, 1d.", valueName: "duration"))
  package var length: String
  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    let text = length
    let nanoseconds = try IsolationsPlace.length(text, "--for")
    var writer = JSONWriter()
    writer.object { $0.member("duration", text) }
    try await IsolationsPlace.act(global, id, "extend", writer.bytes) { book, id in
      try book.extend(
        id, by: HostProcess.userName(), length: nanoseconds, now: IsolationsPlace.now())
    }
    Console.note("farthing: \(id.printable) ends \(text) from now")
  }
}

/// `farthing isolations off`.
package struct IsolationsOff: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "off",
    abstract: "The kill switch: give everything back and isolate nothing until on.")

  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    try await IsolationsSwitch.turn(off: true, global)
    Console.note("farthing: isolations are off; nothing is in force")
  }
}

/// `farthing isolations on`.
package struct IsolationsOn: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "on", abstract: "Let policies isolate again, as the configuration's mode says.")

  @OptionGroup package var global: GlobalOptions

  package init() {}

  package mutating func run() async throws {
    try await IsolationsSwitch.turn(off: false, global)
    Console.note("farthing: isolations are on")
  }
}

enum IsolationsSwitch {
  static func turn(off isOff: Bool, _ global: GlobalOptions) async throws {
    let place = try global.place()
    if let server = place.server {
      _ = try await server.use {
        try await $0.act("POST", "/v1/isolations/\(isOff ? "off" : "on")")
      }
    } else {
      try await IsolationsPlace.change(place.settings) { book, _ in
        book.turn(off: isOff, by: HostProcess.userName(), now: IsolationsPlace.now())
      }
    }
  }
}

/// `farthing isolations verify`.
package struct IsolationsVerify: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check the audit log: every entry, their order, and that none is missing.",
    discussion: """
      farthing isolations verify
      farthing isolations verify --head 120:9af1…

      Prints the head, COUNT:HASH. Whoever can write the file can write another log; noted elsewhere, the \
      head makes that visible: with --head the log has to go through it. Exit status 1 where \
      anything does not fit.
      """)

  @Option(help: ArgumentHelp("A head that was noted before.", valueName: "count:hash"))
  package var head: String?
  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try IsolationsPlace.expectNoChart(output.output)
    let noted = head.flatMap { AuditHead($0) }
    if let head, noted == nil {
      throw CommandFailure.usage(
        "--head \"\(head.printable)\": expected COUNT:HASH as an earlier check printed it")
    }
    let json = try await IsolationsPlace.read(
      global, RemoteQuestion("/v1/isolations/verify", [("head", head)])
    ) { IsolationTexts.verified(try $0.verifyAudit(noted: noted)) }
    let root = (try? JSONTree(json))?.root
    if output.output == .json {
      try Console.result(json)
    } else {
      try Console.result(root?["head"]?.text ?? AuditHead.empty.description)
    }
    if let fault = root?["fault"]?.text {
      throw CommandFailure.failed("the audit log does not fit: \(fault)")
    }
    Console.note("farthing: \(root?["entries"]?.literal ?? "0") entries, each as it was written")
  }
}
