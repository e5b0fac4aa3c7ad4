internal import FarthingPipeline

/// What is counted of alerts.
package struct AlertFigures: Sendable {
  struct Counted: Hashable, Sendable {
    var status: String
    var kind: String
  }

  /// Open ones; resolved ones leave when everybody was told.
  var alerts: [Counted: Int] = [:]
  var silences = 0
  /// Notifications by receiver.
  var waiting: [String: Int] = [:]
  /// The making of the oldest, by receiver; Unix nanoseconds.
  var oldest: [String: Int64] = [:]
  /// Attempts since the start.
  var deliveries: [Outbox.Counted: Int] = [:]

  /// Every set of labels is bounded: by the kinds, and by the receivers of the configuration.
  func write(now: Int64, to page: inout MetricsText) {
    page.family("farthing_alerts", .gauge, "Alerts that are not over, by status and kind.")
    for (key, count) in alerts.sorted(by: {
      ($0.key.status, $0.key.kind) < ($1.key.status, $1.key.kind)
    }) {
      page.sample("farthing_alerts", [("status", key.status), ("kind", key.kind)], count)
    }
    page.single("farthing_silences", .gauge, "Silences that have not ended.", "\(silences)")
    page.family(
      "farthing_notifications_waiting", .gauge, "Notifications in the outbox, by receiver.")
    for (receiver, count) in waiting.sorted(by: { $0.key < $1.key }) {
      page.sample("farthing_notifications_waiting", [("receiver", receiver)], count)
    }
    page.family(
      "farthing_notifications_oldest_seconds", .gauge,
      "Age of the oldest notification that waits, by receiver.")
    for (receiver, time) in oldest.sorted(by: { $0.key < $1.key }) {
      let age = max(0, now.subtractingReportingOverflow(time).partialValue)
      page.sample(
        "farthing_notifications_oldest_seconds", [("receiver", receiver)],
        MetricsText.seconds(age))
    }
    page.family(
      "farthing_notification_attempts_total", .counter,
      "Attempts to deliver, and notifications given up, by receiver and result.")
    for (key, count) in deliveries.sorted(by: {
      ($0.key.receiver, $0.key.result) < ($1.key.receiver, $1.key.result)
    }) {
      page.sample(
        "farthing_notification_attempts_total",
        [("receiver", key.receiver), ("result", key.result)], count)
    }
  }
}
