internal import FarthingCore

// Which attribute fills which field, in the order in which they are looked for: current names first.
// The names of one convention never mean something else in another, so one table serves all sources.

/// Where a text field stands in a span.
struct SpanText: Sendable {
  /// How a value becomes the contract's.
  enum Reading: Sendable {
    case plain
    /// A provider's name.
    case provider
    /// The part before the first slash, a provider's name.
    case providerPrefix
    /// A service tier.
    case tier
  }

  var field: TextField
  var places: [(place: Int, reading: Reading)]

  init(_ field: TextField, _ reading: Reading = .plain, _ keys: AttributeKey...) {
    self.field = field
    places = keys.map { ($0.place, reading) }
  }

  /// The same with one more alternative.
  func or(_ key: AttributeKey, _ reading: Reading) -> SpanText {
    var result = self
    result.places.append((key.place, reading))
    return result
  }
}

/// Where a count stands in a span.
struct SpanCount: Sendable {
  var field: IntegerField
  var places: [Int]

  init(_ field: IntegerField, _ keys: AttributeKey...) {
    self.field = field
    places = keys.map(\.place)
  }
}

/// Where a time span stands in a span.
struct SpanTiming: Sendable {
  var field: RealField
  var place: Int
  /// What the value is multiplied by to give milliseconds.
  var factor: Double
}

/// One alternative of a text field, of a list that holds those of all fields: one flat array is walked
/// for each span.
struct SpanTextStep: Sendable {
  var field: TextField
  var place: Int
  var reading: SpanText.Reading

  static func steps(_ texts: [SpanText]) -> [SpanTextStep] {
    texts.flatMap { text in
      text.places.map { SpanTextStep(field: text.field, place: $0.place, reading: $0.reading) }
    }
  }
}

enum SpanFields {
  static let texts: [SpanTextStep] = SpanTextStep.steps([
    SpanText(.provider, .provider, .provider, .system, .llmProvider, .llmSystem)
      .or(.liteProviderModel, .providerPrefix),
    SpanText(.task, .plain, .conversation, .session),
    SpanText(.identity, .plain, .liteKeyAlias, .user, .endUser),
    SpanText(
      .tenant, .plain, .liteTeamAlias, .liteTeam, .liteEndUser, .liteOrganisation, .tenantID,
      .tenant),
    SpanText(.serviceTier, .tier, .responseTier, .responseTierOlder, .anthropicTier),
  ])

  /// What a resource says of all its spans.
  static let resourceTexts: [SpanTextStep] = SpanTextStep.steps([
    SpanText(.workload, .plain, .service),
    SpanText(.tenant, .plain, .tenantID, .tenant),
    // Where the instrumented process runs is where the caller is, not what serves it.
    SpanText(.clientSite, .plain, .region),
  ])

  /// Each alternative of each count, those of one field in their order.
  static let counts: [(field: IntegerField, place: Int)] = [
    SpanCount(.inputTokens, .inputTokens, .promptTokens, .countPrompt),
    SpanCount(.outputTokens, .outputTokens, .completionTokens, .countCompletion),
    SpanCount(
      .cachedInputTokens, .cacheRead, .cacheReadOlder, .cachedInput, .countCacheRead,
      .countCacheInput),
    SpanCount(.reasoningTokens, .reasoning, .reasoningOlder, .countReasoning),
    SpanCount(.inputAudioTokens, .audioInput, .countPromptAudio),
    SpanCount(.outputAudioTokens, .audioOutput, .countCompletionAudio),
    SpanCount(.inputImageTokens, .imageInput),
  ].flatMap { count in count.places.map { (count.field, $0) } }

  /// Cache writes of all classes together.
  static let cacheWrites: [Int] = [
    AttributeKey.cacheWrite.place, AttributeKey.cacheCreation.place,
    AttributeKey.cacheCreationOlder.place, AttributeKey.countCacheWrite.place,
  ]
  static let cacheWrites5m = AttributeKey.cacheWrite5m.place
  static let cacheWrites1h = AttributeKey.cacheWrite1h.place

  static let timings: [SpanTiming] = [
    SpanTiming(field: .ttftMs, place: AttributeKey.timeToFirstChunk.place, factor: 1000),
    SpanTiming(field: .ttftMs, place: AttributeKey.serverTimeToFirstToken.place, factor: 1000),
  ]

  static let costs: [Int] = [AttributeKey.liteCost.place, AttributeKey.costTotal.place]

  /// Where the model stands, and how well it is known there: 0 what answered, 3 what was asked for.
  static let models: [(place: Int, rank: UInt8)] = [
    (AttributeKey.responseModel.place, 0), (AttributeKey.responseModelName.place, 0),
    (AttributeKey.modelName.place, 1), (AttributeKey.embeddingModel.place, 1),
    (AttributeKey.rerankerModel.place, 1), (AttributeKey.requestModel.place, 3),
    (AttributeKey.requestModelName.place, 3),
  ]
  /// Texts of JSON whose `model` is what was asked for.
  static let modelTexts: [Int] = [
    AttributeKey.invocation.place, AttributeKey.embeddingInvocation.place,
  ]

  /// Dimensions that the contract has no field for.
  static let tags: [(name: String, place: Int)] = [
    ("model_group", AttributeKey.liteModelGroup.place),
    ("end_user", AttributeKey.liteEndUser.place),
    ("workflow", AttributeKey.traceloopWorkflow.place),
    ("entity", AttributeKey.traceloopPath.place),
  ]
  static let resourceTags: [(name: String, place: Int)] = [
    ("environment", AttributeKey.environment.place),
    ("environment", AttributeKey.environmentOlder.place),
  ]

  /// Names that begin so are fields of the contract or tags, on spans and on resources.
  static let ownPrefix = Array("farthing.".utf8)
  /// Names that begin so are tags; some are fields.
  static let associationPrefix = Array("traceloop.association.properties.".utf8)
  static let associations: [String: TextField] = [
    "session_id": .task, "conversation_id": .task, "thread_id": .task, "chat_id": .task,
    "user_id": .identity, "customer_id": .tenant, "tenant_id": .tenant, "tenant": .tenant,
  ]
}
