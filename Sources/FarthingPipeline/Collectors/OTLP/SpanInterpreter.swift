internal import FarthingCore

/// Reads spans as calls, by the rules of their sources.
struct SpanInterpreter: SpanSink {
  var arena: TextArena
  var drafts: [CallDraft] = []
  /// Tags of the drafts' events, as places in the arena.
  private(set) var entries: [NamedEntry] = []
  /// Spans seen, calls or not.
  private(set) var spanCount = 0
  /// The parents of spans that are no part of GenAI, which calls may reach their caller through.
  private(set) var passages: [SpanID: UInt64] = [:]
  /// Sources of calls that no row is known of: name and version.
  private(set) var unknownScopes: [String: String] = [:]
  /// What stood behind `farthing.` and fills no field, or has a value that its field cannot have.
  private(set) var unreadFields: Set<String> = []

  /// What the resource says of each of its calls.
  private var resourceEvent = DecodedEvent()
  private var resourceNamed: [(name: Range<Int>, value: AttributeValue)] = []
  private var resourceTags: [NamedEntry] = []
  private var rule = Instrumentation.table[Instrumentation.table.count - 1]
  private var rulePlaces = RulePlaces(Instrumentation.table[Instrumentation.table.count - 1])
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

  private func text(_ attributes: AttributeSet, _ place: Int) -> ArraySlice<UInt8>? {
    let value = attributes.value(at: place)
    guard value.kind == .text, value.start < value.end else { return nil }
    return arena.body[value.start..<value.end]
  }

  /// Sets each field from the first of its alternatives that is there.
  private mutating func set(
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

  private mutating func read(
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

  private func range(_ attributes: AttributeSet, _ place: Int) -> ByteRange? {
    attributes.hasText(place) ? TextArena.range(attributes.value(at: place)) : nil
  }

  // MARK: Usage and times

  /// A count that is an integer of at least 0, or a double or a text that is one in value.
  private func count(_ attributes: AttributeSet, _ place: Int) -> Int64? {
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

  private mutating func setUsage(
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
  private func setUsage(literal: ArraySlice<UInt8>, in draft: inout CallDraft) {
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
  private func includeCached(in draft: inout CallDraft) {
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

  private func setCost(_ value: AttributeValue, in draft: inout CallDraft) {
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

  private func setTimings(
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

  // MARK: Tags and fields by name

  private mutating func setTags(_ attributes: AttributeSet, in draft: inout CallDraft) {
    var tags = resourceTags
    for (name, place) in SpanFields.tags where attributes.has(place) {
      add(tag: name, attributes.value(at: place), to: &tags)
    }
    for (name, value) in attributes.named where isAssociation(name) {
      let key = String(
        decoding: arena.body[name].dropFirst(SpanFields.associationPrefix.count).prefix(256),
        as: UTF8.self)
      if let text = plainText(value) { associate(key, text, in: &draft, &tags) }
    }
    if let object = text(attributes, SpanPlaces.metadata) {
      for (name, value) in SpanMetadata.members(object) {
        associate(name, arena.make(value.utf8), in: &draft, &tags)
      }
    }
    let list = attributes.value(at: SpanPlaces.tagList)
    if list.kind == .other, list.start < list.end {
      for (name, value) in SpanMetadata.tags(arena.body[list.start..<list.end]) {
        add(tag: name, text: arena.make(value.utf8), to: &tags)
      }
    }
    if !resourceNamed.isEmpty { apply(resourceNamed, to: &draft, &tags) }
    if !attributes.named.isEmpty { apply(attributes.named, to: &draft, &tags) }
    let first = entries.count
    if !tags.isEmpty { entries += tags.prefix(EventLimits.entries) }
    draft.event.tags = first..<entries.count
  }

  /// Fills the field that a user's name for a dimension means, where nothing else did, or adds a tag.
  private mutating func associate(
    _ name: String, _ text: ByteRange, in draft: inout CallDraft, _ tags: inout [NamedEntry]
  ) {
    guard let field = SpanFields.associations[name] else {
      return add(tag: name, text: text, to: &tags)
    }
    if draft.event.range(of: field) == nil { draft.event.set(field, text) }
  }

  private func isAssociation(_ name: Range<Int>) -> Bool {
    arena.body[name].starts(with: SpanFields.associationPrefix)
  }

  private mutating func add(
    tag name: String, _ value: AttributeValue, to tags: inout [NamedEntry]
  ) {
    guard value.isPresent, let text = plainText(value) else { return }
    add(tag: name, text: text, to: &tags)
  }

  private mutating func add(tag name: String, text: ByteRange, to tags: inout [NamedEntry]) {
    guard !name.isEmpty, text.length > 0 else { return }
    if let known = tags.firstIndex(where: { arena.slice($0.name).elementsEqual(name.utf8) }) {
      tags[known].text = text
    } else {
      tags.append(NamedEntry(name: arena.make(name.utf8), text: text))
    }
  }

  private mutating func plainText(_ value: AttributeValue) -> ByteRange? {
    switch value.kind {
    case .boolean: arena.make((value.bits == 0 ? "false" : "true").utf8)
    case .real: arena.make("\(Double(bitPattern: value.bits))".utf8)
    default: read(value, .plain)
    }
  }

  /// Attributes named `farthing.FIELD` and `farthing.tags.NAME` count before all others.
  private mutating func apply(
    _ named: [(name: Range<Int>, value: AttributeValue)], to draft: inout CallDraft,
    _ tags: inout [NamedEntry]
  ) {
    for (name, value) in named where !isAssociation(name) && value.isPresent {
      let key = String(
        decoding: arena.body[name].dropFirst(SpanFields.ownPrefix.count).prefix(256),
        as: UTF8.self)
      if key.hasPrefix("tags.") {
        add(tag: String(key.dropFirst(5)), value, to: &tags)
        continue
      }
      guard let field = ContractField(name: key), field.belongs(to: .request) else {
        noteUnread(key)
        continue
      }
      switch field {
      case .text(let field):
        if let range = read(value, .plain) { draft.event.set(field, range) }
      case .integer(let field):
        if let number = own(count: value, isBoolean: field.isBoolean) {
          draft.event.set(field, number)
        } else {
          noteUnread(key)
        }
      case .real(let field):
        if let number = own(real: value) { draft.event.set(field, number) } else { noteUnread(key) }
      case .money: setCost(value, in: &draft)
      // A span has a start of its own.
      case .time, .until: noteUnread(key)
      }
    }
  }

  private mutating func noteUnread(_ field: String) {
    if unreadFields.count < 64 { unreadFields.insert(field) }
  }

  /// - Parameter isBoolean: Whether `true` and `false` are meant: values of the SDKs' environment
  ///   variables are always texts.
  private func own(count value: AttributeValue, isBoolean: Bool) -> Int64? {
    if isBoolean, value.kind == .text {
      switch String(decoding: arena.body[value.start..<value.end], as: UTF8.self).lowercased() {
      case "true": return 1
      case "false": return 0
      default: break
      }
    }
    return own(count: value)
  }

  private func own(count value: AttributeValue) -> Int64? {
    switch value.kind {
    case .integer: Int64(bitPattern: value.bits)
    case .boolean: value.bits == 0 ? 0 : 1
    case .text: DecimalReading.integer(arena.body[value.start..<value.end])
    case .real: Int64(exactly: Double(bitPattern: value.bits))
    case .absent, .other: nil
    }
  }

  private func own(real value: AttributeValue) -> Double? {
    switch value.kind {
    case .integer: Double(Int64(bitPattern: value.bits))
    case .real: Double(bitPattern: value.bits)
    case .text: DecimalReading.double(arena.body[value.start..<value.end])
    case .absent, .boolean, .other: nil
    }
  }
}

/// What a call does, by the contract.
private struct Operation: Sendable {
  var name: ByteRange
  var isEmbedding = false
}
