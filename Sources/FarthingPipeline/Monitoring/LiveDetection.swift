package import FarthingCore
package import FarthingDetection

/// The detection engine of a running server, and how far it has seen the stream.
///
/// The stream is the log's order; a place in it is the time of arrival that events are stored with, which
/// grows with that order. What a restart finds behind the kept place is observed again from the store.
package struct LiveDetection: Sendable {
  /// How far behind the newest event buckets are closed: calls that end late and agents that send by
  /// the minute still count.
  package static let lateness = 2 * CivilTime.minute
  /// A stream whose newest event is older than this is history, or has stopped: buckets are closed by
  /// its events then and not by the clock, so that silence is not taken for zeros.
  static let silence = 15 * CivilTime.minute

  package private(set) var engine: DetectionEngine
  /// The arrival up to which all was observed, Unix nanoseconds; nil before the first event.
  package private(set) var position: Int64?
  /// The newest time of an event that was not ahead of the clock, Unix nanoseconds.
  private(set) var newest: Int64?
  private var watermark = Int64.min

  package init(settings: DetectionSettings) { engine = DetectionEngine(settings: settings) }

  /// Observes the new events of a batch; what was observed before is left out.
  ///
  /// - Parameter receivedAt: the time of arrival that they are stored with.
  package mutating func observe(
    _ batch: ChargedBatch, _ places: [Int], receivedAt: Int64, now: Int64
  ) {
    if let position, receivedAt <= position { return }
    position = receivedAt
    engine.observe(batch, receivedAt: receivedAt, accepted: places)
    for place in places {
      let time = batch.decoded.events[place].time
      if time <= now { newest = max(newest ?? time, time) }
    }
  }

  /// Notes that sites are heard although they may have nothing to tell.
  package mutating func hear(sites: [String], now: Int64) {
    guard newest != nil, !sites.isEmpty else { return }
    for site in sites { engine.hear(site: site, at: now) }
    newest = max(newest ?? now, now)
  }

  /// Closes what is due by the clock.
  ///
  /// - Returns: what happened to incidents since the last call.
  package mutating func advance(now: Int64) -> [IncidentChange] {
    guard let newest else { return [] }
    let end = now - newest < Self.silence ? now : newest
    watermark = max(watermark, end - Self.lateness)
    return engine.advance(to: watermark)
  }

  /// Whether it has closed what is not over yet, so that nothing that happens now would be seen.
  ///
  /// - Parameter now: Unix nanoseconds.
  package func isAhead(of now: Int64) -> Bool {
    max(watermark, engine.watermark ?? .min) > now
  }

  // MARK: - At rest

  private static let magic: UInt64 = 0x4661_7274_4C69_7631

  /// The state as bytes.
  ///
  /// - Complexity: O(state of the engine).
  package var kept: [UInt8] {
    var bytes: [UInt8] = []
    for word in [
      Self.magic, UInt64(bitPattern: position ?? .min), UInt64(bitPattern: newest ?? .min),
      UInt64(bitPattern: watermark),
    ] {
      for shift in stride(from: 0, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return bytes + engine.snapshot()
  }

  /// nil for what another version kept, or for damaged bytes.
  package init?(kept bytes: [UInt8], settings: DetectionSettings) {
    guard bytes.count >= 32 else { return nil }
    let words = (0..<4).map { word in
      (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[word * 8 + $1]) << UInt64($1 * 8) }
    }
    guard words[0] == Self.magic,
      let engine = DetectionEngine(snapshot: Array(bytes[32...]), settings: settings)
    else { return nil }
    self.engine = engine
    let times = words[1...].map { Int64(bitPattern: $0) }
    position = times[0] == .min ? nil : times[0]
    newest = times[1] == .min ? nil : times[1]
    watermark = times[2]
  }

  /// Takes over an engine that has seen history up to a place.
  ///
  /// - Parameters:
  ///   - position: the newest arrival of it.
  ///   - newest: the newest time of its events.
  package mutating func learned(_ engine: DetectionEngine, position: Int64?, newest: Int64?) {
    self.engine = engine
    self.position = position
    self.newest = newest
    watermark = engine.watermark ?? .min
  }
}
