import Testing

@testable import FarthingApp

@Suite("The words of a command line")
struct CommandWordsTests {
  @Test func `options that hold everywhere move behind the command`() {
    #expect(
      CommandWords.normalised(["--data", "d", "--config=c", "query", "cost"])
        == ["query", "cost", "--data", "d", "--config=c"])
    #expect(
      CommandWords.normalised(["--data", "d", "ingest", "--", "--data"])
        == ["ingest", "--data", "d", "--", "--data"])
    #expect(CommandWords.normalised(["--data"]) == ["--data"])
    #expect(
      CommandWords.normalised(["query", "cost", "--limit", "-1", "--", "--limit", "-1"])
        == ["query", "cost", "--limit=-1", "--", "--limit", "-1"])
    #expect(CommandWords.normalised(["query", "cost"]) == ["query", "cost"])
  }
}
