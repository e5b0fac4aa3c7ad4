import Testing

@testable import FarthingCore

@Suite("Did you mean")
struct SuggestionTests {
  private static let names = ["ingest", "query", "events", "prices", "generate"]

  @Test(arguments: [
    ("qury", "query"), ("queyr", "query"), ("Query", "query"), ("event", "events"),
    ("injest", "ingest"), ("generat", "generate"),
  ])
  func `a slip of the fingers finds the name`(word: String, name: String) {
    #expect(Suggestion.nearest(to: word, among: Self.names) == name)
  }

  @Test(arguments: ["serve", "top", "", "x", "sqlsqlsql"])
  func `another word finds none`(word: String) {
    #expect(Suggestion.nearest(to: word, among: Self.names) == nil)
  }

  @Test func `case and dashes do not count, and a swap is one edit`() {
    let names = ["input_tokens", "output_tokens", "Retry_Storm"]
    #expect(Suggestion.nearest(to: "INPUT-tokens", among: names) == "input_tokens")
    #expect(Suggestion.nearest(to: "retry-strom", among: names) == "Retry_Storm")
    #expect(Suggestion.editDistance(Array("ab"), Array("ba"), limit: 2) == 1)
  }

  @Test func `a part of a name finds it where nothing is nearer`() {
    let names = ["cost", "cost_per_query", "cached_input_tokens"]
    #expect(Suggestion.nearest(to: "cost_per", among: names) == "cost_per_query")
    #expect(Suggestion.nearest(to: "tokens", among: names) == "cached_input_tokens")
    #expect(Suggestion.nearest(to: "per", among: names) == nil)
  }

  @Test func `a long word is no slip and costs nothing`() {
    let word = String(repeating: "a", count: 1_000_000)
    #expect(Suggestion.nearest(to: word, among: [word]) == nil)
  }
}
