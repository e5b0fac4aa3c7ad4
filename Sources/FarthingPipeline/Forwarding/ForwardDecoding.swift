package import FarthingCore
package import FarthingStore

/// A forwarded body after decoding and pricing.
package struct DecodedForward: Sendable {
  /// Events of one source of some neighbouring sections.
  struct Group: Sendable {
    var batch: ChargedBatch
    /// The sections' sequence numbers and the line of the group at which each begins, ascending.
    var sections: [(sequence: Int64, firstLine: Int)]
    /// The last section of the group.
    var lastSequence: Int64
  }

  package var head: ForwardHead
  var groups: [Group] = []
  /// Refusals and warnings; nothing is accepted yet.
  package var receipt = IngestReceipt()

  package var eventCount: Int { groups.reduce(0) { $0 + $1.batch.decoded.events.count } }

  /// Memory that the events take, in bytes, about.
  package var footprint: Int { groups.reduce(0) { $0 + $1.batch.footprint } }

  /// Text that is decoded at once: a piece and its events stay in the cache.
  private static let groupBytes = 512 << 10

  /// Decodes the sections of a body.
  ///
  /// - Parameters:
  ///   - text: the body, expanded.
  ///   - charge: prices a batch under the name of its source.
  ///   - now: Unix nanoseconds; a time more than a day after it is refused.
  /// - Returns: nil where the text is not as many sections as the head says.
  /// - Complexity: O(n) in the bytes of the text.
  package init?(
    _ text: [UInt8], _ head: ForwardHead, listedErrors: Int, now: Int64,
    charge: (DecodedBatch, String) -> ChargedBatch
  ) {
    self.head = head
    guard let sections = ForwardSection.sections(of: text), sections.count == head.records else {
      return nil
    }
    // What collectors made of other formats passed their rules at the site.
    var native = EventDecoder(now: now)
    var foreign = EventDecoder(now: now, from: .otherFormat)
    var place = 0
    while place < sections.count {
      let source = sections[place].source
      var piece: [UInt8] = []
      var starts: [(sequence: Int64, firstLine: Int)] = []
      var line = 1
      while place < sections.count, sections[place].source == source,
        piece.isEmpty || piece.count + sections[place].place.count <= Self.groupBytes
      {
        starts.append((head.first + Int64(place), line))
        piece += text[sections[place].place]
        line += sections[place].lines
        place += 1
      }
      let decoded =
        source == SourceFormat.events.rawValue ? native.decode(piece) : foreign.decode(piece)
      for rejection in decoded.rejections {
        receipt.add(rejection, input: nil, limit: listedErrors)
      }
      receipt.add(unknownFields: decoded.unknownFields)
      groups.append(
        Group(
          batch: charge(decoded, source), sections: starts,
          lastSequence: head.first + Int64(place) - 1))
    }
  }

  /// Its sources, how many events each has, and the newest time among them, Unix nanoseconds.
  package var sources: [(source: String, events: Int, newest: Int64?)] {
    groups.map { group in
      (
        group.batch.source, group.batch.decoded.events.count,
        group.batch.decoded.events.lazy.map(\.time).max()
      )
    }
  }

  /// What of it is not stored yet, with the position behind each batch.
  ///
  /// - Parameter known: how far the store has the stream.
  package func batches(
    after known: ForwardPosition
  ) -> [(batch: ChargedBatch, progress: SourceProgress)] {
    groups.compactMap { group in
      guard group.lastSequence > known.sequence else { return nil }
      var batch = group.batch
      let sections = group.sections
      func isStored(_ line: Int) -> Bool {
        let place = Self.place(ofLine: line, in: sections)
        if place.sequence != known.sequence + 1 { return place.sequence <= known.sequence }
        return place.line < known.lines
      }
      let first = batch.decoded.events.firstIndex { !isStored($0.line) }
      let stored = first ?? batch.decoded.events.count
      if stored > 0 {
        batch.decoded.events.removeFirst(stored)
        batch.charges.removeFirst(stored)
      }
      let lines = batch.decoded.events.map(\.line)
      let (stream, agent) = (head.stream, head.agent)
      let end = ForwardPosition(sequence: group.lastSequence, agent: agent).position(stream)
      return (
        batch,
        SourceProgress(
          end: end,
          before: { place in
            let next = Self.place(ofLine: lines[place], in: sections)
            return ForwardPosition(sequence: next.sequence - 1, lines: next.line, agent: agent)
              .position(stream)
          })
      )
    }
  }

  /// The section that a line of a group belongs to, and how many lines of it come before.
  private static func place(
    ofLine line: Int, in sections: [(sequence: Int64, firstLine: Int)]
  ) -> (sequence: Int64, line: Int) {
    var low = 0
    var high = sections.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if sections[middle].firstLine <= line { low = middle } else { high = middle }
    }
    return (sections[low].sequence, line - sections[low].firstLine)
  }
}
