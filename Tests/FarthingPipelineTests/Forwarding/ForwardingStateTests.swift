import FarthingTestSupport
import Testing

@testable import FarthingPipeline

@Suite struct `What an agent does next` {
  private static let start: Int64 = 1_795_219_200_000_000_000
  private static let second: Int64 = 1_000_000_000
  private static let batch = ForwardingState.Batch(first: 1, last: 4, records: 4)

  /// A state that has a batch in its hands.
  private func sending(_ options: ForwardingOptions = ForwardingOptions()) -> ForwardingState {
    var state = ForwardingState(options, now: Self.start, random: 0)
    state.take(Self.batch, now: Self.start)
    #expect(state.step(now: Self.start, hasEvents: true) == .send)
    return state
  }

  @Test func `is to wait a random while after a start, so that a fleet does not come at once`() {
    let options = ForwardingOptions()
    var times: Set<Int64> = []
    for part in stride(from: 0.0, to: 1, by: 0.125) {
      var state = ForwardingState(options, now: Self.start, random: part)
      if case .rest(let until, false) = state.step(now: Self.start, hasEvents: true) {
        times.insert(until - Self.start)
      }
    }
    #expect(times.count == 7)
    #expect(times.allSatisfy { $0 < options.startSpread })
  }

  @Test func `is to forget what is stored and to read on`() {
    var state = sending()
    let actions = state.answer(
      .stored(through: 4, rejected: 0, note: nil), lastSequence: 9, now: Self.start, random: 0)
    #expect(actions == [.acknowledge(4)])
    #expect(
      state.step(now: Self.start, hasEvents: true)
        == .read(textBytes: 4 << 20, events: 10_000))
  }

  @Test func `is to pause for a random part of twice as long after each failure`() {
    var options = ForwardingOptions()
    options.longestRetry = 60 * Self.second
    var state = sending(options)
    var now = Self.start
    for failure in 0..<12 {
      let actions = state.answer(
        .unreachable("nobody answers"), lastSequence: 9, now: now, random: 0.5)
      #expect(actions == (failure == 0 ? [.note("nobody answers")] : []))
      let most = min(Self.second << Int64(failure), 60 * Self.second)
      #expect(
        state.step(now: now, hasEvents: true)
          == .rest(until: now + most / 2, endsWithEvents: false))
      now += most / 2
      #expect(state.step(now: now, hasEvents: true) == .send)
    }
    let actions = state.answer(
      .stored(through: 4, rejected: 0, note: nil), lastSequence: 9, now: now, random: 0.5)
    #expect(actions == [.acknowledge(4), .note("the server takes events again")])
  }

  @Test func `is to obey a server that says when to come again, within reason`() {
    var state = sending()
    _ = state.answer(.busy(retryAfter: 20, "busy"), lastSequence: 9, now: Self.start, random: 0.5)
    #expect(
      state.step(now: Self.start, hasEvents: true)
        == .rest(until: Self.start + 25 * Self.second, endsWithEvents: false))
    _ = state.answer(
      .busy(retryAfter: .max, "busy"), lastSequence: 9, now: Self.start, random: 0)
    #expect(
      state.step(now: Self.start, hasEvents: true)
        == .rest(until: Self.start + 3600 * Self.second, endsWithEvents: false))
  }

  @Test func `is to send less at once where a batch is too large, and one record goes aside`() {
    var state = sending()
    #expect(
      state.answer(
        .tooLarge("413", byServer: false), lastSequence: 9, now: Self.start, random: 0) == [.rewind]
    )
    #expect(
      state.step(now: Self.start, hasEvents: true) == .read(textBytes: 2 << 20, events: 2))
    state.take(.init(first: 1, last: 1, records: 1), now: Self.start)
    #expect(
      state.answer(
        .tooLarge("413", byServer: true), lastSequence: 9, now: Self.start, random: 0)
        == [.setAside("413"), .acknowledge(1)])
    state.take(.init(first: 2, last: 3, records: 2), now: Self.start)
    _ = state.answer(
      .stored(through: 3, rejected: 0, note: nil), lastSequence: 9, now: Self.start, random: 0)
    #expect(
      state.step(now: Self.start, hasEvents: true) == .read(textBytes: 4 << 20, events: 4))
  }

  @Test func `is to wait, and to keep the record, where only a proxy finds it too large`() {
    var state = sending()
    _ = state.answer(
      .tooLarge("413", byServer: false), lastSequence: 9, now: Self.start, random: 0)
    state.take(.init(first: 1, last: 1, records: 1), now: Self.start)
    #expect(
      state.answer(
        .tooLarge("status 413", byServer: false), lastSequence: 9, now: Self.start, random: 0)
        == [
          .note(
            "something before the server refuses a body for its size; raise its limit: status 413")
        ])
    #expect(
      state.step(now: Self.start, hasEvents: true)
        == .rest(until: Self.start + 15 * Self.second, endsWithEvents: false))
    #expect(state.batch?.first == 1)
    #expect(!state.hasReached)
  }

  @Test func `is to rest no longer where the clock is set back meanwhile`() {
    var state = sending()
    _ = state.answer(.busy(retryAfter: 8, "busy"), lastSequence: 9, now: Self.start, random: 0)
    #expect(
      state.step(now: Self.start, hasEvents: true)
        == .rest(until: Self.start + 8 * Self.second, endsWithEvents: false))
    let earlier = Self.start - 600 * Self.second
    #expect(
      state.step(now: earlier, hasEvents: true)
        == .rest(until: earlier + 8 * Self.second, endsWithEvents: false))
    #expect(state.step(now: earlier + 8 * Self.second, hasEvents: true) == .send)
  }

  @Test func `is to keep aside what the server refuses for good, and to go on`() {
    var state = sending()
    #expect(
      state.answer(.refused("400"), lastSequence: 9, now: Self.start, random: 0)
        == [.setAside("400"), .acknowledge(4)])
    #expect(
      state.step(now: Self.start, hasEvents: true)
        == .read(textBytes: 4 << 20, events: 10_000))
  }

  @Test func `is to say that its token is refused, once, and to try on slowly`() {
    var state = sending()
    let options = ForwardingOptions()
    for attempt in 0..<3 {
      let actions = state.answer(
        .forbidden("401"), lastSequence: 9, now: Self.start, random: 0.999)
      #expect(actions == (attempt == 0 ? [.note("401")] : []))
      guard case .rest(let until, false) = state.step(now: Self.start, hasEvents: true) else {
        Issue.record("it does not rest")
        return
      }
      #expect(until - Self.start >= options.forbiddenRetry)
    }
  }

  @Test func `is to start a new stream where the server knows more than the spool ever held`() {
    var state = sending()
    let actions = state.answer(
      .stored(through: 50, rejected: 0, note: nil), lastSequence: 9, now: Self.start, random: 0)
    #expect(actions.prefix(2) == [.renew, .rewind])
    #expect(actions.count == 3)
  }

  @Test func `is to send the rest again where a part of the batch is stored`() {
    var state = sending()
    let actions = state.answer(
      .stored(through: 2, rejected: 0, note: nil), lastSequence: 9, now: Self.start, random: 0)
    #expect(actions == [.acknowledge(2), .rewind])
  }

  @Test func `is to tell of events that were refused within a batch`() {
    var state = sending()
    let actions = state.answer(
      .stored(through: 4, rejected: 2, note: "line 3"), lastSequence: 9, now: Self.start, random: 0)
    #expect(
      actions == [
        .acknowledge(4), .note("the server refused 2 events of a batch: line 3"),
      ])
  }

  @Test func `is to say that it is there when nothing comes, and to wake up when something does`() {
    let options = ForwardingOptions()
    var state = ForwardingState(options, now: Self.start, random: 0)
    #expect(
      state.step(now: Self.start, hasEvents: false)
        == .read(textBytes: options.textBytes, events: options.events))
    state.take(nil, now: Self.start)
    let until = Self.start + options.heartbeat
    #expect(
      state.step(now: Self.start, hasEvents: false) == .rest(until: until, endsWithEvents: true))
    #expect(
      state.step(now: Self.start, hasEvents: true)
        == .read(textBytes: options.textBytes, events: options.events))
    #expect(state.step(now: until, hasEvents: false) == .send)
    let actions = state.answer(
      .stored(through: 0, rejected: 0, note: nil), lastSequence: 0, now: until, random: 0)
    #expect(actions.isEmpty)
    #expect(
      state.step(now: until, hasEvents: false)
        == .rest(until: until + options.heartbeat, endsWithEvents: true))
  }

  @Test func `is to let the first event after a rest wait for others, where that is asked for`() {
    var options = ForwardingOptions()
    options.linger = Self.second / 2
    var state = ForwardingState(options, now: Self.start, random: 0)
    state.take(nil, now: Self.start)
    let now = Self.start + 3 * Self.second
    let until = now + Self.second / 2
    #expect(state.step(now: now, hasEvents: true) == .rest(until: until, endsWithEvents: false))
    #expect(
      state.step(now: now + 1, hasEvents: true) == .rest(until: until, endsWithEvents: false))
    #expect(
      state.step(now: until, hasEvents: true)
        == .read(textBytes: options.textBytes, events: options.events))
  }

  @Test func `is not stopped by a clock that was set back`() {
    var state = sending()
    _ = state.answer(.unreachable("x"), lastSequence: 9, now: Self.start, random: 0.9)
    let earlier = Self.start - 86_400 * Self.second
    if case .rest(let until, _) = state.step(now: earlier, hasEvents: true) {
      #expect(until <= earlier + Self.second)
    }
    #expect(state.step(now: earlier + Self.second, hasEvents: true) == .send)
  }

  /// Whatever is answered, in any order: no record is forgotten that was neither stored nor kept
  /// aside, and the machine always has something to do within an hour.
  @Test func `loses no record, whatever is answered`() {
    var random = SplitMix(seed: 7)
    for _ in 0..<200 {
      var state = ForwardingState(ForwardingOptions(), now: 0, random: 0)
      var (acknowledged, stored, now) = (Int64(0), Int64(0), Int64(0))
      let last: Int64 = 500
      var aside: Set<Int64> = []
      for _ in 0..<100 {
        switch state.step(now: now, hasEvents: acknowledged < last) {
        case .rest(let until, _):
          #expect(until > now && until - now <= 2 * 3_600_000_000_000)
          now = until
        case .read:
          let first = acknowledged + 1
          let count = Int64(1 + random.next() % 9)
          state.take(
            first > last
              ? nil
              : .init(
                first: first, last: min(last, first + count - 1),
                records: Int(min(last, first + count - 1) - first + 1)), now: now)
        case .send:
          let (answer, reach) = Self.answer(state.batch, stored: stored, &random)
          stored = max(stored, reach)
          for action in state.answer(answer, lastSequence: last, now: now, random: 0.5) {
            switch action {
            case .setAside:
              if let first = acknowledged + 1 as Int64?, case .refused = answer {
                aside.insert(first)
              }
              stored = max(stored, acknowledged + 1)
            case .acknowledge(let through):
              if case .refused = answer { stored = max(stored, through) }
              if case .tooLarge = answer { stored = max(stored, through) }
              #expect(through <= stored)
              acknowledged = max(acknowledged, min(through, last))
            default: break
            }
          }
        }
      }
    }
  }

  private static func answer(
    _ batch: ForwardingState.Batch?, stored: Int64, _ random: inout SplitMix
  ) -> (ForwardAnswer, stored: Int64) {
    guard let batch else { return (.stored(through: stored, rejected: 0, note: nil), stored) }
    switch random.next() % 9 {
    case 0: return (.unreachable("x"), stored)
    // Stored, but the answer is lost.
    case 1: return (.unreachable("x"), batch.last)
    case 2: return (.busy(retryAfter: Int(random.next() % 10), "x"), stored)
    case 3: return (.tooLarge("x", byServer: random.next() % 2 == 0), stored)
    case 4: return (.refused("x"), stored)
    case 5:
      let part = Int64(random.next() % UInt64(batch.records))
      return (.stored(through: batch.first + part, rejected: 0, note: nil), batch.first + part)
    default: return (.stored(through: batch.last, rejected: 0, note: nil), batch.last)
    }
  }
}
