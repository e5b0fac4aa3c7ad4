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
  ///
  /// Where the spool has no room for all of them each is tried by itself: a large one must not keep out
  /// small ones that fit.
  package func append(_ uploads: [Upload]) async -> [Result<AppendResult, StoreError>] {
    do throws(StoreError) {
      let results = try await appendTogether(uploads)
      tell(isFull: false)
      return results.map { .success($0) }
    } catch {
      guard error.code == .diskFull else {
        return Array(repeating: .failure(error), count: uploads.count)
      }
    }
    var results: [Result<AppendResult, StoreError>] = []
    for upload in uploads {
      do throws(StoreError) {
        results += try await appendTogether([upload]).map { .success($0) }
      } catch {
        guard error.code == .diskFull, await hasRoom() else {
          if error.code == .diskFull { tell(isFull: true, error.message) }
          let rest = uploads.count - results.count
          return results + Array(repeating: .failure(error), count: rest)
        }
        results.append(
          .failure(StoreError(.limitExceeded, "the spool has no room for so much at once")))
      }
    }
    return results
  }

  private func appendTogether(_ uploads: [Upload]) async throws(StoreError) -> [AppendResult] {
    try await sink.append(
      uploads.flatMap { upload in upload.batches.map { ($0, upload.receivedTime) } })
    return uploads.map { upload in
      AppendResult(
        accepted: upload.batches.reduce(0) { $0 + $1.decoded.events.count }, duplicateLines: [])
    }
  }

  private func hasRoom() async -> Bool {
    do throws(StoreError) {
      try await sink.probe()
      return true
    } catch {
      return false
    }
  }

  /// A look at the spool costs next to nothing.
  package var isLowOnSpace: Bool { true }

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
