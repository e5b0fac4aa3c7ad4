internal import FarthingCore
internal import FarthingDetection
internal import FarthingPipeline
internal import FarthingQuery
internal import Yams

/// The settings of section `isolation`.
enum IsolationSchema {
  static let settings: [Setting<IsolationSettings>] = [
    .value(
      "mode", \.mode,
      expected: "one of \(IsolationMode.allCases.map(\.rawValue).joined(separator: ", "))",
      parse: { IsolationMode(rawValue: $0) }),
    .node("policies", \.policies, below: policy.flatMap(\.paths), read: { policies(&$0, $1) }),
    .section("guardrails", \.guardrails, guardrails),
    .node("hooks", \.hooks, below: hook.flatMap(\.paths), read: { hooks(&$0, $1) }),
    duration("probe_within", \.probeWithin, 1...3600),
    duration("approval_within", \.approvalWithin, 60...604_800),
    .whole("retention_days", \.retentionDays, 1...ConfigurationSchema.greatestRetention),
  ]

  // MARK: Policies

  /// A policy while it is read.
  struct PolicyDraft: Sendable {
    var name: String?
    var value = IsolationPolicy(name: "")
    var actions: [String] = []
    var model: String?
    var callsPerMinute = 10
    var approval = "none"
  }

  static let policy: [Setting<PolicyDraft>] = [
    .value(
      "name", \.name, expected: "1 to 64 letters, digits, dots, dashes and underscores",
      parse: { TokenSettings.name($0).map { .some($0) } }),
    .node("kinds", \.value.kinds, read: { words(&$0, $1, "a kind of alert") }),
    .value(
      "severity", \.value.severity,
      expected: "one of \(AlertSeverity.allCases.map(\.rawValue).joined(separator: ", "))",
      parse: { AlertSeverity(rawValue: $0) }),
    .whole("min_usd_per_hour", \.value.minimumRate, 0...1_000_000),
    .flag("containable_only", \.value.containableOnly),
    .node("match", \.value.matchers, read: { AlertingSchema.matchers(&$0, $1) }),
    .node("targets", \.value.targets, read: { words(&$0, $1, "a dimension") }),
    .node("action", \.actions, read: { RegistrySetting.texts(&$0, $1) }),
    .text("degrade_model", \.model),
    .whole("calls_per_minute", \.callsPerMinute, 1...1_000_000),
    duration("duration", \.value.duration, 1...2_592_000),
    .whole("backoff", \.value.backoff, 1...100),
    duration("longest", \.value.longest, 1...2_592_000),
    duration("hold", \.value.hold, 0...2_592_000),
    .value(
      "approval", \.approval, expected: "none or required",
      parse: { ["none", "required"].contains($0) ? $0 : nil }),
    .node("hooks", \.value.hooks, read: { hookNames(&$0, $1) }),
  ]

  static func policies(_ reader: inout SettingReader, _ node: Node) -> [IsolationPolicy]? {
    NamedElements.read(
      &reader, node, policy, PolicyDraft(), limit: IsolationPolicy.limit, expected: "a name",
      name: \.name
    ) { draft, fault in
      guard let name = draft.name else {
        fault("expected a name")
        return nil
      }
      var policy = draft.value
      policy.name = name
      if policy.targets.isEmpty { fault("targets: expected at least one") }
      if policy.longest < policy.duration { fault("longest: expected at least the duration") }
      let known = Dictionary(
        uniqueKeysWithValues: actions(draft).map { ($0.word, $0) })
      var found: [IsolationAction] = []
      for word in draft.actions {
        if let action = known[word] {
          found.append(action)
        } else {
          fault("action \(word.shownValue): expected observe, degrade, throttle or isolate")
        }
      }
      if !found.isEmpty { policy.actions = found }
      policy.needsApproval = draft.approval == "required"
      return policy
    }
  }

  private static func actions(_ draft: PolicyDraft) -> [IsolationAction] {
    [
      .observe, .degrade(model: draft.model), .throttle(callsPerMinute: draft.callsPerMinute),
      .isolate,
    ]
  }

  // MARK: Guardrails

  static let guardrails: [Setting<IsolationGuardrails>] = [
    .whole("at_once_percent", \.sharePercent, 0...100),
    .optionalWhole("at_once", \.atOnce, 1...1_000_000),
    .whole("tenant_at_once_percent", \.tenantSharePercent, 0...100),
    .whole("bad_percent", \.badPercent, 1...100),
    duration("cool_down", \.coolDown, 0...86_400),
    .whole("actions_per_hour", \.actionsAnHour, 1...100_000),
    .node("protected", \.protected, read: { protected(&$0, $1) }),
    duration("active_within", \.activeWindow, 60...604_800),
  ]

  private static func protected(
    _ reader: inout SettingReader, _ node: Node
  ) -> [IsolationTarget.Dimension: [LikePattern]]? {
    guard let mapping = node.mapping else {
      if node.scalar?.string.isEmpty == true { return [:] }
      reader.fault(node, "\(reader.path): expected lists by dimension, such as identity: [svc-%]")
      return nil
    }
    var found: [IsolationTarget.Dimension: [LikePattern]] = [:]
    let outer = reader.path
    defer { reader.path = outer }
    for (key, value) in mapping {
      let word = key.scalar?.string ?? ""
      reader.path = "\(outer).\(word)"
      guard let dimension = IsolationTarget.Dimension(rawValue: word) else {
        reader.fault(key, "\(reader.path): expected one of \(dimensions)")
        continue
      }
      found[dimension] = (RegistrySetting.texts(&reader, value) ?? []).map { LikePattern($0) }
    }
    return found
  }

  private static let dimensions = IsolationTarget.Dimension.allCases.map(\.rawValue)
    .joined(separator: ", ")

  // MARK: Hooks

  /// A hook while it is read.
  struct HookDraft: Sendable {
    var name: String?
    var kind: HookSettings.Kind?
    var value = HookSettings(name: "", kind: .exec)
    var urlFile: String?
    var urlVariable: String?
    var secretFile: String?
    var secretVariable: String?
  }

  static let hook: [Setting<HookDraft>] = [
    .value(
      "name", \.name, expected: "1 to 64 letters, digits, dots, dashes and underscores",
      parse: { TokenSettings.name($0).map { .some($0) } }),
    .value(
      "type", \.kind,
      expected: "one of \(HookSettings.Kind.allCases.map(\.rawValue).joined(separator: ", "))",
      parse: { HookSettings.Kind(rawValue: $0).map { .some($0) } }),
    .node(
      "dimensions", \.value.dimensions,
      read: { reader, node in .some(words(&reader, node, "a dimension")) }),
    duration("timeout", \.value.timeout, 1...300),
    .value(
      "url", \.value.url, expected: ReceiverURL.expectation, isSecret: true,
      parse: { ReceiverURL($0) == nil ? nil : .some($0) }),
    .text("url_file", \.urlFile), .text("url_env", \.urlVariable),
    .text("secret_file", \.secretFile), .text("secret_env", \.secretVariable),
    .text("ca_file", \.value.authorityFile),
    .flag("allow_loopback", \.value.allowsLoopback),
    .node("command", \.value.command, read: { RegistrySetting.texts(&$0, $1) }),
    .text("socket", \.value.socket),
    .node("maps", \.value.maps, read: { NamedElements.texts(&$0, $1) }),
    .text("namespace", \.value.namespace),
    .text("policy", \.value.policyKind),
    .node("labels", \.value.labels, read: { NamedElements.texts(&$0, $1) }),
  ]

  static func hooks(_ reader: inout SettingReader, _ node: Node) -> [HookSettings]? {
    NamedElements.read(
      &reader, node, hook, HookDraft(), limit: HookSettings.limit, expected: "name and type",
      name: \.name
    ) { draft, fault in
      guard let name = draft.name, let kind = draft.kind else {
        fault("expected name and type")
        return nil
      }
      var settings = draft.value
      settings.name = name
      settings.kind = kind
      settings.urlSource = source(draft.urlFile, draft.urlVariable)
      settings.secret = source(draft.secretFile, draft.secretVariable)
      for objection in objections(draft, settings) { fault(objection) }
      return settings
    }
  }

  private static func source(_ file: String?, _ variable: String?) -> SecretSource? {
    file.map { .file($0) } ?? variable.map { .environment($0) }
  }

  /// What of a hook does not fit together.
  private static func objections(_ draft: HookDraft, _ settings: HookSettings) -> [String] {
    var objections: [String] = []
    let urls = [settings.url, draft.urlFile, draft.urlVariable].compactMap { $0 }.count
    if urls > 1 { objections.append("expected one of url, url_file and url_env") }
    if draft.secretFile != nil, draft.secretVariable != nil {
      objections.append("expected one of secret_file and secret_env")
    }
    switch settings.kind {
    case .webhook, .litellm:
      if urls == 0 { objections.append("a hook of type \(settings.kind.rawValue) needs a url") }
      if settings.kind == .litellm, settings.secret == nil {
        objections.append("litellm needs its master key: secret_file or secret_env")
      }
    case .haproxy:
      if settings.socket == nil { objections.append("haproxy needs a socket: a path or HOST:PORT") }
    case .exec:
      if settings.command.isEmpty {
        objections.append("exec needs a command: a list, program first")
      }
    case .kubernetes: break
    }
    if let program = settings.command.first, !program.hasPrefix("/") {
      objections.append("command: expected the program's whole path, beginning with a slash")
    }
    return objections
  }

  // MARK: Words

  private static func hookNames(_ reader: inout SettingReader, _ node: Node) -> [String]?? {
    if node.sequence?.isEmpty == true { return .some([]) }
    return RegistrySetting.texts(&reader, node).map { .some($0) }
  }

  /// A list of words out of an enumeration.
  private static func words<Word: CaseIterable & RawRepresentable>(
    _ reader: inout SettingReader, _ node: Node, _ what: String
  ) -> [Word] where Word.RawValue == String {
    var found: [Word] = []
    for element in reader.elements(node) {
      guard let text = reader.text(element) else { continue }
      if let word = Word(rawValue: text) {
        found.append(word)
      } else {
        let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
        reader.fault(
          element, "\(reader.path) \(text.shownValue): expected \(what): \(known)")
      }
    }
    return found
  }

  static func duration<Section: Sendable>(
    _ name: String, _ place: Setting<Section>.Place<Duration>, _ seconds: ClosedRange<Int>
  ) -> Setting<Section> {
    .value(
      name, place,
      expected: "a length of time from \(seconds.lowerBound)s to \(seconds.upperBound)s, such as "
        + "90s, 15m or 2h",
      parse: { text in
        guard let nanoseconds = text == "0" ? 0 : CivilTime.parseDuration(text) else { return nil }
        let whole = Int(nanoseconds / CivilTime.second)
        return seconds.contains(whole) ? .nanoseconds(nanoseconds) : nil
      })
  }

  /// What must hold between the parts of the section.
  static func check(_ reader: inout SettingReader, _ node: Node, _ settings: IsolationSettings) {
    for policy in settings.policies {
      for name in policy.hooks ?? [] where settings.hook(name) == nil {
        reader.fault(
          node,
          "\(reader.name(of: "policies")): \(policy.name): no hook is called \"\(name.printable)\"")
      }
    }
  }
}
