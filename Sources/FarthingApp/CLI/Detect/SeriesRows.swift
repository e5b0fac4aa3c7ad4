internal import FarthingCore
internal import FarthingPipeline

/// One row of a series.
struct SeriesRow {
  /// As it stands in the input.
  var timestamp: ArraySlice<UInt8>
  /// Unix nanoseconds; nil where the text is no time.
  var time: Int64?
  /// As it stands in the input, without spaces around it; empty where the value is missing.
  var text: ArraySlice<UInt8>
  /// nil where the value is missing.
  var value: Double?
}

/// Why a row, or a part of it, could not be taken as it stands.
struct SeriesFault: Equatable {
  var line: Int
  var sentence: String
}

/// Reads the rows of a series out of CSV: a header and, under it, two columns.
///
/// The columns are those that the header calls `timestamp` and `value`, or what the caller calls them; where it calls none so, and there are
/// two, the first and the second. A first row that is a time and a number is no header. Empty lines are skipped. An empty cell, `NA`, `N/A`, `NaN`,
/// `null`, `nil`, `none`, `-`, `?` and an infinite number are missing values; whatever else is no number is one, too, and is named.
struct SeriesRows {
  private static let missing: Set<String> = [
    "", "na", "n/a", "nan", "null", "nil", "none", "-", "?", "inf", "+inf", "-inf", "infinity",
    "+infinity", "-infinity",
  ]

  private let timestampName: String?
  private let valueName: String?
  private var csv = CSVReader(CSVDialect())
  /// Places of the timestamp and the value; nil before the first record.
  private var columns: (timestamp: Int, value: Int)?
  /// The line on which the next record begins.
  private var line = 1

  init(timestampName: String?, valueName: String?) {
    self.timestampName = timestampName
    self.valueName = valueName
  }

  /// Passes over lines that hold no row.
  ///
  /// - Returns: The first of them.
  @discardableResult mutating func skip(lines: Int) -> Int {
    defer { line += lines }
    return line
  }

  /// Reads whole records.
  ///
  /// - Throws: ``CommandFailure`` where the header names no such columns.
  mutating func read(
    _ bytes: [UInt8], row: (SeriesRow) throws -> Void, fault: (SeriesFault) -> Void
  ) throws {
    var start = 0
    while start < bytes.count {
      let next = csv.read(bytes, from: start)
      defer {
        line += bytes[start..<next].count { $0 == UInt8(ascii: "\n") }
        start = next
      }
      if let broken = csv.fault {
        fault(SeriesFault(line: line, sentence: "expected \(broken.expected); left out"))
        continue
      }
      if csv.fields.count == 1, csv.fields[0].trimmedSpaces.isEmpty { continue }
      guard let columns else {
        if try readHeader() { continue }
        try row(self.row(columns ?? (0, 1), fault))
        continue
      }
      try row(self.row(columns, fault))
    }
  }

  /// Finds the columns.
  ///
  /// - Returns: Whether the record was a header; else it is the first row.
  private mutating func readHeader() throws(CommandFailure) -> Bool {
    var fields = csv.fields
    if let first = fields.first, first.starts(with: [0xEF, 0xBB, 0xBF]) {
      fields[0] = first.dropFirst(3)
    }
    let names = fields.map { String(decoding: $0.trimmedSpaces, as: UTF8.self) }
    func place(_ asked: String?, _ usual: String) throws(CommandFailure) -> Int? {
      let wanted = (asked ?? usual).lowercased()
      if let place = names.firstIndex(where: { $0.lowercased() == wanted }) { return place }
      guard let asked else { return nil }
      throw .failed(
        "line 1: no column \"\(asked.printable)\"; the header has \(Self.listed(names))")
    }
    let timestamp = try place(timestampName, "timestamp")
    let value = try place(valueName, "value")
    if let timestamp, let value {
      columns = (timestamp, value)
      return true
    }
    // What is no text at all may have a comma by chance.
    let isText = !names.contains { $0.contains("\u{FFFD}") || $0.utf8.contains { $0 < 0x20 } }
    guard timestampName == nil, valueName == nil, names.count == 2, timestamp == nil, value == nil,
      isText
    else {
      throw .failed(
        "line 1: expected a header with the columns timestamp and value, found "
          + "\(Self.listed(names)); --timestamp-column and --value-column name others")
    }
    columns = (0, 1)
    let isRow = SeriesTime.parse(fields[0]) != nil && Double(names[1]) != nil
    return !isRow
  }

  private static func listed(_ names: [String]) -> String {
    let shown = names.prefix(8).map { "\"\(String($0.prefix(40)).printable)\"" }
    return shown.joined(separator: ", ") + (names.count > shown.count ? ", …" : "")
  }

  private func row(
    _ columns: (timestamp: Int, value: Int), _ fault: (SeriesFault) -> Void
  ) -> SeriesRow {
    func cell(_ place: Int) -> ArraySlice<UInt8>? {
      place < csv.fields.count ? csv.fields[place] : nil
    }
    let timestamp = cell(columns.timestamp) ?? []
    let time = SeriesTime.parse(timestamp)
    if time == nil {
      fault(
        SeriesFault(
          line: line,
          sentence: "\"\(Self.excerpt(timestamp))\" is no time; the row counts by its order alone"))
    }
    var row = SeriesRow(timestamp: timestamp, time: time, text: [], value: nil)
    guard let text = cell(columns.value)?.trimmedSpaces else {
      fault(SeriesFault(line: line, sentence: "the row has no value; taken as missing"))
      return row
    }
    let word = String(decoding: text, as: UTF8.self)
    if let number = Double(word), number.isFinite {
      row.text = text
      row.value = number
    } else if !Self.missing.contains(word.lowercased()) {
      fault(
        SeriesFault(
          line: line, sentence: "\"\(Self.excerpt(text))\" is no number; taken as missing"))
    }
    return row
  }

  private static func excerpt(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix(64), as: UTF8.self).printable
  }
}
