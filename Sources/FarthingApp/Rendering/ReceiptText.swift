internal import FarthingCore
package import FarthingPipeline

/// The receipt of an ingest as text.
package enum ReceiptText {
  /// One JSON object on one line: the answer of `POST /v1/events`. With several inputs each error
  /// names its `file` too; inputs that could not be read stand in `failures`.
  package static func json(_ receipt: IngestReceipt) -> String {
    let errors = receipt.refusals.map { refusal in
      let rejection = refusal.rejection
      let file = refusal.input.map { "\"file\":" + JSONText.string($0) + "," } ?? ""
      return "{" + file + "\"line\":\(rejection.line),\"field\":" + optional(rejection.field)
        + ",\"value\":" + optional(rejection.value) + ",\"expected\":"
        + JSONText.string(rejection.expected) + "}"
    }
    let warnings = warnings(receipt).map { warning in
      let field = warning.field.map { "\"field\":" + JSONText.string($0) + "," } ?? ""
      return "{" + field + "\"count\":\(warning.count),\"message\":"
        + JSONText.string(warning.message) + "}"
    }
    let failures = receipt.failures.map {
      "{\"file\":" + JSONText.string($0.input) + ",\"message\":" + JSONText.string($0.message) + "}"
    }
    var text = "{\"accepted\":\(receipt.accepted),\"duplicates\":\(receipt.duplicates)"
    text += ",\"rejected\":\(receipt.rejected),\"errors\":[" + errors.joined(separator: ",") + "]"
    text += ",\"warnings\":[" + warnings.joined(separator: ",") + "]"
    if !failures.isEmpty { text += ",\"failures\":[" + failures.joined(separator: ",") + "]" }
    return text + "}"
  }

  private static func optional(_ text: String?) -> String {
    text.map { JSONText.string($0) } ?? "null"
  }

  /// The result in one line.
  package static func summary(_ receipt: IngestReceipt) -> String {
    func count(_ number: Int, _ what: String) -> String {
      AmountText.readable(count: Int128(number)) + " " + what
    }
    let parts = [
      count(receipt.accepted, receipt.accepted == 1 ? "event accepted" : "events accepted"),
      count(receipt.duplicates, receipt.duplicates == 1 ? "duplicate" : "duplicates"),
      count(receipt.rejected, "refused"),
    ]
    return parts.joined(separator: ", ")
  }

  /// What standard error is told: refusals, warnings and inputs that could not be read.
  package static func notes(_ receipt: IngestReceipt, singleInput: String?) -> [String] {
    let refusals = receipt.refusals.map { refusal in
      let rejection = refusal.rejection
      let place = (refusal.input ?? singleInput ?? "").printable
      let field = rejection.field.map { " \($0.printable)" } ?? ""
      let value = rejection.value.map { " \"\($0.printable)\"" } ?? ""
      let subject = field.isEmpty && value.isEmpty ? "" : field + value + ":"
      return "\(place) line \(rejection.line):\(subject) expected \(rejection.expected.printable)"
    }
    let warnings = warnings(receipt).map { warning in
      let field = warning.field.map { "\($0.printable): " } ?? ""
      return
        "warning: \(field)\(warning.message.printable) (\(AmountText.readable(count: Int128(warning.count))))"
    }
    return refusals + warnings + receipt.failures.map(\.message.printable)
  }

  private struct Warning {
    var field: String?
    var count: Int
    var message: String
  }

  private static func warnings(_ receipt: IngestReceipt) -> [Warning] {
    var warnings = receipt.unknownFields.sorted { $0.key < $1.key }.map { name, count in
      Warning(field: name, count: count, message: "unknown field, left out; events with it")
    }
    if receipt.otherUnknownFields > 0 {
      warnings.append(
        Warning(
          count: receipt.otherUnknownFields, message: "further unknown fields, left out; events"))
    }
    for unread in receipt.unread {
      let place = unread.input.map { $0 + ": " } ?? ""
      warnings.append(
        Warning(
          count: unread.bytes,
          message: place + "the array breaks or ends before the text does; bytes that were not read"
        ))
    }
    let unlisted = receipt.rejected - receipt.refusals.count
    if unlisted > 0 {
      warnings.append(
        Warning(count: unlisted, message: "further events were refused and are not listed"))
    }
    return warnings
  }
}
