internal import FarthingCore
internal import Testing

@testable internal import FarthingDetection

@Suite struct `The name of an incident` {
  private static let slice = [
    SliceName(dimension: .identity, name: ObservedName(code: 7), text: "k")
  ]

  private static func alarm(
    _ kind: AlertKind, _ family: AlarmKey.Family, _ metric: String, at bucket: Int64,
    excess: Double,
    isFast: Bool = false
  ) -> LocatedAlarm {
    LocatedAlarm(
      alarm: Alarm(
        key: AlarmKey(family: family, dimension: .identity, name: ObservedName(code: 7)),
        kind: kind,
        metric: metric, start: bucket, detected: bucket + 1, expected: 0.1, actual: 2,
        excess: excess,
        perHour: 10, isFast: isFast, evidence: "\(kind.rawValue) at \(bucket)"),
      slice: slice, explained: 1, examples: [], around: [], isVolume: true)
  }

  @Test func `stays, once told, where a later alarm explains little of the money`() {
    var board = IncidentBoard(DetectionSettings())
    let opened = board.open(
      Self.alarm(.denialOfWallet, .spend, "cost", at: 100, excess: 40, isFast: true))
    guard case .fired(let first)? = opened.first else {
      Issue.record("an attack was not told at once: \(opened)")
      return
    }
    #expect(first.kind == .denialOfWallet)
    let joined = board.open(
      Self.alarm(.fallbackCascade, .fallback, "fallback_rate", at: 200, excess: 0.4))
    #expect(board.incidents.count == 1)
    #expect(board.incidents.first?.kind == .denialOfWallet)
    #expect(board.incidents.first?.metric == "cost")
    guard case .updated(let second)? = joined.first else {
      Issue.record("not updated: \(joined)")
      return
    }
    #expect(second.id == first.id)
    #expect(second.explanation.contains { $0.hasPrefix("fallback_cascade at 200") })
  }

  @Test func `changes where a later alarm explains it, and its figures follow that alarm`() {
    var board = IncidentBoard(DetectionSettings())
    _ = board.open(Self.alarm(.denialOfWallet, .spend, "cost", at: 100, excess: 4, isFast: true))
    let fallback = Self.alarm(.fallbackCascade, .fallback, "fallback_rate", at: 110, excess: 3)
    _ = board.open(fallback)
    #expect(board.incidents.first?.kind == .fallbackCascade)
    board.update(AlarmProgress(key: fallback.alarm.key, excess: 3, perHour: 1, actual: 0.7))
    #expect(board.incidents.first?.actual == 0.7)
    let spend = AlarmKey(family: .spend, dimension: .identity, name: ObservedName(code: 7))
    board.update(AlarmProgress(key: spend, excess: 5, perHour: 1, actual: 28))
    #expect(board.incidents.first?.actual == 0.7)
  }

  @Test func `is that of an attack once a spike of an identity is many times its usual spend`() {
    var board = IncidentBoard(DetectionSettings())
    let spike = Self.alarm(.spendSpike, .spend, "cost", at: 100, excess: 4)
    _ = board.open(spike)
    let fired = board.advance(104)
    #expect(fired.count == 1)
    board.update(
      AlarmProgress(key: spike.alarm.key, excess: 9, perHour: 20, actual: 30, towering: 6))
    #expect(board.advance(105).isEmpty)
    board.update(
      AlarmProgress(key: spike.alarm.key, excess: 30, perHour: 60, actual: 90, towering: 11))
    guard case .updated(let attack)? = board.advance(106).first else {
      Issue.record("nobody was told that it is an attack")
      return
    }
    #expect(attack.kind == .denialOfWallet)
    #expect(attack.isContainable)
    #expect(attack.id == board.incidents.first?.id)
  }

  @Test func `goes on under another id after it was over, so that people are told again`() {
    var board = IncidentBoard(DetectionSettings())
    let attack = Self.alarm(
      .denialOfWallet, .spend, "cost", at: 100, excess: 40, isFast: true)
    guard case .fired(let first)? = board.open(attack).first else {
      Issue.record("not told")
      return
    }
    board.close(attack.alarm.key, at: 200)
    #expect(board.advance(201).isEmpty, "what flaps is one incident")
    guard case .resolved(let over)? = board.advance(270).first else {
      Issue.record("not over")
      return
    }
    #expect(over.id == first.id)
    let again = Self.alarm(.spendSpike, .spend, "cost", at: 300, excess: 5)
    guard case .fired(let second)? = board.open(again).first else {
      Issue.record("not told again")
      return
    }
    #expect(second.id != first.id)
    #expect(second.kind == .denialOfWallet)
    #expect(second.startedAt > first.startedAt)
    #expect(second.explanation.contains { $0.hasSuffix(first.id) })
    #expect(board.incidents.count == 1)
  }

  @Test func `is counted where too many are open, and those that are over give way`() {
    var board = IncidentBoard(DetectionSettings())
    func alarm(_ code: UInt32) -> LocatedAlarm {
      var located = Self.alarm(
        .denialOfWallet, .spend, "cost", at: 100, excess: 9, isFast: true)
      located.alarm.key.name = ObservedName(code: code)
      located.slice = [
        SliceName(dimension: .identity, name: ObservedName(code: code), text: "k\(code)")
      ]
      return located
    }
    for code in 0..<4096 { _ = board.open(alarm(UInt32(code) + 2)) }
    #expect(board.open(alarm(5000)).isEmpty)
    #expect(board.untoldCount == 1)
    board.close(alarm(7).alarm.key, at: 110)
    _ = board.advance(200)
    #expect(!board.open(alarm(5001)).isEmpty)
    #expect(board.untoldCount == 1)
  }
}
