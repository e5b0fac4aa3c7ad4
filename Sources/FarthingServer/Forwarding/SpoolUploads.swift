internal import FarthingCore
package import FarthingPipeline
package import FarthingStore
internal import Synchronization

/// An agent's spool as the store of what clients upload to it.
package final class SpoolUploads: UploadStore {
  private let sink: SpoolSink
  private let note: @Sendable (String) -> Void
  /// Whether the spool is full, as far as people were told.
  private let isFull = Mutex(false)

  /// - Parameter note: tells a person that the spool is full, or has room again.
  package init(_ sink: SpoolSink, note: @escaping @Sendable (String) -> Void) {
    self.sink = sink
    self.note = note
  }

  /// What came together shares records and one sync. Duplicates are the server's to tell.
  package func append(_ uploads: [Upload]) async -> [Result<AppendResult, StoreError>] {
    do throws(StoreError) {
      try await sink.append(
        uploads.flatMap { upload in upload.batches.map { ($0, upload.receivedTime) } })
      tell(isFull: false)
      return uploads.map { upload in
        .success(
          AppendResult(
            accepted: upload.batches.reduce(0) { $0 + $1.decoded.events.count },
            duplicateLines: []))
      }
    } catch {
      if error.code == .diskFull { tell(isFull: true, error.message) }
      return Array(repeating: .failure(error), count: uploads.count)
    }
  }

  package func probe() async throws(StoreError) {
    try await sink.probe()
    tell(isFull: false)
  }

  private func tell(isFull now: Bool, _ words: String = "") {
    let hasChanged = isFull.withLock { isFull in
      defer { isFull = now }
      return isFull != now
    }
    guard hasChanged else { return }
    note(
      now
        ? "\(words); clients are told to come again, files wait"
        : "the spool has room again; events are taken")
  }
}
