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
}
