import Foundation
import Testing

@Suite("Repricing from the command line")
struct RepricingCommandTests {
  private let folder: ScratchFolder

  private static let events = [
    #"{"time":"2026-03-09T10:00:00Z","id":"a1","model":"atlas","provider":"acme","input_tokens":1000,"cached_input_tokens":400,"output_tokens":200}"#,
    #"{"time":"2026-03-09T12:00:00Z","id":"a2","model":"atlas","provider":"acme","input_tokens":2000,"output_tokens":100}"#,
    #"{"time":"2026-03-10T12:00:00Z","id":"a3","model":"atlas","provider":"acme","input_tokens":2000,"output_tokens":100}"#,
    #"{"time":"2026-03-10T13:00:00Z","id":"a4","model":"borealis","provider":"acme","input_tokens":2000,"output_tokens":100,"reported_cost_usd":"0.5"}"#,
    #"{"time":"2026-03-10T14:00:00Z","id":"a5","model":"atlas","provider":"acme","response_cache":"hit","input_tokens":2000,"output_tokens":100}"#,
  ]

  private static func cards(_ model: String, _ input: String) -> String {
    "cards:\n  - {model: \(model), provider: acme, prices: {input: \(input), output: 15}}\n"
  }

  init() throws {
    folder = try ScratchFolder()
    try folder.write("events.ndjson", Self.events.joined(separator: "\n"))
    try folder.write("borealis.yaml", Self.cards("borealis", "1"))
    try folder.write("atlas.yaml", Self.cards("atlas", "3"))
    try folder.write("later.yaml", Self.cards("atlas", "2"))
    #expect(try folder.farthing("prices", "import", "borealis.yaml").status == 0)
    #expect(try folder.farthing("ingest", "events.ndjson").status == 0)
  }

  private func query(_ words: String...) throws -> String {
    let run = try CommandRun(["query"] + words + ["--output", "csv"], in: folder.url)
    #expect(run.error == "" && run.status == 0)
    return run.output
  }

  @Test func `a model that is priced later is shown, applied once and recorded`() throws {
    #expect(try folder.farthing("prices", "import", "atlas.yaml").status == 0)
    let missing = try folder.farthing("prices", "missing")
    #expect(missing.error.contains("\"farthing prices reprice\""))
    let table = """
      day,model,requests,changed,cost_before,cost_after,difference,unpriced_before,unpriced_after,prices_before,prices_after
      2026-03-09,atlas,2,2,0,0.0135,0.0135,2,0,,atlas.yaml#2/acme/atlas
      2026-03-10,atlas,2,2,0,0.0075,0.0075,1,0,,atlas.yaml#2/acme/atlas
      total,,5,4,0.0035,0.0245,0.021,3,0,,

      """
    let dryRun = try folder.farthing("prices", "reprice", "--dry-run", "--output", "csv")
    #expect(dryRun.output == table && dryRun.status == 0)
    #expect(dryRun.error.hasPrefix("farthing: 4 of 5 requests would change; nothing was written."))
    #expect(try query("cost,unpriced_requests") == "cost,unpriced_requests\n0.0035,3\n")

    let applied = try folder.farthing(
      "prices", "reprice", "--reason", "late list", "--output", "csv")
    #expect(applied.output == table && applied.status == 0)
    #expect(applied.error.hasPrefix("farthing: repricing 1 applied: 4 of 5 requests changed, "))
    #expect(
      try query("cost,unpriced_requests,reported_cost,cache_savings")
        == "cost,unpriced_requests,reported_cost,cache_savings\n0.0245,0,0.5,0.0075\n")
    #expect(
      try query("cost,unpriced_requests", "--prices", "booked")
        == "cost,unpriced_requests\n0.0035,3\n")

    let again = try folder.farthing("prices", "reprice", "--output", "csv")
    #expect(
      again.output
        == table.components(separatedBy: "\n")[0] + "\ntotal,,5,0,0.0245,0.0245,0,0,0,,\n")
    #expect(again.error == "farthing: nothing changes: 5 requests have today's prices already\n")
    let history = try folder.farthing("prices", "repricings", "--output", "json")
    #expect(history.output.contains(#""id":1,"#) && !history.output.contains(#""id":2,"#))
    #expect(history.output.contains(#""reason":"late list","selection":null,"requests":5"#))
    #expect(history.output.contains(#""cost_before":"0.0035","cost_after":"0.0245""#))
    #expect(history.output.contains(" borealis.yaml#1 atlas.yaml#2\""))
  }

  @Test func `a selection limits what changes, and events tell what they were booked at`() throws {
    #expect(try folder.farthing("prices", "import", "atlas.yaml").status == 0)
    #expect(try folder.farthing("prices", "reprice").status == 0)
    #expect(try folder.farthing("prices", "import", "later.yaml").status == 0)
    let some = try folder.farthing(
      "prices", "reprice", "--since", "2026-03-10", "--where", "response_cache is null",
      "--output", "csv")
    #expect(some.output.contains("\n2026-03-10,atlas,1,1,0.0075,0.0055,-0.002,0,0,"))
    #expect(some.output.hasSuffix("\ntotal,,2,1,0.011,0.009,-0.002,0,0,,\n"))
    let columns = "id,cost,cost_state,price,booked_cost,booked_cost_state,booked_price"
    let events = try folder.farthing("events", "--columns", columns, "--output", "csv")
    #expect(
      events.output == """
        \(columns)
        a1,0.006,priced,atlas.yaml#2/acme/atlas,,unpriced,
        a2,0.0075,priced,atlas.yaml#2/acme/atlas,,unpriced,
        a3,0.0055,priced,later.yaml#3/acme/atlas,,unpriced,
        a4,0.0035,priced,borealis.yaml#1/acme/borealis,0.0035,priced,borealis.yaml#1/acme/borealis
        a5,0,priced,atlas.yaml#2/acme/atlas,0,priced,

        """)
    let booked = try folder.farthing(
      "events", "--columns", "id,cost,price", "--where", "cost > 0", "--prices", "booked",
      "--output", "csv")
    #expect(booked.output == "id,cost,price\na4,0.0035,borealis.yaml#1/acme/borealis\n")
    let history = try folder.farthing("prices", "repricings", "--output", "csv")
    #expect(
      history.output.contains(
        ",since 2026-03-10T00:00:00Z where response_cache is null,2,1,0.011,0.009,0,0,1,"))
  }

  @Test func `wrong words and a folder without a store are refused`() throws {
    let words = try folder.farthing("prices", "reprice", "--where", "cots > 1")
    #expect(words.status == 2 && words.error.contains("cots"))
    let view = try folder.farthing("query", "cost", "--prices", "boked")
    #expect(view.status == 2)
    #expect(view.error == "farthing: prices: \"boked\" is neither current nor booked\n")
    let nowhere = try folder.farthing("prices", "reprice", "--data", "nowhere")
    #expect(nowhere.status == 1 && nowhere.output == "")
    #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "nowhere").path))
    let none = try folder.farthing("prices", "repricings", "--data", "nowhere", "--output", "json")
    #expect(none.output == "[]\n")
  }
}
