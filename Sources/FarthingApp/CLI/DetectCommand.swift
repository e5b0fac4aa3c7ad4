package import ArgumentParser
internal import FarthingCore
internal import FarthingDetection
internal import FarthingPipeline
internal import FarthingStore

/// `farthing detect`: scores of the rows of any series.
package struct DetectCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Score each row of a series: how new is what it does?",
    discussion: """
      farthing detect latency.csv
      farthing query cost --every 5m --output csv | farthing detect --timestamp-column time \
      --value-column cost --alarms --explain -

      Reads CSV with a header, columns timestamp and value, plain, gzip or zstd, and prints it with a \
      third column, anomaly_score, from 0 to 1; from 0.5 a row is an alarm. A score depends on no later row. \
      Needs no store and no settings: what a series has not done before is new, whatever the series is.
      """)

  @Argument(
    help: ArgumentHelp("The series; - is standard input, the default.", valueName: "file"),
    completion: .file())
  package var file = "-"
  @Option(help: ArgumentHelp("Column of the times, instead of timestamp.", valueName: "name"))
  package var timestampColumn: String?
  @Option(help: ArgumentHelp("Column of the values, instead of value.", valueName: "name"))
  package var valueColumn: String?
  @Option(help: ArgumentHelp("csv or json.", valueName: "format"))
  package var output = OutputFormat.csv
  @Option(
    help: ArgumentHelp("The score from which a row is an alarm, 0 to 1.", valueName: "score"))
  package var threshold = 0.5
  @Flag(help: "Print alarms only.")
  package var alarms = false
  @Flag(
    help:
      "Add columns: alarm, novelty (1 is new), the view that is farthest off, the nearest value that it knows."
  )
  package var explain = false
  @Flag(help: "Exit with 1 where a row could not be read; the others are scored all the same.")
  package var strict = false

  /// Faults that are told each; the others are counted.
  private static let listedFaults = 10
  /// A record is a time and a number; one that is this long is none.
  private static let longestRecord = 1 << 20

  package init() {}

  package mutating func run() throws {
    guard output == .csv || output == .json else {
      throw CommandFailure.usage("scores are written as csv or json, not as \(output)")
    }
    guard (0...1).contains(threshold) else {
      throw CommandFailure.usage("--threshold \(threshold): expected a number from 0 to 1")
    }
    if file == "-", HostProcess.isTerminal(.input) {
      throw CommandFailure.usage("name the file of the series, or - to read from the terminal")
    }
    let input = IngestInput(word: file)
    let faults = try score(input)
    if faults > Self.listedFaults {
      Console.note("farthing: \(faults - Self.listedFaults) more rows of \(input.name) like these")
    }
    if strict, faults > 0 { throw CommandFailure.failed(nil) }
  }

  /// Reads, scores and writes.
  ///
  /// - Returns: How many rows, or parts of them, could not be read.
  private func score(_ input: IngestInput) throws -> Int {
    let source = try DecompressedInput(try input.open())
    var reader = PieceReader(
      limits: InputLimits(eventBytes: Self.longestRecord), layout: .records(CSVDialect())
    ) { buffer, count in try source.read(appendingTo: &buffer, count: count) }
    var rows = SeriesRows(timestampName: timestampColumn, valueName: valueColumn)
    var detector = UnivariateDetector()
    var scored = ScoredSeries(
      form: output == .json ? .json : .csv, threshold: threshold, isExplained: explain,
      onlyAlarms: alarms)
    var faults = 0
    func tell(_ fault: SeriesFault) {
      faults += 1
      guard faults <= Self.listedFaults else { return }
      Console.note("farthing: \(input.name) line \(fault.line): \(fault.sentence)")
    }
    do {
      while let piece = try reader.next() {
        switch piece.content {
        case .lines(let bytes), .document(let bytes, _):
          try rows.read(
            bytes, row: { scored.append($0, detector.observe($0.value, at: $0.time)) }, fault: tell)
        case .oversized(let rejection):
          tell(
            SeriesFault(
              line: rows.skip(lines: 1), sentence: "expected \(rejection.expected); left out"))
        }
        rows.skip(lines: piece.blankLinesAtEnd)
        try Console.result(scored.take())
      }
    } catch let failure as CommandFailure {
      throw CommandFailure.failed("\(input.name) \(failure.message ?? "cannot be read")")
    }
    scored.finish()
    try Console.result(scored.take())
    return faults
  }
}
