import FarthingCore
import FarthingDetection
import FarthingStore
import Testing

@testable import FarthingPipeline

private typealias Examples = IsolationExamples

@Suite("The end of isolations")
struct IsolationTimeTests {
  private func begun(hooks: [String] = []) throws -> KeptIsolations {
    let kept = try KeptIsolations(Examples.enforced(hooks: hooks), Examples.population(20))
    try kept.take([.fired(Examples.incident("a"))], Examples.time(0))
    return kept
  }

  @Test func `it ends at its deadline`() throws {
    let kept = try begun()
    try kept.advance(Examples.time(239))
    #expect(kept.book.enforced.count == 1)
    try kept.advance(Examples.time(240))
    #expect(kept.book.enforced.isEmpty)
    #expect(try kept.all().map(\.releasedAt) == [Examples.start + 240 * Examples.second])
  }

  @Test(arguments: [-86_400, -100, 0, 100, 86_400] as [Int64])
  func `no step of the clock makes it longer`(_ step: Int64) throws {
    let kept = try begun()
    for second in Int64(1)...250 {
      var now = Examples.time(second)
      if second > 20 { now.wall += step * Examples.second }
      try kept.advance(now)
    }
    #expect(kept.book.enforced.isEmpty)
  }

  @Test(arguments: [-86_400, -100, 0, 100, 86_400] as [Int64])
  func `over a restart it ends within ten seconds of its deadline, whatever the clock says`(
    _ step: Int64
  ) throws {
    let kept = try begun()
    for second in Int64(1)...100 { try kept.advance(Examples.time(second)) }
    // The monotonic clock of another boot says something else.
    func after(_ second: Int64) -> IsolationTime {
      IsolationTime(
        wall: Examples.start + (second + step) * Examples.second,
        monotonic: (second - 100) * Examples.second)
    }
    try kept.restart(after(100))
    var end: Int64?
    for second in Int64(100)...300 {
      try kept.advance(after(second))
      if end == nil, kept.book.enforced.isEmpty { end = second }
    }
    #expect(try #require(end) <= 250)
  }

  @Test func `what was due while nobody ran ends at the start`() throws {
    let kept = try begun()
    try kept.restart(Examples.time(1000))
    try kept.advance(Examples.time(1000))
    #expect(kept.book.enforced.isEmpty)
  }

  @Test func `it ends a while after its incident`() throws {
    let kept = try begun()
    try kept.take([.resolved(Examples.incident("a"))], Examples.time(30))
    try kept.advance(Examples.time(89))
    #expect(kept.book.enforced.count == 1)
    try kept.advance(Examples.time(90))
    #expect(try kept.all().map(\.releasedBy) == ["recovery"])
  }

  @Test func `what begins again at once is isolated for longer each time, up to a bound`() throws {
    var settings = Examples.enforced()
    settings.policies[0].longest = .seconds(3600)
    let kept = try KeptIsolations(settings, Examples.population(20))
    try kept.take([.fired(Examples.incident("a"))], Examples.time(0))
    var lengths: [Int64] = []
    for second in Int64(0)..<6800 {
      let isHeld = !kept.book.enforced.isEmpty
      if !isHeld {
        // The attacker goes on: six cents a second are 216 dollars an hour.
        Examples.spend(6, at: second, &kept.population)
      }
      try kept.advance(Examples.time(second))
      if !isHeld, let found = kept.book.enforced.first {
        lengths.append(found.length / Examples.second)
      }
    }
    #expect(lengths == [720, 2160, 3600])
    let all = try kept.all()
    #expect(all.map(\.repetition) == [0, 1, 2, 3])
    #expect(Set(all.map(\.alert)) == ["a"] && Set(all.map(\.id)).count == 4)
    let pauses = zip(all, all.dropFirst()).map { ($1.startedAt - ($0.releasedAt ?? 0)) }
    #expect(pauses.allSatisfy { $0 <= 45 * Examples.second })
  }

  @Test func `what ends and does not begin again is left alone`() throws {
    let kept = try begun()
    for second in Int64(1)..<2000 where second % 5 == 0 {
      if second > 240 {
        Examples.spend(1, at: second, &kept.population)
      }
      try kept.advance(Examples.time(second))
    }
    #expect(try kept.all().count == 1)
  }
}

@Suite("Calls to hooks")
struct IsolationOrderTests {
  private func begun(_ hooks: String...) throws -> KeptIsolations {
    let kept = try KeptIsolations(Examples.enforced(hooks: hooks), Examples.population(20))
    try kept.take([.fired(Examples.incident("a"))], Examples.time(0))
    return kept
  }

  @Test func `it is in force once the hook has answered, and given back once it has again`() throws
  {
    let kept = try begun("h")
    #expect(try kept.statuses() == [.applying] && kept.book.enforced.count == 1)
    let apply = try #require(kept.due(Examples.time(0)).first)
    #expect(apply.order.verb == .apply && apply.order.target.value == "svc-7")
    #expect(kept.due(Examples.time(0)).isEmpty)
    try kept.settle(apply.order.id, hook: "h", .done(evidence: "blocked"), Examples.time(2))
    #expect(try kept.all().map(\.effectiveAt) == [Examples.start + 2 * Examples.second])
    #expect(kept.due(Examples.time(3)).map(\.order.verb) == [.probe])
    try kept.settle(
      "\(apply.order.isolation)-probe", hook: "h", .done(evidence: ""), Examples.time(3))
    try kept.advance(Examples.time(240))
    #expect(try kept.statuses() == [.releasing] && kept.book.enforced.isEmpty)
    let release = try #require(kept.due(Examples.time(240)).first)
    try kept.settle(release.order.id, hook: "h", .done(evidence: ""), Examples.time(241))
    #expect(try kept.statuses() == [.released])
    #expect(try kept.ledger.reader.orders().isEmpty)
  }

  @Test func `over a crash a call is made again with its id, and no third time`() throws {
    let kept = try begun("h")
    var calls: [String] = kept.due(Examples.time(0)).map(\.order.id)
    // Killed before the answer was kept.
    try kept.restart(Examples.time(1))
    calls += kept.due(Examples.time(1)).map(\.order.id)
    try kept.settle(calls[1], hook: "h", .done(evidence: ""), Examples.time(2))
    try kept.restart(Examples.time(3))
    calls += kept.due(Examples.time(3)).filter { $0.order.verb == .apply }.map(\.order.id)
    #expect(calls.count == 2 && Set(calls).count == 1)
  }

  @Test func `what fails is tried again with one id, and told of once`() throws {
    let kept = try begun("h")
    var ids: Set<String> = []
    for second in Int64(0)..<120 {
      for due in kept.due(Examples.time(second)) {
        ids.insert(due.order.id)
        try kept.settle(
          due.order.id, hook: "h", .unreachable(evidence: "refused"), Examples.time(second))
      }
      try kept.advance(Examples.time(second))
    }
    #expect(ids.count == 1)
    #expect(kept.alerts.count { $0.id.hasSuffix("-apply") } == 1)
    #expect(kept.alerts.count { $0.id.hasSuffix("-probe") } == 1)
  }

  @Test func `a release is tried until it is done, and waits for an apply under way`() throws {
    let kept = try begun("h")
    let apply = try #require(kept.due(Examples.time(0)).first)
    try kept.change { $0.turn(off: true, by: "ann", now: Examples.time(1)) }
    #expect(kept.due(Examples.time(1)).isEmpty)
    try kept.settle(apply.order.id, hook: "h", .done(evidence: ""), Examples.time(2))
    var tries = 0
    for second in Int64(2)..<5000 {
      for due in kept.due(Examples.time(second)) {
        #expect(due.order.verb == .release)
        tries += 1
        let answer: HookAnswer = tries < 100 ? .refused(evidence: "no") : .done(evidence: "")
        try kept.settle(due.order.id, hook: "h", answer, Examples.time(second))
      }
      if second == 1000 { try kept.restart(Examples.time(second)) }
    }
    #expect(tries == 100)
    #expect(try kept.statuses() == [.released])
    #expect(kept.alerts.count { $0.id.hasSuffix("-release") } <= 2)
  }

  @Test func `a hook that cannot do an action is not called for it`() throws {
    let settings = Examples.enforced(hooks: ["h"])
    var book = IsolationBook(settings, supports: { _, action, _ in action != .isolate })
    let outcome = book.take(
      [.fired(Examples.incident("a"))], population: Examples.population(20),
      now: Examples.time(0))
    #expect(outcome.change.orders.isEmpty && book.enforced.first?.effectiveAt != nil)
  }

  @Test func `a target that still gets through is told of`() throws {
    let kept = try begun()
    Examples.observe(&kept.population, [Examples.call(at: 20)], now: 20)
    try kept.advance(Examples.time(20))
    #expect(kept.alerts.isEmpty)
    Examples.observe(
      &kept.population, [Examples.call(at: 40, status: "blocked")], now: 40)
    try kept.advance(Examples.time(40))
    #expect(kept.alerts.isEmpty)
    Examples.observe(&kept.population, [Examples.call(at: 50)], now: 50)
    for second in Int64(50)..<60 { try kept.advance(Examples.time(second)) }
    #expect(kept.alerts.count == 1)
    #expect(kept.alerts.first?.summary.contains("does not hold") == true)
  }

  @Test func `a hook that left the configuration is not waited for`() throws {
    let kept = try begun("h")
    try kept.change { $0.turn(off: true, by: "ann", now: Examples.time(1)) }
    try kept.change {
      $0.reload(Examples.enforced(), supports: { _, _, _ in true }, now: Examples.time(2))
    }
    #expect(try kept.statuses() == [.released])
    #expect(try kept.ledger.reader.orders().isEmpty)
  }
}
