import FarthingCore
import FarthingDetection
import FarthingStore
import Testing

@testable import FarthingPipeline

@Suite("The outbox")
struct OutboxTests {
  private let start = AlertExamples.start
  private let second = AlertExamples.second

  private func notification(_ receiver: String, group: String = "g") -> Notification {
    Notification(
      receiver: receiver, groupKey: group, labels: [], time: start,
      items: [.init(incident: AlertExamples.incident("a"), status: .firing)], firing: 1,
      resolved: 0, usdPerHour: nil, excess: nil, severity: .warning, validity: 60)
  }

  @Test func `it tries for three days, at most a quarter of an hour and its jitter apart`() {
    var outbox = Outbox([])
    var change = LedgerChange()
    outbox.add(notification("ops"), id: "m", now: start, &change)
    var now = start
    var random = AlertRandom(seed: 7)
    var pauses: [Int64] = []
    while let due = outbox.nextDue("ops") {
      pauses.append(due - now)
      now = due
      let entries = outbox.take("ops", now: now)
      #expect(entries.map(\.id) == ["m"])
      _ = outbox.settle(entries[0], .failed(detail: "", retryAfter: nil), now: now) {
        random.next()
      }
      if pauses.count > 1000 { break }
    }
    #expect(now - start >= 72 * 3600 * second)
    #expect(now - start <= 73 * 3600 * second)
    #expect(pauses.max() ?? 0 <= 18 * 60 * second)
    #expect(Set(pauses.suffix(100)).count > 90)
    #expect(outbox.counts[.init(receiver: "ops", result: "given_up")] == 1)
  }

  @Test func `a receiver's wish to be left alone is respected`() {
    let pause = RetrySchedule.pause(attempts: 1, asked: 3600, random: 0)
    #expect(pause == 3600 * second)
    #expect(RetrySchedule.pause(attempts: 1, asked: .max, random: 0) == 24 * 3600 * second)
    #expect(RetrySchedule.pause(attempts: 9, asked: 1, random: 0) == 900 * second)
  }

  @Test func `what comes later for a group waits for what came first`() {
    var outbox = Outbox([])
    var change = LedgerChange()
    outbox.add(notification("ops"), id: "m1", now: start, &change)
    outbox.add(notification("ops"), id: "m2", now: start, &change)
    outbox.add(notification("ops", group: "h"), id: "m3", now: start, &change)
    let first = outbox.take("ops", now: start)
    #expect(first.map(\.id) == ["m1", "m3"])
    #expect(outbox.take("ops", now: start).isEmpty)
    _ = outbox.settle(first[0], .failed(detail: "", retryAfter: nil), now: start) { 0 }
    #expect(outbox.take("ops", now: start + second).isEmpty)
    #expect(outbox.take("ops", now: start + 5 * second).map(\.id) == ["m1"])
  }

  @Test func `one delivery brings forward what failed before`() {
    var outbox = Outbox([])
    var change = LedgerChange()
    for (id, group) in [("m1", "g"), ("m2", "h")] {
      outbox.add(notification("ops", group: group), id: id, now: start, &change)
    }
    let entries = outbox.take("ops", now: start)
    _ = outbox.settle(entries[0], .failed(detail: "", retryAfter: 3600), now: start) { 0 }
    _ = outbox.settle(entries[1], .delivered(detail: ""), now: start) { 0 }
    #expect(outbox.nextDue("ops") ?? .max <= start + 2 * second)
  }

  @Test func `a full outbox gives up its oldest and says so`() {
    var outbox = Outbox([])
    for number in 0...Outbox.limit {
      var change = LedgerChange()
      outbox.add(notification("ops"), id: "m\(number)", now: start, &change)
      if number == Outbox.limit {
        #expect(change.removedMessages == ["m0"])
        #expect(change.receipts.map(\.result) == ["given_up"])
      }
    }
    #expect(outbox.depths == ["ops": Outbox.limit])
  }

  @Test func `a notification comes back from the disk as it was`() {
    var sent = notification("ops")
    sent.labels = [("tenant", "a\"b\u{202E}")]
    sent.usdPerHour = 0.1 + 0.2
    #expect(Notification(kept: sent.kept) == sent)
    #expect(Notification(kept: Array("{}".utf8)) == nil)
  }
}
