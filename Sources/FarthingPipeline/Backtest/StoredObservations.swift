// Stored events as detection sees them, in the order of their time, in bounded memory.
//
// Blocks are read by rising least time. A request counts when it was over, which is after its start, so a row waits
// until no block that is left can hold an earlier one. Blocks of a store overlap little: what waits is a few blocks.

internal import FarthingCore
package import FarthingDetection
internal import FarthingQuery
package import FarthingStore

/// Reads a snapshot's events in the order of their time and hands them to an engine.
package struct StoredObservations {
  /// A block of some segment, and the time before which none of its rows lies.
  private struct Block {
    var segment: SegmentReader
    var number: Int
    var least: Int64
  }

  private let blocks: [Block]
  private let selection: (any RequestSelection)?
  private let since: Int64?
  private let until: Int64?
  private var waiting: [Observation] = []
  /// Rows handed over.
  package private(set) var count = 0

  /// - Parameters:
  ///   - since: first time that is read, nil for all; - until: first time that is not.
  ///   - selection: which requests count; nil for all. Outcomes and capacity always do.
  package init(
    _ snapshot: StoreSnapshot, since: Int64?, until: Int64?, selection: (any RequestSelection)?
  ) {
    var blocks: [Block] = []
    for segment in snapshot.requests + snapshot.outcomes + snapshot.capacities {
      if let until, segment.minimumTime >= until { continue }
      if let since, segment.maximumTime < since { continue }
      for number in 0..<segment.blockCount {
        let zone = segment.zone(.time, block: number)
        let least = zone?.minimum ?? segment.minimumTime
        if let until, least >= until { continue }
        if let since, let zone, zone.maximum < since { continue }
        blocks.append(Block(segment: segment, number: number, least: least))
      }
    }
    // A stable order: equal times as they arrived.
    self.blocks = blocks.enumerated().sorted {
      ($0.element.least, $0.offset) < ($1.element.least, $1.offset)
    }
    .map(\.element)
    self.selection = selection
    self.since = since
    self.until = until
  }

  /// Hands every event to `engine`, advancing it behind them, and every change to `body`.
  ///
  /// - Parameter isInterrupted: asked before each block; what was read until then stands.
  /// - Throws: ``StoreError`` where a block is damaged.
  package mutating func replay(
    into engine: inout DetectionEngine, isInterrupted: () -> Bool = { false },
    _ body: (IncidentChange) -> Void
  ) throws(StoreError) {
    try forEach(naming: &engine, isInterrupted: isInterrupted) { engine, observation in
      // Ten seconds behind each event: its bucket stays open, older ones are whole.
      if !observation.isAhead {
        for change in engine.advance(to: observation.time) { body(change) }
      }
      engine.observe(observation)
    }
  }

  /// Calls `body` with every event in the order of its time.
  ///
  /// - Parameter engine: numbers the names; `body` gets it with each event.
  /// - Throws: ``StoreError`` where a block is damaged.
  package mutating func forEach(
    naming engine: inout DetectionEngine, isInterrupted: () -> Bool = { false },
    _ body: (inout DetectionEngine, Observation) -> Void
  ) throws(StoreError) {
    var readers: [Int64: ObservationReader] = [:]
    for (place, block) in blocks.enumerated() {
      if isInterrupted() { return }
      let key = block.segment.segmentID &* 4 &+ Int64(block.segment.kind.rawValue)
      let reader: ObservationReader
      if let known = readers[key] {
        reader = known
      } else {
        reader = try ObservationReader(block.segment, selection)
        // The readers of a few segments are enough: their blocks overlap little.
        if readers.count >= 64 { readers.removeAll() }
        readers[key] = reader
      }
      try reader.read(block.number, since: since, until: until, &engine, into: &waiting)
      let next = place + 1 < blocks.count ? blocks[place + 1].least : Int64.max
      feed(&engine, before: next, body)
    }
    feed(&engine, before: .max, body)
  }

  private mutating func feed(
    _ engine: inout DetectionEngine, before next: Int64,
    _ body: (inout DetectionEngine, Observation) -> Void
  ) {
    guard !waiting.isEmpty else { return }
    var order = waiting.indices.map {
      UInt128(UInt64(bitPattern: waiting[$0].time ^ .min)) << 64 | UInt128(UInt64($0))
    }
    order.sort()
    var rest: [Observation] = []
    for entry in order {
      let place = Int(UInt64(truncatingIfNeeded: entry))
      guard waiting[place].time < next else {
        rest.append(waiting[place])
        continue
      }
      body(&engine, waiting[place])
      count += 1
    }
    waiting = rest
  }
}
