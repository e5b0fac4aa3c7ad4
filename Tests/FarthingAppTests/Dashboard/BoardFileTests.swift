import FarthingCore
import Testing

@testable import FarthingApp
@testable import FarthingDashboard

@Suite("Dashboards as files")
struct BoardFileTests {
  private func faults(_ text: String) -> [String] {
    BoardFile.read(Array(text.utf8), file: "mine.yaml").faults.map(\.description)
  }

  @Test func `all faults are told at once, each with its line and what was meant`() {
    let found = faults(
      """
      name: mine
      tilte: Mine
      range: 24x
      rows:
        - importence: 3
          panels:
            - {stat: cots}
            - {table: cost, by: [modle]}
            - {heatmap: latency_p95}
            - {stat: cost, by: [model]}
            - {bar: cost, by: [model], where: "site ="}
            - {graph: cost}
            - {stat: cost, window: soon, per: fortnight}
            - {table: cost, by: [model], thresholds: {cots: {warning: 1}}}
      """)
    #expect(
      found.contains {
        $0.hasPrefix(
          "mine.yaml line 2: unknown key \"tilte\" of a dashboard; did you mean \"title\"?")
      })
    #expect(
      found.contains(
        "mine.yaml line 3: range: expected a length of time from 1m to 366d, such as 24h"))
    #expect(
      found.contains {
        $0.contains("line 5: unknown key \"importence\" of a row; did you mean \"importance\"?")
      })
    #expect(found.contains { $0.contains("line 7:") && $0.contains("cots") && $0.contains("cost") })
    #expect(
      found.contains { $0.contains("line 8:") && $0.contains("modle") && $0.contains("model") })
    #expect(
      found.contains("mine.yaml line 9: a heatmap needs by: what it is grouped by, such as [model]")
    )
    #expect(found.contains("mine.yaml line 10: a stat is one figure and has no by"))
    #expect(found.contains { $0.contains("line 11:") })
    #expect(found.contains { $0.contains("line 12:") })
    #expect(
      found.contains(
        "mine.yaml line 13: window: expected range, month or a length of time such as 5m"))
    #expect(found.contains("mine.yaml line 13: per: expected second, minute, hour or day"))
    #expect(found.contains { $0.contains("line 14:") && $0.contains("did you mean \"cost\"?") })
  }

  @Test(arguments: [
    ("", "mine.yaml: expected a dashboard: name, title, range and rows"),
    ("- a", "mine.yaml line 1: expected a dashboard: name, title, range and rows"),
    ("name: x\nrows: []\n", "mine.yaml line 1: the dashboard has no panel"),
    ("name: x\nrows: {}\n", "mine.yaml line 2: rows: expected a list of rows, each with panels"),
    ("name: [\n", "mine.yaml line 2: not YAML: "),
  ])
  func `what is no dashboard is refused`(text: String, fault: String) {
    #expect(faults(text).first?.hasPrefix(fault) == true, "\(faults(text))")
  }

  @Test func `a panel has what its lines say`() throws {
    let (board, faults) = BoardFile.read(
      Array(
        """
        name: mine
        range: 6h
        rows:
          - height: 7
            panels:
              - {timeseries: cost, per: hour, where: "site = 'a'", weight: 3}
              - table: cost, latency_p95
                by: [model, "model, site"]
                thresholds: {latency_p95: {warning: 2000, trouble: 5000}}
        """.utf8), file: "mine.yaml")
    #expect(faults.isEmpty)
    let panels = try #require(board?.panels)
    #expect(board?.range == 6 * CivilTime.hour)
    #expect(panels[0].rate == .hour && panels[0].filter == "site = 'a'" && panels[0].weight == 3)
    #expect(panels[1].groupings == [["model"], ["model", "site"]])
    #expect(panels[1].thresholds["latency_p95"]?.trouble == 5000)
  }
}
