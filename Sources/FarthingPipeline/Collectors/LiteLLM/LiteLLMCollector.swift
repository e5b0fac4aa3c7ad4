package import FarthingCore

// Traps of the format, each handled where it is read:
//  - A failure says 0 tokens and a cost of 0.0: both are unknown, not zero.
//  - A cost of 0.0 on a success that was no cache hit means that LiteLLM knows no price.
//  - All attempts of a client request share `litellm_call_id`, so it alone is not an idempotency
//    key: failed attempts add their start to it. A cache hit has the first answer's `id`.
//  - `response.model` is the alias that was asked for.
//  - `completionStartTime` equals the end where nothing was streamed.
//  - `metadata.user_api_key_hash` may be the raw key, and `messages` and `response` hold prompts and
//    answers: none of them is read.

/// Records of LiteLLM's generic API callback (`StandardLoggingPayload`), as an array, as lines or one
/// by one.
package struct LiteLLMCollector: EventCollector {
  private var links = AttemptLinks()

  package init() {}

  package var name: String { SourceFormat.litellm.rawValue }

  package mutating func decode(_ bytes: [UInt8], _ context: CollectionContext) -> DecodedBatch {
    let records = JSONRecords(bytes, firstLine: context.firstLine)
    var builder = EventBatchBuilder(now: context.now)
    for rejection in records.rejections { builder.refuse(rejection) }
    let calls = records.records.map(LiteLLMCall.init)
    // Links need the order of time; the batch keeps the order of the records.
    var linked: [Int: AttemptLinks.Link] = [:]
    let byTime = calls.indices.sorted { (calls[$0].time ?? 0, $0) < (calls[$1].time ?? 0, $1) }
    for index in byTime {
      let call = calls[index]
      guard let trace = call.trace, let time = call.time else { continue }
      linked[index] = links.link(
        trace: trace, time: time, model: call.model, route: call.route,
        isFailure: call.isFailure)
    }
    for (index, call) in calls.enumerated() {
      call.add(to: &builder, link: linked[index] ?? AttemptLinks.Link())
    }
    return builder.take()
  }
}

/// One record.
struct LiteLLMCall {
  private let line: Int
  private let root: JSONValue

  init(_ record: JSONRecord) {
    line = record.line
    root = record.tree.root
  }

  /// When the call started in Unix nanoseconds. LiteLLM writes seconds as a double, which is exact
  /// to the microsecond and no further.
  var time: Int64? {
    guard let microseconds = root["startTime"]?.integer(scaledBy: 6) else { return nil }
    let (nanoseconds, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
    return overflow ? nil : nanoseconds
  }

  var trace: String? { root["trace_id"]?.text }
  var route: String? { root["model_group"]?.text }
  var isFailure: Bool { root["status"]?.text == "failure" }
  private var isCacheHit: Bool { root["cache_hit"]?.boolean == true }

  /// The model without its provider's prefix.
  var model: String? {
    guard let model = root["model"]?.text else { return nil }
    guard let slash = model.firstIndex(of: "/") else { return model }
    let prefix = String(model[..<slash])
    let isProvider =
      prefix == root["custom_llm_provider"]?.text || ProviderNames.canonical[prefix] != nil
      || ["openai", "anthropic"].contains(prefix)
    let rest = String(model[model.index(after: slash)...])
    return isProvider && !rest.isEmpty ? rest : model
  }

  /// The provider's id of the answer where there is one, since whoever else reports the call knows
  /// it too; else LiteLLM's own id of the call.
  private var id: String? {
    let own = root["id"]?.text
    guard let call = root["litellm_call_id"]?.text else { return own }
    if isFailure { return call + ":" + String(time ?? 0) }
    if let own, !isCacheHit, ResponseID.isUnique(own.utf8) { return own }
    return call
  }

  func add(to builder: inout EventBatchBuilder, link: AttemptLinks.Link) {
    guard root.isObject else {
      builder.refuse(
        EventRejection(line: line, field: nil, value: nil, expected: "a LiteLLM record"))
      return
    }
    builder.begin(.request, line: line)
    if let time { builder.setTime(time) }
    if let id { builder.set(.id, DescriptiveText.id(id)) }
    if let model { builder.set(.model, model) }
    for rule in LiteLLMFields.texts {
      guard let text = rule.value({ root[$0] }) else { continue }
      if rule.field == .serviceTier && text == ServiceTierNames.batch {
        builder.set(.batch, 1)
      } else {
        builder.set(rule.field, DescriptiveText.fitting(text))
      }
    }
    addUsage(to: &builder)
    addTimings(to: &builder)
    addStatus(to: &builder)
    if isCacheHit { builder.set(.responseCache, "hit") }
    if link.attempt > 1 { builder.set(.attempt, link.attempt) }
    if let model = link.fallbackFrom { builder.set(.fallbackFrom, model) }
    addTags(to: &builder)
    builder.finish()
  }

  private func addUsage(to builder: inout EventBatchBuilder) {
    let counts = LiteLLMFields.counts.compactMap { rule in
      rule.value { root[$0] }.map { (rule.field, $0) }
    }
    let hasTokens = counts.contains { $0.1 > 0 }
    let isKnown = hasTokens || (!isFailure && root["metadata.usage_object.prompt_tokens"] != nil)
    if isKnown {
      let hasClasses = counts.contains { $0.0 == .cacheWrite1hTokens }
      for (field, count) in counts {
        // Calls to providers that know no cache writes say a whole of 0 too, without classes.
        if field == .cacheWriteTokens, count == 0, !hasClasses { continue }
        builder.set(field, count)
      }
    }
    if let cost = root["response_cost"], let text = cost.literal, !isFailure {
      if isCacheHit || cost.integer(scaledBy: 12) != 0 {
        builder.set(.reportedCostUSD, dollars: text)
      }
    }
  }

  private func addTimings(to builder: inout EventBatchBuilder) {
    guard let start = root["startTime"]?.integer(scaledBy: 9) else { return }
    func milliseconds(until key: JSONPath) -> Double? {
      guard let end = root[key]?.integer(scaledBy: 9), end >= start else { return nil }
      return Double(end - start) / 1e6
    }
    if let latency = milliseconds(until: "endTime") { builder.set(.latencyMs, latency) }
    if root["stream"]?.boolean == true, !isFailure,
      let first = milliseconds(until: "completionStartTime")
    {
      builder.set(.ttftMs, first)
    }
  }

  private func addStatus(to builder: inout EventBatchBuilder) {
    guard isFailure else { return }
    let errorClass = root["error_information.error_class"]?.text
    let code = root["error_information.error_code"]?.integer
    let status = CallStatus.ofFailure(
      httpStatus: code, error: [errorClass].compactMap { $0 })
    builder.set(.status, status)
    if let errorClass { builder.set(.error, DescriptiveText.fitting(errorClass)) }
    // For a timeout LiteLLM writes 408 by itself: no server answered with it.
    if let code, code >= 100, code <= 599, !(status == "timeout" && code == 408) {
      builder.set(.httpStatus, code)
    }
  }

  /// Tags of the form `name:value` are pairs; others are marks. `User-Agent` ones are LiteLLM's own.
  private func addTags(to builder: inout EventBatchBuilder) {
    for (name, path) in LiteLLMFields.tags {
      if let text = root[path]?.text { builder.tag(name, DescriptiveText.fitting(text)) }
    }
    for tag in root["request_tags"]?.elements ?? [] {
      guard let text = tag.text.map(DescriptiveText.fitting), !text.hasPrefix("User-Agent:"),
        builder.tagCount < EventLimits.entries
      else { continue }
      let parts = text.split(separator: ":", maxSplits: 1)
      if parts.count == 2 {
        let value = parts[1].drop { $0 == " " }
        builder.tag(String(parts[0]), String(value))
      } else {
        builder.tag(text, "true")
      }
    }
  }
}
