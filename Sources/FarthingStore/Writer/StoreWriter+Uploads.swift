// Uploads of many clients at once: one turn of the writer, one wait for the sync that they share.

package import FarthingCore

/// What one client sent and waits for the answer to.
package struct Upload: Sendable {
  /// In the order in which the events were sent.
  package var batches: [ChargedBatch]
  /// The same, laid out already; `batches` is empty then.
  package var prepared: [PreparedBatch]
  /// When it arrived, Unix nanoseconds.
  package var receivedTime: Int64
  /// How far the batches' source is read, one for each; none where it keeps no position here. A batch
  /// whose position is durable comes before all that follow it.
  package var progress: [SourceProgress]

  package init(
    batches: [ChargedBatch], receivedTime: Int64, progress: [SourceProgress] = []
  ) {
    self.batches = batches
    prepared = []
    self.receivedTime = receivedTime
    self.progress = progress
  }

  /// - Parameter prepared: by ``BatchPreparation/prepareForLog(_:)`` of the store that it goes to.
  package init(prepared: [PreparedBatch], receivedTime: Int64) {
    batches = []
    self.prepared = prepared
    self.receivedTime = receivedTime
    progress = []
  }
}

/// What of several uploads is stored in one step.
private enum UploadStep: Sendable {
  /// Rows, and which of them are whose: the uploads' events follow each other. Where their source keeps
  /// a position here, it is that of all of them.
  case rows(
    PreparedBatch, owners: [(upload: Int, count: Int)], receivedTime: Int64,
    position: SourcePosition? = nil)
  /// Events with positions of their source between them, one batch by itself.
  case events(ChargedBatch, SourceProgress, upload: Int, receivedTime: Int64)

  var hasIDs: Bool {
    switch self {
    case .rows(let batch, _, _, _): !batch.keys.isEmpty
    case .events(let batch, _, _, _):
      batch.decoded.events.contains { $0.range(of: .id) != nil }
    }
  }
}

extension BatchPreparation {
  /// Lays out what is not laid out yet: small batches of one source together, since a row costs less
  /// than a batch.
  fileprivate func steps(of uploads: [Upload]) -> [UploadStep] {
    var steps: [UploadStep] = []
    var small: [ChargedBatch] = []
    var owners: [(upload: Int, count: Int)] = []
    var count = 0
    var newest = Int64.min
    func join() {
      guard !small.isEmpty else { return }
      steps.append(.rows(prepareForLog(joining: small), owners: owners, receivedTime: newest))
      small.removeAll(keepingCapacity: true)
      owners.removeAll(keepingCapacity: true)
      count = 0
      newest = .min
    }
    for (place, upload) in uploads.enumerated() {
      for part in upload.prepared {
        join()
        steps.append(
          .rows(
            part, owners: [(place, part.eventCount)], receivedTime: upload.receivedTime))
      }
      for (number, batch) in upload.batches.enumerated() {
        let events = batch.decoded.events.count
        if upload.progress.indices.contains(number) {
          join()
          steps.append(
            positioned(
              batch, upload.progress[number], upload: place, receivedTime: upload.receivedTime))
        } else if events > RecordColumn.maximumRows {
          join()
          for part in prepareForLog(batch) {
            steps.append(
              .rows(
                part, owners: [(place, part.eventCount)], receivedTime: upload.receivedTime))
          }
        } else {
          if count + events > RecordColumn.maximumRows
            || small.last?.source ?? batch.source != batch.source
          {
            join()
          }
          small.append(batch)
          owners.append((place, events))
          count += events
          newest = max(newest, upload.receivedTime)
        }
      }
    }
    join()
    return steps
  }

  private func positioned(
    _ batch: ChargedBatch, _ progress: SourceProgress, upload: Int, receivedTime: Int64
  ) -> UploadStep {
    let count = batch.decoded.events.count
    if count <= RecordColumn.maximumRows {
      let prepared = prepareForLog(joining: [batch])
      if prepared.fitsOneRecord {
        return .rows(
          prepared, owners: [(upload, count)], receivedTime: receivedTime, position: progress.end)
      }
    }
    return .events(batch, progress, upload: upload, receivedTime: receivedTime)
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

  func end(_ failure: StoreError?, of uploads: [Int]) {
    if let failure {
      for upload in uploads { results[upload] = .failure(failure) }
    }
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
  /// Lays out on the caller's thread what is not laid out yet.
  /// - Returns: what became of each, once all of them are durable or refused: as
  ///   ``append(_:receivedTime:durability:progress:)``, for each upload by itself. Of an upload of
  ///   several batches that fails, the first ones may be stored; its ids make it safe to send again.
  /// - Complexity: one sync for all of them where they are small; O(events) otherwise.
  package nonisolated func append(
    _ uploads: [Upload]
  ) async -> [Result<AppendResult, StoreError>] {
    await append(
      preparation.steps(of: uploads), of: uploads.count,
      newest: uploads.map(\.receivedTime).max() ?? .min)
  }

  private func append(
    _ steps: [UploadStep], of count: Int, newest: Int64
  ) async -> [Result<AppendResult, StoreError>] {
    do throws(StoreError) {
      try await waitForSealRoom()
      await waitForLogRoom()
      guard !isClosed else { throw Self.closedError }
      if count > 0 {
        index.advance(to: newest)
        if steps.contains(where: \.hasIDs) { try readStoredIDs(now: newest) }
      }
    } catch {
      return Array(repeating: .failure(error), count: count)
    }
    let outcomes = UploadOutcomes(count: count)
    var hasDuplicates = false
    for step in steps {
      switch step {
      case .rows(let batch, let owners, let receivedTime, let position):
        let known = insert(batch.keys)
        hasDuplicates = hasDuplicates || !known.isEmpty
        enqueue(batch, known, owners, receivedTime: receivedTime, position, outcomes)
      case .events(let batch, let progress, let upload, let receivedTime):
        let sorted = sortOut(batch.decoded)
        hasDuplicates = hasDuplicates || !sorted.duplicateLines.isEmpty
        outcomes.add(
          AppendResult(
            accepted: sorted.selection.count, duplicateLines: sorted.duplicateLines), to: upload)
        outcomes.begin()
        enqueue(batch, sorted, receivedTime: receivedTime, progress) { failure in
          outcomes.end(failure, of: [upload])
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
        results = Array(repeating: .failure(error), count: count)
      }
    }
    return results
  }

  /// - Parameter known: places of keys whose ids are known, ascending.
  private func enqueue(
    _ batch: PreparedBatch, _ known: [Int], _ owners: [(upload: Int, count: Int)],
    receivedTime: Int64, _ position: SourcePosition?, _ outcomes: UploadOutcomes
  ) {
    let duplicates = known.map { batch.keyedEvents?[$0] ?? UInt32($0) }
    var next = 0
    var end = 0
    for owner in owners {
      end += owner.count
      var lines: [Int] = []
      while next < duplicates.count, Int(duplicates[next]) < end {
        lines.append(Int(batch.lines[Int(duplicates[next])]))
        next += 1
      }
      outcomes.add(
        AppendResult(accepted: owner.count - lines.count, duplicateLines: lines),
        to: owner.upload)
    }
    // Nothing new, and what is known already is durable.
    let isDone = position == nil && !isCommitting && pending.isEmpty
    if duplicates.count == batch.eventCount, isDone { return }
    var keys = batch.keys
    if !known.isEmpty {
      keys = []
      var skipped = known[...]
      for (place, key) in batch.keys.enumerated() {
        if skipped.first == place { skipped = skipped.dropFirst() } else { keys.append(key) }
      }
    }
    outcomes.begin()
    let uploads = owners.map(\.upload)
    enqueue(
      batch, without: duplicates, keys: keys, receivedTime: receivedTime, position: position
    ) { failure in
      outcomes.end(failure, of: uploads)
    }
  }
}
