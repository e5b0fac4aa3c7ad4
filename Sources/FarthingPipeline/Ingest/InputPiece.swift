package import FarthingCore

/// A run of whole events cut out of one input, small enough to be decoded at once.
package struct InputPiece: Sendable {
  package enum Content: Sendable {
    /// Lines of NDJSON, the last one ended by a line feed or by the end of the input.
    case lines([UInt8])
    /// One JSON value: an object, or an array of events. `isLast` is false where an array too long
    /// for one piece was cut between two elements.
    case document([UInt8], isLast: Bool)
    /// A line or an element that was too long to be kept; its bytes are gone.
    case oversized(EventRejection)
  }

  package var content: Content
  /// For ``Content/lines``: line feeds at the very end, past the last line that holds something.
  /// They count as lines and neither an event nor a refusal stands for them.
  package var blankLinesAtEnd: Int
  /// Where in the plain input the first byte of the content stands; counted back over brackets that
  /// were put before it.
  package var start = 0
  /// Bytes of the plain input that were read when the piece was cut.
  package var inputBytesRead: Int
}

/// How the events of an input lie in it.
package enum InputLayout: Sendable, Equatable {
  /// An event a line.
  case lines
  /// One JSON array of events.
  case array
  /// One JSON value over several lines: a single event, or a whole API response.
  case value
  /// Records of CSV, whose quoted fields may hold line feeds.
  case records(CSVDialect)
}

/// The sizes that bound the memory of one input.
package struct InputLimits: Sendable, Equatable {
  /// Size of a piece in bytes: large enough that handing it over costs nothing beside decoding it,
  /// small enough to stay in the second-level cache with the events made of it.
  package var pieceBytes: Int
  /// Longest line, array element or single JSON value in bytes; a longer one is refused by name.
  package var eventBytes: Int

  package init(pieceBytes: Int = 1 << 19, eventBytes: Int = 20 << 20) {
    self.pieceBytes = max(1, pieceBytes)
    self.eventBytes = max(1, eventBytes)
  }
}
