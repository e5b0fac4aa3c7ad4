// Uploads of many clients at once: one turn of the writer, one wait for the sync that they share.

package import FarthingCore

/// What one client sent and waits for the answer to.
package struct Upload: Sendable {
  /// In the order in which the events were sent.
  package var batches: [ChargedBatch]
  /// When it arrived, Unix nanoseconds.
  package var receivedTime: Int64
  /// How far the batches' source is read, one for each; none where it keeps no position here. A batch
  /// whose position is durable comes before all that follow it.
  package var progress: [SourceProgress]

  package init(
    batches: [ChargedBatch], receivedTime: Int64, progress: [SourceProgress] = []
  ) {
    self.batches = batches
    self.receivedTime = receivedTime
    self.progress = progress
  }
}

/// Collects what became of the batches of several uploads; belongs to the writer's thread.
private final class UploadOutcomes {
  private var results: [Result<AppendResult, StoreError>]
  private var open = 0
  private var waiter: CheckedContinuation<[Result<AppendResult, StoreError>], Never>?

  init(count: Int) {
    results = Array(
      repeating: .success(AppendResult(accepted: 0, duplicateLines: [])), count: count)
  }

  /// Notes a batch that waits for its sync.
  func begin() { open += 1 }

  func add(_ part: AppendResult, to upload: Int) {
    guard case .success(var result) = results[upload] else { return }
    result.accepted += part.accepted
    result.duplicateLines += part.duplicateLines
    results[upload] = .success(result)
  }

  func end(_ failure: StoreError?, of upload: Int) {
    if let failure { results[upload] = .failure(failure) }
    open -= 1
    answerIfComplete()
  }

  func answer(_ waiter: CheckedContinuation<[Result<AppendResult, StoreError>], Never>) {
    self.waiter = waiter
    answerIfComplete()
  }

  private func answerIfComplete() {
    guard open == 0, let waiter else { return }
    self.waiter = nil
    waiter.resume(returning: results)
  }
}

extension StoreWriter {
  /// Stores the events of several uploads whose ids are new within the window, by way of the log.
  ///
  /// - Returns: what became of each, once all of them are durable or refused: as
  ///   ``append(_:receivedTime:durability:progress:)``, for each upload by itself. Of an upload of
  ///   several batches that fails, the first ones may be stored; its ids make it safe to send again.
  /// - Complexity: one sync for all of them where they are small; O(events) otherwise.
  package func append(_ uploads: [Upload]) async -> [Result<AppendResult, StoreError>] {
    do throws(StoreError) {
      try await waitForSealRoom()
      await waitForLogRoom()
      guard !isClosed else { throw Self.closedError }
      if let now = uploads.map(\.receivedTime).max() {
        index.advance(to: now)
        if uploads.contains(where: \.hasIDs) { try readStoredIDs(now: now) }
      }
    } catch {
      return Array(repeating: .failure(error), count: uploads.count)
    }
    let outcomes = UploadOutcomes(count: uploads.count)
    var hasDuplicates = false
    for (place, upload) in uploads.enumerated() {
      for (number, batch) in upload.batches.enumerated() {
        let progress = upload.progress.indices.contains(number) ? upload.progress[number] : nil
        let sorted = sortOut(batch.decoded)
        hasDuplicates = hasDuplicates || !sorted.duplicateLines.isEmpty
        outcomes.add(
          AppendResult(
            accepted: sorted.selection.count, duplicateLines: sorted.duplicateLines), to: place)
        if sorted.selection.isEmpty, progress == nil, !isCommitting, pending.isEmpty { continue }
        outcomes.begin()
        enqueue(batch, sorted, receivedTime: upload.receivedTime, progress) { failure in
          outcomes.end(failure, of: place)
        }
      }
    }
    startCommitting()
    var results = await withCheckedContinuation { outcomes.answer($0) }
    // What a duplicate repeats may have come past the log and be in a buffer only.
    if hasDuplicates, unloggedAppends > flushedAppends {
      do throws(StoreError) {
        try await flush()
      } catch {
        results = Array(repeating: .failure(error), count: uploads.count)
      }
    }
    return results
  }
}

extension Upload {
  fileprivate var hasIDs: Bool {
    batches.contains { $0.decoded.events.contains { $0.range(of: .id) != nil } }
  }
}
