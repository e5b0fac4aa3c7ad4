// Records of CSV, RFC 4180 and what is written in its manner: another separator, another quote or
// none, lines before the header. A quote has a meaning only where a field begins; inside a quoted
// field two quotes are one, and a line feed belongs to the field.

/// How the columns of a CSV text are told apart.
package struct CSVDialect: Sendable, Equatable {
  package var separator = UInt8(ascii: ",")
  /// nil: no byte quotes.
  package var quote: UInt8? = UInt8(ascii: "\"")
  /// Whether the first record names the columns.
  package var hasHeader = true
  /// The columns' names where no header does; empty for numbers from 1.
  package var columns: [String] = []
  /// Lines before the header or the first record.
  package var skippedLines = 0
  /// Lines that begin with it are comments; nil: none are.
  package var comment: UInt8?

  package init() {}

  /// Follows whether a place is between records, inside one, or in a quoted field of one.
  ///
  /// For cutting a text into pieces between records without reading its fields.
  package struct Boundary: Sendable {
    private enum State { case fieldStart, plain, quoted, quoteInQuoted }
    private var state = State.fieldStart

    package init() {}

    /// The end after the last record that ends in `bytes[start...]`, nil where none does.
    ///
    /// `start` must be where the last call's bytes ended, or the beginning of a record.
    package mutating func lastEnd(
      in bytes: [UInt8], from start: Int, _ dialect: CSVDialect
    ) -> Int? {
      var last: Int?
      for index in start..<max(start, bytes.count) {
        let byte = bytes[index]
        if byte == UInt8(ascii: "\n"), state != .quoted {
          last = index + 1
          state = .fieldStart
          continue
        }
        switch state {
        case .fieldStart:
          state = byte == dialect.quote ? .quoted : byte == dialect.separator ? .fieldStart : .plain
        case .plain: if byte == dialect.separator { state = .fieldStart }
        case .quoted: if byte == dialect.quote { state = .quoteInQuoted }
        case .quoteInQuoted:
          state = byte == dialect.quote ? .quoted : byte == dialect.separator ? .fieldStart : .plain
        }
      }
      return last
    }
  }
}

/// Reads one record after the other.
package struct CSVReader {
  package let dialect: CSVDialect
  /// The fields of the record read last, without their quotes.
  package private(set) var fields: [ArraySlice<UInt8>] = []
  /// Why the record read last is none; nil where it is.
  package private(set) var fault: (value: String, expected: String)?

  package init(_ dialect: CSVDialect) { self.dialect = dialect }

  /// Reads the record that begins at `start`.
  ///
  /// - Returns: where the next one begins.
  package mutating func read(_ bytes: [UInt8], from start: Int) -> Int {
    fields.removeAll(keepingCapacity: true)
    fault = nil
    var at = start
    while true {
      if at < bytes.count, let quote = dialect.quote, bytes[at] == quote {
        guard let next = readQuoted(bytes, from: at, quote: quote) else {
          return skipLine(bytes, from: at)
        }
        at = next
      } else {
        var end = at
        while end < bytes.count, bytes[end] != dialect.separator, bytes[end] != UInt8(ascii: "\n") {
          end += 1
        }
        let isLast = end == bytes.count || bytes[end] == UInt8(ascii: "\n")
        let content =
          isLast && end > at && bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
        fields.append(bytes[at..<content])
        at = end
      }
      if at < bytes.count, bytes[at] == dialect.separator {
        at += 1
        continue
      }
      return min(at + 1, bytes.count)
    }
  }

  /// The place of the separator or line feed behind the field; nil where it is broken.
  private mutating func readQuoted(_ bytes: [UInt8], from start: Int, quote: UInt8) -> Int? {
    var at = start + 1
    var segment = at
    var joined: [UInt8] = []
    while let close = bytes[at...].firstIndex(of: quote) {
      if close + 1 < bytes.count, bytes[close + 1] == quote {
        joined += bytes[segment...close]
        at = close + 2
        segment = at
        continue
      }
      if joined.isEmpty {
        fields.append(bytes[segment..<close])
      } else {
        joined += bytes[segment..<close]
        fields.append(joined[...])
      }
      var after = close + 1
      if after < bytes.count, bytes[after] == UInt8(ascii: "\r") { after += 1 }
      if after == bytes.count || bytes[after] == dialect.separator
        || bytes[after] == UInt8(ascii: "\n")
      {
        return after
      }
      fault = (
        excerpt(bytes, from: start), "a separator or the end of the line after a closing quote"
      )
      return nil
    }
    fault = (excerpt(bytes, from: start), "a closing quote")
    return nil
  }

  private func excerpt(_ bytes: [UInt8], from start: Int) -> String {
    String(decoding: bytes[start..<min(bytes.count, start + 64)], as: UTF8.self)
  }

  private func skipLine(_ bytes: [UInt8], from start: Int) -> Int {
    bytes[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
  }
}
