internal import ArgumentParser
internal import FarthingQuery

extension OutputFormat: ExpressibleByArgument {}

/// How an answer is to be written.
package struct OutputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("table, json, csv or chart.", valueName: "format"))
  package var output = OutputFormat.table

  package init() {}

  /// Writes the answer to standard output.
  ///
  /// - Parameters:
  ///   - bucketWidth: The width of its time buckets in nanoseconds; nil where it has none.
  ///   - zone: The zone whose clocks tables and charts show.
  func write(
    _ answer: Answer, bucketWidth: Int64? = nil, zone: TimeZoneRules = .utc
  ) throws {
    let renderer = Renderer(
      format: output, page: Console.page(), bucketWidth: bucketWidth, zone: zone)
    try renderer.render(answer) { try Console.result($0) }
  }
}
