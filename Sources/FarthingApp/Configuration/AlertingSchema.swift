internal import FarthingCore
internal import FarthingPipeline
internal import Yams

/// The settings of section `alerting`.
enum AlertingSchema {
  static let settings: [Setting<AlertingSettings>] = [
    .node(
      "receivers", \.receivers, below: receiver.map(\.name), read: { receivers(&$0, $1) }),
    .node(
      "route", \.route, below: route.map(\.name).filter { !["match", "continue"].contains($0) },
      read: { routes(&$0, $1) }),
    .node("inhibit", \.inhibit, below: inhibit.map(\.name), read: { inhibitions(&$0, $1) }),
    .node("mute", \.mute, read: { mutes(&$0, $1) }),
    .whole("retention_days", \.retentionDays, 1...ConfigurationSchema.greatestRetention),
    .value(
      "external_url", \.externalURL, expected: "an http or https URL without a query",
      parse: { ServerURL($0).map { .some($0.linked) } }),
  ]

  /// Most receivers, and most routes, rules and matchers in one place.
  static let limit = 200

  // MARK: Receivers

  /// A receiver while it is read.
  struct ReceiverDraft: Sendable {
    var name: String?
    var kind: ReceiverSettings.Kind?
    var url: String?
    var urlFile: String?
    var urlVariable: String?
    var secretFile: String?
    var secretVariable: String?
    var authorityFile: String?
    var allowsLoopback = false
    var command: [String] = []
    var from: String?
    var to: [String] = []
    var commandSeconds = 15
    var sendsResolved = true
  }

  private static let variableExpectation = "the name of a variable of the environment"

  static let receiver: [Setting<ReceiverDraft>] = [
    .value(
      "name", \.name, expected: "1 to 64 letters, digits, dots, dashes and underscores",
      parse: { TokenSettings.name($0).map { .some($0) } }),
    .value(
      "type", \.kind,
      expected: "one of "
        + ReceiverSettings.Kind.allCases.map(\.rawValue).joined(separator: ", "),
      parse: { ReceiverSettings.Kind(rawValue: $0).map { .some($0) } }),
    .value(
      "url", \.url, expected: ReceiverURL.expectation, isSecret: true,
      parse: { ReceiverURL($0) == nil ? nil : .some($0) }),
    .text("url_file", \.urlFile),
    .value(
      "url_env", \.urlVariable, expected: variableExpectation,
      parse: { variable($0).map { .some($0) } }),
    .text("secret_file", \.secretFile),
    .value(
      "secret_env", \.secretVariable, expected: variableExpectation,
      parse: { variable($0).map { .some($0) } }),
    .text("ca_file", \.authorityFile),
    .flag("allow_loopback", \.allowsLoopback),
    .node("command", \.command, read: { texts(&$0, $1) }),
    .text("from", \.from),
    .node("to", \.to, read: { texts(&$0, $1) }),
    .whole("timeout_s", \.commandSeconds, 1...300),
    .flag("send_resolved", \.sendsResolved),
  ]

  private static func variable(_ text: String) -> String? {
    let isName = text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
      default: false
      }
    }
    return isName && (1...128).contains(text.utf8.count) ? text : nil
  }

  private static func texts(_ reader: inout SettingReader, _ node: Node) -> [String]? {
    RegistrySetting.texts(&reader, node)
  }

  static func receivers(
    _ reader: inout SettingReader, _ node: Node
  ) -> [ReceiverSettings]? {
    var names: Set<String> = []
    return list(&reader, node) { reader, element in
      var draft = ReceiverDraft()
      let before = reader.faults.count
      reader.read(element, receiver, into: &draft)
      guard reader.faults.count == before else { return nil }
      guard let name = draft.name, let kind = draft.kind else {
        reader.fault(element, "\(reader.path): expected name and type")
        return nil
      }
      if !names.insert(name).inserted {
        reader.fault(element, "\(reader.path): the name \"\(name)\" is given twice; keep one")
      }
      for objection in objections(draft, kind) {
        reader.fault(element, "\(reader.path): \(objection)")
      }
      return settings(draft, name, kind)
    }
  }

  private static func settings(
    _ draft: ReceiverDraft, _ name: String, _ kind: ReceiverSettings.Kind
  ) -> ReceiverSettings {
    var settings = ReceiverSettings(name: name, kind: kind)
    settings.url = draft.url
    settings.urlSource = source(draft.urlFile, draft.urlVariable)
    settings.secret = source(draft.secretFile, draft.secretVariable)
    settings.authorityFile = draft.authorityFile
    settings.allowsLoopback = draft.allowsLoopback
    settings.command = draft.command
    settings.from = draft.from
    settings.to = draft.to
    settings.commandSeconds = draft.commandSeconds
    settings.sendsResolved = draft.sendsResolved
    if kind == .pagerduty, settings.url == nil, settings.urlSource == nil {
      settings.url = "https://events.pagerduty.com/v2/enqueue"
    }
    if kind == .email, settings.command.isEmpty {
      settings.command = ["/usr/sbin/sendmail", "-i", "-t"]
    }
    return settings
  }

  private static func source(_ file: String?, _ variable: String?) -> SecretSource? {
    file.map { .file($0) } ?? variable.map { .environment($0) }
  }

  /// What of a receiver does not fit together.
  private static func objections(
    _ draft: ReceiverDraft, _ kind: ReceiverSettings.Kind
  ) -> [String] {
    var objections: [String] = []
    let urls = [draft.url, draft.urlFile, draft.urlVariable].compactMap { $0 }.count
    if urls > 1 { objections.append("expected one of url, url_file and url_env") }
    if draft.secretFile != nil, draft.secretVariable != nil {
      objections.append("expected one of secret_file and secret_env")
    }
    switch kind {
    case .webhook, .slack, .alertmanager:
      if urls == 0 { objections.append("a receiver of type \(kind.rawValue) needs a url") }
      if !draft.command.isEmpty { objections.append("command belongs to exec and email") }
    case .pagerduty:
      if draft.secretFile == nil, draft.secretVariable == nil {
        objections.append("pagerduty needs its integration key: secret_file or secret_env")
      }
    case .email:
      if !isAddress(draft.from) || draft.to.isEmpty || !draft.to.allSatisfy({ isAddress($0) }) {
        objections.append("email needs from and to, mail addresses such as farthing@example.com")
      }
    case .exec:
      if draft.command.isEmpty { objections.append("exec needs a command: a list, program first") }
    }
    if [.exec, .email].contains(kind) {
      if let program = draft.command.first, !program.hasPrefix("/") {
        objections.append("command: expected the program's whole path, beginning with a slash")
      }
      for name in draft.command.dropFirst().flatMap({ ArgumentTemplate.unknownNames(in: $0) }) {
        objections.append(
          "command: {{\(name.printable)}} is unknown; expected one of "
            + ArgumentTemplate.names.joined(separator: ", "))
      }
    }
    return objections
  }

  private static func isAddress(_ text: String?) -> Bool {
    guard let text, text.utf8.count <= 254 else { return false }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && !text.hasPrefix("-")
      && text.utf8.allSatisfy {
        $0 > 0x20 && $0 < 0x7F && !Array("<>,;\"()[]\\:".utf8).contains($0)
      }
  }

  // MARK: Routes

  static let route: [Setting<AlertRoute>] = [
    .value(
      "receiver", \.receiver, expected: "the name of a receiver",
      parse: { TokenSettings.name($0).map { .some($0) } }),
    .node("match", \.matchers, read: { matchers(&$0, $1) }),
    .node("group_by", \.groupBy, read: { reader, node in .some(labels(&reader, node)) }),
    optionalSeconds("group_wait_s", \.groupWait, 0...3600),
    optionalSeconds("group_interval_s", \.groupInterval, 1...86_400),
    optionalSeconds("repeat_interval_s", \.repeatInterval, 60...31_536_000),
    .flag("continue", \.continues),
    .node(
      "routes", \.routes,
      read: { reader, node in
        // Deeper than anybody can follow.
        guard reader.path.split(separator: ".").count < 10 else {
          reader.fault(node, "\(reader.path): routes below routes go ten levels deep at most")
          return nil
        }
        return list(&reader, node) { reader, element in routes(&reader, element) }
      }),
  ]

  private static func optionalSeconds(
    _ name: String, _ place: Setting<AlertRoute>.Place<Duration?>, _ range: ClosedRange<Int>
  ) -> Setting<AlertRoute> {
    .value(
      name, place,
      expected: "a whole number of seconds from \(range.lowerBound) to \(range.upperBound)",
      parse: { WholeNumber.parse($0, range).map { .some(.seconds($0)) } })
  }

  private static func labels(_ reader: inout SettingReader, _ node: Node) -> [String]? {
    if node.sequence?.isEmpty == true { return [] }
    return RegistrySetting.texts(&reader, node)
  }

  static func routes(_ reader: inout SettingReader, _ node: Node) -> AlertRoute? {
    var draft = AlertRoute()
    reader.read(node, route, into: &draft)
    return draft
  }

  // MARK: Rules

  static let inhibit: [Setting<InhibitRule>] = [
    .node("source", \.source, read: { matchers(&$0, $1) }),
    .node("target", \.target, read: { matchers(&$0, $1) }),
    .node("equal", \.equal, read: { labels(&$0, $1) }),
  ]

  static func inhibitions(
    _ reader: inout SettingReader, _ node: Node
  ) -> [InhibitRule]? {
    list(&reader, node) { reader, element in
      var rule = InhibitRule()
      reader.read(element, inhibit, into: &rule)
      if rule.source.isEmpty || rule.target.isEmpty {
        reader.fault(element, "\(reader.path): expected matchers of both source and target")
        return nil
      }
      return rule
    }
  }

  static func mutes(_ reader: inout SettingReader, _ node: Node) -> [[AlertMatcher]]? {
    list(&reader, node) { reader, element in
      let found = matchers(&reader, element) ?? []
      return found.isEmpty ? nil : found
    }
  }

  static func matchers(_ reader: inout SettingReader, _ node: Node) -> [AlertMatcher]? {
    var found: [AlertMatcher] = []
    for element in reader.elements(node) {
      guard let text = reader.text(element) else { continue }
      do throws(AlertMatcher.Fault) {
        found.append(try AlertMatcher(text))
      } catch {
        reader.fault(element, "\(reader.path): \(error.message)")
      }
    }
    return found
  }

  /// The elements of a list, each read at a path with its number.
  private static func list<Element>(
    _ reader: inout SettingReader, _ node: Node,
    _ read: (inout SettingReader, Node) -> Element?
  ) -> [Element]? {
    guard let sequence = node.sequence else {
      if node.scalar?.string.isEmpty == true { return [] }
      reader.fault(node, "\(reader.path): expected a list")
      return nil
    }
    guard sequence.count <= limit else {
      reader.fault(node, "\(reader.path): more than \(limit) elements")
      return nil
    }
    var found: [Element] = []
    let outer = reader.path
    defer { reader.path = outer }
    for (index, element) in sequence.enumerated() {
      reader.path = "\(outer)[\(index + 1)]"
      if let value = read(&reader, element) { found.append(value) }
    }
    return found
  }

  /// What must hold between the parts of the section.
  static func check(_ reader: inout SettingReader, _ node: Node, _ settings: AlertingSettings) {
    for name in settings.routedReceivers where settings.receiver(name) == nil {
      reader.fault(node, "\(reader.name(of: "route")): no receiver is called \"\(name)\"")
    }
    if !settings.route.matchers.isEmpty {
      reader.fault(
        node,
        "\(reader.name(of: "route")): the first route is for every alert; match belongs below it")
    }
  }
}

extension ServerURL {
  /// As it is written in links: without the port where it is the scheme's own.
  fileprivate var linked: String {
    let text = description
    let suffix = ":\(isSecure ? 443 : 80)"
    guard path.isEmpty, text.hasSuffix(suffix) else { return text }
    return String(text.dropLast(suffix.utf8.count))
  }
}
