internal import FarthingCore
internal import FarthingPipeline
internal import Synchronization

/// A sink that stores nothing: it keeps the first events to be shown and counts the others.
final class DryRun: EventSink {
  private struct State {
    var shown: [String] = []
    var unpriced = 0
    var requests = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: Most events that are shown.
  init(showing limit: Int) { self.limit = limit }

  /// The first events as JSON objects.
  var shown: [String] { state.withLock { $0.shown } }

  /// How many requests there were, and how many of them without a price.
  var requests: (all: Int, unpriced: Int) { state.withLock { ($0.requests, $0.unpriced) } }

  func append(_ batch: ChargedBatch, receivedTime: Int64) async throws -> AppendCount {
    state.withLock { state in
      for place in batch.decoded.events.indices {
        if state.shown.count < limit { state.shown.append(EventText.json(place, of: batch)) }
        guard batch.decoded.events[place].kind == .request else { continue }
        state.requests += 1
        if batch.charges[place].state == .unpriced { state.unpriced += 1 }
      }
    }
    return AppendCount(accepted: batch.decoded.events.count, duplicates: 0)
  }

  func flush() async throws {}
}

/// What a dry run says at its end.
enum DryRunText {
  static func notes(_ ingestion: Ingestion, _ receipt: IngestReceipt, _ sink: DryRun) -> [String] {
    var notes: [String] = []
    if let collector = ingestion.mappingCollector {
      for path in collector.unseenPaths {
        notes.append("the mapped path \"\(path.printable)\" was never found")
      }
      if collector.report.skipped > 0 {
        notes.append("\(count(collector.report.skipped, "record")) left out by skip_when")
      }
    }
    let requests = sink.requests
    if requests.unpriced > 0 {
      notes.append(
        "\(count(requests.unpriced, "request")) of \(AmountText.readable(count: Int128(requests.all))) "
          + "without a price; farthing prices missing tells which models once they are stored")
    }
    notes.append(
      "\(count(receipt.accepted, "event")) would be stored, \(count(receipt.rejected, "refused", "")); "
        + "a dry run stores nothing and looks for no duplicates")
    return notes
  }

  private static func count(_ number: Int, _ word: String, _ plural: String = "s") -> String {
    AmountText.readable(count: Int128(number)) + " " + word + (number == 1 ? "" : plural)
  }
}
