internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore
internal import Synchronization

// `farthing ingest --follow`: runs until SIGINT, SIGTERM or the end of standard input.

extension IngestCommand {
  /// Follows the files and prints the receipt at the end.
  func follow(_ options: Ingestion.Options, _ settings: Settings) async throws {
    guard options.format.map({ [.events, .litellm].contains($0) }) ?? true else {
      throw CommandFailure.usage(
        "--follow reads lines; \(format) has whole responses, which are files of their own")
    }
    var following = Following.Options()
    following.format = options.format ?? .events
    following.mapping = options.mapping
    following.eventBytes = settings.eventBytes
    following.listedErrors = settings.listedErrors
    following.isFromEnd = fromEnd
    StopSignal.install()
    let store = try await StoreAccess.writer(settings)
    let log = FollowLog(isDrawn: Console.showsProgress)
    let around = Following.Surroundings(
      clock: { HostProcess.now() }, pause: { try? await Task.sleep(for: .milliseconds(200)) },
      isStopping: { StopSignal.isReceived }, note: { log.note($0) },
      onRound: { log.round($0, $1) })
    var run = Following(
      files.isEmpty ? ["-"] : files, options: following, book: store.book, sink: store,
      around: around)
    do {
      let receipt = try await run.run()
      log.clear()
      try await store.close()
      try reportFollowing(receipt)
      if strict && receipt.rejected > 0 { throw CommandFailure.failed(nil) }
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      log.clear()
      try? await store.close()
      throw CommandFailure.failed(
        "\(error)\n          what was stored stays, with its place in each file; the same command goes "
          + "on from there")
    }
  }

  private func reportFollowing(_ receipt: IngestReceipt) throws {
    if output == .json {
      try Console.result(ReceiptText.json(receipt))
      return
    }
    for note in ReceiptText.notes(receipt, singleInput: nil) { Console.note("farthing: \(note)") }
    try Console.result(ReceiptText.summary(receipt))
  }
}

/// What a person is told while files are followed: one line that is redrawn, or one a minute.
private final class FollowLog: Sendable {
  private struct State {
    var lastLine: Int64
    var lastTotal = 0
    var isDrawn = false
    var refused = 0
  }

  private let isDrawn: Bool
  private let start = HostProcess.now()
  private let state: Mutex<State>

  init(isDrawn: Bool) {
    self.isDrawn = isDrawn
    state = Mutex(State(lastLine: start))
  }

  func note(_ text: String) {
    clear()
    Console.note("farthing: \(text.printable)")
  }

  func round(_ receipt: IngestReceipt, _ progress: IngestProgress) {
    let now = HostProcess.now()
    let interval: Int64 = isDrawn ? 500_000_000 : 60_000_000_000
    let isDue = state.withLock { state in
      guard now - state.lastLine >= interval, progress.events != state.lastTotal else {
        return false
      }
      state.lastLine = now
      state.lastTotal = progress.events
      if isDrawn { state.isDrawn = true }
      return true
    }
    guard isDue else { return }
    let line = "following \(progress.input): \(ReceiptText.summary(receipt))"
    if isDrawn {
      let columns = HostProcess.terminalColumns(.error) ?? 80
      Console.raw("\r\u{1B}[K" + line.truncated(to: columns - 1))
    } else {
      Console.note("farthing: \(line)")
    }
  }

  func clear() {
    let wasDrawn = state.withLock { state in
      defer { state.isDrawn = false }
      return state.isDrawn
    }
    if wasDrawn { Console.raw("\r\u{1B}[K") }
  }
}
