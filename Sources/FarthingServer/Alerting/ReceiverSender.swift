internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore
internal import NIOCore
internal import NIOPosix

/// Tells one receiver.
final class ReceiverSender: Sendable {
  /// The times and the name of the process that sends.
  struct Surroundings: Sendable {
    /// Unix nanoseconds.
    var clock: @Sendable () -> Int64
    /// A variable of the environment; nil where it is not set.
    var environment: @Sendable (String) -> String?
    var version: String
  }

  private let settings: ReceiverSettings
  private let externalURL: String?
  private let around: Surroundings
  private let threads: NIOThreadPool
  private let call: ReceiverCall
  private let secrets: SecretReader
  private let commands: CommandCall

  init(
    _ settings: ReceiverSettings, externalURL: String?, loops: any EventLoopGroup,
    around: Surroundings
  ) {
    self.settings = settings
    self.externalURL = externalURL
    self.around = around
    threads = NIOThreadPool(numberOfThreads: 1)
    threads.start()
    call = ReceiverCall(loops: loops, threads: threads)
    secrets = SecretReader(environment: around.environment)
    commands = CommandCall(threads: threads)
  }

  /// The thread ends with the last work that it does.
  deinit { threads.shutdownGracefully { _ in } }

  /// One attempt.
  func send(_ notification: Notification, id: String) async -> DeliveryResult {
    do throws(DeliveryFailure) {
      return .delivered(detail: try await deliver(notification, id))
    } catch {
      return .failed(
        detail: Payloads.oneLine(error.message, 300), retryAfter: error.retryAfter)
    }
  }

  private func deliver(
    _ notification: Notification, _ id: String
  ) async throws(DeliveryFailure) -> String {
    switch settings.kind {
    case .webhook:
      let payload = Payloads.webhook(notification, externalURL: externalURL)
      var fields: [(name: String, value: String)] = [("webhook-id", id)]
      var hidden: [String] = []
      if settings.secret != nil {
        let text = try secrets.read(settings.secret, "the secret")
        guard let keys = WebhookKeys(text),
          let signed = keys.fields(
            id: id, time: around.clock() / CivilTime.second, body: payload.body)
        else {
          throw DeliveryFailure(message: "the secret is none: expected \(WebhookKeys.expectation)")
        }
        fields = signed
        hidden.append(text)
      }
      return try await post(payload, fields, hidden)
    case .slack:
      return try await post(Payloads.slack(notification), [], [])
    case .pagerduty:
      let key = try secrets.read(settings.secret, "the integration key")
      return try await post(
        Payloads.pagerDuty(
          notification, key: key, deduplicationKey: Self.deduplicationKey(notification),
          externalURL: externalURL), [], [key])
    case .alertmanager:
      return try await post(
        Payloads.alertmanager(notification, now: around.clock(), externalURL: externalURL), [], [])
    case .email:
      let mail = MailText.mail(
        notification, id: id, from: settings.from ?? "", to: settings.to)
      return try await run(settings.command, mail)
    case .exec:
      let words =
        settings.command.prefix(1)
        + settings.command.dropFirst().map { ArgumentTemplate.argument($0, notification) }
      return try await run(
        Array(words), Payloads.webhook(notification, externalURL: externalURL).body)
    }
  }

  /// At most 255 characters, and the same for all of a group.
  static func deduplicationKey(_ notification: Notification) -> String {
    "farthing-" + SHA256Digest(hashing: Array(notification.groupKey.utf8).span).hexadecimal
  }

  // MARK: HTTP

  private func post(
    _ payload: Payload, _ fields: [(name: String, value: String)], _ hidden: [String]
  ) async throws(DeliveryFailure) -> String {
    let text =
      if let url = settings.url { url } else { try secrets.read(settings.urlSource, "the URL") }
    guard var url = ReceiverURL(text) else {
      throw DeliveryFailure(message: "the URL is none: expected \(ReceiverURL.expectation)")
    }
    if settings.kind == .alertmanager, !url.target.contains("/api/v2/alerts") {
      while url.target.hasSuffix("/") { url.target.removeLast() }
      url.target += "/api/v2/alerts"
    }
    let answer: ReceiverCall.Answer
    switch await call.ask(
      ReceiverCall.Question(
        url: url, payload: payload, fields: fields, allowsLoopback: settings.allowsLoopback,
        authorityFile: settings.authorityFile, version: around.version, isHeadEnough: true))
    {
    case .success(let found): answer = found
    case .failure(let failure): throw failure
    }
    if (200..<300).contains(answer.status) { return "status \(answer.status)" }
    var message = "status \(answer.status)"
    if (300..<400).contains(answer.status) {
      message += ": it sends elsewhere, which is not followed"
    } else {
      // What an answer repeats of a secret stays secret.
      var said = String(decoding: answer.body, as: UTF8.self)
      for secret in hidden + [url.target] where secret.count > 3 {
        said = said.replacing(secret, with: "(withheld)")
      }
      said = Payloads.oneLine(said, 120)
      if !said.isEmpty { message += ": \(said)" }
    }
    throw DeliveryFailure(message: message, retryAfter: answer.retryAfter)
  }

  // MARK: Commands

  private func run(
    _ command: [String], _ input: [UInt8]
  ) async throws(DeliveryFailure) -> String {
    let outcome = try await commands.run(
      command, input: input, milliseconds: settings.commandSeconds * 1000)
    if outcome.status == 0 { return "exit status 0" }
    throw DeliveryFailure(
      message: CommandCall.words(of: outcome, seconds: settings.commandSeconds, limit: 120))
  }
}
