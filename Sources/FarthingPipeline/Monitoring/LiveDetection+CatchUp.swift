internal import FarthingCore
package import FarthingDetection
package import FarthingStore

extension LiveDetection {
  /// How much of the past is learned from where nothing was kept.
  private static let lesson = 35 * CivilTime.day

  /// Observes what a store holds and this has not seen: all that arrived behind its place, or, without a
  /// place, the last five weeks.
  ///
  /// - Returns: what happened to incidents meanwhile.
  /// - Throws: where a block is damaged.
  /// - Complexity: O(rows that are new to it); blocks that hold none are not read.
  package mutating func catchUp(
    with snapshot: StoreSnapshot, now: Int64, isInterrupted: () -> Bool = { false }
  ) throws(StoreError) -> [IncidentChange] {
    guard let position else {
      return try learn(from: snapshot, now: now, isInterrupted: isInterrupted)
    }
    var engine = engine
    var observations: [Observation] = []
    var last = position
    let segments = snapshot.requests + snapshot.outcomes + snapshot.capacities
    for segment in segments {
      let blocks = (0..<segment.blockCount).filter { block in
        segment.zone(.receivedTime, block: block).map { $0.maximum > position } ?? true
      }
      guard !blocks.isEmpty else { continue }
      // What is not caught up with now is by the next start: the place stays.
      if isInterrupted() { return [] }
      let reader = try ObservationReader(segment, nil)
      for block in blocks {
        var found: [Observation] = []
        try reader.read(block, since: nil, until: nil, &engine, into: &found)
        for observation in found where observation.receivedTime > position {
          last = max(last, observation.receivedTime)
          observations.append(observation)
        }
      }
    }
    // By their times, so that however much there is its oldest is not late.
    let order = observations.indices.sorted {
      (observations[$0].time, $0) < (observations[$1].time, $1)
    }
    var changes: [IncidentChange] = []
    var newest = self.newest
    for place in order {
      let observation = observations[place]
      if observation.time <= now, !observation.isAhead {
        newest = max(newest ?? observation.time, observation.time)
        changes += engine.advance(to: observation.time - Self.lateness)
      }
      engine.observe(observation)
    }
    learned(engine, position: last, newest: newest)
    return changes
  }

  /// Learns history; what it would have raised then is nobody's concern now.
  private mutating func learn(
    from snapshot: StoreSnapshot, now: Int64, isInterrupted: () -> Bool
  ) throws(StoreError) -> [IncidentChange] {
    let segments = snapshot.requests + snapshot.outcomes + snapshot.capacities
    guard let end = segments.map(\.maximumTime).max() else { return [] }
    var engine = engine
    var events = StoredObservations(
      snapshot, since: min(end, now) - Self.lesson, until: nil, selection: nil)
    // What arrives now is not late because something stored lies ahead of the clock.
    let latest = now - Self.lateness
    var newest: Int64?
    try events.forEach(naming: &engine, isInterrupted: isInterrupted) { engine, observation in
      if !observation.isAhead, observation.time <= now {
        newest = max(newest ?? observation.time, observation.time)
        _ = engine.advance(to: min(observation.time, latest))
      }
      engine.observe(observation)
    }
    // Half a lesson is none: the next start learns anew.
    if isInterrupted() { return [] }
    var last = Int64.min
    for segment in segments {
      for block in 0..<segment.blockCount {
        let zone = segment.zone(.receivedTime, block: block)
        last = max(last, zone?.maximum ?? segment.minimumReceivedTime)
      }
    }
    learned(engine, position: last, newest: newest)
    return []
  }
}
