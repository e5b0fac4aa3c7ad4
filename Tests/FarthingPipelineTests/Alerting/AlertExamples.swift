import FarthingCore
import FarthingDetection
import FarthingStore

@testable import FarthingPipeline

/// Alerts to test with.
enum AlertExamples {
  static let second: Int64 = 1_000_000_000
  static let start: Int64 = 1_795_000_000 * second

  static func incident(
    _ id: String, kind: AlertKind = .spendSpike, severity: AlertSeverity = .warning,
    identity: String = "svc-7", rate: Double? = 12.5, summary: String? = nil
  ) -> Incident {
    Incident(
      id: id, kind: kind, severity: severity, metric: "cost",
      dimensions: [DimensionValue(dimension: "identity", value: identity)],
      startedAt: start, detectedAt: start + 5 * second, expected: 0.5, actual: 13,
      excess: Picodollars(3_250_000_000_000), usdPerHour: rate,
      summary: summary ?? "\(identity) spends 26 times what it does",
      explanation: ["statistic 9.1, threshold 4.5"], examples: ["req-1"])
  }

  static func settings(_ names: String...) -> AlertingSettings {
    var settings = AlertingSettings()
    settings.receivers = names.map { name in
      var receiver = ReceiverSettings(name: name, kind: .webhook)
      receiver.url = "http://127.0.0.1:1/"
      return receiver
    }
    return settings
  }
}

/// A book with the disk beneath it, as far as tests look at it.
struct KeptBook {
  var book: AlertBook
  var rows: [String: AlertRow] = [:]
  var transitions: [TransitionRow] = []
  var messages: [MessageRow] = []
  private var number: UInt64 = 0

  init(_ settings: AlertingSettings) { book = AlertBook(settings) }

  mutating func keep(_ change: LedgerChange) {
    for row in change.alerts { rows[row.id] = row }
    for id in change.removedAlerts { rows[id] = nil }
    transitions += change.transitions
    messages += change.messages
  }

  mutating func take(_ changes: IncidentChange..., now: Int64) {
    let rows = rows
    keep(book.take(changes, now: now) { rows[$0].flatMap { Alert($0) } })
  }

  mutating func advance(_ now: Int64) {
    var number = number
    keep(
      book.advance(now: now) {
        number += 1
        return number
      })
    self.number = number
  }

  var notifications: [Notification] { messages.compactMap { Notification(kept: $0.body) } }

  func status(_ id: String) -> AlertStatus? {
    rows[id].flatMap { AlertStatus(rawValue: $0.status) }
  }
}
