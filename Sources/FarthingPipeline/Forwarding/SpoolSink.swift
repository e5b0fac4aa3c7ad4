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

  /// - Throws: `diskFull` while the spool is full; see ``Spool/append(_:)``.
  package func append(
    _ batches: [ChargedBatch], receivedTime: Int64, progress: SourceProgress? = nil
  ) async throws(StoreError) -> Int {
    var entries: [SpoolEntry] = []
    for batch in batches {
      entries += ForwardSection.entries(
        batch, receivedTime: receivedTime, site: site, progress: progress)
    }
    try await spool.append(entries)
    bell.ring()
    return batches.reduce(0) { $0 + $1.decoded.events.count }
  }

  package func append(
    _ batch: ChargedBatch, receivedTime: Int64
  ) async throws -> AppendCount {
    AppendCount(
      accepted: try await append([batch], receivedTime: receivedTime), duplicates: 0)
  }

  package func append(
    _ batch: ChargedBatch, receivedTime: Int64, progress: SourceProgress?
  ) async throws -> AppendCount {
    AppendCount(
      accepted: try await append([batch], receivedTime: receivedTime, progress: progress),
      duplicates: 0)
  }

  package func flush() async throws {}

  package func positions() async -> [SourcePosition] { await spool.positions }
}
