package import FarthingCore
package import FarthingDetection
internal import Synchronization

/// A sink that stores nothing and lets detection see the events, behind a watermark that lags.
///
/// Files hold events in the order in which they arrived, or by their start: both are within a lag of a quarter of
/// an hour of the order in which they were over.
package final class BacktestSink: EventSink {
  private static let lag = 15 * CivilTime.minute

  private struct State {
    var engine: DetectionEngine
    var backtest: Backtest
    var latest = Int64.min
    var pending: [Observation] = []
  }

  private let state: Mutex<State>
  private let until: Int64?

  package init(settings: DetectionSettings, since: Int64?, until: Int64?) {
    state = Mutex(
      State(engine: DetectionEngine(settings: settings), backtest: Backtest(since: since)))
    self.until = until
  }

  package func append(_ batch: ChargedBatch, receivedTime: Int64) async throws -> AppendCount {
    state.withLock { state in
      for place in batch.decoded.events.indices {
        if let until, batch.decoded.events[place].time >= until { continue }
        let observation = state.engine.observation(of: batch, place, receivedAt: receivedTime)
        state.latest = max(state.latest, observation.time)
        state.pending.append(observation)
      }
      // The batches are small against the lag, so sorting often costs little.
      if state.pending.count >= 65_536 { Self.feed(&state, before: state.latest - Self.lag) }
    }
    return AppendCount(accepted: batch.decoded.events.count, duplicates: 0)
  }

  private static func feed(_ state: inout State, before time: Int64) {
    var order = state.pending.indices.map {
      UInt128(UInt64(bitPattern: state.pending[$0].time ^ .min)) << 64 | UInt128(UInt64($0))
    }
    order.sort()
    var rest: [Observation] = []
    for entry in order {
      let observation = state.pending[Int(UInt64(truncatingIfNeeded: entry))]
      guard observation.time < time else {
        rest.append(observation)
        continue
      }
      if !observation.isAhead {
        for change in state.engine.advance(to: observation.time) { state.backtest.note(change) }
      }
      state.engine.observe(observation)
    }
    state.pending = rest
  }

  package func flush() async throws {}

  /// What would have been raised, after everything that was appended.
  package func finish() -> [BacktestAlert] {
    state.withLock { state in
      Self.feed(&state, before: .max)
      if let watermark = state.engine.watermark {
        for change in state.engine.advance(to: watermark + CivilTime.minute) {
          state.backtest.note(change)
        }
      }
      return state.backtest.result
    }
  }
}
