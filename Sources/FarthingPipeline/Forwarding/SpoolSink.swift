package import FarthingCore
package import FarthingStore

/// The spool as collectors see it: what it has accepted survives a crash, and is the server's to count.
///
/// Nobody knows here which events are duplicates; the server leaves them out.
package struct SpoolSink: FollowSink, EventSink {
  private let spool: Spool
  private let site: String?
  private let bell: Doorbell

  /// - Parameters:
  ///   - site: the `site` of requests that name none; nil to leave them without.
  ///   - bell: rung with each append.
  package init(_ spool: Spool, site: String?, bell: Doorbell) {
    self.spool = spool
    self.site = site
    self.bell = bell
  }

  /// Keeps what arrived together, all of it or nothing.
  ///
  /// - Throws: `diskFull` while the spool is full; see ``Spool/append(_:)``.
  package func append(
    _ batches: [(batch: ChargedBatch, receivedTime: Int64)]
  ) async throws(StoreError) {
    try await spool.append(ForwardSection.entries(batches, site: site))
    bell.ring()
  }

  /// Whether something may be appended: the spool and its disk have room.
  ///
  /// - Throws: `diskFull`, `closed`.
  package func probe() async throws(StoreError) { try await spool.probe() }

  package func append(
    _ batch: ChargedBatch, receivedTime: Int64
  ) async throws -> AppendCount {
    try await append(batch, receivedTime: receivedTime, progress: nil)
  }

  package func append(
    _ batch: ChargedBatch, receivedTime: Int64, progress: SourceProgress?
  ) async throws -> AppendCount {
    try await spool.append(
      ForwardSection.entries(batch, receivedTime: receivedTime, site: site, progress: progress))
    bell.ring()
    return AppendCount(accepted: batch.decoded.events.count, duplicates: 0)
  }

  package func flush() async throws {}

  package func positions() async -> [SourcePosition] { await spool.positions }
}
