import FarthingCore
import FarthingDetection
import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Foundation
import Synchronization
import Testing

@testable import FarthingServer

/// A service over a folder of its own, whose time stands still until a test moves it.
final class AlertBench: Sendable {
  let folder: TemporaryDirectory
  let service: AlertService
  private let time: Shared
  static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

  final class Shared: Sendable {
    let now = Mutex<Int64>(1_795_000_000_000_000_000)
    var value: Int64 { now.withLock { $0 } }
  }

  init(_ settings: AlertingSettings, folder: TemporaryDirectory? = nil) async throws {
    let time = Shared()
    self.time = time
    self.folder = try folder ?? TemporaryDirectory()
    service = AlertService(
      try AlertDesk(directory: self.folder.path, settings: settings, now: time.value),
      around: AlertService.Surroundings(
        clock: { time.value }, pause: {},
        environment: { $0 == "HOOK_SECRET" ? Self.secret : nil }, warn: { _ in },
        version: "test"))
    await service.start(ticks: false)
  }

  var now: Int64 { time.value }

  func advance(seconds: Int64) async {
    time.now.withLock { $0 += seconds * 1_000_000_000 }
    await service.tick()
  }

  func fire(_ id: String, severity: AlertSeverity = .warning) async throws {
    try await service.take([.fired(Self.incident(id, severity, now))])
  }

  static func incident(_ id: String, _ severity: AlertSeverity, _ now: Int64) -> Incident {
    Incident(
      id: id, kind: .spendSpike, severity: severity, metric: "cost",
      dimensions: [DimensionValue(dimension: "identity", value: "svc-\(id)")], startedAt: now,
      detectedAt: now, excess: Picodollars(1_500_000_000_000), usdPerHour: 9,
      summary: "svc-\(id) spends too much")
  }

  static func webhook(_ name: String, port: Int, path: String = "/hook") -> ReceiverSettings {
    var receiver = ReceiverSettings(name: name, kind: .webhook)
    receiver.url = "http://127.0.0.1:\(port)\(path)"
    receiver.secret = .environment("HOOK_SECRET")
    receiver.allowsLoopback = true
    return receiver
  }

  /// Whether a call carries a signature of the secret over what came.
  static func isSigned(_ call: TestReceiver.Call) -> Bool {
    guard let id = call.fields["webhook-id"],
      let time = call.fields["webhook-timestamp"].flatMap({ Int64($0) }),
      let expected = WebhookKeys(secret)?.fields(id: id, time: time, body: call.body)?.last
    else { return false }
    return call.fields["webhook-signature"] == expected.value
  }
}

func settings(_ receivers: ReceiverSettings...) -> AlertingSettings {
  var settings = AlertingSettings()
  settings.receivers = receivers
  return settings
}

@Suite("Delivery of alerts", .serialized)
struct AlertDeliveryTests {
  @Test func `an incident reaches its webhook signed, and so does its end`() async throws {
    let receiver = try await TestReceiver()
    let bench = try await AlertBench(settings(AlertBench.webhook("ops", port: receiver.port)))
    try await bench.fire("a")
    await bench.advance(seconds: 2)
    await receiver.waitForTaken(1)
    let incident = AlertBench.incident("a", .warning, 1_795_000_000_000_000_000)
    try await bench.service.take([.resolved(incident)])
    await bench.advance(seconds: 40)
    await receiver.waitForTaken(2)
    let calls = receiver.calls
    #expect(calls.allSatisfy(AlertBench.isSigned))
    #expect(calls.map(\.target) == ["/hook", "/hook"])
    let types = try calls.map { try JSONTree($0.body).root["type"]?.text }
    #expect(types == ["alerts.firing", "alerts.resolved"])
    await bench.service.stop()
    await receiver.close()
  }

  @Test func `a failed delivery comes again with its id and a new time`() async throws {
    let receiver = try await TestReceiver {
      $0 == 0 ? .status(503, fields: [("Retry-After", "60")]) : .status(200)
    }
    let bench = try await AlertBench(settings(AlertBench.webhook("ops", port: receiver.port)))
    try await bench.fire("a")
    await bench.advance(seconds: 2)
    while try await bench.service.desk.outcomes(1) < 1 { await Task.yield() }
    await bench.advance(seconds: 30)
    #expect(receiver.calls.count == 1)
    await bench.advance(seconds: 30)
    await receiver.waitForTaken(1)
    let calls = receiver.calls
    #expect(calls.count == 2)
    #expect(Set(calls.compactMap { $0.fields["webhook-id"] }).count == 1)
    #expect(Set(calls.compactMap { $0.fields["webhook-timestamp"] }).count == 2)
    #expect(calls[0].body == calls[1].body)
    #expect(calls.allSatisfy(AlertBench.isSigned))
    await bench.service.stop()
    await receiver.close()
  }

  @Test func `a receiver that hangs holds up no other`() async throws {
    let (slow, good) = (try await TestReceiver { _ in .hangs }, try await TestReceiver())
    let bench = try await AlertBench(
      settings(
        AlertBench.webhook("slow", port: slow.port), AlertBench.webhook("good", port: good.port)))
    for number in 0..<3 {
      try await bench.fire("a\(number)")
      await bench.advance(seconds: 40)
      let start = HostProcess.monotonic()
      await good.waitForTaken(number + 1)
      // The receiver that hangs is given fifteen seconds.
      #expect(HostProcess.monotonic() - start < 10_000_000_000)
    }
    await bench.service.stop()
    await slow.close()
    await good.close()
  }

  @Test func `a redirect is not followed`() async throws {
    let target = try await TestReceiver()
    let receiver = try await TestReceiver { [port = target.port] _ in
      .status(307, fields: [("Location", "http://127.0.0.1:\(port)/")])
    }
    let result = await send(AlertBench.webhook("ops", port: receiver.port))
    guard case .failed(let detail, _) = result else {
      Issue.record("a redirect counts as delivered")
      return
    }
    #expect(detail == "status 307: it sends elsewhere, which is not followed")
    #expect(target.connections == 0)
    await target.close()
    await receiver.close()
  }

  @Test func `what must not be called is not, however it is spelled`() async throws {
    let receiver = try await TestReceiver(host: "0.0.0.0")
    let port = receiver.port
    let hosts = ForbiddenHosts.all
    #expect(hosts.count == 60)
    for host in hosts {
      var settings = AlertBench.webhook("ops", port: port)
      settings.allowsLoopback = false
      settings.url = "http://\(host):\(port)/latest/meta-data"
      guard case .failed = await send(settings) else {
        Issue.record("\(host) was called")
        continue
      }
    }
    #expect(receiver.connections == 0)
    await receiver.close()
  }

  @Test func `no secret is in what is said of a failure`() async throws {
    let receiver = try await TestReceiver { _ in .status(401) }
    var settings = AlertBench.webhook("ops", port: receiver.port, path: "/T00/B00/geheimnis")
    settings.kind = .slack
    let results = [
      await send(settings),
      await send(
        { () -> ReceiverSettings in
          var wrong = settings
          wrong.url = nil
          wrong.urlSource = .environment("HOOK_SECRET")
          return wrong
        }()),
    ]
    for result in results {
      guard case .failed(let detail, _) = result else {
        Issue.record("401 counts as delivered")
        continue
      }
      #expect(!detail.contains("geheimnis") && !detail.contains("whsec_MfKQ"))
    }
    await receiver.close()
  }

  @Test func `commands get a mail or the JSON, and their end is the result`() async throws {
    let folder = try TemporaryDirectory()
    var mail = ReceiverSettings(name: "mail", kind: .email)
    (mail.from, mail.to) = ("farthing@example.com", ["anna@example.com"])
    mail.command = ["/bin/sh", "-c", "cat > \(folder.path)/mail"]
    #expect(await send(mail) == .delivered(detail: "exit status 0"))
    let text = try String(contentsOfFile: folder.path + "/mail", encoding: .utf8)
    #expect(text.contains("To: anna@example.com\n"))
    var exec = ReceiverSettings(name: "exec", kind: .exec)
    exec.command = ["/bin/sh", "-c", "cat > \(folder.path)/json; echo \"$0\"; exit 4", "{{kind}}"]
    #expect(await send(exec) == .failed(detail: "exit status 4: rule ", retryAfter: nil))
    let json = try Data(contentsOf: URL(filePath: folder.path + "/json"))
    #expect(try JSONTree(Array(json)).root["type"]?.text == "alerts.test")
  }

  private func send(_ receiver: ReceiverSettings) async -> DeliveryResult {
    var book = AlertBook(settings(receiver))
    guard let (id, change) = try? book.test(receiver.name, now: HostProcess.now(), random: { 7 }),
      let notification = change.messages.first.flatMap({ Notification(kept: $0.body) })
    else { return .failed(detail: "no notification", retryAfter: nil) }
    return await AlertService.send(
      notification, id: id, to: receiver, externalURL: nil,
      around: AlertService.Surroundings(
        clock: { HostProcess.now() }, pause: {},
        environment: { $0 == "HOOK_SECRET" ? AlertBench.secret : nil }, warn: { _ in },
        version: "test"))
  }
}

extension AlertDesk {
  /// How many attempts have ended.
  fileprivate func outcomes(_ atLeast: Int) throws -> Int {
    try JSONTree(try receipts(receiver: nil, limit: 100)).root.elements.count
  }
}
