internal import FarthingDetection
package import FarthingStore

/// What is kept of alerts as JSON: the same at the server and on the command line.
package enum AlertTexts {
  /// The interface's array of those that are selected and for which all matchers hold.
  package static func list(
    _ selection: AlertSelection, _ matchers: [AlertMatcher], _ reader: LedgerReader
  ) throws(StoreError) -> [UInt8] {
    var selection = selection
    let limit = selection.limit
    if !matchers.isEmpty { selection.limit = nil }
    var alerts = try reader.alerts(selection).compactMap { Alert($0) }
      .filter { alert in matchers.allSatisfy { $0.holds(for: alert) } }
    if let limit { alerts = alerts.suffix(limit) }
    return IncidentJSON.list(alerts.map { ($0.incident, $0.status) })
  }

  /// The whole id of an alert of which enough was typed.
  ///
  /// - Throws: ``AlertFault`` where several begin so; ``StoreError``. An id of nothing comes back as it is.
  package static func whole(_ id: String, _ reader: LedgerReader) throws -> String {
    if try reader.alert(id) != nil { return id }
    let found = id.utf8.count < 4 ? [] : try reader.alertIDs(prefix: id, limit: 4)
    guard found.count <= 1 else {
      throw AlertFault(
        .invalid,
        "\"\(id.printable)\" begins the ids of several alerts, such as "
          + found.prefix(3).joined(separator: ", "))
    }
    return found.first ?? id
  }

  /// All of one alert; nil where there is none.
  package static func details(
    _ id: String, _ reader: LedgerReader
  ) throws(StoreError) -> [UInt8]? {
    guard let alert = try reader.alert(id).flatMap({ Alert($0) }) else { return nil }
    let transitions = try reader.transitions(of: id)
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("alert")
      IncidentJSON.write(alert.incident, status: alert.status, to: &writer)
      writer.member("examples", alert.incident.examples)
      writer.key("acknowledged")
      if let acknowledgement = alert.acknowledgement {
        writer.object { writer in
          writer.member("by", acknowledgement.by)
          writer.member("at", time: acknowledgement.at)
          writer.member("note", acknowledgement.note)
        }
      } else {
        writer.string(nil)
      }
      writer.member("silence", alert.silence)
      writer.key("history")
      writer.array { writer in
        for step in transitions {
          writer.lineBreak()
          writer.object { writer in
            writer.member("at", time: step.at)
            writer.member("from", step.from)
            writer.member("to", step.to)
            writer.member("cause", step.cause)
            writer.member("note", step.note)
            writer.key("evidence")
            writer.raw(step.evidence)
          }
        }
        if !transitions.isEmpty { writer.newLine() }
      }
    }
    writer.end()
    return writer.bytes
  }

  package static func silences(_ rows: [SilenceRow], now: Int64) -> [UInt8] {
    lines(rows) { row, writer in
      writer.member("id", row.id)
      writer.member("matchers", row.matchers.split(separator: "\n").map(String.init))
      writer.member("starts_at", time: row.startsAt)
      writer.member("ends_at", time: row.endsAt)
      writer.member("status", status(row, now))
      writer.member("author", row.author)
      writer.member("comment", row.comment)
      writer.member("created_at", time: row.createdAt)
    }
  }

  private static func status(_ row: SilenceRow, _ now: Int64) -> String {
    if row.endsAt <= now { return "ended" }
    return row.startsAt <= now ? "active" : "waiting"
  }

  package static func receipts(_ rows: [ReceiptRow]) -> [UInt8] {
    lines(rows) { row, writer in
      writer.member("at", time: row.at)
      writer.member("receiver", row.receiver)
      writer.member("result", row.result)
      writer.member("attempt", row.attempt)
      writer.member("notification", row.message)
      writer.member("detail", row.detail)
    }
  }

  private static func lines<Row>(
    _ rows: [Row], _ write: (Row, inout JSONWriter) -> Void
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.array { writer in
      for row in rows {
        writer.lineBreak()
        writer.object { write(row, &$0) }
      }
      if !rows.isEmpty { writer.newLine() }
    }
    writer.end()
    return writer.bytes
  }
}
