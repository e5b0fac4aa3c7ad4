/// An application: what it asks, of which models, how its tasks go and what a success is worth.
struct WorkloadShape: Sendable {
  var name: String
  var team: String
  var operation = "chat"
  /// Part of all requests, in thousandths.
  var share: Double
  /// The usual model, and the one that a tenth of the tasks uses.
  var model: Int
  var secondModel: Int
  /// Fixed first part of each prompt, in tokens.
  var systemPrompt = 0
  /// Natural-log mean and deviation of the rest of the first prompt, and the longest prompt.
  var input: (mean: Double, deviation: Double, cap: Int)
  /// The same of the answer.
  var output: (mean: Double, deviation: Double, cap: Int)
  /// Natural-log mean of the tokens that each further step adds to the conversation.
  var turn = 4.5
  /// Probability that the shared first part, and that the conversation so far, is still cached.
  var sharedPrefixHit = 0.0
  var sessionPrefixHit = 0.0
  /// Probability that a call is part of a task, and the task's steps.
  var taskShare = 0.0
  var steps = 1...1
  /// Median seconds between the steps.
  var pause = 5.0
  var successRate = 0.9
  /// Cents that a success is worth in the median; 0 for no value known.
  var valueCents = 0.0
  /// Whether the model reasons before it answers.
  var reasons = false
  /// Probability that the answer is streamed.
  var streamed = 0.0
  /// Share of answers that come out of a response cache; 0 for no such cache.
  var responseCacheHits = 0.0
  /// Retrieval look-ups of a call.
  var retrievals = 0
  var season = Season.office
  var isBatch = false
  var serviceTier = ""
  var dataClass = ""
  var jurisdiction = ""
  /// Share of requests that carry a prompt hash.
  var hashed = 0.75
  /// Share of the input that is audio.
  var audioShare = 0.0
  /// Mean billed web searches of a call.
  var webSearches = 0.0

  /// The fourteen applications, the largest ones first, so that a small fleet has them.
  static let all: [WorkloadShape] = interactive + agents + background

  private static let interactive: [WorkloadShape] = [
    WorkloadShape(
      name: "support-assistant", team: "customer-care", share: 210, model: ModelShape.geminiFlash,
      secondModel: ModelShape.gpt5Mini, systemPrompt: 1100, input: (5.6, 0.95, 32_000),
      output: (4.96, 0.89, 4000), turn: 4.4, sharedPrefixHit: 0.62, sessionPrefixHit: 0.7,
      taskShare: 0.85, steps: 1...6, pause: 40, successRate: 0.82, valueCents: 120,
      streamed: 0.9, responseCacheHits: 0.11, retrievals: 1, season: .online),
    WorkloadShape(
      name: "code-completion", team: "developer-tools", operation: "text_completion", share: 240,
      model: ModelShape.gpt41Mini, secondModel: ModelShape.ownLlama, systemPrompt: 0,
      input: (7.0, 1.35, 7436), output: (2.77, 0.83, 1900), sharedPrefixHit: 0.45,
      streamed: 0.5, hashed: 0.9),
    WorkloadShape(
      name: "doc-search", team: "knowledge", share: 130, model: ModelShape.gpt5Mini,
      secondModel: ModelShape.gpt5, systemPrompt: 1400, input: (7.6, 0.7, 60_000),
      output: (5.1, 0.8, 3000), turn: 6.8, sharedPrefixHit: 0.66, sessionPrefixHit: 0.55,
      taskShare: 0.6, steps: 1...3, pause: 60, successRate: 0.88, valueCents: 60, streamed: 0.8,
      responseCacheHits: 0.08, retrievals: 4, jurisdiction: "EU"),
    WorkloadShape(
      name: "voice-bot", team: "customer-care", share: 70, model: ModelShape.gpt4oMini,
      secondModel: ModelShape.geminiFlashLite, systemPrompt: 1300, input: (4.6, 0.8, 8000),
      output: (3.3, 0.7, 400), turn: 3.6, sharedPrefixHit: 0.8, sessionPrefixHit: 0.85,
      taskShare: 1, steps: 3...12, pause: 9, successRate: 0.74, valueCents: 190, streamed: 1,
      season: .online),
    WorkloadShape(
      name: "translation", team: "content", share: 60, model: ModelShape.mistralSmall,
      secondModel: ModelShape.geminiFlashLite, input: (5.8, 1.1, 12_000), output: (5.8, 1.0, 8000),
      responseCacheHits: 0.14, season: .online),
  ]

  private static let agents: [WorkloadShape] = [
    WorkloadShape(
      name: "code-agent", team: "developer-tools", share: 90, model: ModelShape.claudeSonnet,
      secondModel: ModelShape.claudeOpus, systemPrompt: 6200, input: (8.3, 0.8, 180_000),
      output: (5.2, 1.0, 8000), turn: 6.6, sharedPrefixHit: 0.85, sessionPrefixHit: 0.93,
      taskShare: 1, steps: 3...14, pause: 7, successRate: 0.63, valueCents: 900, streamed: 0.7,
      dataClass: "confidential"),
    WorkloadShape(
      name: "research-agent", team: "knowledge", share: 30, model: ModelShape.gpt5,
      secondModel: ModelShape.geminiPro, systemPrompt: 2100, input: (6.2, 1.3, 60_000),
      output: (6.53, 0.97, 32_000), turn: 7.4, sharedPrefixHit: 0.7, sessionPrefixHit: 0.8,
      taskShare: 1, steps: 2...9, pause: 15, successRate: 0.7, valueCents: 1500, reasons: true,
      webSearches: 1.4),
    WorkloadShape(
      name: "contract-review", team: "legal", share: 20, model: ModelShape.geminiPro,
      secondModel: ModelShape.claudeOpus, systemPrompt: 2600, input: (9.4, 0.8, 125_000),
      output: (6.3, 0.7, 6000), turn: 5.2, sharedPrefixHit: 0.4, sessionPrefixHit: 0.7,
      taskShare: 1, steps: 1...4, pause: 120, successRate: 0.91, valueCents: 2600, reasons: true,
      dataClass: "restricted", jurisdiction: "EU"),
  ]

  private static let background: [WorkloadShape] = [
    WorkloadShape(
      name: "ticket-triage", team: "customer-care", share: 60, model: ModelShape.gpt5Nano,
      secondModel: ModelShape.gpt4oMini, systemPrompt: 420, input: (5.22, 1.0, 4000),
      output: (2.2, 0.9, 300), taskShare: 0.9, successRate: 0.95, valueCents: 4),
    WorkloadShape(
      name: "fraud-screen", team: "payments", share: 40, model: ModelShape.ownLlama,
      secondModel: ModelShape.gpt5Nano, systemPrompt: 300, input: (5.22, 0.9, 4000),
      output: (1.6, 0.6, 120), taskShare: 1, successRate: 0.97, season: .flat,
      dataClass: "restricted"),
    WorkloadShape(
      name: "meeting-notes", team: "content", share: 20, model: ModelShape.geminiFlash,
      secondModel: ModelShape.gpt5Mini, systemPrompt: 500, input: (8.78, 0.9, 125_000),
      output: (6.4, 0.5, 4000), taskShare: 1, successRate: 0.9, valueCents: 350, audioShare: 0.85),
    WorkloadShape(
      name: "nightly-enrichment", team: "data-platform", share: 60, model: ModelShape.gpt4oMini,
      secondModel: ModelShape.geminiFlashLite, systemPrompt: 900, input: (5.9, 0.6, 8000),
      output: (4.4, 0.5, 1000), sharedPrefixHit: 0.3, season: .nightly, isBatch: true, hashed: 1),
    WorkloadShape(
      name: "search-index", team: "knowledge", operation: "embeddings", share: 40,
      model: ModelShape.embedding, secondModel: ModelShape.embedding, input: (6.0, 0.7, 8000),
      output: (0, 0, 0), season: .flat, hashed: 1),
    WorkloadShape(
      name: "release-notes", team: "developer-tools", share: 10, model: ModelShape.claudeHaiku,
      secondModel: ModelShape.gpt5Mini, systemPrompt: 800, input: (8.0, 0.9, 60_000),
      output: (5.9, 0.5, 3000), taskShare: 1, successRate: 0.93, valueCents: 45,
      serviceTier: "flex"),
  ]

  /// Mean requests of one unit of this workload's traffic (a task, or a call outside one).
  ///
  /// Retries and fallbacks add 2.6 % to each step at the usual failure rates.
  var meanRequests: Double {
    let mean = Double(steps.lowerBound + steps.upperBound) / 2
    return (taskShare * mean + 1 - taskShare) * 1.026
  }
}
