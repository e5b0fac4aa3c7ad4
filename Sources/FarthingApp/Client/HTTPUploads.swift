internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore
internal import Synchronization

/// Bodies of events to a server over HTTP.
final class HTTPUploads: UploadTransport {
  /// Nanoseconds for which a body is tried again before the command gives up.
  private static let patience: Int64 = 120_000_000_000

  private let server: RemoteServer
  private let isInterrupted: @Sendable () -> Bool
  /// Whether the server has answered yet: what never answered is more likely a wrong URL than away.
  private let hasAnswered = Atomic(false)

  init(_ server: RemoteServer, isInterrupted: @escaping @Sendable () -> Bool) {
    self.server = server
    self.isInterrupted = isInterrupted
  }

  func upload(
    _ body: [UInt8], format: SourceFormat, isLines: Bool
  ) async throws -> UploadOutcome {
    let path = format == .events ? "/v1/events" : "/v1/collect/\(format.rawValue)"
    let type: String? =
      isLines ? "application/x-ndjson" : format == .events ? "application/json" : nil
    let start = HostProcess.monotonic()
    var pause: Int64 = 500_000_000
    while true {
      var failure: CommandFailure
      var wait = pause
      do {
        let answer = try await server.post(path, body, type: type)
        hasAnswered.store(true, ordering: .relaxed)
        if let receipt = Self.receipt(answer) { return .taken(receipt) }
        if answer.status == 413 { return .tooLarge }
        failure = answer.status == 200 ? server.isNoFarthing : Self.failed(server.refusal(answer))
        guard [429, 502, 503, 504].contains(answer.status) else { throw failure }
        if let seconds = RemoteServer.pause(answer) {
          guard seconds <= Self.patience / 1_000_000_000 else { throw failure }
          wait = max(wait, seconds * 1_000_000_000)
        }
      } catch let error as CommandFailure {
        throw error
      } catch {
        failure = server.unreachable(error)
        guard hasAnswered.load(ordering: .relaxed) else { throw failure }
      }
      let spent = HostProcess.monotonic() - start
      guard spent + wait <= Self.patience else { throw failure }
      Console.note("farthing: \(failure.message ?? "the server is busy"); trying again")
      try await sleep(wait, or: failure)
      pause = min(pause * 2, 30_000_000_000)
    }
  }

  /// Words that a server does not take are no fault of the command line: status 1.
  private static func failed(_ failure: CommandFailure) -> CommandFailure {
    .failed(failure.message)
  }

  /// Sleeps in short steps, so that a signal ends the command at once.
  private func sleep(_ nanoseconds: Int64, or failure: CommandFailure) async throws {
    let end = HostProcess.monotonic() + nanoseconds
    while HostProcess.monotonic() < end {
      if isInterrupted() { throw failure }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  private static func receipt(_ answer: ServerCaller.Answer) -> IngestReceipt? {
    guard answer.status == 200 || answer.status == 400, let tree = try? JSONTree(answer.body)
    else { return nil }
    return IngestReceipt(json: tree.root)
  }
}
