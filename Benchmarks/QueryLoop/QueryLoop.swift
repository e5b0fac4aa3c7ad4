// Opens a store once and answers questions from standard input, so that a query can be timed
// without the start of a process, as the benchmark times the other engines.
//
//     farthing-query-loop --data FOLDER
//     farthing-query-loop --columns FOLDER     the bytes of each column, and what reading it costs
//     farthing-query-loop --data FOLDER --events FILE     questions about single steps too
//
// A question is a line in the words of the HTTP API: `query?metrics=…&by=…` or `events?columns=…`,
// form-encoded. An answer is a line `ok BYTES` or `error BYTES`, then that many bytes: the JSON that
// the command line prints, or the sentence that says what is wrong. The end of the input ends it.
// `step?name=decode` does a step of `Kernels.Step` with the events of the file.

internal import FarthingApp
internal import FarthingQuery
internal import FarthingStore
internal import Foundation

@main
enum QueryLoop {
  static func main() {
    let arguments = CommandLine.arguments
    let hasEvents = arguments.count == 5 && arguments[1] == "--data" && arguments[3] == "--events"
    guard hasEvents || arguments.count == 3, ["--data", "--columns"].contains(arguments[1]) else {
      FileHandle.standardError.write(
        Data("usage: farthing-query-loop --data | --columns FOLDER [--events FILE]\n".utf8))
      exit(2)
    }
    do {
      let snapshot = try StoreReader.snapshot(
        directory: arguments[2], cache: arguments[1] == "--data" ? BlockCache() : nil)
      // A figure over a store with holes would compare nothing.
      if let damage = snapshot.damage.first {
        FileHandle.standardError.write(Data("\(damage.message)\n".utf8))
        exit(1)
      }
      if arguments[1] == "--columns" {
        return print(try ColumnTable(snapshot).lines().joined(separator: "\n"))
      }
      let kernels = hasEvents ? try Kernels(path: arguments[4]) : nil
      while let line = nextQuestion() {
        let question = QuestionText(line)
        if let kernels, question.kind == "step" {
          step(question, kernels)
        } else {
          answer(question, over: snapshot)
        }
      }
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      exit(1)
    }
  }

  /// The next line. `thresholds.py` knows this function by its name: what happens between two calls is
  /// one question.
  @inline(never)
  private static func nextQuestion() -> String? { readLine() }

  private static func step(_ question: QuestionText, _ kernels: Kernels) {
    var text = "error 0\n"
    if let step = Kernels.Step(rawValue: question.words["name"] ?? "") {
      do {
        let said = try kernels.run(step) + "\n"
        text = "ok \(said.utf8.count)\n\(said)"
      } catch {
        text = "error \("\(error)".utf8.count)\n\(error)"
      }
    }
    FileHandle.standardOutput.write(Data(text.utf8))
  }

  private static func answer(_ question: QuestionText, over snapshot: StoreSnapshot) {
    var bytes: [UInt8] = []
    var state = "ok"
    do {
      let result = try rows(question, over: snapshot)
      Renderer(format: .json, page: Page()).render(Answer(result)) { bytes += $0 }
    } catch {
      state = "error"
      bytes = Array(error.message.utf8)
    }
    FileHandle.standardOutput.write(Data("\(state) \(bytes.count)\n".utf8) + bytes)
  }

  private static func rows(
    _ question: QuestionText, over snapshot: StoreSnapshot
  ) throws(QueryError) -> QueryResult {
    let words = question.words
    let now = Int64(Date().timeIntervalSince1970) * 1_000_000_000
    let executor = QueryExecutor()
    switch question.kind {
    case "query":
      let plan = try QueryPlan.parse(
        QueryWords(
          metrics: words["metrics"] ?? "", by: words["by"], filter: words["where"],
          since: words["since"], until: words["until"], every: words["every"],
          order: words["order"], limit: words["limit"]),
        now: now)
      return try executor.run(plan, over: snapshot)
    case "events":
      let plan = try EventsPlan.parse(
        columns: words["columns"], filter: words["where"], since: words["since"],
        until: words["until"], limit: words["limit"], now: now)
      return try executor.run(plan, over: snapshot)
    default:
      throw QueryError(.usage, "\"\(question.kind)\" is neither query nor events")
    }
  }
}
