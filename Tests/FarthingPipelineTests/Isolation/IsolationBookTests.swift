import FarthingCore
import FarthingDetection
import FarthingQuery
import FarthingStore
import Testing

@testable import FarthingPipeline

private typealias Examples = IsolationExamples

@Suite("Isolations")
struct IsolationBookTests {
  @Test func `an attack leads to one isolation, however often it is told of`() throws {
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(20))
    let attack = Examples.incident("a")
    for second in Int64(0)..<5 {
      try kept.take([.fired(attack), .updated(attack)], Examples.time(second))
    }
    try kept.restart(Examples.time(6))
    try kept.take([.pending(attack), .fired(attack)], Examples.time(7))
    let isolation = try #require(try kept.all().first)
    #expect(try kept.statuses() == [.active])
    #expect(isolation.target == IsolationTarget(dimension: .identity, value: "svc-7"))
    #expect(isolation.effectiveAt == Examples.start && isolation.alert == "a")
    #expect(kept.book.enforced.map(\.id) == [isolation.id])
    #expect(isolation.guardrails.map(\.name) == Guardrail.allCases.map(\.rawValue))
    #expect(isolation.guardrails.allSatisfy { $0.holds })
  }

  @Test func `without a word of the configuration nothing is enforced`() throws {
    let kept = try KeptIsolations(IsolationSettings(), Examples.population(20))
    try kept.take([.fired(Examples.incident("a"))], Examples.time(0))
    let isolation = try #require(try kept.all().first)
    #expect(isolation.mode == .dryRun && isolation.status == .active)
    #expect(isolation.effectiveAt == nil && kept.book.enforced.isEmpty)
    #expect(kept.due(Examples.time(1)).isEmpty)
    try kept.advance(Examples.time(241))
    #expect(try kept.statuses() == [.released])
    let why = IsolationTexts.why(isolation, now: Examples.start + 240 * Examples.second)
    #expect(why.last?.contains("would have saved about $8.00") == true)
  }

  @Test func `only incidents of a policy count, and the first policy that holds`() throws {
    var settings = Examples.enforced()
    var mild = IsolationPolicy(name: "mild")
    mild.kinds = [.spendSpike]
    mild.actions = [.throttle(callsPerMinute: 5)]
    mild.minimumRate = 100
    settings.policies = [mild] + IsolationPolicy.builtIn
    let kept = try KeptIsolations(settings, Examples.population(20))
    try kept.take(
      [
        .fired(Examples.incident("a", kind: .errorSurge)),
        .fired(Examples.incident("b", isContainable: false)),
        .fired(Examples.incident("c", kind: .spendSpike, rate: 99)),
      ], Examples.time(0))
    #expect(try kept.all().isEmpty)
    try kept.take([.fired(Examples.incident("d", kind: .spendSpike))], Examples.time(1))
    #expect(try kept.all().map(\.action) == [.throttle(callsPerMinute: 5)])
  }

  @Test func `the narrowest target that holds the cause is taken, and nothing is not everything`()
    throws
  {
    let policy = IsolationPolicy(name: "p")
    let both = Examples.incident("a", identity: "svc-1", endpoint: "e1", tenant: "acme")
    #expect(
      IsolationBook.target(of: both, policy)
        == IsolationTarget(dimension: .identity, value: "svc-1", tenant: "acme"))
    let endpoint = Examples.incident("a", identity: nil, endpoint: "e1")
    #expect(IsolationBook.target(of: endpoint, policy)?.dimension == .endpoint)
    for identity in [nil, "", "other new identity"] {
      let incident = Examples.incident("a", identity: identity, tenant: "acme")
      #expect(IsolationBook.target(of: incident, policy) == nil)
    }
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(20))
    try kept.take(
      [
        .fired(Examples.incident("none", identity: nil)),
        .fired(Examples.incident("unknown", identity: "nobody")),
      ], Examples.time(0))
    #expect(kept.book.enforced.isEmpty)
    let events = try kept.ledger.reader.audit(limit: 10).map(\.entry.event)
    #expect(events == ["refused", "refused"])
  }

  @Test func `a proposal waits for a person, and lapses without one`() throws {
    var settings = Examples.enforced()
    settings.policies[0].needsApproval = true
    let kept = try KeptIsolations(settings, Examples.population(20))
    try kept.take(
      [
        .fired(Examples.incident("a", identity: "svc-1")),
        .fired(Examples.incident("b", identity: "svc-2")),
      ], Examples.time(0))
    #expect(try kept.statuses() == [.proposed, .proposed])
    #expect(kept.book.enforced.isEmpty && kept.alerts.count == 2)
    let id = try #require(try kept.all().first { $0.alert == "a" }?.id)
    try kept.change {
      try $0.approve(id, by: "ann", population: kept.population, now: Examples.time(60))
    }
    #expect(kept.book.enforced.map(\.actor) == ["ann"])
    #expect(throws: IsolationFault.self) {
      try kept.change {
        try $0.approve(id, by: "ann", population: kept.population, now: Examples.time(61))
      }
    }
    try kept.advance(Examples.time(3601))
    #expect(Set(try kept.statuses()) == [.released, .lapsed])
  }

  @Test func `what a person gave back is left alone, and can be extended before`() throws {
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(20))
    let attack = Examples.incident("a")
    try kept.take([.fired(attack)], Examples.time(0))
    let id = try #require(try kept.all().first?.id)
    try kept.change {
      try $0.extend(id, by: "ann", length: 3600 * Examples.second, now: Examples.time(60))
    }
    try kept.advance(Examples.time(3600))
    #expect(kept.book.enforced.count == 1)
    try kept.change { try $0.release(id, by: "ann", now: Examples.time(3610)) }
    #expect(try kept.all().map(\.releasedBy) == ["ann"])
    for second in Int64(3611)..<3700 where second % 10 == 0 {
      try kept.take([.updated(attack)], Examples.time(second))
      try kept.advance(Examples.time(second))
    }
    #expect(try kept.all().count == 1)
    #expect(throws: IsolationFault.self) {
      try kept.change { try $0.release("iso-none", by: "ann", now: Examples.time(3700)) }
    }
  }

  @Test func `a person may isolate by hand, but nothing that is protected`() throws {
    var settings = Examples.enforced()
    settings.guardrails.protected = [.identity: [LikePattern("svc-1%")]]
    let kept = try KeptIsolations(settings, Examples.population(20))
    func wish(_ value: String) -> IsolationWish {
      IsolationWish(
        target: IsolationTarget(dimension: .identity, value: value), action: .isolate,
        length: 60 * Examples.second, reason: "leaked on a forum")
    }
    for (number, value) in ["svc-2", "svc-3", "not seen yet"].enumerated() {
      try kept.change {
        try $0.isolate(
          wish(value), by: "ann", population: kept.population, now: Examples.time(0),
          random: UInt64(number)
        ).outcome
      }
    }
    #expect(kept.book.enforced.count == 3)
    let fault = #expect(throws: IsolationFault.self) {
      try kept.change {
        try $0.isolate(
          wish("svc-11"), by: "ann", population: kept.population, now: Examples.time(0), random: 9
        ).outcome
      }
    }
    #expect(fault?.message.contains("protected") == true)
    #expect(kept.book.enforced.allSatisfy { $0.alert.isEmpty && $0.policy == Isolation.manual })
    try kept.advance(Examples.time(61))
    #expect(kept.book.enforced.isEmpty)
  }

  @Test func `where the configuration says dry run, what is in force ends`() throws {
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(20))
    try kept.take([.fired(Examples.incident("a"))], Examples.time(0))
    try kept.change {
      $0.reload(IsolationSettings(), supports: { _, _, _ in true }, now: Examples.time(5))
    }
    #expect(kept.book.enforced.isEmpty)
    #expect(try kept.all().map(\.releasedBy) == ["configuration"])
  }
}

@Suite("Guardrails of isolations")
struct GuardrailTests {
  private func attacks(_ range: Range<Int>, tenant: String? = nil) -> [IncidentChange] {
    range.map {
      .fired(Examples.incident("inc-\($0)", identity: "svc-\($0)", tenant: tenant))
    }
  }

  @Test(arguments: [3, 9, 10, 40, 100])
  func `at most a tenth is isolated at once, and one always`(_ count: Int) throws {
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(count))
    for index in 0..<max(1, count * 4 / 10) {
      try kept.take(attacks(index..<index + 1), Examples.time(Int64(index)))
      #expect(kept.book.enforced.count <= max(1, count / 10))
    }
    #expect(kept.book.enforced.count == max(1, count / 10))
  }

  @Test(arguments: [2, 10, 100])
  func `nothing is isolated where more than two fifths look bad`(_ count: Int) throws {
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(count))
    try kept.take(attacks(0..<count * 4 / 10 + 1), Examples.time(0))
    #expect(kept.book.enforced.isEmpty)
    #expect(kept.book.counts.refused["too_much_bad"] == count * 4 / 10 + 1)
  }

  @Test func `what is in force is given back once more than two fifths look bad`() throws {
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(100))
    for index in 0..<30 { try kept.take(attacks(index..<index + 1), Examples.time(0)) }
    #expect(kept.book.enforced.count == 10)
    try kept.take(attacks(30..<60), Examples.time(5))
    try kept.advance(Examples.time(6))
    #expect(kept.book.enforced.isEmpty)
    #expect(Set(try kept.all().compactMap(\.releasedBy)).contains("too_much_bad"))
  }

  @Test func `the last healthy endpoint stays, and the last that answers a model`() throws {
    var population = ActivePopulation(window: .seconds(3600))
    var lines: [String] = []
    for step in Int64(0)..<10 {
      lines += [
        Examples.call(at: step, endpoint: "a"), Examples.call(at: step, endpoint: "b"),
        Examples.call(at: step, endpoint: "only", model: "special"),
        Examples.call(at: step, endpoint: "broken", status: "error"),
      ]
    }
    Examples.observe(&population, lines, now: 10)
    var settings = Examples.enforced()
    settings.guardrails.badPercent = 100
    settings.guardrails.sharePercent = 100
    let kept = try KeptIsolations(settings, population)
    for (number, endpoint) in ["only", "a", "b", "broken"].enumerated() {
      try kept.take(
        [.fired(Examples.incident("i\(number)", identity: nil, endpoint: endpoint))],
        Examples.time(Int64(10 + number)))
    }
    #expect(kept.book.enforced.map(\.target.value) == ["a", "broken"])
    let refused = try kept.all().filter { $0.status == .refused }
    #expect(
      refused.compactMap { $0.guardrails.last?.saw } == [
        "no other healthy endpoint answers special", "no other healthy endpoint answers gpt-4o",
      ])
  }

  @Test func `what is protected, by itself or by a pattern, is never isolated`() throws {
    var settings = Examples.enforced()
    settings.guardrails.protected = [.identity: [LikePattern("svc-1"), LikePattern("%-1_")]]
    settings.guardrails.sharePercent = 100
    let kept = try KeptIsolations(settings, Examples.population(30))
    try kept.take(attacks(0..<12), Examples.time(0))
    #expect(
      Set(kept.book.enforced.map(\.target.value))
        == Set([0, 2, 3, 4, 5, 6, 7, 8, 9].map { "svc-\($0)" }))
  }

  @Test func `a target that was given back has its rest, and actions have a rate`() throws {
    var settings = Examples.enforced()
    settings.guardrails.coolDown = .seconds(600)
    settings.guardrails.actionsAnHour = 2
    settings.guardrails.sharePercent = 100
    let kept = try KeptIsolations(settings, Examples.population(20))
    try kept.take(attacks(7..<8), Examples.time(0))
    try kept.take([.resolved(Examples.incident("inc-7"))], Examples.time(30))
    try kept.advance(Examples.time(91))
    #expect(kept.book.enforced.isEmpty)
    let again = Examples.incident("later", detected: 100)
    try kept.take([.fired(again)], Examples.time(100))
    #expect(kept.book.enforced.isEmpty && kept.book.counts.refused["cool_down"] == 1)
    try kept.advance(Examples.time(692))
    #expect(kept.book.enforced.map(\.alert) == ["later"])
    #expect(kept.book.enforced.first?.repetition == 1)
    try kept.take(attacks(1..<2), Examples.time(693))
    #expect(kept.book.counts.refused["rate"] == 1)
  }

  @Test func `a tenant's trouble is not more than its share`() throws {
    var settings = Examples.enforced()
    settings.guardrails.sharePercent = 100
    let population = Examples.population(100) { $0 < 20 ? "small" : "large" }
    let kept = try KeptIsolations(settings, population)
    try kept.take(attacks(0..<6, tenant: "small"), Examples.time(0))
    #expect(kept.book.enforced.count == 2)
    #expect(kept.book.counts.refused["tenant_at_once"] == 4)
  }

  @Test func `what was detected long ago is no reason to act, but shows in a dry run`() throws {
    let old = Examples.incident("old", detected: -3600)
    let kept = try KeptIsolations(Examples.enforced(), Examples.population(20))
    try kept.take([.fired(old)], Examples.time(0))
    try kept.advance(Examples.time(10))
    #expect(kept.book.enforced.isEmpty && kept.book.counts.refused["fresh"] == 1)
    let dry = try KeptIsolations(IsolationSettings(), Examples.population(20))
    try dry.take([.fired(old)], Examples.time(0))
    #expect(try dry.statuses() == [.active])
  }

  @Test func `the kill switch ends everything at once and lets nothing begin, over restarts`()
    throws
  {
    let kept = try KeptIsolations(Examples.enforced(hooks: ["h"]), Examples.population(50))
    try kept.take(attacks(0..<5), Examples.time(0))
    for due in kept.due(Examples.time(0)) {
      try kept.settle(due.order.id, hook: "h", .done(evidence: ""), Examples.time(1))
    }
    #expect(kept.book.enforced.count == 5)
    try kept.change { $0.turn(off: true, by: "ann", now: Examples.time(2)) }
    #expect(kept.book.enforced.isEmpty)
    let releases = kept.due(Examples.time(2)).filter { $0.order.verb == .release }
    #expect(releases.count == 5)
    try kept.restart(Examples.time(3))
    #expect(kept.book.killSwitch.isOff && kept.book.killSwitch.by == "ann")
    for due in kept.due(Examples.time(3)) {
      try kept.settle(due.order.id, hook: "h", .done(evidence: ""), Examples.time(3))
    }
    try kept.take(attacks(10..<12), Examples.time(4))
    #expect(kept.book.enforced.isEmpty && kept.book.counts.refused["kill_switch"] == 2)
    try kept.change { $0.turn(off: false, by: "ann", now: Examples.time(5)) }
    try kept.take(attacks(20..<21), Examples.time(6))
    #expect(kept.book.enforced.map(\.target.value) == ["svc-20"])
  }
}
