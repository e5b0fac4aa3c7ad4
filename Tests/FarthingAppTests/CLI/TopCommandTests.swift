import Foundation
import Testing

@testable import FarthingApp

@Suite("farthing top")
struct TopCommandTests {
  private func folder() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    var lines: [String] = []
    for step in 0..<60 {
      let minute = step < 10 ? "0\(step)" : "\(step)"
      lines.append(
        "{\"time\":\"2026-03-01T10:\(minute):00Z\",\"id\":\"r\(step)\",\"model\":\"gpt-4o\",\"provider\":\"openai\","
          + "\"workload\":\"w\(step % 2)\",\"site\":\"fra\\u200b1\",\"input_tokens\":1000000,"
          + "\"output_tokens\":0,\"latency_ms\":100}")
    }
    lines.append(
      "{\"time\":\"2026-03-01T10:30:00Z\",\"id\":\"u\",\"model\":\"nobody-knows-it\",\"input_tokens\":5,\"output_tokens\":5}"
    )
    try folder.write("events.ndjson", lines.joined(separator: "\n") + "\n")
    let run = try folder.farthing("ingest", "events.ndjson", "--data", "store")
    #expect(run.status == 0)
    return folder
  }

  @Test func `once prints a frame of what is stored, as it stood then`() throws {
    let folder = try folder()
    let run = try folder.farthing("top", "--once", "--data", "store", "--size", "160x50")
    #expect(run.status == 0)
    #expect(run.output.split(separator: "\n", omittingEmptySubsequences: false).count == 51)
    #expect(run.output.contains("24h to 2026-03-01 10:59:01"))
    #expect(run.output.contains("paused"))
    // 60 requests of a million input tokens at 2.50 dollars.
    #expect(run.output.contains("$150.00"))
    #expect(run.output.contains("gpt-4o"))
    #expect(run.output.contains("98% priced"))
    #expect(run.output.contains("unpriced"))
    #expect(run.output.contains("no server has watched this store"))
    #expect(!run.output.utf8.contains(0x1B))
  }

  @Test func `plain is sentences, and every format is of the same moment`() throws {
    let folder = try folder()
    let plain = try folder.farthing(
      "top", "--plain", "--data", "store", "--at", "2026-03-01T10:30:00Z")
    #expect(plain.status == 0)
    #expect(plain.output.hasPrefix("Farthing, Overview, 24h to 2026-03-01 10:30:00 UTC, paused.\n"))
    #expect(plain.output.contains("fra\\u{200B}1: cost $75.000"))
    let svg = try folder.farthing("top", "--output", "svg", "--data", "store")
    #expect(svg.output.hasPrefix("<svg") && svg.output.hasSuffix("</svg>\n"))
    let html = try folder.farthing("top", "--output", "html", "--data", "store", "--theme", "light")
    #expect(html.output.hasPrefix("<!doctype html>"))
  }

  @Test func `a filter and a dashboard of one's own hold`() throws {
    let folder = try folder()
    try folder.write("mine.yaml", "name: mine\nrows:\n  - panels: [{stat: requests}]\n")
    let run = try folder.farthing(
      "top", "--once", "--data", "store", "--dashboard", "mine.yaml", "--where", "workload = 'w0'")
    #expect(run.status == 0)
    #expect(run.output.contains("30"))
    let check = try folder.farthing("dashboard", "check", "mine.yaml")
    #expect(check.status == 0)
    #expect(check.output == "mine.yaml: mine, 1 rows, 1 panels\n")
  }

  @Test func `what is wrong is said with status 2`() throws {
    let folder = try ScratchFolder()
    let run = try folder.farthing("top", "--once", "--dashboard", "overveiw")
    #expect(run.status == 2)
    #expect(run.error.contains("there is no dashboard \"overveiw\"; did you mean \"overview\"?"))
    for words in [
      ["--size", "1x1"], ["--range", "soon"], ["--at", "soon"], ["--where", "site ="],
    ] {
      let run = try CommandRun(
        ["top", "--once"] + words, in: folder.url, input: "", environment: [:])
      #expect(run.status == 2, "\(words)")
    }
    try folder.write("bad.yaml", "rows:\n  - panels: [{stat: cots}]\n")
    let check = try folder.farthing("dashboard", "check", "bad.yaml", "none.yaml")
    #expect(check.status == 2)
    #expect(check.error.contains("bad.yaml line 2: "))
    #expect(check.error.contains("none.yaml"))
  }

  @Test func `an empty folder has a frame too`() throws {
    let folder = try ScratchFolder()
    let run = try folder.farthing("top", "--once", "--data", "nothing")
    #expect(run.status == 0)
    #expect(run.output.contains("live"))
  }
}
