/// One thing wrong with a price list: where, what was found, what was expected, and the remedy.
package struct PriceListFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The list's name, usually its file's.
  package let file: String
  /// 1-based; nil where the fault has no line.
  package let line: Int?
  /// A sentence without its place and without a full stop.
  package let message: String

  package init(file: String, line: Int?, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  package var description: String {
    line.map { "\(file) line \($0): \(message)" } ?? "\(file): \(message)"
  }
}

/// All faults of a list that was refused.
package struct PriceListRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one, by line.
  package let faults: [PriceListFault]

  package var description: String {
    faults.map(\.description).joined(separator: "\n")
  }
}
