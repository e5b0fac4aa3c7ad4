/// The attributes that are read, by the names that the conventions give them; all others are passed
/// over where they stand, whatever they hold.
enum AttributeKey: String, CaseIterable, Sendable {
  // OpenTelemetry GenAI: calls.
  case operation = "gen_ai.operation.name"
  case provider = "gen_ai.provider.name"
  case system = "gen_ai.system"
  case requestModel = "gen_ai.request.model"
  case responseModel = "gen_ai.response.model"
  case responseID = "gen_ai.response.id"
  case conversation = "gen_ai.conversation.id"
  case timeToFirstChunk = "gen_ai.response.time_to_first_chunk"
  case serverTimeToFirstToken = "gen_ai.server.time_to_first_token"
  case requestType = "llm.request.type"
  // OpenTelemetry GenAI: usage, current names before older ones.
  case inputTokens = "gen_ai.usage.input_tokens"
  case promptTokens = "gen_ai.usage.prompt_tokens"
  case cacheRead = "gen_ai.usage.cache_read.input_tokens"
  case cacheReadOlder = "gen_ai.usage.cache_read_input_tokens"
  case cachedInput = "gen_ai.usage.input_tokens.cached"
  case cacheWrite = "gen_ai.usage.cache_write.input_tokens"
  case cacheCreation = "gen_ai.usage.cache_creation.input_tokens"
  case cacheCreationOlder = "gen_ai.usage.cache_creation_input_tokens"
  case cacheWrite5m = "anthropic.usage.cache_creation.ephemeral_5m_input_tokens"
  case cacheWrite1h = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
  case outputTokens = "gen_ai.usage.output_tokens"
  case completionTokens = "gen_ai.usage.completion_tokens"
  case reasoning = "gen_ai.usage.reasoning.output_tokens"
  case reasoningOlder = "gen_ai.usage.reasoning_tokens"
  case audioInput = "gen_ai.usage.audio.input_tokens"
  case audioOutput = "gen_ai.usage.audio.output_tokens"
  case imageInput = "gen_ai.usage.image.input_tokens"
  case responseTier = "openai.response.service_tier"
  case responseTierOlder = "gen_ai.openai.response.service_tier"
  case anthropicTier = "anthropic.response.service_tier"
  // Errors and where the call went.
  case errorType = "error.type"
  case httpStatus = "http.response.status_code"
  case httpStatusOlder = "http.status_code"
  case serverAddress = "server.address"
  case serverPort = "server.port"
  // OpenInference.
  case spanKind = "openinference.span.kind"
  case modelName = "llm.model_name"
  case responseModelName = "llm.response.model_name"
  case requestModelName = "llm.request.model_name"
  case embeddingModel = "embedding.model_name"
  case rerankerModel = "reranker.model_name"
  case invocation = "llm.invocation_parameters"
  case embeddingInvocation = "embedding.invocation_parameters"
  case llmProvider = "llm.provider"
  case llmSystem = "llm.system"
  case countPrompt = "llm.token_count.prompt"
  case countCompletion = "llm.token_count.completion"
  case countCacheRead = "llm.token_count.prompt_details.cache_read"
  case countCacheInput = "llm.token_count.prompt_details.cache_input"
  case countCacheWrite = "llm.token_count.prompt_details.cache_write"
  case countReasoning = "llm.token_count.completion_details.reasoning"
  case countPromptAudio = "llm.token_count.prompt_details.audio"
  case countCompletionAudio = "llm.token_count.completion_details.audio"
  case costTotal = "llm.cost.total"
  case outputValue = "output.value"
  case metadata = "metadata"
  case tagList = "tag.tags"
  // OpenLLMetry.
  case traceloopKind = "traceloop.span.kind"
  case traceloopWorkflow = "traceloop.workflow.name"
  case traceloopEntity = "traceloop.entity.name"
  case traceloopPath = "traceloop.entity.path"
  // LiteLLM.
  case liteModelGroup = "litellm.model_group"
  case liteProviderModel = "litellm.provider.model"
  case liteCallID = "litellm.call_id"
  case liteCost = "gen_ai.cost.total_cost"
  case liteUsage = "metadata.usage_object"
  case liteHidden = "hidden_params"
  case liteKeyAlias = "metadata.user_api_key_alias"
  case liteTeamAlias = "metadata.user_api_key_team_alias"
  case liteTeam = "metadata.user_api_key_team_id"
  case liteEndUser = "metadata.user_api_key_end_user_id"
  case liteOrganisation = "metadata.user_api_key_org_id"
  // Who calls, of spans and of resources.
  case service = "service.name"
  case session = "session.id"
  case user = "user.id"
  case endUser = "enduser.id"
  case tenantID = "tenant.id"
  case tenant = "tenant"
  case environment = "deployment.environment.name"
  case environmentOlder = "deployment.environment"
  case region = "cloud.region"
  // Of events in a span.
  case exceptionType = "exception.type"

  /// Its place among all keys.
  static let places: [AttributeKey: Int] = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })

  /// Its place among all keys. Not for hot loops: rules look it up once.
  var place: Int { Self.places[self] ?? 0 }
}

/// Finds the key that bytes spell: by a hash of their length and of three words of them, then by all
/// their bytes.
struct AttributeKeyTable: Sendable {
  private struct Entry: Sendable {
    var hash: UInt64 = 0
    var length = 0
    var start = 0
    var place = -1
  }

  /// Four times the keys, so that nearly every search ends at its first entry.
  private static let capacity = 512
  static let standard = AttributeKeyTable()

  private var entries = Array(repeating: Entry(), count: capacity)
  private var names: [UInt8] = []

  private init() {
    for (place, key) in AttributeKey.allCases.enumerated() {
      let start = names.count
      names += Array(key.rawValue.utf8)
      let length = names.count - start
      let hash = Self.hash(names.span, from: start, length: length)
      var index = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
      while entries[index].place >= 0 { index = (index + 1) & (Self.capacity - 1) }
      entries[index] = Entry(hash: hash, length: length, start: start, place: place)
    }
  }

  @inline(__always)
  private static func hash(_ bytes: Span<UInt8>, from start: Int, length: Int) -> UInt64 {
    let head = bytes.littleEndian(start, length: Swift.min(8, length))
    let tail = length > 8 ? bytes.littleEndian(start &+ length &- 8) : 0
    let middle = length > 16 ? bytes.littleEndian(start &+ length / 2 &- 4) : 0
    var mixed = head &* 0x9E37_79B9_7F4A_7C15
    mixed ^= (tail &+ UInt64(truncatingIfNeeded: length)) &* 0xC2B2_AE3D_27D4_EB4F
    mixed ^= middle &* 0x1656_67B1_9E37_79F9
    return mixed ^ (mixed &>> 29)
  }

  /// The place of the key among all keys, or −1.
  @inline(__always)
  func place(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    let length = end &- start
    guard length > 0, length <= 64 else { return -1 }
    let hash = Self.hash(bytes, from: start, length: length)
    var index = Int(truncatingIfNeeded: hash) & (Self.capacity &- 1)
    while entries[index].place >= 0 {
      if entries[index].hash == hash, entries[index].length == length,
        isEqual(bytes, start, entries[index].start, length)
      {
        return entries[index].place
      }
      index = (index &+ 1) & (Self.capacity &- 1)
    }
    return -1
  }

  @inline(__always)
  private func isEqual(_ bytes: Span<UInt8>, _ start: Int, _ other: Int, _ length: Int) -> Bool {
    let names = names.span
    var done = 0
    while done &+ 8 <= length {
      if bytes.littleEndian(start &+ done) != names.littleEndian(other &+ done) { return false }
      done &+= 8
    }
    if done == length { return true }
    let rest = length &- done
    return bytes.littleEndian(start &+ done, length: rest)
      == names.littleEndian(other &+ done, length: rest)
  }
}

/// The value of an attribute, where it stands.
struct AttributeValue: Sendable {
  enum Kind: UInt8, Sendable { case absent, text, integer, boolean, real, other }

  var kind = Kind.absent
  /// The place of a text, or of a list's `ArrayValue`, which is of the kind `other`.
  var start = 0
  var end = 0
  /// An integer, a boolean, or a double's bits.
  var bits: UInt64 = 0

  var isPresent: Bool { kind != .absent && !(kind == .text && start == end) }
}

/// The attributes of one span or resource that are read, by the places of their keys.
struct AttributeSet: Sendable {
  private var values = Array(repeating: AttributeValue(), count: AttributeKey.allCases.count)
  /// A value counts where its bit is set, so that clearing is one store; there are fewer keys than
  /// bits, which a test holds.
  private var present: UInt128 = 0
  /// Attributes of other names that mean something by their beginning: name and value.
  private(set) var named: [(name: Range<Int>, value: AttributeValue)] = []

  mutating func clear() {
    if !named.isEmpty { named.removeAll(keepingCapacity: true) }
    present = 0
  }

  /// Of two attributes with one key the later counts.
  mutating func set(_ place: Int, _ value: AttributeValue) {
    values[place] = value
    present |= 1 &<< UInt128(truncatingIfNeeded: place)
  }

  mutating func add(named name: Range<Int>, _ value: AttributeValue) {
    // More than an event may have tags are not looked at.
    if named.count < 256 { named.append((name, value)) }
  }

  /// The value at a key's place; absent where there is none.
  func value(at place: Int) -> AttributeValue {
    isSet(place) ? values[place] : AttributeValue()
  }

  func has(_ place: Int) -> Bool { isSet(place) && values[place].isPresent }

  /// Whether it is a text that is not empty.
  func hasText(_ place: Int) -> Bool {
    isSet(place) && values[place].kind == .text && values[place].isPresent
  }

  @inline(__always)
  private func isSet(_ place: Int) -> Bool {
    (present &>> UInt128(truncatingIfNeeded: place)) & 1 != 0
  }
}
