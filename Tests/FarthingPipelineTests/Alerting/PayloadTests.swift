import FarthingCore
import FarthingDetection
import Testing

@testable import FarthingPipeline

@Suite("What receivers are sent")
struct PayloadTests {
  /// Text that means something to whoever is careless with it.
  static let hostile = [
    "<!channel> <https://evil.example|click>", "\"},{\"x\":\"",
    "\r\nBcc: all@example.com\r\n\r\nhi",
    "\u{1B}[31mred\u{1B}[0m", "{{secret}} ${HOME} $(id) `id`", "--exec=rm", "\u{202E}gnp.exe",
    "\u{0}nul", "'; DROP TABLE alerts; --", "&lt;script&gt;<script>alert(1)</script>",
    "@everyone *bold* _it_ ~st~", "\u{2028}line\u{2029}", "=cmd|' /C calc'!A0", "\\u0000\\",
  ]

  private func notification(_ text: String) -> Notification {
    var incident = AlertExamples.incident("a\(text)", identity: text, summary: text)
    incident.explanation = [text]
    incident.dimensions.append(DimensionValue(dimension: "tags.\(text)", value: text))
    return Notification(
      receiver: "ops", groupKey: "ops\n\(text)", labels: [("identity", text)],
      time: AlertExamples.start, items: [.init(incident: incident, status: .firing)], firing: 1,
      resolved: 0, usdPerHour: 12.5, excess: incident.excess, severity: .critical,
      validity: 3600 * AlertExamples.second)
  }

  @Test(arguments: hostile)
  func `whatever an event said stays one value of the JSON`(text: String) throws {
    let notification = notification(text)
    let payloads = [
      Payloads.webhook(notification, externalURL: nil), Payloads.slack(notification),
      Payloads.pagerDuty(
        notification, key: "k", deduplicationKey: "d", externalURL: "https://f.example"),
      Payloads.alertmanager(notification, now: AlertExamples.start, externalURL: nil),
    ]
    for payload in payloads {
      #expect(payload.body.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
      let tree = try JSONTree(payload.body)
      #expect(tree.end == payload.body.count)
    }
    let root = try JSONTree(payloads[0].body).root
    let alert = try #require(root["data.alerts"]?.elements.first)
    #expect(alert["summary"]?.text == text)
    #expect(alert["dimensions.identity"]?.text == text)
    #expect(root["type"]?.text == "alerts.firing")
  }

  @Test(arguments: hostile)
  func `Slack reads no link and no mention`(text: String) throws {
    let root = try JSONTree(Payloads.slack(notification(text)).body).root
    let shown = try #require(root["text"]?.text)
    #expect(!shown.contains("<") && !shown.contains(">"))
    for block in root["blocks"]?.elements ?? [] {
      #expect(block["text.type"]?.text == "plain_text")
    }
  }

  @Test(arguments: hostile)
  func `a mail has the headers that it is meant to have`(text: String) throws {
    let mail = String(
      decoding: MailText.mail(
        notification(text), id: "msg_1", from: "farthing@example.com", to: ["a@example.com"]),
      as: UTF8.self)
    let head = try #require(mail.firstRange(of: "\n\n")).lowerBound
    let names = mail[..<head].split(separator: "\n").filter { !$0.hasPrefix(" ") }
      .map { $0.prefix { $0 != ":" } }
    #expect(
      names == [
        "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding", "Auto-Submitted",
      ])
    #expect(mail.utf8.allSatisfy { $0 == 0x0A || ($0 >= 0x20 && $0 < 0x7F) })
  }

  @Test(arguments: hostile)
  func `an argument is one argument, no option and no template`(text: String) {
    let argument = ArgumentTemplate.argument("{{summary}}", notification(text))
    #expect(!argument.hasPrefix("-"))
    #expect(argument.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    if text.contains("{{secret}}") { #expect(argument.contains("{{secret}}")) }
    #expect(
      ArgumentTemplate.argument("--title={{ kind }}/{{status}}", notification(text))
        == "--title=spend_spike/firing")
  }

  @Test func `unknown places of a template are named`() {
    #expect(ArgumentTemplate.unknownNames(in: "{{sumary}} {{kind}} {{") == ["sumary"])
  }

  @Test func `a date is written as mails have it`() {
    #expect(MailText.date(0) == "Thu, 01 Jan 1970 00:00:00 +0000")
    #expect(MailText.date(1_795_280_400 * 1_000_000_000) == "Sat, 21 Nov 2026 17:00:00 +0000")
  }

  @Test func `Alertmanager gets names of labels that it takes, and ends that it believes`() throws {
    let body = Payloads.alertmanager(
      notification("x"), now: AlertExamples.start + 5, externalURL: nil
    ).body
    let alerts = try JSONTree(body).root.elements
    #expect(alerts.count == 3)
    for alert in alerts {
      for name in alert["labels"]?.keys ?? [] {
        #expect(name.utf8.allSatisfy { $0 != UInt8(ascii: ".") })
      }
    }
    #expect(
      alerts.map { $0["labels.severity"]?.text } == ["info", "warning", "critical"])
  }

  @Test func `the interface's members are there in their form`() throws {
    var writer = JSONWriter()
    IncidentJSON.write(AlertExamples.incident("a"), status: .firing, to: &writer)
    let text = String(decoding: writer.bytes, as: UTF8.self)
    #expect(
      text == """
        {"id":"a","kind":"spend_spike","severity":"warning","status":"firing","metric":"cost",\
        "dimensions":{"identity":"svc-7"},"started_at":"2026-11-18T11:06:40Z",\
        "detected_at":"2026-11-18T11:06:45Z","resolved_at":null,"expected":0.5,"actual":13,\
        "excess_usd":"3.25","usd_per_hour":12.5,"summary":"svc-7 spends 26 times what it does",\
        "explanation":["statistic 9.1, threshold 4.5"]}
        """)
  }
}

@Suite("Signatures of webhooks")
struct WebhookSignatureTests {
  @Test func `they are those of the specification's libraries`() throws {
    let keys = try #require(WebhookKeys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    let fields = try #require(
      keys.fields(
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek", time: 1_614_265_330,
        body: Array("{\"test\": 2432232314}".utf8)))
    #expect(
      fields.map(\.value) == [
        "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      ])
  }

  @Test func `an exchanged key signs beside the new one`() throws {
    let keys = try #require(
      WebhookKeys(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_plJ3nmyCDGBKInavdOK15jsl\n"))
    let fields = try #require(keys.fields(id: "a", time: 1, body: []))
    #expect(fields.last?.value.split(separator: " ").count == 2)
  }

  @Test(arguments: ["", "secret", "whsec_", "whsec_AAAA", "whsec_!!!!", "whsec_MfKQ\nx"])
  func `what is no key is refused`(text: String) {
    #expect(WebhookKeys(text) == nil)
  }

  @Test func `base64 reads what it writes`() {
    var random = AlertRandom(seed: 3)
    for count in 0..<70 {
      let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let text = Base64.text(bytes)
      #expect(text.utf8.count % 4 == 0)
      #expect(Base64.bytes(text) == bytes)
    }
    #expect(Base64.text(Array("foobar".utf8)) == "Zm9vYmFy")
    #expect(Base64.text(Array("foob".utf8)) == "Zm9vYg==")
  }
}

@Suite("Conditions on alerts")
struct AlertMatcherTests {
  @Test func `they compare as Alertmanager's do`() throws {
    let alert = Alert(AlertExamples.incident("a"), phase: .firing, changedAt: 0)
    func holds(_ text: String) throws -> Bool { try AlertMatcher(text).holds(for: alert) }
    #expect(try holds("kind=spend_spike"))
    #expect(try holds("alertname = \"spend_spike\""))
    #expect(try holds("identity=~svc-.*"))
    #expect(try !holds("identity=~svc"))
    #expect(try holds("identity!~\"job-.*\""))
    #expect(try holds("severity!=critical"))
    #expect(try holds("tenant=\"\""))
    #expect(try !holds("tenant=~.+"))
  }

  @Test(arguments: ["kind", "=x", "kind~x", "kind=~(", "kind=\"x", "a b=c", "k=\u{7}"])
  func `what is none is refused`(text: String) {
    #expect(throws: AlertMatcher.Fault.self) { try AlertMatcher(text) }
  }

  @Test func `their text reads back`() throws {
    for text in ["kind=a", "identity=~\"a\\\\d+\"", "tenant!=\"say \\\"hi\\\"\""] {
      let matcher = try AlertMatcher(text)
      #expect(try AlertMatcher(matcher.description) == matcher)
    }
  }
}
