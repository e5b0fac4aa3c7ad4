// An incident in words: one line, and the evidence a sentence each.

internal import FarthingCore

struct IncidentWording {
  private let incident: OpenIncident

  init(_ incident: OpenIncident) { self.incident = incident }

  /// What the incident is about, as a phrase.
  private var subject: String {
    guard let first = incident.slice.first else { return "all requests" }
    let text = first.text.isEmpty ? "unnamed" : first.text
    return "\(first.dimension.contractName) \(text)"
  }

  var summary: String {
    let what: String
    switch incident.kind {
    case .denialOfWallet: what = "\(subject) spends many times its usual"
    case .newIdentitySpend: what = "new \(subject) spends at once"
    case .spendSpike: what = "\(subject) spends more than expected"
    case .spendDrop: what = "\(subject) spends far less than expected"
    case .runawayTask: what = "a task of \(subject) runs away"
    case .retryStorm: what = "retries of \(subject) multiply"
    case .fallbackCascade: what = "other models answer for \(subject)"
    case .errorSurge: what = "requests of \(subject) fail"
    case .latencySurge: what = "requests of \(subject) take longer"
    case .repeatedPrompt: what = "\(subject) sends one prompt again and again"
    case .cacheCollapse: what = "the prompt cache of \(subject) stopped hitting"
    case .promptBloat: what = "prompts of \(subject) grew"
    case .outputBloat: what = "answers of \(subject) grew"
    case .reasoningCreep: what = "hidden reasoning of \(subject) grew"
    case .modelMix: what = "\(subject) uses dearer models"
    case .priceChange: what = "the price of \(subject) rose and was not known beforehand"
    case .unitCostDrift: what = "a request of \(subject) costs more than usual"
    case .quietReliability: what = "tasks of \(subject) fail more often"
    case .idleCapacity: what = "\(subject) is paid for and not used"
    default: what = "\(subject): \(incident.kind.rawValue)"
    }
    guard incident.excess >= 0.005 else { return what }
    let rate = incident.perHour >= 0.005 ? ", \(Self.dollars(incident.perHour)) an hour" : ""
    let word = incident.kind == .spendDrop ? "less" : "extra"
    return "\(what): \(Self.dollars(incident.excess)) \(word) since "
      + "\(Self.time(incident.start))\(rate)"
  }

  var explanation: [String] {
    var lines = incident.evidence
    if let explained = incident.explained, let first = incident.slice.first {
      lines.append(
        "\(first.dimension.contractName) \(first.text) explains \(Self.percent(explained)) of the excess"
      )
    }
    if !incident.examples.isEmpty {
      lines.append("dearest requests: " + incident.examples.joined(separator: ", "))
    }
    lines.append(remedy)
    lines.append(end)
    return lines
  }

  private var remedy: String {
    switch incident.kind {
    case .newIdentitySpend, .denialOfWallet:
      "to do: ask who owns the identity; revoke or limit its key if nobody does"
    case .runawayTask: "to do: stop the task and bound its steps"
    case .retryStorm: "to do: let clients back off, and see why the endpoint fails"
    case .fallbackCascade: "to do: see why the first model fails, or cap what may answer for it"
    case .errorSurge:
      "to do: see the endpoint's errors; failed calls are charged for what they used"
    case .cacheCollapse: "to do: see what changed at the beginning of the prompts"
    case .promptBloat, .outputBloat, .reasoningCreep:
      "to do: compare a request of today with one before; look at the last release"
    case .modelMix: "to do: see which release or route chose the other model"
    case .repeatedPrompt: "to do: find the loop, or answer it from a response cache"
    case .priceChange:
      "to do: farthing prices diff says what changed; budgets and forecasts of before went by the old price"
    case .idleCapacity: "to do: release accelerators or send work to them"
    case .quietReliability: "to do: look at failed tasks; their requests look well"
    default: "to do: farthing explain over this time says what changed"
    }
  }

  private var end: String {
    switch incident.kind {
    case .spendSpike, .denialOfWallet, .newIdentitySpend:
      "resolves after 15 minutes at the expected level; a level that lasts a day is taken for usual"
    case .priceChange: "resolves after a day: the new price is the usual one then"
    case .spendDrop: "resolves when spend is back at half of the expectation"
    default: "resolves when it is back at its usual value; what lasts two days is taken for usual"
    }
  }

  /// Dollars for people: cents where there are any, else three digits.
  static func dollars(_ value: Double) -> String {
    let isFine = abs(value) < 1
    let scale = isFine ? 10_000.0 : 100.0
    let scaled = (min(max(value, -1e12), 1e12) * scale).rounded()
    let text = DecimalFormat.text(Int128(scaled), scale: isFine ? 4 : 2)
    return "$" + text
  }

  static func percent(_ share: Double) -> String {
    let tenths = Int128((min(max(share, 0), 1e6) * 1000).rounded())
    return DecimalFormat.text(tenths, scale: 1) + "%"
  }

  /// A number for people, three digits behind the point at most.
  static func number(_ value: Double) -> String {
    let places = abs(value) >= 100 ? 0 : abs(value) >= 1 ? 2 : 4
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    return DecimalFormat.text(
      Int128((min(max(value, -1e15), 1e15) * scale).rounded()), scale: places)
  }

  /// A bucket's start as a time.
  static func time(_ bucket: Int64) -> String { CivilTime.text(bucket * OpenBucket.nanoseconds) }
}
