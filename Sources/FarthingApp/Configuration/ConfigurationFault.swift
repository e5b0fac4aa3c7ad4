internal import FarthingCore

/// One thing that is wrong with the configuration.
package struct ConfigurationFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// A file's name, or the variable of the environment.
  package var place: String
  /// 1-based; nil where the fault has no line.
  package var line: Int?
  /// A sentence without its place and without a full stop.
  package var message: String

  package init(place: String, line: Int?, message: String) {
    self.place = place
    self.line = line
    self.message = message
  }

  package var description: String {
    line.map { "\(place) line \($0): \(message)" } ?? "\(place): \(message)"
  }

  /// Faults that are told at once; the others are counted.
  static let listed = 50

  /// All faults as one message, a line each.
  static func text(_ faults: [ConfigurationFault]) -> String {
    var lines = faults.prefix(listed).map(\.description)
    if faults.count > listed { lines.append("and \(faults.count - listed) more") }
    return lines.joined(separator: "\n          ")
  }
}

extension String {
  /// A value of the configuration as a message may show it: shortened, and withheld where it could
  /// be a secret.
  var shownValue: String {
    if contains("frt_") { return "(withheld)" }
    return count > 80 ? "\"\(String(prefix(80)).printable)…\"" : "\"\(printable)\""
  }
}
