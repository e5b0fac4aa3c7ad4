/// What can be made to go wrong in a synthetic fleet, and what only looks as if it did.
///
/// The raw values are the alert kinds of the interface where one exists; the three quiet ones at
/// the end must raise no alert.
package enum IncidentKind: String, Sendable, CaseIterable {
  /// Prompts grow: input tokens × factor.
  case promptBloat = "prompt_bloat"
  /// Answers grow: output tokens × factor.
  case outputBloat = "output_bloat"
  /// Hidden reasoning grows: reasoning tokens × factor, and output with them.
  case reasoningCreep = "reasoning_creep"
  /// The prompt cache stops hitting in a share of the requests.
  case cacheCollapse = "cache_collapse"
  /// Every call needs `factor` attempts in the mean; the failed ones are billed.
  case retryStorm = "retry_storm"
  /// An existing identity calls at factor × its usual rate.
  case denialOfWallet = "denial_of_wallet"
  /// An identity never seen before spends at factor × the mean identity's rate: a stolen key.
  case newIdentitySpend = "new_identity_spend"
  /// More traffic than usual: rate × factor for all that the target names.
  case spendSpike = "spend_spike"
  /// A share of the traffic is gone.
  case spendDrop = "spend_drop"
  /// One task loops: factor × the usual number of steps, its context growing.
  case runawayTask = "runaway_task"
  /// The first model fails in a share of the calls and another one answers.
  case fallbackCascade = "fallback_cascade"
  /// A share of the calls fails with an error.
  case errorSurge = "error_surge"
  /// Waiting and computing take factor × as long.
  case latencySurge = "latency_surge"
  /// A share of the requests goes to another, dearer model.
  case modelMix = "model_mix"
  /// One prompt is sent again and again: factor × the identity's usual rate of it in addition.
  case repeatedPrompt = "repeated_prompt"
  /// Input and output creep up to × factor over the whole span of the incident.
  case unitCostDrift = "unit_cost_drift"
  /// Tasks fail more often (their success rate falls by a share) while nothing errs.
  case quietReliability = "quiet_reliability"
  /// Quiet: an announced launch, rate × factor.
  case announcedLaunch = "announced_launch"
  /// Quiet: each night from 02:00 to 03:00 UTC, factor × the usual rate more.
  case nightlyBatch = "nightly_batch"
  /// Quiet: events of the target are lost on their way; the traffic itself goes on.
  case telemetryGap = "telemetry_gap"

  /// Whether a detector ought to raise an alert.
  package var isAnomalous: Bool {
    switch self {
    case .announcedLaunch, .nightlyBatch, .telemetryGap: false
    default: true
    }
  }

  /// The factor where the specification names none; nil where the kind takes no factor.
  package var defaultFactor: Double? {
    switch self {
    case .promptBloat, .reasoningCreep, .spendSpike, .announcedLaunch: 2.5
    case .outputBloat, .nightlyBatch: 3
    case .retryStorm, .latencySurge, .runawayTask: 4
    case .denialOfWallet: 20
    case .newIdentitySpend: 10
    case .repeatedPrompt: 5
    case .unitCostDrift: 1.8
    case .cacheCollapse, .spendDrop, .fallbackCascade, .errorSurge, .modelMix, .quietReliability,
      .telemetryGap:
      nil
    }
  }

  /// The share where the specification names none; nil where the kind takes no share.
  package var defaultShare: Double? {
    switch self {
    case .cacheCollapse, .telemetryGap: 1
    case .fallbackCascade: 0.9
    case .spendDrop, .modelMix: 0.7
    case .errorSurge, .quietReliability: 0.35
    default: nil
    }
  }
}

/// One incident to be made: what, when, how much and to whom.
///
/// As text: `KIND@START+DURATION[,KEY=VALUE…]`, for example
/// `retry_storm@2026-03-09T10:00Z+4h,workload=support-assistant,factor=6`. Keys are the targets
/// `workload`, `tenant`, `identity`, `site`, `model`, `endpoint` (an incident touches what matches
/// all of them; none means the whole fleet), the magnitude `factor` or `share` as the kind takes it,
/// `ramp` (a length of time over which the magnitude grows from nothing) and, for the kinds that
/// name something new, `to` (`model_mix` and `fallback_cascade`: a model; `new_identity_spend`: the
/// identity).
package struct IncidentSpecification: Sendable, Equatable {
  package var kind: IncidentKind
  /// First instant, Unix nanoseconds.
  package var start: Int64
  /// First instant after it, Unix nanoseconds.
  package var end: Int64
  /// Factor or share, as the kind says; a share lies in 0…1, a factor above 1.
  package var magnitude: Double
  /// Nanoseconds from the start until the magnitude is reached; 0 for at once.
  package var ramp: Int64
  /// What a target dimension must equal, by its contract name.
  package var targets: [String: String]
  /// The model or identity that the incident brings in; nil for the kind's own choice.
  package var replacement: String?

  package init(
    kind: IncidentKind, start: Int64, end: Int64, magnitude: Double? = nil, ramp: Int64 = 0,
    targets: [String: String] = [:], replacement: String? = nil
  ) {
    self.kind = kind
    self.start = start
    self.end = end
    self.magnitude = magnitude ?? kind.defaultFactor ?? kind.defaultShare ?? 1
    self.ramp = kind == .unitCostDrift && ramp == 0 ? end - start : ramp
    self.targets = targets
    self.replacement = replacement
  }

  /// The dimensions that an incident can be aimed at.
  package static let targetNames = ["workload", "tenant", "identity", "site", "model", "endpoint"]

  /// Reads the text form described at the type.
  ///
  /// - Throws: ``SynthesisError`` that quotes the text and says which part of it is wrong, what was
  ///   expected there, and which name is the nearest where one is unknown.
  package static func parse(_ text: String) throws(SynthesisError) -> IncidentSpecification {
    func fault(_ words: String) -> SynthesisError {
      SynthesisError(message: "incident \"\(text)\": \(words)")
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard let head = parts.first, let at = head.firstIndex(of: "@") else {
      throw fault("expected KIND@START+DURATION, e.g. retry_storm@2026-03-09T10:00Z+4h")
    }
    let name = String(head[..<at])
    guard let kind = IncidentKind(rawValue: name) else {
      throw fault(unknown("kind", name, among: IncidentKind.allCases.map(\.rawValue)))
    }
    let (start, end) = try span(head[head.index(after: at)...], fault)
    var result = IncidentSpecification(kind: kind, start: start, end: end)
    var seen: Set<String> = []
    for part in parts.dropFirst() {
      guard let equals = part.firstIndex(of: "="), part.index(after: equals) < part.endIndex else {
        throw fault("\"\(part)\" is not KEY=VALUE")
      }
      let key = String(part[..<equals])
      let value = String(part[part.index(after: equals)...])
      guard seen.insert(key).inserted else { throw fault("\(key) is given twice") }
      try result.apply(key: key, value: value, fault)
    }
    return result
  }

  /// `START+DURATION`. The last plus sign divides, since an offset of the start has one too.
  private static func span(
    _ text: Substring, _ fault: (String) -> SynthesisError
  ) throws(SynthesisError) -> (Int64, Int64) {
    guard let plus = text.lastIndex(of: "+") else {
      throw fault("expected START+DURATION after the kind, e.g. 2026-03-09T10:00Z+4h")
    }
    let startText = text[..<plus]
    let lengthText = text[text.index(after: plus)...]
    guard let start = CivilTime.parse(startText) else {
      throw fault("start \"\(startText)\" is not a time; write 2026-03-09 or 2026-03-09T10:00Z")
    }
    guard let length = CivilTime.parseDuration(lengthText) else {
      throw fault("duration \"\(lengthText)\" is not a length of time; write 90m, 4h or 2d")
    }
    return (start, start + length)
  }

  private mutating func apply(
    key: String, value: String, _ fault: (String) -> SynthesisError
  ) throws(SynthesisError) {
    switch key {
    case "factor":
      guard kind.defaultFactor != nil else {
        throw fault("\(kind.rawValue) takes a share, not a factor")
      }
      guard let factor = Double(value), factor > 1, factor <= 10_000 else {
        throw fault("factor \"\(value)\" is not a number above 1 and up to 10000")
      }
      magnitude = factor
    case "share":
      guard kind.defaultShare != nil else {
        throw fault("\(kind.rawValue) takes a factor, not a share")
      }
      guard let share = Double(value), share > 0, share <= 1 else {
        throw fault("share \"\(value)\" is not a number above 0 and up to 1")
      }
      magnitude = share
    case "ramp":
      guard let length = CivilTime.parseDuration(value) else {
        throw fault("ramp \"\(value)\" is not a length of time; write 90m, 4h or 2d")
      }
      ramp = length
    case "to":
      guard kind == .modelMix || kind == .fallbackCascade || kind == .newIdentitySpend else {
        throw fault("\(kind.rawValue) brings nothing new in; leave \"to\" out")
      }
      try Self.checkName(key, value, fault)
      replacement = value
    case _ where Self.targetNames.contains(key):
      try Self.checkName(key, value, fault)
      targets[key] = value
    default:
      throw fault(
        Self.unknown("key", key, among: Self.targetNames + ["factor", "share", "ramp", "to"]))
    }
  }

  /// Names stand in JSON unescaped, so they may hold nothing that JSON or the contract escapes.
  private static func checkName(
    _ key: String, _ value: String, _ fault: (String) -> SynthesisError
  ) throws(SynthesisError) {
    let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    guard isPlain, value.utf8.count <= 256 else {
      throw fault("\(key) \"\(value)\" is not a name of visible ASCII without quotes, at most 256")
    }
  }

  /// `unknown WHAT "NAME"` with the nearest known name, or the known ones where none is near.
  static func unknown(_ what: String, _ name: String, among known: [String]) -> String {
    let hint = Suggestion.nearest(to: name, among: known).map { "; did you mean \($0)?" }
    // A fleet may have thousands of names; the first few show what they look like.
    let listed = known.prefix(30).joined(separator: ", ") + (known.count > 30 ? "…" : "")
    return "unknown \(what) \"\(name)\"\(hint ?? "; known are \(listed)")"
  }
}
