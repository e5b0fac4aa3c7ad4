internal import FarthingDetection

/// Writes rows with their scores, as CSV or as JSON.
struct ScoredSeries {
  enum Form { case csv, json }

  private let form: Form
  /// The score from which a row is an alarm.
  private let threshold: Double
  private let isExplained: Bool
  private let onlyAlarms: Bool
  /// Text not written yet.
  private(set) var bytes: [UInt8] = []
  private var hasRows = false
  private(set) var rows = 0
  private(set) var alarms = 0

  init(form: Form, threshold: Double, isExplained: Bool, onlyAlarms: Bool) {
    self.form = form
    self.threshold = threshold
    self.isExplained = isExplained
    self.onlyAlarms = onlyAlarms
    guard form == .csv else {
      bytes.append(UInt8(ascii: "["))
      return
    }
    let columns =
      "timestamp,value,anomaly_score" + (isExplained ? ",alarm,novelty,view,nearest" : "")
    bytes.append(contentsOf: "\(columns)\n".utf8)
  }

  mutating func append(_ row: SeriesRow, _ verdict: UnivariateVerdict) {
    let isAlarm = verdict.score >= threshold && row.value != nil
    rows += 1
    if isAlarm { alarms += 1 }
    guard isAlarm || !onlyAlarms else { return }
    switch form {
    case .csv: appendCSV(row, verdict, isAlarm)
    case .json: appendJSON(row, verdict, isAlarm)
    }
  }

  mutating func finish() {
    if form == .json { bytes.append(contentsOf: hasRows ? "\n]\n".utf8 : "]\n".utf8) }
  }

  /// Hands out the text so far.
  mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  private mutating func appendCSV(
    _ row: SeriesRow, _ verdict: UnivariateVerdict, _ isAlarm: Bool
  ) {
    if row.time != nil {
      // A time has no byte that a cell could not hold; its form is the input's, spaces included.
      if row.timestamp.contains(UInt8(ascii: ",")) {
        quote(row.timestamp)
      } else {
        bytes += row.timestamp
      }
    } else {
      CSVText.append(text: String(decoding: row.timestamp, as: UTF8.self), to: &bytes)
    }
    bytes.append(UInt8(ascii: ","))
    bytes += row.text
    bytes.append(UInt8(ascii: ","))
    Self.append(verdict.score, to: &bytes)
    if isExplained {
      bytes += ",\(isAlarm),".utf8
      Self.append(verdict.novelty, to: &bytes)
      bytes += ",\(verdict.view ?? ""),\(verdict.nearest.map { "\($0)" } ?? "")".utf8
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func quote(_ text: ArraySlice<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    bytes += text
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendJSON(
    _ row: SeriesRow, _ verdict: UnivariateVerdict, _ isAlarm: Bool
  ) {
    bytes += (hasRows ? ",\n  {\"timestamp\":" : "\n  {\"timestamp\":").utf8
    hasRows = true
    JSONText.append(string: String(decoding: row.timestamp, as: UTF8.self), to: &bytes)
    bytes += ",\"value\":\(row.value.map { "\($0)" } ?? "null"),\"anomaly_score\":".utf8
    Self.append(verdict.score, to: &bytes)
    if isExplained {
      bytes += ",\"alarm\":\(isAlarm),\"novelty\":".utf8
      Self.append(verdict.novelty, to: &bytes)
      bytes += ",\"view\":\(verdict.view.map { "\"\($0)\"" } ?? "null")".utf8
      bytes += ",\"nearest\":\(verdict.nearest.map { "\($0)" } ?? "null")".utf8
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// Six decimals, cut and not rounded: what is below a threshold does not read as having reached it.
  private static func append(_ value: Double, to bytes: inout [UInt8]) {
    let millionths = UInt64(max(0, min(value, 1e12)) * 1e6)
    DecimalBytes.append(Int128(millionths / 1_000_000), to: &bytes)
    bytes.append(UInt8(ascii: "."))
    DecimalBytes.append(millionths % 1_000_000, digits: 6, to: &bytes)
    while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
  }
}
