/// The limits of a store's writer; each default says where it comes from.
package struct StoreOptions: Sendable {
  /// How long an id is remembered, nanoseconds. Seven days, as the event contract says.
  package var deduplicationWindow: Int64 = 7 * 86_400 * 1_000_000_000
  /// Rows after which a buffer is sealed; at most what a segment holds.
  package var segmentRows = SegmentFormat.maximumRows
  /// Memory after which a buffer is sealed although it has fewer rows.
  package var bufferBytes = 96 << 20
  /// Buffers that wait for the disk; appends wait beyond. With the active one of each kind this
  /// bounds the writer's memory.
  package var maximumSealingBuffers = 2
  /// Size after which a new log file begins. 64 MiB are read back in under a second.
  package var logFileBytes = 64 << 20
  /// Log files after which everything is sealed, so that recovery stays bounded.
  package var maximumLogFiles = 4
  /// Payload that may wait for the log; appends wait beyond.
  package var maximumPendingBytes = 64 << 20
  /// Payload that shares one sync. Larger groups only add to the wait of those in them.
  package var groupBytes = 8 << 20
  /// Small segments of a kind, neighbours in arrival, that are merged as soon as so many are there.
  package var compactionFanIn = 8
  /// The longest time, nanoseconds, that a merge brings together; nil for any. Retention drops whole
  /// segments, so rows that are merged go together.
  package var mergedSpan: Int64?
  /// What the LOCK file says; nil for this process.
  package var holder: LockHolder?

  package init() {}
}

/// How an append becomes durable.
package enum AppendDurability: Sendable, Equatable {
  /// The append returns once its events are in the log and synced.
  case log
  /// The append returns at once; its events are durable when ``StoreWriter/flush()`` returns.
  /// For bulk loads, which can be repeated.
  case segment
}

/// What became of a batch.
package struct AppendResult: Sendable, Equatable {
  /// Events that were new.
  package var accepted: Int
  /// Lines of the events whose id the store knew already, in order.
  package var duplicateLines: [Int]

  package init(accepted: Int, duplicateLines: [Int]) {
    self.accepted = accepted
    self.duplicateLines = duplicateLines
  }
}
