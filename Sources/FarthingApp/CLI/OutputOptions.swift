internal import ArgumentParser

extension OutputFormat: ExpressibleByArgument {}

/// How an answer is to be written.
package struct OutputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("table, json, csv or chart.", valueName: "format"))
  package var output = OutputFormat.table

  package init() {}

  /// Writes the answer to standard output.
  ///
  /// - Parameter bucketWidth: The width of its time buckets in nanoseconds; nil where it has none.
  func write(_ answer: Answer, bucketWidth: Int64? = nil) throws {
    let renderer = Renderer(format: output, page: Console.page(), bucketWidth: bucketWidth)
    try renderer.render(answer) { try Console.result($0) }
  }
}
