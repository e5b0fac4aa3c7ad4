internal import FarthingCore
internal import FarthingDetection
package import FarthingStore

// Isolations as the ledger keeps them, and as the interface shows them.

extension Isolation {
  /// What is kept of it.
  package var row: IsolationRow {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("target")
      target.write(to: &writer)
      writer.member("action", action.word)
      switch action {
      case .degrade(let model): writer.member("model", model)
      case .throttle(let calls): writer.member("calls_per_minute", calls)
      case .observe, .isolate: break
      }
      writer.member("mode", mode.rawValue)
      writer.member("policy", policy)
      writer.member("repetition", repetition)
      writer.member("effective_at", effectiveAt)
      writer.member("release_at", releaseAt)
      writer.member("length", length)
      writer.member("hold", hold)
      writer.member("actor", actor)
      writer.member("released_by", releasedBy)
      writer.member("reason", reason)
      writer.member("recovered_at", recoveredAt)
      writer.key("doubted")
      writer.boolean(isDoubted)
      writer.member("hooks", hooks)
      writer.key("guardrails")
      guardrailsJSON(to: &writer)
      writer.key("calls")
      callsJSON(to: &writer) { writer, time in writer.member("at", time) }
      if let incident {
        writer.key("incident")
        IncidentJSON.kept(incident, to: &writer)
      }
    }
    return IsolationRow(
      id: id, alert: alert, status: status.rawValue, startedAt: startedAt,
      releasedAt: releasedAt, changedAt: changedAt, body: writer.bytes)
  }

  func guardrailsJSON(to writer: inout JSONWriter) {
    writer.array { writer in
      for verdict in guardrails {
        writer.object { writer in
          writer.member("name", verdict.name)
          writer.key("holds")
          writer.boolean(verdict.holds)
          writer.member("saw", verdict.saw)
        }
      }
    }
  }

  func callsJSON(to writer: inout JSONWriter, time: (inout JSONWriter, Int64) -> Void) {
    writer.array { writer in
      for call in calls {
        writer.object { writer in
          writer.member("hook", call.hook)
          writer.member("verb", call.verb)
          time(&writer, call.at)
          writer.member("attempt", call.attempt)
          writer.member("result", call.result)
          writer.member("evidence", call.evidence)
        }
      }
    }
  }

  /// nil for what ``row`` did not make.
  package init?(_ row: IsolationRow) {
    guard let value = (try? JSONTree(row.body))?.root,
      let target = value["target"].flatMap({ IsolationTarget($0) }),
      let action = IsolationAction(value),
      let mode = value["mode"]?.text.flatMap(IsolationMode.init),
      let status = IsolationStatus(rawValue: row.status),
      let policy = value["policy"]?.text, let length = value["length"]?.integer,
      let releaseAt = value["release_at"]?.integer, let actor = value["actor"]?.text,
      let reason = value["reason"]?.text
    else { return nil }
    self.init(
      id: row.id, alert: row.alert, target: target, action: action, mode: mode, policy: policy,
      status: status, startedAt: row.startedAt, length: length, actor: actor, reason: reason)
    self.releaseAt = releaseAt
    releasedAt = row.releasedAt
    changedAt = row.changedAt
    repetition = Int(clamping: value["repetition"]?.integer ?? 0)
    effectiveAt = value["effective_at"]?.integer
    hold = value["hold"]?.integer ?? 0
    releasedBy = value["released_by"]?.text
    recoveredAt = value["recovered_at"]?.integer
    isDoubted = value["doubted"]?.boolean ?? false
    hooks = (value["hooks"]?.elements ?? []).compactMap(\.text)
    guardrails = (value["guardrails"]?.elements ?? []).compactMap { verdict in
      guard let name = verdict["name"]?.text, let holds = verdict["holds"]?.boolean,
        let saw = verdict["saw"]?.text
      else { return nil }
      return GuardrailVerdict(name: name, holds: holds, saw: saw)
    }
    calls = (value["calls"]?.elements ?? []).compactMap { call in
      guard let hook = call["hook"]?.text, let verb = call["verb"]?.text,
        let at = call["at"]?.integer, let attempt = call["attempt"]?.integer,
        let result = call["result"]?.text
      else { return nil }
      return HookCall(
        hook: hook, verb: verb, at: at, attempt: Int(clamping: attempt), result: result,
        evidence: call["evidence"]?.text ?? "")
    }
    incident = value["incident"].flatMap(IncidentJSON.read)
  }
}

extension IsolationTarget {
  /// `{"identity":"…"}`, with the tenant where it is of one.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member(dimension.rawValue, value)
      if let tenant { writer.member("tenant", tenant) }
    }
  }

  init?(_ json: JSONValue) {
    for dimension in Dimension.allCases {
      guard let value = json.member(Array(dimension.rawValue.utf8))?.text, !value.isEmpty else {
        continue
      }
      self.init(dimension: dimension, value: value, tenant: json["tenant"]?.text)
      return
    }
    return nil
  }
}

extension IsolationAction {
  init?(_ json: JSONValue) {
    switch json["action"]?.text {
    case "observe": self = .observe
    case "degrade": self = .degrade(model: json["model"]?.text)
    case "throttle":
      self = .throttle(
        callsPerMinute: max(1, Int(clamping: json["calls_per_minute"]?.integer ?? 1)))
    case "isolate": self = .isolate
    default: return nil
    }
  }

  /// For people: `throttle to 10 calls a minute`.
  package var text: String {
    switch self {
    case .observe: "observe"
    case .degrade(let model): "degrade to \(model ?? "the cache")"
    case .throttle(let calls): "throttle to \(calls) calls a minute"
    case .isolate: "isolate"
    }
  }
}
