internal import FarthingCore
internal import FarthingDetection
internal import FarthingStore

/// One column of texts of a segment, whichever way it is held.
private final class TextReader {
  private let name: ColumnName
  private let kind: ColumnKind?
  private var codes: [UInt32] = []
  private var text = TextColumn()
  let dictionary: TextDictionary?
  /// What the owner made of each code, once.
  var numbers: [UInt64] = []

  init(_ segment: SegmentReader, _ name: ColumnName) throws(StoreError) {
    self.name = name
    kind = segment.kind(of: name)
    dictionary = kind == .codes ? try segment.dictionary(name) : nil
    if let dictionary { numbers = Array(repeating: .max, count: dictionary.count) }
  }

  func load(_ segment: SegmentReader, _ block: Int, _ scratch: ScanScratch) throws(StoreError) {
    switch kind {
    case .codes: try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
    case .text: try segment.readText(name, block: block, into: &text, scratch: scratch)
    default: break
    }
  }

  /// The row's code; nil where the column is held as text.
  func code(_ row: Int) -> Int? { kind == .codes ? Int(codes[row]) : nil }

  /// Calls `body` with the bytes of the row's text; not where it has none.
  func withText<Result>(_ row: Int, _ body: (Span<UInt8>) -> Result) -> Result? {
    switch kind {
    case .codes:
      let code = codes[row]
      guard code != 0, let dictionary, let range = dictionary.range(of: code) else { return nil }
      let bytes = dictionary.bytes
      let span = bytes.span
      return body(span.extracting(range))
    case .text:
      guard let range = text.range(row), !range.isEmpty else { return nil }
      let bytes = text.bytes
      let span = bytes.span
      return body(span.extracting(range))
    default: return nil
    }
  }

  func string(_ row: Int) -> String {
    withText(row) { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
      ?? ""
  }
}

/// Makes observations of the rows of one segment.
final class ObservationReader {
  private let segment: SegmentReader
  private let selection: (any SegmentSelection)?
  private let isLeftOut: Bool
  private let scratch = ScanScratch()
  private var texts: [String: TextReader] = [:]
  private var integers: [String: IntegerColumn] = [:]
  private var reals: [String: RealColumn] = [:]
  private let prices: [ResolvedPrice?]

  private static let textNames: [EventKind: [String]] = [
    .request: [
      "identity", "workload", "tenant", "endpoint", "model", "provider", "site", "fallback_from",
      "status", "task", "prompt_hash", "outcome", "id", "cost_state", "price", "service_tier",
      "usage",
      "response_cache",
    ],
    .outcome: ["task", "outcome"],
    .capacity: ["site", "pool", "model"],
  ]
  private static let integerNames: [EventKind: [String]] = [
    .request: [
      "time", "received_time", "attempt", "input_tokens", "cached_input_tokens", "output_tokens",
      "reasoning_tokens", "cost", "cost.high", "output_cost", "output_cost.high", "units_cost",
      "cache_write_tokens", "cache_write_1h_tokens", "input_audio_tokens", "output_audio_tokens",
      "input_image_tokens", "batch",
    ],
    .outcome: ["time", "received_time"],
    .capacity: [
      "time", "received_time", "until", "accelerators", "usd_per_accelerator_hour",
      "usd_per_accelerator_hour.high",
    ],
  ]

  init(_ segment: SegmentReader, _ selection: (any RequestSelection)?) throws(StoreError) {
    self.segment = segment
    if segment.kind == .request, let selection {
      let own = try selection.requests(of: segment)
      self.selection = own
      isLeftOut = own == nil
    } else {
      self.selection = nil
      isLeftOut = false
    }
    prices =
      segment.kind == .request
      ? [nil]
        + (try segment.storedPrices().map { ResolvedPrice.deserialised($0.bytes.span) }) : []
    for name in Self.textNames[segment.kind] ?? [] {
      texts[name] = try TextReader(segment, ColumnName(name))
    }
  }

  /// Appends the observations of a block's rows within the window.
  func read(
    _ block: Int, since: Int64?, until: Int64?, _ engine: inout DetectionEngine,
    into observations: inout [Observation]
  ) throws(StoreError) {
    if isLeftOut { return }
    let mask = try selection?.mask(block: block)
    let rows = segment.rows(inBlock: block).count
    for name in Self.textNames[segment.kind] ?? [] {
      try texts[name]?.load(segment, block, scratch)
    }
    for name in Self.integerNames[segment.kind] ?? [] {
      let column = ColumnName(name)
      guard segment.kind(of: column) != nil else {
        integers[name] = nil
        continue
      }
      var values = integers[name] ?? IntegerColumn()
      try segment.readIntegers(column, block: block, into: &values, scratch: scratch)
      integers[name] = values
    }
    if segment.kind == .request {
      for name in ["latency_ms", "compute_ms"] {
        var values = reals[name] ?? RealColumn()
        try segment.readReals(ColumnName(name), block: block, into: &values, scratch: scratch)
        reals[name] = values
      }
    }
    let columns = Columns(self)
    observations.reserveCapacity(observations.count + rows)
    for row in 0..<rows where mask.map({ $0[row] != 0 }) ?? true {
      let time = columns.time.values[row]
      if let since, time < since { continue }
      if let until, time >= until { continue }
      switch segment.kind {
      case .request: observations.append(request(row, columns, &engine))
      case .outcome: observations.append(outcome(row, columns))
      case .capacity: observations.append(capacity(row, columns, &engine))
      }
    }
  }

  /// The columns of the block at hand, looked up once.
  fileprivate struct Columns {
    let time: IntegerColumn
    let received: IntegerColumn
    let attempt, input, cached, output, reasoning: IntegerColumn?
    let cost, costHigh, outputCost, outputCostHigh, unitsCost: IntegerColumn?
    let written, written1h, inputAudio, outputAudio, inputImage, batch: IntegerColumn?
    let until, accelerators, rate, rateHigh: IntegerColumn?
    let latency, compute: RealColumn?

    init(_ reader: ObservationReader) {
      let integers = reader.integers
      time = integers["time"] ?? IntegerColumn()
      received = integers["received_time"] ?? IntegerColumn()
      attempt = integers["attempt"]
      input = integers["input_tokens"]
      cached = integers["cached_input_tokens"]
      output = integers["output_tokens"]
      reasoning = integers["reasoning_tokens"]
      cost = integers["cost"]
      costHigh = integers["cost.high"]
      outputCost = integers["output_cost"]
      outputCostHigh = integers["output_cost.high"]
      unitsCost = integers["units_cost"]
      written = integers["cache_write_tokens"]
      written1h = integers["cache_write_1h_tokens"]
      inputAudio = integers["input_audio_tokens"]
      outputAudio = integers["output_audio_tokens"]
      inputImage = integers["input_image_tokens"]
      batch = integers["batch"]
      until = integers["until"]
      accelerators = integers["accelerators"]
      rate = integers["usd_per_accelerator_hour"]
      rateHigh = integers["usd_per_accelerator_hour.high"]
      latency = reader.reals["latency_ms"]
      compute = reader.reals["compute_ms"]
    }
  }

  private static func value(_ column: IntegerColumn?, _ row: Int) -> Int64? {
    guard let column else { return nil }
    if let validity = column.validity, validity[row] == 0 { return nil }
    return column.values[row]
  }

  private static func value(_ column: RealColumn?, _ row: Int) -> Double? {
    guard let column else { return nil }
    if let validity = column.validity, validity[row] == 0 { return nil }
    return column.values[row]
  }

  /// An amount out of its two columns, as detection keeps it.
  private static func amount(_ low: IntegerColumn?, _ high: IntegerColumn?, _ row: Int) -> Int128 {
    Int128(value(high, row) ?? 0) << 62 + Int128(value(low, row) ?? 0)
  }

  private func request(
    _ row: Int, _ columns: Columns, _ engine: inout DetectionEngine
  ) -> Observation {
    let start = columns.time.values[row]
    let latency = Self.value(columns.latency, row)
    let received = Self.value(columns.received, row) ?? start
    let end = Observation.end(start: start, latencyMs: latency, receivedAt: received)
    var observation = Observation(kind: .request, time: end, receivedTime: received)
    observation.tenant = name(.tenant, "tenant", row, &engine)
    observation.identity = identity(row, observation.tenant, end, &engine)
    observation.workload = name(.workload, "workload", row, &engine)
    observation.endpoint = name(.endpoint, "endpoint", row, &engine)
    observation.model = name(.model, "model", row, &engine)
    observation.provider = name(.provider, "provider", row, &engine)
    observation.site = name(.site, "site", row, &engine)
    observation.fallbackFrom = name(.model, "fallback_from", row, &engine)
    if let status = texts["status"]?.withText(row, Self.status) { observation.status = status }
    observation.attempt = Self.value(columns.attempt, row) ?? 1
    observation.inputTokens = Self.value(columns.input, row) ?? -1
    observation.cachedInputTokens = Self.value(columns.cached, row) ?? 0
    observation.outputTokens = Self.value(columns.output, row) ?? -1
    observation.reasoningTokens = Self.value(columns.reasoning, row) ?? 0
    charge(&observation, row, columns, &engine)
    if let latency { observation.latency = Int64(min(latency, 1e12) * 1000) }
    if let compute = Self.value(columns.compute, row) {
      observation.compute = Int64(min(compute, 1e9) * 1000)
    }
    observation.task = hash("task", row)
    observation.promptHash = hash("prompt_hash", row)
    if let told = texts["outcome"]?.withText(row, { $0[0] == UInt8(ascii: "s") }) {
      observation.succeeded = told
    }
    observation.id = texts["id"]?.string(row) ?? ""
    if observation.task != 0 { observation.taskText = texts["task"]?.string(row) ?? "" }
    return observation
  }

  private static func status(_ bytes: Span<UInt8>) -> Observation.Status {
    Observation.Status(
      name: String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)) ?? .ok
  }

  private func charge(
    _ observation: inout Observation, _ row: Int, _ columns: Columns,
    _ engine: inout DetectionEngine
  ) {
    // `unpriced` alone begins so.
    let isUnpriced = texts["cost_state"]?.withText(row) { $0[0] == UInt8(ascii: "u") } ?? false
    guard !isUnpriced else { return }
    let cost = Self.amount(columns.cost, columns.costHigh, row)
    let outputCost = Self.amount(columns.outputCost, columns.outputCostHigh, row)
    let code = texts["price"]?.code(row)
    let price = code.flatMap { prices.indices.contains($0) ? prices[$0] : nil }
    let charge = Charge(
      state: .priced, cost: cost, outputCost: outputCost,
      unitsCost: Int128(Self.value(columns.unitsCost, row) ?? 0), cacheSavings: 0, price: 0)
    let isBatch = Self.value(columns.batch, row) == 1
    engine.charge(
      &observation, serviceTier: hash("service_tier", row), isBatch: isBatch, price, charge
    ) {
      usage(row, columns)
    }
  }

  private func usage(_ row: Int, _ columns: Columns) -> TokenUsage {
    var usage = TokenUsage(
      inputTokens: Self.value(columns.input, row),
      cachedInputTokens: Self.value(columns.cached, row) ?? 0,
      cacheWriteTokens: Self.value(columns.written, row) ?? 0,
      cacheWrite1hTokens: Self.value(columns.written1h, row) ?? 0,
      outputTokens: Self.value(columns.output, row) ?? 0,
      reasoningTokens: Self.value(columns.reasoning, row) ?? 0,
      inputAudioTokens: Self.value(columns.inputAudio, row) ?? 0,
      outputAudioTokens: Self.value(columns.outputAudio, row) ?? 0,
      inputImageTokens: Self.value(columns.inputImage, row) ?? 0)
    if let first = texts["usage"]?.withText(row, { $0[0] }) {
      usage.state =
        first == UInt8(ascii: "e") ? .estimated : first == UInt8(ascii: "m") ? .missing : .reported
    }
    usage.isResponseCacheHit =
      texts["response_cache"]?.withText(row) { $0[0] != UInt8(ascii: "m") } ?? false
    return usage
  }

  private func outcome(_ row: Int, _ columns: Columns) -> Observation {
    let time = columns.time.values[row]
    var observation = Observation(
      kind: .outcome, time: time, receivedTime: Self.value(columns.received, row) ?? time)
    observation.task = hash("task", row)
    observation.succeeded = texts["outcome"]?.withText(row) { $0[0] == UInt8(ascii: "s") }
    return observation
  }

  private func capacity(
    _ row: Int, _ columns: Columns, _ engine: inout DetectionEngine
  ) -> Observation {
    let time = columns.time.values[row]
    var observation = Observation(
      kind: .capacity, time: time, receivedTime: Self.value(columns.received, row) ?? time)
    observation.site = name(.site, "site", row, &engine)
    observation.pool = name(.pool, "pool", row, &engine)
    observation.model = name(.model, "model", row, &engine)
    let until = Self.value(columns.until, row) ?? time
    observation.setCapacity(
      until: until, accelerators: Self.value(columns.accelerators, row) ?? 0,
      rate: Self.amount(columns.rate, columns.rateHigh, row))
    return observation
  }

  // MARK: Texts

  private func name(
    _ dimension: ObservedDimension, _ column: String, _ row: Int, _ engine: inout DetectionEngine
  ) -> ObservedName {
    guard let reader = texts[column] else { return .absent }
    if let code = reader.code(row) {
      if code == 0 { return .absent }
      if reader.numbers[code] != .max {
        return ObservedName(code: UInt32(truncatingIfNeeded: reader.numbers[code]))
      }
      let name = reader.withText(row) { engine.name(dimension, $0) } ?? .absent
      reader.numbers[code] = UInt64(name.code)
      return name
    }
    return reader.withText(row) { engine.name(dimension, $0) } ?? .absent
  }

  /// Not kept by code: the engine may forget an identity and give its number to another.
  private func identity(
    _ row: Int, _ tenant: ObservedName, _ time: Int64, _ engine: inout DetectionEngine
  ) -> ObservedName {
    texts["identity"]?.withText(row) { engine.identity($0, tenant: tenant, time: time) } ?? .absent
  }

  private func hash(_ column: String, _ row: Int) -> UInt64 {
    guard let reader = texts[column] else { return 0 }
    if let code = reader.code(row) {
      if code == 0 { return 0 }
      if reader.numbers[code] != .max { return reader.numbers[code] }
      let hash = reader.withText(row) { StableHash.of($0) } ?? 0
      reader.numbers[code] = hash
      return hash
    }
    return reader.withText(row) { StableHash.of($0) } ?? 0
  }
}
