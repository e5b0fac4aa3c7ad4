internal import FarthingCore

/// What a call used, cost and took.
extension SpanInterpreter {
  /// A count that is an integer of at least 0, or a double or a text that is one in value.
  func count(_ attributes: AttributeSet, _ place: Int) -> Int64? {
    let value = attributes.value(at: place)
    let count: Int64?
    switch value.kind {
    case .integer: count = Int64(bitPattern: value.bits)
    case .real: count = Int64(exactly: Double(bitPattern: value.bits))
    case .text: count = DecimalReading.integer(arena.body[value.start..<value.end])
    case .absent, .boolean, .other: count = nil
    }
    return count.flatMap { $0 >= 0 ? $0 : nil }
  }

  mutating func setUsage(
    _ attributes: AttributeSet, isEmbedding: Bool, in draft: inout CallDraft
  ) {
    var hasTokens = false
    for (field, place) in SpanFields.counts where attributes.has(place) {
      guard draft.event.integer(field) == nil, let count = count(attributes, place) else {
        continue
      }
      draft.event.set(field, count)
      hasTokens = hasTokens || count > 0
    }
    for place in SpanFields.cacheWrites where draft.cacheWrites < 0 {
      draft.cacheWrites = count(attributes, place) ?? -1
    }
    draft.cacheWrites5m = count(attributes, SpanFields.cacheWrites5m) ?? -1
    draft.cacheWrites1h = count(attributes, SpanFields.cacheWrites1h) ?? -1
    if let place = rulePlaces.usageText, let literal = text(attributes, place) {
      setUsage(literal: literal, in: &draft)
    }
    // Zeros without an answer are what was never known.
    if !hasTokens && (draft.isFailure || draft.responseID == nil && draft.callID == nil) {
      for (field, _) in SpanFields.counts {
        draft.event.integerPresence &= ~(1 << UInt32(field.rawValue))
      }
      draft.cacheWrites = -1
      draft.cacheWrites5m = -1
      draft.cacheWrites1h = -1
    }
    includeCached(in: &draft)
    // Nothing is cached of embeddings, and some sources say so for each.
    if draft.event.integer(.cachedInputTokens) == 0, isEmbedding {
      draft.event.integerPresence &= ~(1 << UInt32(IntegerField.cachedInputTokens.rawValue))
    }
    for place in SpanFields.costs
    where attributes.has(place) && draft.event.money(.reportedCostUSD) == nil {
      setCost(attributes.value(at: place), in: &draft)
    }
  }

  /// The usage as LiteLLM keeps it, for the parts that have no attribute of their own.
  func setUsage(literal: ArraySlice<UInt8>, in draft: inout CallDraft) {
    guard let json = PythonLiteral.json(literal), let tree = try? JSONTree(json) else { return }
    for rule in LiteLLMFields.usageObjectCounts {
      guard let count = rule.value({ tree.root[$0] }) else { continue }
      switch rule.field {
      case .cacheWriteTokens: draft.cacheWrites5m = count
      case .cacheWrite1hTokens: draft.cacheWrites1h = count
      default: if draft.event.integer(rule.field) == nil { draft.event.set(rule.field, count) }
      }
    }
  }

  /// Makes input tokens include cached and written ones where they do not.
  func includeCached(in draft: inout CallDraft) {
    guard let input = draft.event.integer(.inputTokens) else { return }
    let written = max(draft.cacheWrites, max(0, draft.cacheWrites5m) &+ max(0, draft.cacheWrites1h))
    let (parts, isTooMuch) = (draft.event.integer(.cachedInputTokens) ?? 0)
      .addingReportingOverflow(max(0, written))
    guard !isTooMuch, parts > 0 else { return }
    switch rule.cachedInput {
    case .certainlyIncluded: return
    case .included: if input >= parts { return }
    case .leftOut: break
    }
    let (whole, overflow) = input.addingReportingOverflow(parts)
    if !overflow { draft.event.set(.inputTokens, whole) }
  }

  func setCost(_ value: AttributeValue, in draft: inout CallDraft) {
    let text: String
    switch value.kind {
    case .real: text = "\(Double(bitPattern: value.bits))"
    case .integer: text = "\(Int64(bitPattern: value.bits))"
    case .text: text = String(decoding: arena.body[value.start..<value.end], as: UTF8.self)
    case .absent, .boolean, .other: return
    }
    // What a cache hit would have cost was not paid.
    guard draft.event.range(of: .responseCache) == nil,
      let cost = try? Picodollars.parse(Array(text.utf8).span), cost.rawValue >= 0
    else { return }
    draft.event.set(.reportedCostUSD, picodollars: cost.rawValue)
  }

  func setTimings(
    _ span: SpanFacts, _ attributes: AttributeSet, in draft: inout CallDraft
  ) {
    if let first = span.firstToken, first >= span.start {
      draft.event.set(.ttftMs, Double(first - span.start) / 1e6)
    }
    for timing in SpanFields.timings
    where attributes.has(timing.place) && draft.event.real(timing.field) == nil {
      let value = attributes.value(at: timing.place)
      let number: Double
      switch value.kind {
      case .real: number = Double(bitPattern: value.bits)
      case .integer: number = Double(Int64(bitPattern: value.bits))
      case .absent, .text, .boolean, .other: continue
      }
      let milliseconds = number * timing.factor
      if milliseconds >= 0, milliseconds.isFinite { draft.event.set(timing.field, milliseconds) }
    }
  }
}
