import Foundation
import Testing

@testable import FarthingApp

@Suite("farthing inventory")
struct InventoryCommandTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    var lines: [String] = []
    func call(_ time: String, _ more: String) {
      lines.append(
        "{\"time\":\"\(time)\",\"model\":\"gpt-4o\",\"provider\":\"openai\",\"input_tokens\":1000,"
          + "\"output_tokens\":10,\(more)}")
    }
    for day in 10...19 {
      let endpoint = day % 2 == 0 ? "edge" : "pool-1"
      call(
        "2026-03-\(day)T10:00:00Z",
        "\"endpoint\":\"\(endpoint)\",\"identity\":\"svc-\(day % 3)\",\"tags\":{\"owner\":\"team-\(day % 2)\"},"
          + "\"site\":\"ber1\",\"data_class\":\"restricted\",\"jurisdiction\":\"EU\"")
    }
    call(
      "2026-03-15T11:22:33.5Z",
      "\"endpoint\":\"gw-old\",\"identity\":\"svc-0\",\"site\":\"iad1\",\"data_class\":\"restricted\","
        + "\"jurisdiction\":\"EU\"")
    call(
      "2026-03-16T10:00:00Z",
      "\"endpoint\":\"stranger\",\"site\":\"iad1\",\"data_class\":\"public\"")
    try folder.write("calls.ndjson", lines.joined(separator: "\n"))
    try folder.write(
      "registry.yaml",
      """
      endpoints:
        - edge
        - {name: pool-%, owner: platform}
        - {name: gw-old, retired: 2026-03-01}
      """)
    try folder.write(
      "farthing.yaml",
      """
      sites:
        - {site: ber1, jurisdiction: EU}
        - {site: iad1, jurisdiction: US}
      """)
    let run = try folder.farthing("ingest", "calls.ndjson")
    #expect(run.status == 0, "\(run.error)")
  }

  private func rows(_ words: String...) throws -> [[String: Any]] {
    let run = try CommandRun(
      ["inventory", "--config", "farthing.yaml", "--output", "json"] + words, in: folder.url,
      input: "", environment: [:])
    #expect(run.status == 0, "\(run.error)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
  }

  @Test func `each thing is there once with its first and last request and its sums`() throws {
    let rows = try rows()
    let names = rows.map { "\($0["kind"] ?? "") \($0["name"] ?? "")" }
    #expect(
      names == [
        "endpoint edge", "endpoint pool-1", "endpoint gw-old", "endpoint stranger", "model gpt-4o",
        "provider openai", "identity svc-0", "identity svc-1", "identity svc-2", "site ber1",
        "site iad1",
      ])
    let old = try #require(rows.first { $0["name"] as? String == "gw-old" })
    #expect(old["first_seen"] as? String == "2026-03-15T11:22:33.500Z")
    #expect(old["last_seen"] as? String == "2026-03-15T11:22:33.500Z")
    let model = try #require(rows.first { $0["kind"] as? String == "model" })
    #expect(model["first_seen"] as? String == "2026-03-10T10:00:00Z")
    #expect(model["last_seen"] as? String == "2026-03-19T10:00:00Z")
    #expect(model["requests"] as? Int == 12 && model["unpriced_requests"] as? Int == 0)
    let whole = try folder.farthing("query", "cost", "--output", "json")
    #expect(whole.output.contains("\"cost\":\"\(model["cost"] as? String ?? "none")\""))
    #expect(rows.first?["owner"] as? String == "team-0")
  }

  @Test func `a registry tells strangers, the retired, and owners`() throws {
    let rows = try rows("--by", "endpoint", "--registry", "registry.yaml")
    let flags = Dictionary(
      uniqueKeysWithValues: rows.map { ($0["name"] as? String ?? "", $0["flags"] as? String) })
    #expect(flags["stranger"] == "shadow, idle")
    #expect(flags["gw-old"] == "zombie, idle")
    #expect(flags["edge"] == "idle" && flags["pool-1"] == "idle")
    #expect(rows.first { $0["name"] as? String == "pool-1" }?["owner"] as? String == "platform")
    let without = try self.rows("--by", "endpoint")
    #expect(without.allSatisfy { $0["flags"] as? String == "idle" })
  }

  @Test
  func `restricted data outside of its jurisdiction is the site's, and only where both are known`()
    throws
  {
    let rows = try rows("--by", "site")
    #expect(rows.map { $0["flags"] as? String } == ["idle", "jurisdiction, idle"])
    #expect(
      (rows.last?["why"] as? String)?.hasPrefix(
        "in US, and served restricted requests: 1 that had to stay in EU") == true)
  }

  @Test func `a filter and a window narrow what is listed`() throws {
    #expect(try rows("--where", "site = 'iad1'", "--by", "endpoint").count == 2)
    let early = try rows("--until", "2026-03-12", "--by", "model")
    #expect(early.first?["last_seen"] as? String == "2026-03-11T10:00:00Z")
    #expect(try rows("--until", "2026-03-01").isEmpty)
  }

  @Test func `nonsense is refused with what was expected`() throws {
    let kind = try folder.farthing("inventory", "--by", "endpoints")
    #expect(kind.status == 2 && kind.error.contains("did you mean \"endpoint\"?"))
    for text in [
      "- a", "endpoint: [a]", "endpoints: a", "endpoints: [[a]]", "endpoints: [{nam: a}]",
      "endpoints: [{name: a, retired: soon}]", "\u{0}", "endpoints: [{name: \"\"}]",
    ] {
      try folder.write("wrong.yaml", text)
      let run = try folder.farthing("inventory", "--registry", "wrong.yaml")
      #expect(run.status == 2 && run.error.contains("wrong.yaml"), "\(text): \(run.error)")
    }
  }
}
