import FarthingCore
import FarthingQuery
import Foundation
import Testing

@testable import FarthingApp

@Suite("Hostile names in a report")
struct HostileReportTests {
  /// Ways out of text, and contexts to leave by them: together more than the 219 that are promised.
  static let strings: [String] = {
    let payloads = [
      "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
      "<iframe src=//evil.example>", "</title><script>x</script>", "</style><style>*{display:none}",
      "</svg><a href=//evil.example>", "<!-- ", "]]>", "&lt;script&gt;", "&#60;b&#62;", "&colon;",
      "javascript:alert(1)", "https://evil.example/?a=1&b=2", "www.evil.example",
      "mail@evil.example", "[text](https://evil.example)", "![x](//evil.example/a.png)",
      "**bold** _it_ ~~gone~~", "`code` ``` fence", "# heading", "| cell | next |", "$x^2$ {{7*7}}",
      "${jndi:ldap://x}", "=cmd|' /C calc'!A0", "\u{1B}[2J\u{1B}[31m", "\u{202E}drowssap",
      "line\nbreak\r\n", "\u{0}nul\u{7F}\u{9B}31m", "\u{FEFF}bom\u{200B}zero", "é\u{301}\u{301}👩‍👩‍👧",
      "' onmouseover='alert(1)", "\" onfocus=\"alert(1)\" autofocus=\"", "\\\\server\\share \\",
      "style=background:url(//evil.example)", "<base href=//evil.example>",
      "<meta http-equiv=refresh>",
    ]
    let contexts = ["%", "\">%", "'>%", "-->%", "a|%|b", "`%`", "x %"]
    return payloads.flatMap { payload in
      contexts.map { $0.replacingOccurrences(of: "%", with: payload) }
    }
  }()

  /// A report with the same text wherever text can come from outside.
  private func report(_ name: String) throws -> Report {
    let window = ReportWindow(since: 0, until: 604_800_000_000_000)
    let period = ReportPeriod(
      kind: .span, zone: .utc, end: window.until, windows: [window, window])
    let text: ReportText = "before \(name: name) after"
    var table = ReportTable(
      "names", "A table",
      [.init("a", "a", .label), .init("b", "b"), .init("c", "c", .prose), .init("t", "t", .trend)])
    table.rows = [
      ReportTable.Row([
        .name(name), ReportCell(.money(1_500_000_000_000)), .text(text),
        ReportCell(.null, .trend([.count(1), .null, .count(3)])),
      ])
    ]
    var section = Report.Section(id: "x", title: "A section", lead: text)
    section.tables = [table.settled()]
    section.notes = [text]
    section.charts = [
      ReportChart(
        id: "c1", title: "Bars", summary: text, kind: .bars([.init(name: text, value: 5)])),
      ReportChart(
        id: "c2", title: "Gauges", summary: text,
        kind: .gauges([.init(name: text, spent: 1, limit: 2, text: text)])),
      ReportChart(
        id: "c3", title: "Columns", summary: text,
        kind: .columns([.init(label: name, title: name, value: 3, previous: 4)])),
      ReportChart(
        id: "c4", title: "Bridge", summary: text,
        kind: .bridge(before: 1, steps: [.init(name: name, change: 2)], after: 3)),
    ]
    return Report(
      heading: Report.Heading(
        title: "A report", period: period, span: "a span", previousSpan: "another", madeAt: 0,
        filter: nil, prices: .current, cautions: [text]),
      findings: [
        .init(tone: .act, title: text, text: text, advice: text, section: "x")
      ], sections: [section])
  }

  /// What makes the structure of HTML.
  private func skeleton(html: String) -> String { String(html.filter { "<>\"'`".contains($0) }) }

  /// What makes that of markdown: all but what is escaped.
  private func skeleton(markdown: String) -> String {
    var kept = ""
    var isEscaped = false
    for character in markdown {
      if isEscaped {
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if "`*_[]<>|~#@${}\n".contains(character) {
        kept.append(character)
      }
    }
    return kept
  }

  @Test func `stay text in HTML, whatever they hold`() throws {
    #expect(Self.strings.count >= 219)
    let plain = skeleton(html: try report("plain").text(.html))
    for name in Self.strings {
      let html = try report(name).text(.html)
      let isSame = skeleton(html: html) == plain
      #expect(isSame, "\(name.debugDescription)")
      #expect(
        !html.unicodeScalars.contains { $0.isHostileToTerminals && $0 != "\n" },
        "\(name.debugDescription)")
    }
  }

  @Test func `stay text in markdown, whatever they hold`() throws {
    let plain = skeleton(markdown: try report("plain").text(.markdown))
    for name in Self.strings {
      let text = try report(name).text(.markdown)
      let isSame = skeleton(markdown: text) == plain
      #expect(isSame, "\(name.debugDescription)")
      #expect(!text.contains("://") && !text.lowercased().contains("www.evil"))
      #expect(!text.unicodeScalars.contains { $0.isHostileToTerminals && $0 != "\n" })
    }
  }

  @Test func `come back as they were from JSON`() throws {
    for name in Self.strings {
      let text = try report(name).text(.json)
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      let rows = try #require(object?["names"] as? [[String: Any]])
      #expect(rows.first?["a"] as? String == name)
    }
  }

  @Test func `code in markdown ends where it should, and no sooner`() {
    #expect(MarkdownText.code("a | b") == "`a \\| b`")
    #expect(MarkdownText.code("x `` y") == "``` x `` y ```")
    #expect(MarkdownText.code("a\nb") == "`a\\u{A}b`")
    #expect(MarkdownText.escaped("www.a.b") == "www\\.a.b")
  }

  @Test func `a page asks for nothing and runs nothing`() throws {
    let html = try report("plain").text(.html)
    for sign in ["<script", "<link rel=\"stylesheet", "http://", "https://", "@import", "url("] {
      #expect(!html.contains(sign), "\(sign)")
    }
    #expect(html.contains("Content-Security-Policy\" content=\"default-src 'none'"))
    // Every picture says what it is and what it shows.
    let charts = html.components(separatedBy: "<svg id=").count - 1
    #expect(charts == 4)
    #expect(html.components(separatedBy: "</title>\n<desc id=").count - 1 == charts)
    #expect(html.components(separatedBy: "<th scope=\"col\"").count - 1 == 4)
  }
}

@Suite("farthing report")
struct ReportCommandTests {
  @Test func `writes each form, and tells wrong usage apart`() throws {
    let folder = try ScratchFolder()
    try folder.write("calls.ndjson", ReportStore.events.joined(separator: "\n"))
    #expect(try folder.farthing("ingest", "calls.ndjson").status == 0)
    let words = ["--since", "2026-03-09", "--until", "2026-03-16"]
    let page = try CommandRun(["report", "--output", "html"] + words, in: folder.url)
    #expect(page.status == 0 && page.output.hasPrefix("<!doctype html>"), "\(page.error)")
    let text = try CommandRun(["report"] + words, in: folder.url)
    #expect(text.output.hasPrefix("# Unit cost review: week 11 of 2026\n"))
    let json = try CommandRun(["report", "--output", "json"] + words, in: folder.url)
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let figures = try #require(object?["figures"] as? [[String: Any]])
    let query = try CommandRun(
      ["query", "cost", "--output", "json"] + words, in: folder.url)
    let cost = try #require(figures.first?["now"] as? String)
    #expect(query.output.contains("\"cost\":\"\(cost)\""))
    let both = try folder.farthing("report", "--weekly", "--monthly")
    #expect(both.status == 2)
    #expect(both.error == "farthing: --weekly and --monthly: a report is over one period\n")
    #expect(try folder.farthing("report", "--output", "pdf").status == 2)
    #expect(try folder.farthing("report", "--since", "soon").status == 2)
  }

  /// A block whose outcomes are a few runs is stored as those, and its codes are read apart from them.
  @Test func `counts tasks whose every request tells the outcome`() throws {
    let folder = try ScratchFolder()
    let lines = (0..<900).map { number in
      "{\"time\":\"2026-03-\(10 + number / 450)T10:00:00Z\",\"model\":\"gpt-4o\",\"input_tokens\":10,"
        + "\"task\":\"t\(number / 3)\",\"outcome\":\"\(number < 600 ? "success" : "failure")\"}"
    }
    try folder.write("calls.ndjson", lines.joined(separator: "\n"))
    #expect(try folder.farthing("ingest", "calls.ndjson").status == 0)
    let run = try folder.farthing(
      "query", "tasks,successful_tasks,failed_tasks", "--output", "csv")
    #expect(
      run.output.hasSuffix("300,200,100\r\n") || run.output.hasSuffix("300,200,100\n"),
      "\(run.error)")
  }

  @Test func `of an empty folder says that there is nothing`() throws {
    let folder = try ScratchFolder()
    let run = try folder.farthing("report")
    #expect(run.status == 0)
    #expect(run.output.contains("**No requests.** There are no requests in the period."))
  }
}
