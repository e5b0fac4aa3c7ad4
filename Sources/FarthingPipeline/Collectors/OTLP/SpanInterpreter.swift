internal import FarthingCore

/// Reads spans as calls, by the rules of their sources.
struct SpanInterpreter: SpanSink {
  var arena: TextArena
  var drafts: [CallDraft] = []
  /// Tags of the drafts' events, as places in the arena.
  var entries: [NamedEntry] = []
  /// Spans seen, calls or not.
  private(set) var spanCount = 0
  /// The parents of spans that are no part of GenAI, which calls may reach their caller through.
  private(set) var passages: [SpanID: UInt64] = [:]
  /// Sources of calls that no row is known of: name and version.
  private(set) var unknownScopes: [String: String] = [:]
  /// What stood behind `farthing.` and fills no field, or has a value that its field cannot have.
  var unreadFields: Set<String> = []

  /// What the resource says of each of its calls.
  private var resourceEvent = DecodedEvent()
  var resourceNamed: [(name: Range<Int>, value: AttributeValue)] = []
  var resourceTags: [NamedEntry] = []
  var rule = Instrumentation.table[Instrumentation.table.count - 1]
  var rulePlaces = RulePlaces(Instrumentation.table[Instrumentation.table.count - 1])
  /// What the last names of an operation, a provider and a tier meant: nearly all spans of a body say
  /// the same.
  private var lastOperation = Remembered<Operation?>(meaning: nil)
  private var lastProvider = Remembered(meaning: ByteRange())
  private var lastTier = Remembered(meaning: ByteRange())
  private var scope = 0..<0
  private var scopeVersion = 0..<0

  /// - Parameter drafts: An empty array, whose room is used.
  init(_ body: [UInt8], drafts: [CallDraft] = []) {
    arena = TextArena(body)
    self.drafts = drafts
  }

  mutating func begin(resource: AttributeSet) {
    var event = DecodedEvent()
    set(SpanFields.resourceTexts, from: resource, in: &event)
    // What SDKs call a service that nobody named.
    if let service = event.range(of: .workload),
      arena.slice(service).starts(with: "unknown_service".utf8)
    {
      event.textPresence &= ~(1 << UInt32(TextField.workload.rawValue))
    }
    var tags: [NamedEntry] = []
    for (name, place) in SpanFields.resourceTags {
      add(tag: name, resource.value(at: place), to: &tags)
    }
    resourceEvent = event
    resourceTags = tags
    resourceNamed = resource.named
  }

  mutating func begin(scope: Range<Int>, version: Range<Int>) {
    self.scope = scope
    scopeVersion = version
    let name = String(decoding: arena.body[scope].prefix(256), as: UTF8.self)
    let number = String(decoding: arena.body[version].prefix(64), as: UTF8.self)
    rule = Instrumentation.table[Instrumentation.row(scope: name, version: number)]
    rulePlaces = RulePlaces(rule)
    lastOperation.name = nil
  }

  mutating func take(_ span: SpanFacts, _ attributes: AttributeSet) {
    spanCount += 1
    guard let operation = operation(attributes) else {
      let isPassage =
        !attributes.has(SpanPlaces.operation) && !attributes.has(SpanPlaces.spanKind)
        && !attributes.has(SpanPlaces.traceloopKind)
      if isPassage, span.parent != 0 { passages[span.id] = span.parent }
      return
    }
    if !rule.isKnown { noteUnknownScope() }
    var draft = CallDraft(
      event: resourceEvent, id: span.id, parent: span.parent, start: span.start, end: span.end)
    draft.isFramework = rule.isFramework
    draft.isProvidersOwn = rule.isProvidersOwn
    draft.event.line = spanCount
    draft.event.time = Int64(clamping: span.start)
    draft.event.set(.operation, operation.name)
    if span.end >= span.start {
      draft.event.set(.latencyMs, Double(span.end - span.start) / 1e6)
    }
    setModel(attributes, in: &draft)
    set(SpanFields.texts, from: attributes, in: &draft.event)
    setEndpoint(attributes, in: &draft.event)
    setFailure(span, attributes, in: &draft)
    setIDs(attributes, in: &draft)
    setUsage(attributes, isEmbedding: operation.isEmbedding, in: &draft)
    setTimings(span, attributes, in: &draft)
    setTags(attributes, in: &draft)
    drafts.append(draft)
  }

  /// Adds to a draft what another one says of the same call.
  mutating func fill(_ draft: Int, from other: Int) {
    let told = drafts[other]
    drafts[draft].fill(from: told)
  }

  private mutating func noteUnknownScope() {
    guard unknownScopes.count < 64 else { return }
    let name = String(decoding: arena.body[scope].prefix(256), as: UTF8.self)
    unknownScopes[name] = String(decoding: arena.body[scopeVersion].prefix(64), as: UTF8.self)
  }

  // MARK: Which spans are calls

  /// The contract's operation of a call; nil for a span that is none.
  private mutating func operation(_ attributes: AttributeSet) -> Operation? {
    // A wrapper says so, whatever else it says.
    if attributes.has(SpanPlaces.traceloopKind) { return nil }
    if attributes.hasText(SpanPlaces.spanKind) {
      return operation(attributes, SpanPlaces.spanKind, OperationNames.spanKinds)
    }
    if attributes.hasText(SpanPlaces.operation) {
      return operation(attributes, SpanPlaces.operation, rule.operations)
    }
    if attributes.hasText(SpanPlaces.requestType) {
      return operation(attributes, SpanPlaces.requestType, OperationNames.requestTypes)
    }
    let hasModel =
      attributes.has(SpanPlaces.requestModel) || attributes.has(SpanPlaces.responseModel)
    let hasCounts =
      attributes.has(SpanPlaces.inputTokens) || attributes.has(SpanPlaces.promptTokens)
    return hasModel && hasCounts ? Operation(name: arena.make(Self.chat)) : nil
  }

  private mutating func operation(
    _ attributes: AttributeSet, _ place: Int, _ table: NameTable
  ) -> Operation? {
    let value = attributes.value(at: place)
    let name = value.start..<value.end
    if lastOperation.table == place, lastOperation.holds(name, arena.body) {
      return lastOperation.meaning
    }
    let meaning = table.meaning(arena.body[name]).map {
      Operation(name: arena.make($0), isEmbedding: $0 == Self.embeddings)
    }
    lastOperation = Remembered(name: name, table: place, meaning: meaning)
    return meaning
  }

  private static let chat = Array("chat".utf8)
  private static let embeddings = Array("embeddings".utf8)

  // MARK: Texts

  func text(_ attributes: AttributeSet, _ place: Int) -> ArraySlice<UInt8>? {
    let value = attributes.value(at: place)
    guard value.kind == .text, value.start < value.end else { return nil }
    return arena.body[value.start..<value.end]
  }

  /// Sets each field from the first of its alternatives that is there.
  mutating func set(
    _ steps: [SpanTextStep], from attributes: AttributeSet, in event: inout DecodedEvent
  ) {
    var done: UInt32 = 0
    for step in steps where attributes.has(step.place) {
      let bit = UInt32(1) &<< UInt32(step.field.rawValue)
      guard done & bit == 0, let range = read(attributes.value(at: step.place), step.reading)
      else { continue }
      done |= bit
      if step.field == .serviceTier, arena.slice(range).elementsEqual(SpanTiers.batch) {
        event.set(.batch, 1)
      } else {
        event.set(step.field, range)
      }
    }
  }

  mutating func read(
    _ value: AttributeValue, _ reading: SpanText.Reading
  ) -> ByteRange? {
    guard value.kind == .text else {
      return value.kind == .integer && reading == .plain
        ? arena.make("\(Int64(bitPattern: value.bits))".utf8) : nil
    }
    let bytes = arena.body[value.start..<value.end]
    switch reading {
    case .plain: return TextArena.range(value)
    case .provider: return provider(bytes, value)
    case .providerPrefix:
      guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), slash > value.start else {
        return nil
      }
      return provider(
        bytes[..<slash], AttributeValue(kind: .text, start: value.start, end: slash))
    case .tier:
      let name = value.start..<value.end
      if lastTier.holds(name, arena.body) { return lastTier.meaning }
      let tier =
        SpanTiers.canonical.meaning(bytes).map { arena.make($0) } ?? TextArena.range(value)
      lastTier = Remembered(name: name, meaning: tier)
      return tier
    }
  }

  private mutating func provider(
    _ bytes: ArraySlice<UInt8>, _ value: AttributeValue
  ) -> ByteRange {
    let name = value.start..<value.end
    if lastProvider.holds(name, arena.body) { return lastProvider.meaning }
    let provider: ByteRange
    if let canonical = SpanProviders.canonical.meaning(bytes) {
      provider = arena.make(canonical)
    } else if bytes.allSatisfy({ NameTable.lowered($0) == $0 }) {
      provider = TextArena.range(value)
    } else {
      provider = arena.make(bytes.map(NameTable.lowered))
    }
    lastProvider = Remembered(name: name, meaning: provider)
    return provider
  }

  private mutating func setModel(_ attributes: AttributeSet, in draft: inout CallDraft) {
    for (place, rank) in SpanFields.models {
      guard let model = text(attributes, place) else { continue }
      if rank == 0, let alias = rulePlaces.modelAlias, let group = text(attributes, alias),
        model == group
      {
        continue
      }
      draft.event.set(.model, TextArena.range(attributes.value(at: place)))
      // A framework's model name may still be what was asked for.
      draft.modelRank = rule.isFramework && rank == 1 ? 2 : rank
      return
    }
    for place in SpanFields.modelTexts {
      guard let parameters = text(attributes, place),
        let model = JSONExcerpt.text(parameters, "model")
      else { continue }
      draft.event.set(.model, arena.make(model.utf8))
      draft.modelRank = 4
      return
    }
  }

  /// The host that answered, with its port where it is not the scheme's own.
  private mutating func setEndpoint(_ attributes: AttributeSet, in event: inout DecodedEvent) {
    if let place = rulePlaces.hiddenText, let hidden = text(attributes, place) {
      if let deployment = JSONExcerpt.text(hidden, "model_id") {
        event.set(.endpoint, arena.make(deployment.utf8))
      }
      if JSONExcerpt.text(hidden, "cache_key") != nil {
        event.set(.responseCache, arena.make("hit".utf8))
      }
      return
    }
    let address = attributes.value(at: SpanPlaces.serverAddress)
    guard address.kind == .text, address.isPresent else { return }
    let port = attributes.value(at: SpanPlaces.serverPort)
    guard port.kind == .integer, port.bits != 443, port.bits != 80 else {
      event.set(.endpoint, TextArena.range(address))
      return
    }
    let host = arena.body[address.start..<address.end]
    event.set(.endpoint, arena.make(Array(host) + Array(":\(port.bits)".utf8)))
  }

  // MARK: How it ended

  private mutating func setFailure(
    _ span: SpanFacts, _ attributes: AttributeSet, in draft: inout CallDraft
  ) {
    let errorType = text(attributes, SpanPlaces.errorType)
    guard span.isError || errorType != nil else { return }
    draft.isFailure = true
    let code =
      count(attributes, SpanPlaces.httpStatus) ?? count(attributes, SpanPlaces.httpStatusOlder)
    let exception = span.exception.map { arena.body[$0] }
    let words = [errorType, exception].compactMap { $0 }.map {
      String(decoding: $0.prefix(256), as: UTF8.self)
    }
    // Some sources say the HTTP status as the error's class.
    let told = code ?? words.first.flatMap { Int64($0) }
    let status = CallStatus.ofFailure(httpStatus: told, error: words)
    draft.event.set(.status, arena.make(status.utf8))
    if errorType != nil {
      draft.event.set(.error, TextArena.range(attributes.value(at: SpanPlaces.errorType)))
      // Beside an HTTP status stands what the provider itself calls the error; without one, its
      // library's word for what happened on this side says least.
      draft.errorRank = code != nil ? 0 : rule.isProvidersOwn ? 3 : 1
    } else if let exception = span.exception {
      draft.event.set(
        .error,
        TextArena.range(
          AttributeValue(kind: .text, start: exception.lowerBound, end: exception.upperBound)))
      draft.errorRank = 2
    }
    // A client that gave up waiting writes 408 by itself: no server answered with it.
    if let told, told >= 400, told <= 599, !(status == "timeout" && told == 408) {
      draft.event.set(.httpStatus, told)
    }
  }

  // MARK: Ids

  private mutating func setIDs(_ attributes: AttributeSet, in draft: inout CallDraft) {
    if let callID = rulePlaces.callID, attributes.hasText(callID) {
      draft.callID = TextArena.range(attributes.value(at: callID))
      draft.route = range(attributes, SpanPlaces.modelGroup)
    }
    var response = range(attributes, SpanPlaces.responseID)
    if let inside = rulePlaces.responseIDInside, response == nil,
      let answer = text(attributes, inside), let place = JSONExcerpt.responseID(answer)
    {
      response = TextArena.range(
        AttributeValue(kind: .text, start: place.lowerBound, end: place.upperBound))
    }
    guard let response, ResponseID.isUnique(arena.slice(response)) else { return }
    // LiteLLM gives its failures and its cache hits ids that are not the answer's own.
    let isOwn = draft.callID != nil
    if isOwn, draft.isFailure || draft.event.range(of: .responseCache) != nil { return }
    draft.responseID = response
  }

  func range(_ attributes: AttributeSet, _ place: Int) -> ByteRange? {
    attributes.hasText(place) ? TextArena.range(attributes.value(at: place)) : nil
  }
}

/// What a call does, by the contract.
private struct Operation: Sendable {
  var name: ByteRange
  var isEmbedding = false
}
