import Testing

@testable import FarthingApp

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

  @Test func `options that hold everywhere move behind the command`() {
    #expect(
      CommandWords.normalised(["--data", "d", "--config=c", "query", "cost"])
        == ["query", "cost", "--data", "d", "--config=c"])
    #expect(
      CommandWords.normalised(["--data", "d", "ingest", "--", "--data"])
        == ["ingest", "--data", "d", "--", "--data"])
    #expect(CommandWords.normalised(["--data"]) == ["--data"])
    #expect(CommandWords.normalised(["query", "cost"]) == ["query", "cost"])
  }
}
