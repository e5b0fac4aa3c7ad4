/// The Prometheus text format, version 0.0.4, written family by family.
struct MetricsText {
  private(set) var text = ""

  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  enum Kind: String {
    case counter
    case gauge
    case histogram
  }

  /// Begins a family; its samples follow.
  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  /// - Parameter value: a number as it is to be read.
  mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: String) {
    text += name
    if !labels.isEmpty {
      let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }
      text += "{" + pairs.joined(separator: ",") + "}"
    }
    text += " " + value + "\n"
  }

  mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Int) {
    sample(name, labels, String(value))
  }

  /// A family of one sample.
  mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: String) {
    family(name, kind, help)
    sample(name, [], value)
  }

  /// The samples of one histogram of durations; its bounds in seconds.
  mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: Histogram) {
    var below = 0
    for (place, bound) in histogram.bounds.enumerated() {
      below += histogram.counts[place]
      sample(name + "_bucket", labels + [("le", Self.seconds(bound))], below)
    }
    sample(name + "_bucket", labels + [("le", "+Inf")], histogram.count)
    sample(name + "_sum", labels, Self.seconds(histogram.sum))
    sample(name + "_count", labels, histogram.count)
  }

  /// Nanoseconds as decimal seconds, exactly.
  static func seconds(_ nanoseconds: Int64) -> String {
    let whole = nanoseconds / 1_000_000_000
    let rest = nanoseconds % 1_000_000_000
    guard rest != 0 else { return String(whole) }
    let digits = String(abs(rest))
    var fraction = String(repeating: "0", count: 9 - digits.utf8.count) + digits
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return (whole == 0 && rest < 0 ? "-0" : String(whole)) + "." + fraction
  }

  /// A label's value: what could end it or its line is escaped, control characters are shown as `?`.
  static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      case _ where scalar.properties.generalCategory == .control: text += "?"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
