internal import FarthingCore
internal import FarthingDetection

// What commands are handed: a mail on standard input, and arguments made of templates.

/// A mail as a command such as `sendmail -t` reads it.
package enum MailText {
  /// - Parameters:
  ///   - id: the notification's, for `Message-ID`.
  ///   - date: Unix nanoseconds of the notification.
  package static func mail(
    _ notification: Notification, id: String, from: String, to: [String]
  ) -> [UInt8] {
    var head: [String] = []
    head.append("From: \(field(from))")
    head.append("To: \(to.map { field($0) }.joined(separator: ", "))")
    head.append("Subject: \(encoded(subject(notification)))")
    head.append("Date: \(date(notification.time))")
    head.append("Message-ID: <\(id)@\(domain(of: from))>")
    head.append("MIME-Version: 1.0")
    head.append("Content-Type: text/plain; charset=utf-8")
    head.append("Content-Transfer-Encoding: base64")
    head.append("Auto-Submitted: auto-generated")
    let body = Base64.text(Array(text(notification).utf8))
    var lines: [String] = []
    var rest = body[...]
    while !rest.isEmpty {
      lines.append(String(rest.prefix(76)))
      rest = rest.dropFirst(76)
    }
    return Array(
      (head.joined(separator: "\n") + "\n\n" + lines.joined(separator: "\n") + "\n").utf8)
  }

  static func subject(_ notification: Notification) -> String {
    let mark = notification.isFiring ? notification.severity.rawValue : "resolved"
    return Payloads.oneLine("[farthing \(mark)] \(notification.headline)", 180)
  }

  static func text(_ notification: Notification) -> String {
    var blocks = notification.items.map { Payloads.lines($0).joined(separator: "\n") }
    if notification.unlisted > 0 { blocks.append("and \(notification.unlisted) more") }
    return blocks.joined(separator: "\n\n") + "\n"
  }

  /// A header's value without what could end it.
  private static func field(_ text: String) -> String { Payloads.oneLine(text, 320) }

  /// Words that are not ASCII as RFC 2047 asks, at most 45 bytes in each so that a line fits.
  private static func encoded(_ text: String) -> String {
    guard !text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return text }
    var words: [String] = []
    var piece: [UInt8] = []
    for character in text {
      if piece.count + character.utf8.count > 45, !piece.isEmpty {
        words.append("=?utf-8?B?\(Base64.text(piece))?=")
        piece = []
      }
      piece += Array(character.utf8)
    }
    words.append("=?utf-8?B?\(Base64.text(piece))?=")
    return words.joined(separator: "\n ")
  }

  private static func domain(of address: String) -> String {
    let part = address.split(separator: "@").last.map(String.init) ?? ""
    let plain = part.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }
    return plain.isEmpty ? "farthing.invalid" : plain
  }

  /// RFC 5322: `Sat, 21 Nov 2026 17:00:00 +0000`.
  static func date(_ nanoseconds: Int64) -> String {
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let text = CivilTime.text(nanoseconds)
    let seconds = nanoseconds / CivilTime.second
    let day = Int((seconds >= 0 ? seconds : seconds - 86_399) / 86_400)
    let parts = text.prefix(10).split(separator: "-")
    guard parts.count == 3, let month = Int(parts[1]), (1...12).contains(month) else { return text }
    let name = names[((day % 7) + 7) % 7]
    return "\(name), \(parts[2]) \(months[month - 1]) \(parts[0]) "
      + "\(text.dropFirst(11).prefix(8)) +0000"
  }
}

/// Arguments with places for what a notification says: `{{summary}}`.
package enum ArgumentTemplate {
  /// What may stand between the braces.
  package static let names = [
    "status", "severity", "kind", "summary", "headline", "id", "receiver", "group_key", "firing",
    "resolved", "usd_per_hour", "excess_usd", "started_at", "identity", "workload", "tenant",
    "endpoint", "model", "site",
  ]

  /// What a template asks for that there is not; empty where all is known.
  package static func unknownNames(in template: String) -> [String] {
    places(in: template).filter { !names.contains($0) }
  }

  /// The names that a template asks for.
  package static func places(in template: String) -> [String] {
    pieces(template).compactMap { piece in
      if case .place(let name) = piece { name } else { nil }
    }
  }

  private enum Piece {
    case text(String)
    case place(String)
  }

  private static func pieces(_ template: String) -> [Piece] {
    var pieces: [Piece] = []
    var rest = template[...]
    while let start = rest.firstRange(of: "{{") {
      guard let end = rest[start.upperBound...].firstRange(of: "}}") else { break }
      pieces.append(.text(String(rest[..<start.lowerBound])))
      let name = rest[start.upperBound..<end.lowerBound].filter { $0 != " " }
      pieces.append(.place(String(name)))
      rest = rest[end.upperBound...]
    }
    pieces.append(.text(String(rest)))
    return pieces
  }

  /// The argument. A value is put in once and never read as a template; control characters become
  /// blanks; and where it would make the argument an option by a leading dash, a blank comes first.
  package static func argument(_ template: String, _ notification: Notification) -> String {
    argument(template) { value($0, notification) }
  }

  /// The same of other values.
  package static func argument(_ template: String, by lookUp: (String) -> String) -> String {
    var argument = ""
    var beginsWithValue = false
    for piece in pieces(template) {
      switch piece {
      case .text(let text): argument += text
      case .place(let name):
        let value = Payloads.oneLine(lookUp(name), 2000)
        if argument.isEmpty, !value.isEmpty { beginsWithValue = true }
        argument += value
      }
    }
    return beginsWithValue && argument.hasPrefix("-") ? " " + argument : argument
  }

  private static func value(_ name: String, _ notification: Notification) -> String {
    let first = notification.items.first?.incident
    switch name {
    case "status": return notification.isFiring ? "firing" : "resolved"
    case "severity": return notification.severity.rawValue
    case "kind": return first?.kind.rawValue ?? ""
    case "summary": return first?.summary ?? ""
    case "headline": return notification.headline
    case "id": return first?.id ?? ""
    case "receiver": return notification.receiver
    case "group_key": return notification.groupKey
    case "firing": return "\(notification.firing)"
    case "resolved": return "\(notification.resolved)"
    case "usd_per_hour": return EstimateText.dollars(notification.usdPerHour) ?? ""
    case "excess_usd": return notification.excess?.decimalText ?? ""
    case "started_at": return first.map { CivilTime.text($0.startedAt) } ?? ""
    default:
      return first?.dimensions.first { $0.dimension == name }?.value ?? first?.labels[name] ?? ""
    }
  }
}
