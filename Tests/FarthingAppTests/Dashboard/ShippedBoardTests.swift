import FarthingCore
import Foundation
import Testing

@testable import FarthingApp
@testable import FarthingDashboard

@Suite("The shipped dashboards")
struct ShippedBoardTests {
  private static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let names = ShippedBoards.texts.map(\.name)

  @Test(arguments: names)
  func `a shipped dashboard is the file of its name`(name: String) throws {
    let file = Self.package.appending(path: "Dashboards/\(name).yaml")
    let text = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(
      ShippedBoards.texts.first { $0.name == name }?.text == text.trimmingCharacters(in: .newlines))
  }

  @Test func `every file has its place among the shipped ones`() throws {
    let folder = Self.package.appending(path: "Dashboards")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path())
      .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
    #expect(files.sorted() == Self.names.sorted())
  }

  static let sizes = [(80, 24), (120, 40), (200, 60)]

  /// A made-up company's figures, the same for the same question.
  static func scene(_ name: String, width: Int, height: Int, plain: Bool = false) throws -> Scene {
    let now: Int64 = 1_773_532_800_000_000_000
    var scene = Scene(
      state: TopState(board: try BoardFile.load(name), now: now), place: "http://127.0.0.1:7878",
      canAct: true)
    let list =
      plain
      ? PlainText.questions(scene.state)
      : Frame.questions(scene.state, width: width, height: height)
    for question in list.ordered {
      scene.answers[question] = Painter.answer(question, list.metrics[question] ?? [], at: now)
    }
    return scene
  }

  @Test(arguments: names, sizes)
  func `a frame is drawn as kept`(name: String, size: (Int, Int)) throws {
    let scene = try Self.scene(name, width: size.0, height: size.1)
    let theme = Theme(depth: .palette)
    let frame = Frame.make(scene, width: size.0, height: size.1, theme: theme)
    let file = "top-\(name)-\(size.0)x\(size.1)"
    try Golden.expect(
      TerminalText.lines(frame.canvas, theme: Theme(depth: .none)), matches: "\(file).txt")
    try Golden.expect(
      TerminalText.lines(frame.canvas, theme: theme).replacing("\u{1B}", with: "␛"),
      matches: "\(file)-256.txt")
  }

  @Test(arguments: names)
  func `in plain text it is told as kept`(name: String) throws {
    let scene = try Self.scene(name, width: 120, height: 40, plain: true)
    let text = PlainText.text(scene, width: 120, height: 40)
    #expect(!text.unicodeScalars.contains { (0x2500...0x259F).contains($0.value) })
    try Golden.expect(text, matches: "top-\(name)-plain.txt")
  }

  @Test func `in ASCII no other character is written`() throws {
    for name in Self.names {
      let scene = try Self.scene(name, width: 120, height: 40)
      let theme = Theme(depth: .none, glyphs: .ascii)
      let frame = Frame.make(scene, width: 120, height: 40, theme: theme)
      #expect(TerminalText.lines(frame.canvas, theme: theme).utf8.allSatisfy { $0 < 0x80 })
    }
  }

  @Test func `a picture is well-formed XML and asks no network for anything`() throws {
    let scene = try Self.scene("overview", width: 120, height: 40)
    let theme = Theme(depth: .trueColour, scheme: .light)
    let frame = Frame.make(scene, width: 120, height: 40, theme: theme)
    let svg = PictureText.svg(frame.canvas, theme: theme, title: "A <test> & more")
    #expect(XMLWellFormed.check(svg))
    let html = PictureText.html(frame.canvas, theme: theme, title: "t", plain: "a < b")
    let addresses = html.replacing("http://www.w3.org/2000/svg", with: "")
      .replacing("http://127.0.0.1:7878", with: "")
    #expect(!addresses.contains("http"))
    #expect(!html.contains("<script"))
  }
}

/// Whether tags are closed in their order and texts have no bare signs of markup.
enum XMLWellFormed {
  static func check(_ text: String) -> Bool {
    var open: [Substring] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "<") {
      guard let end = rest[start...].firstIndex(of: ">") else { return false }
      let tag = rest[rest.index(after: start)..<end]
      if tag.first == "/" {
        guard open.popLast() == tag.dropFirst() else { return false }
      } else if tag.last != "/" {
        open.append(tag.prefix { $0 != " " })
      }
      rest = rest[rest.index(after: end)...]
    }
    return open.isEmpty
  }
}

/// Answers of a company that there is not.
enum Painter {
  private static let values: [String: [String]] = [
    "model": ["gpt-5", "claude-sonnet-4-5", "gemini-2.5-flash", "gpt-5-mini", "inhouse-llama"],
    "workload": ["research-agent", "support-assistant", "doc-search", "code-agent"],
    "site": ["iad1", "fra1", "sin1", "gru1", "lhr1"],
    "tenant": ["tenant-001", "tenant-002", "Ünïcode GmbH", "日本語テナント"],
    "identity": [
      "spiffe://prod.example.org/ns/tenant-001/sa/research-agent-049", "svc-7",
      "evil\u{1B}[2J\u{202E}name",
    ],
  ]

  static func answer(_ question: Question, _ metrics: [String], at moment: Int64) -> PanelAnswer {
    let window = question.window(at: moment)
    var table = FigureTable.empty
    switch question.subject {
    case .figures: table = figures(question, metrics, window)
    case .alerts: table = alerts(moment)
    case .isolations:
      table = FigureTable(
        columns: [
          "id", "action", "mode", "status", "started_at", "release_at", "target", "identity",
        ],
        rows: [
          [
            .text("iso-1"), .text("throttle"), .text("enforced"), .text("active"),
            .time(moment - CivilTime.hour), .time(moment + 2 * CivilTime.hour),
            .text("identity=svc-7"), .text("svc-7"),
          ]
        ])
    case .budgets:
      table = FigureTable(
        columns: ["name", "state", "amount", "forecast", "period", "where"],
        rows: [
          [
            .text("all"), .text("forecast"), .money(12_000_000_000_000_000),
            .money(13_480_000_000_000_000), .text("month"), .missing,
          ]
        ])
    case .sites:
      table = FigureTable(
        columns: ["site", "tier"],
        rows: [
          [.text("iad1"), .text("central")], [.text("fra1"), .text("region")],
          [.text("sin1"), .text("edge")], [.text("gru1"), .text("edge")],
        ])
    case .requests: break
    }
    return PanelAnswer(table: table, since: window.since, until: window.until)
  }

  private static func figures(
    _ question: Question, _ metrics: [String], _ window: (since: Int64, until: Int64)
  ) -> FigureTable {
    var keys: [[Figure]] = [[]]
    for field in question.by {
      let names = values[field] ?? ["one", "two"]
      keys = keys.flatMap { key in
        names.map { key + [.text($0)] } + (field == "model" ? [key + [.missing]] : [])
      }
    }
    var times: [Int64?] = [nil]
    if let every = question.every {
      times = stride(from: window.since, to: window.until, by: Int(every)).map { $0 }
    }
    var rows: [[Figure]] = []
    for (slot, time) in times.enumerated() {
      // A bucket without requests has no row.
      if slot % 17 == 16 { continue }
      for (place, key) in keys.enumerated() {
        let weight = 1000 / (place + 1) * (10 + slot % 12)
        rows.append(
          (time.map { [.time($0)] } ?? []) + key
            + metrics.map { figure($0, weight, place, isBefore: isBefore(question)) })
      }
    }
    return FigureTable(
      columns: (question.every == nil ? [] : ["time"]) + question.by + metrics, rows: rows)
  }

  private static func isBefore(_ question: Question) -> Bool {
    if case .before = question.span { true } else { false }
  }

  private static func figure(
    _ metric: String, _ weight: Int, _ place: Int, isBefore: Bool
  ) -> Figure {
    let size = Int128(isBefore ? weight * 9 / 10 : weight)
    if metric == "unpriced_requests" { return .count(place == 4 ? size * 3 : place == 1 ? 12 : 0) }
    switch Metric.named(metric)?.unit {
    case .count: return .count(size * 3)
    case .money: return .money(size * 41_234_567_890)
    case .moneyRatio: return place == 3 ? .missing : .money(size * 1_234_567)
    case .ratio: return .ratio(Double(size % 97) / 1000)
    case .milliseconds: return .milliseconds(Double(size) * 0.93)
    case nil: return .missing
    }
  }

  private static func alerts(_ moment: Int64) -> FigureTable {
    func row(_ id: String, _ status: String, _ severity: String, _ kind: String, _ rate: Int128)
      -> [Figure]
    {
      [
        .text(id), .text(status), .text(severity), .text(kind),
        .time(moment - 3 * CivilTime.hour), .time(moment - 2 * CivilTime.hour), .missing,
        .money(rate * 1_000_000_000_000), .text("identity=svc-7 tenant=tenant-001"),
        .text("svc-7 spends 40 times what it did"), .text("svc-7"),
      ]
    }
    return FigureTable(
      columns: [
        "id", "status", "severity", "kind", "started_at", "detected_at", "resolved_at",
        "usd_per_hour", "where", "summary", "identity",
      ],
      rows: [
        row("inc-1", "acknowledged", "warning", "cache_collapse", 3),
        row("inc-2", "firing", "critical", "denial_of_wallet", 212),
        row("inc-3", "firing", "warning", "retry_storm", 7),
      ])
  }
}
