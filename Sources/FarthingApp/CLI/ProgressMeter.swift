internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore

/// One line on the terminal that says how far an ingest has come; redrawn ten times a second at
/// most, and only after the first half second, so that short runs stay silent.
final class ProgressMeter {
  private let isShown: Bool
  private let start = HostProcess.now()
  private var lastShown: Int64
  private var isDrawn = false

  init(isShown: Bool) {
    self.isShown = isShown
    lastShown = start + 400_000_000
  }

  func show(_ progress: IngestProgress) {
    guard isShown else { return }
    let now = HostProcess.now()
    guard now - lastShown >= 100_000_000 else { return }
    lastShown = now
    isDrawn = true
    let columns = HostProcess.terminalColumns(.error) ?? 80
    Console.raw("\r\u{1B}[K" + line(progress, now: now).truncated(to: columns - 1))
  }

  private func line(_ progress: IngestProgress, now: Int64) -> String {
    let done: String
    if let size = progress.size, size > 0 {
      let tenths = min(progress.bytesRead, size) * 1000 / size
      done = "\(tenths / 10).\(tenths % 10)% of \(ByteCountText.text(size))"
    } else {
      done = ByteCountText.text(progress.bytesRead)
    }
    let events = AmountText.readable(count: Int128(progress.events))
    let rate = Int128(progress.events) * 1_000_000_000 / Int128(max(1, now - start))
    return "\(progress.input.printable)  \(done)  \(events) events  "
      + "\(AmountText.readable(count: rate))/s"
  }

  /// Takes the line away.
  func clear() {
    if isDrawn { Console.raw("\r\u{1B}[K") }
    isDrawn = false
  }
}
