import FarthingCore
import FarthingDetection
import FarthingStore
import Testing

@testable import FarthingPipeline

@Suite("Alerts and who is told")
struct AlertBookTests {
  private let second = AlertExamples.second
  private let start = AlertExamples.start

  @Test func `an alert is told of once after its wait, and when it is over`() {
    var kept = KeptBook(AlertExamples.settings("ops"))
    let incident = AlertExamples.incident("a")
    kept.take(.fired(incident), now: start)
    kept.advance(start + second)
    #expect(kept.notifications.isEmpty)
    kept.advance(start + 2 * second)
    #expect(kept.notifications.map(\.firing) == [1])
    kept.advance(start + 100 * second)
    #expect(kept.notifications.count == 1)
    var over = incident
    over.resolvedAt = start + 200 * second
    kept.take(.resolved(over), now: start + 200 * second)
    kept.advance(start + 202 * second)
    #expect(kept.notifications.map(\.resolved) == [0, 1])
    #expect(kept.notifications.last?.items.first?.status == .resolved)
    #expect(kept.book.alerts.isEmpty)
  }

  @Test func `the same history handed over again changes nothing`() {
    var kept = KeptBook(AlertExamples.settings("ops"))
    let incident = AlertExamples.incident("a")
    var over = incident
    over.resolvedAt = start + 9 * second
    let history: [IncidentChange] = [.pending(incident), .fired(incident), .resolved(over)]
    for change in history { kept.take(change, now: start) }
    kept.advance(start + 2 * second)
    let told = kept.notifications.count
    let steps = kept.transitions.count
    #expect(steps == 3)
    for change in history { kept.take(change, now: start + 60 * second) }
    kept.advance(start + 120 * second)
    #expect(kept.notifications.count == told)
    #expect(kept.transitions.count == steps)
    #expect(kept.status("a") == .resolved)
  }

  @Test func `what fired and ended before anybody was told is told of all the same`() {
    var kept = KeptBook(AlertExamples.settings("ops"))
    let incident = AlertExamples.incident("a")
    kept.take(.fired(incident), .resolved(incident), now: start)
    kept.advance(start + 2 * second)
    #expect(kept.notifications.map(\.resolved) == [1])
  }

  @Test func `a pending alert that comes to nothing leaves its history only`() {
    var kept = KeptBook(AlertExamples.settings("ops"))
    kept.take(.pending(AlertExamples.incident("a")), now: start)
    #expect(kept.status("a") == .pending)
    kept.take(.dropped(id: "a"), now: start + second)
    kept.advance(start + 10 * second)
    #expect(kept.rows.isEmpty && kept.notifications.isEmpty)
    #expect(kept.transitions.map(\.to) == ["pending", "dropped"])
  }

  @Test func `an acknowledged alert is not repeated, and its end is told`() throws {
    var kept = KeptBook(AlertExamples.settings("ops"))
    let incident = AlertExamples.incident("a")
    kept.take(.fired(incident), now: start)
    kept.advance(start + 2 * second)
    let change = try kept.book.acknowledge(
      "a", by: "anna", note: "looking", now: start + 3 * second)
    kept.keep(change)
    #expect(kept.status("a") == .acknowledged)
    #expect(kept.transitions.last?.cause == "anna" && kept.transitions.last?.note == "looking")
    kept.advance(start + 40_000 * second)
    #expect(kept.notifications.count == 1)
    kept.take(.resolved(incident), now: start + 40_001 * second)
    kept.advance(start + 40_040 * second)
    #expect(kept.notifications.map(\.resolved) == [0, 1])
  }

  @Test func `what fires without news is told of again after the repeat interval`() {
    var kept = KeptBook(AlertExamples.settings("ops"))
    kept.take(.fired(AlertExamples.incident("a")), now: start)
    for hour in 0..<9 { kept.advance(start + Int64(hour * 3600 + 2) * second) }
    #expect(kept.notifications.count == 3)
  }

  @Test func `pending and resolved alerts cannot be acknowledged, and unknown ones neither`() {
    var kept = KeptBook(AlertExamples.settings("ops"))
    kept.take(.pending(AlertExamples.incident("a")), now: start)
    #expect(throws: AlertFault.self) {
      try kept.book.acknowledge("a", by: "anna", note: nil, now: start)
    }
    #expect(throws: AlertFault(.notFound, "no open alert has the id \"b\"")) {
      try kept.book.acknowledge("b", by: "anna", note: nil, now: start)
    }
  }

  @Test func `a silence holds back what it matches, and lets go of it at its end`() throws {
    var kept = KeptBook(AlertExamples.settings("ops"))
    let silence = Silence(
      id: "s", matchers: [try AlertMatcher("identity=~\"svc-.*\"")], startsAt: start,
      endsAt: start + 100 * second, author: "anna", comment: "load test", createdAt: start)
    kept.keep(try kept.book.add(silence, now: start))
    kept.take(
      .fired(AlertExamples.incident("a")), .fired(AlertExamples.incident("b", identity: "job-1")),
      now: start + second)
    #expect(kept.status("a") == .silenced && kept.status("b") == .firing)
    kept.advance(start + 10 * second)
    #expect(kept.notifications.flatMap(\.items).map(\.incident.id) == ["b"])
    kept.advance(start + 100 * second)
    #expect(kept.status("a") == .firing)
    kept.advance(start + 140 * second)
    #expect(kept.notifications.last?.firing == 2)
  }

  @Test func `an ended silence lets go at once, and one without matchers is refused`() throws {
    var kept = KeptBook(AlertExamples.settings("ops"))
    var silence = Silence(
      id: "s", matchers: [try AlertMatcher("kind=spend_spike")], startsAt: start,
      endsAt: start + 1000 * second, author: "anna", comment: "", createdAt: start)
    kept.keep(try kept.book.add(silence, now: start))
    kept.take(.fired(AlertExamples.incident("a")), now: start)
    kept.keep(try kept.book.end(silence: "s", now: start + second))
    #expect(kept.status("a") == .firing)
    silence.matchers = []
    #expect(throws: AlertFault.self) { try kept.book.add(silence, now: start) }
  }

  @Test func `an alert goes to the first route that holds, and on where it says so`() throws {
    var settings = AlertExamples.settings("ops", "pager", "chat")
    settings.route.receiver = "ops"
    var critical = AlertRoute(receiver: "pager")
    critical.matchers = [try AlertMatcher("severity=critical")]
    critical.continues = true
    var spikes = AlertRoute(receiver: "chat")
    spikes.matchers = [try AlertMatcher("kind=spend_spike")]
    settings.route.routes = [critical, spikes]
    func receivers(_ incident: Incident) -> [String] {
      settings.targets(of: Alert(incident, phase: .firing, changedAt: 0)).map(\.receiver)
    }
    #expect(receivers(AlertExamples.incident("a", severity: .critical)) == ["pager", "chat"])
    #expect(receivers(AlertExamples.incident("a")) == ["chat"])
    #expect(receivers(AlertExamples.incident("a", kind: .errorSurge)) == ["ops"])
  }

  @Test func `what a rule adds is a label to route by, and stays with the alert on disk`() throws {
    var settings = AlertExamples.settings("ops", "payments")
    settings.route.receiver = "ops"
    var team = AlertRoute(receiver: "payments")
    team.matchers = [try AlertMatcher("team=payments")]
    settings.route.routes = [team]
    var incident = AlertExamples.incident("a", kind: .rule)
    incident.labels = ["team": "payments", "rule": "dear"]
    let alert = Alert(incident, phase: .firing, changedAt: 0)
    #expect(settings.targets(of: alert).map(\.receiver) == ["payments"])
    #expect(Alert(alert.row) == alert)
  }

  @Test func `an inhibited alert is told of once its inhibitor is over`() throws {
    var settings = AlertExamples.settings("ops")
    var rule = InhibitRule()
    rule.source = [try AlertMatcher("kind=error_surge")]
    rule.target = [try AlertMatcher("kind=latency_surge")]
    rule.equal = ["identity"]
    settings.inhibit = [rule]
    var kept = KeptBook(settings)
    let cause = AlertExamples.incident("a", kind: .errorSurge)
    kept.take(
      .fired(cause), .fired(AlertExamples.incident("b", kind: .latencySurge)),
      .fired(AlertExamples.incident("c", kind: .latencySurge, identity: "other")), now: start)
    kept.advance(start + 2 * second)
    #expect(kept.notifications.map(\.firing) == [2])
    kept.take(.resolved(cause), now: start + 60 * second)
    kept.advance(start + 62 * second)
    kept.advance(start + 100 * second)
    #expect(kept.notifications.flatMap(\.items).map(\.incident.id).contains("b"))
  }

  @Test(arguments: [[], ["identity"], ["kind", "identity"]])
  func `five thousand alerts in a minute are at most ten notifications`(labels: [String]) {
    var settings = AlertExamples.settings("ops")
    settings.route.groupBy = labels
    var kept = KeptBook(settings)
    for number in 0..<5000 {
      let now = start + Int64(number) * 60 * second / 5000
      let severity = AlertSeverity.allCases[number % 3]
      kept.take(
        .fired(
          AlertExamples.incident("a\(number)", severity: severity, identity: "svc-\(number)")),
        now: now)
      if number % 84 == 0 { kept.advance(now) }
    }
    for second in 60..<180 { kept.advance(start + Int64(second) * self.second) }
    let notifications = kept.notifications
    #expect(notifications.count { $0.time < start + 60 * second } <= 10)
    #expect(notifications.count <= 14)
    #expect(notifications.map(\.firing).max() ?? 0 > 4000)
    #expect(notifications.allSatisfy { $0.items.count <= 20 })
    for alert in kept.book.alerts.keys {
      let isTold = kept.book.groups.values.contains { group in
        if case .firing? = group.members[alert] { true } else { false }
      }
      #expect(isTold)
    }
  }

  @Test func `whatever comes in whatever order, every step is a legal one`() throws {
    var random = AlertRandom(seed: 20_261_121)
    for _ in 0..<60 {
      var kept = KeptBook(AlertExamples.settings("ops"))
      var now = start
      for _ in 0..<60 {
        now += Int64(random.next() % 20) * second
        let incident = AlertExamples.incident(
          "i\(random.next() % 3)", severity: AlertSeverity.allCases[Int(random.next() % 3)])
        switch random.next() % 9 {
        case 0: kept.take(.pending(incident), now: now)
        case 1, 2: kept.take(.fired(incident), now: now)
        case 3: kept.take(.updated(incident), now: now)
        case 4: kept.take(.resolved(incident), now: now)
        case 5: kept.take(.dropped(id: incident.id), now: now)
        case 6:
          let change = try? kept.book.acknowledge(incident.id, by: "p", note: nil, now: now)
          if let change { kept.keep(change) }
        case 7:
          let silence = Silence(
            id: "s\(now)", matchers: [try AlertMatcher("severity!=info")], startsAt: now,
            endsAt: now + 30 * second, author: "p", comment: "", createdAt: now)
          if let change = try? kept.book.add(silence, now: now) { kept.keep(change) }
        default: kept.advance(now)
        }
        // What memory holds is what a restart reads.
        for (id, alert) in kept.book.alerts { #expect(kept.rows[id] == alert.row) }
      }
      for step in kept.transitions {
        guard let from = step.from.flatMap(AlertStatus.init), from.rawValue != step.to else {
          continue
        }
        let isLegal =
          step.to == "dropped"
          ? from == .pending : AlertStatus(rawValue: step.to).map(from.next.contains) ?? false
        #expect(isLegal, "\(from) → \(step.to)")
      }
    }
  }

  @Test func `a book that was kept goes on where it was`() throws {
    var kept = KeptBook(AlertExamples.settings("ops"))
    kept.take(.fired(AlertExamples.incident("a")), now: start)
    kept.advance(start + 2 * second)
    var groups: [GroupRow] = []
    for (id, group) in kept.book.groups {
      groups.append(GroupRow(receiver: id.receiver, key: id.key, body: group.body))
    }
    var again = KeptBook(AlertExamples.settings("ops"))
    again.book = AlertBook(
      AlertExamples.settings("ops"), alerts: Array(kept.rows.values), groups: groups,
      messages: kept.messages)
    again.rows = kept.rows
    #expect(again.book.alerts == kept.book.alerts)
    #expect(again.book.groups == kept.book.groups)
    again.advance(start + 100 * second)
    #expect(again.messages.isEmpty)
    #expect(again.book.outbox.depths == ["ops": 1])
  }
}

/// Numbers from a seed.
struct AlertRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
