// How far a followed source was read, made durable with the events that were read up to there.
//
// The position travels in the payload of the log record that holds the events, so that a record is
// either there with its position or not there at all. When a commit of the catalogue gives up log
// files, it lists the newest positions in the same transaction. A position carries the sequence
// number of its record: of two for one source the greater holds, wherever they are found.

/// How far one source was read. The store keeps it and does not look inside.
package struct SourcePosition: Sendable, Equatable {
  /// What tells the source from all others; at most 256 bytes.
  package var source: String
  /// The reader's own words; at most 8 KiB. Empty: the source is forgotten.
  package var state: [UInt8]

  package init(source: String, state: [UInt8]) {
    self.source = source
    self.state = state
  }
}

/// The positions that belong to a batch of one source.
///
/// A batch may need several records of the log, of which a crash may leave the first ones only. So
/// each record is given the position up to its own last event.
package struct SourceProgress: Sendable {
  /// The position behind the whole batch.
  package var end: SourcePosition
  /// The position from which the event at a place of the batch, and all behind it, would be read.
  package var before: @Sendable (_ place: Int) -> SourcePosition

  package init(
    end: SourcePosition, before: @escaping @Sendable (_ place: Int) -> SourcePosition
  ) {
    self.end = end
    self.before = before
  }
}

/// A position as the catalogue lists it.
package struct SourceEntry: Sendable, Equatable {
  package var position: SourcePosition
  /// The log record that said so.
  package var sequence: Int64

  var checksum: Int64 {
    var sum = RowChecksum(table: "sources")
    sum.add(position.source)
    sum.add(position.state)
    sum.add(sequence)
    return sum.value
  }
}

/// The newest position of each source.
struct SourcePositions: Sendable, Equatable {
  private(set) var entries: [String: SourceEntry] = [:]

  init(_ listed: [SourceEntry] = []) {
    for entry in listed { entries[entry.position.source] = entry }
  }

  /// Takes positions of a log record, unless newer ones are known.
  mutating func take(_ positions: [SourcePosition], sequence: Int64) {
    for position in positions
    where entries[position.source].map({ $0.sequence <= sequence }) ?? true {
      entries[position.source] = SourceEntry(position: position, sequence: sequence)
    }
  }

  /// What a catalogue that lists `listed` lacks.
  func changes(since listed: [SourceEntry]) -> [SourceEntry] {
    let known = Dictionary(uniqueKeysWithValues: listed.map { ($0.position.source, $0.sequence) })
    return entries.values.filter { entry in
      known[entry.position.source].map { $0 < entry.sequence } ?? !entry.position.state.isEmpty
    }.sorted { $0.position.source < $1.position.source }
  }
}
