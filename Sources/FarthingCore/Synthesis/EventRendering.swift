// Events as NDJSON bytes. What many events share is rendered once, when the fleet is built.

/// The parts of the lines that do not change from event to event, as bytes.
struct EventFragments: Sendable {
  /// `"model":…,"provider":…,"endpoint":…,"site":…,` by model × site.
  private let places: [[UInt8]]
  private let siteCount: Int
  /// `"workload":…,"identity":…,"tenant":…,` and what the tags begin with, by client.
  private let clients: [[UInt8]]
  /// The workload's constant fields, by client's workload.
  private let workloads: [[UInt8]]
  private let workloadOfClient: [Int]
  private let fallbacks: [[UInt8]]
  private let statuses: [[UInt8]]
  private let features: [[UInt8]]

  private static let featureNames = ["main", "suggest", "bulk"]

  init(_ fleet: Fleet) {
    siteCount = fleet.sites.count
    places = fleet.models.indices.flatMap { model in
      fleet.sites.indices.map { site in
        let shape = fleet.models[model]
        return Array(
          (#""model":"\#(shape.name)","provider":"\#(shape.provider)","endpoint":""#
            + #"\#(fleet.endpoint(model: model, site: site))","site":"\#(fleet.sites[site].name)","#)
            .utf8)
      }
    }
    let plans = ["enterprise", "business", "team", "free"]
    clients = fleet.clients.enumerated().map { index, client in
      let shape = fleet.workloads[client.workload]
      let environment = index % 9 == 8 ? "staging" : "prod"
      let plan = plans[min(3, client.tenant / 3)]
      return Array(
        (#""workload":"\#(shape.name)","identity":"\#(client.identity)","tenant":""#
          + #"\#(fleet.tenants[client.tenant])","tags":{"env":"\#(environment)","#
          + #""team":"\#(shape.team)","plan":"\#(plan)","feature":""#).utf8)
    }
    workloads = fleet.workloads.map { shape in
      var text = #""operation":"\#(shape.operation)","#
      if shape.isBatch { text += #""batch":true,"# }
      if !shape.serviceTier.isEmpty { text += #""service_tier":"\#(shape.serviceTier)","# }
      if !shape.dataClass.isEmpty { text += #""data_class":"\#(shape.dataClass)","# }
      if !shape.jurisdiction.isEmpty { text += #""jurisdiction":"\#(shape.jurisdiction)","# }
      return Array(text.utf8)
    }
    workloadOfClient = fleet.clients.map(\.workload)
    fallbacks = fleet.models.map { Array(#""fallback_from":"\#($0.name)","#.utf8) }
    features = Self.featureNames.map { Array("\($0)\",\"version\":\"v".utf8) }
    statuses = [
      #""status":"ok","http_status":200}"#,
      #""status":"error","http_status":503,"error":"overloaded"}"#,
      #""status":"timeout","http_status":504,"error":"upstream_timeout"}"#,
      #""status":"rate_limited","http_status":429,"error":"rate_limit"}"#,
      #""status":"blocked","http_status":400,"error":"content_filter"}"#,
      #""status":"cancelled","http_status":499,"error":"client_closed"}"#,
    ].map { Array(($0 + "\n").utf8) }
  }

  /// Appends a request event as one line.
  func appendRequest(_ event: PendingEvent, _ fleet: Fleet, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: Self.timeKey)
    Self.appendTime(event.time, to: &bytes)
    bytes.append(contentsOf: Self.idKey)
    Self.appendIdentifier(event, to: &bytes)
    bytes.append(contentsOf: Self.idEnd)
    bytes.append(contentsOf: places[Int(event.model) * siteCount + Int(event.site)])
    let client = Int(event.client)
    bytes.append(contentsOf: workloads[workloadOfClient[client]])
    bytes.append(contentsOf: clients[client])
    bytes.append(contentsOf: features[Int(event.feature)])
    appendVersion(event, to: &bytes)
    appendTokens(event, to: &bytes)
    appendTimes(event, to: &bytes)
    if event.promptHash != 0 {
      bytes.append(contentsOf: Self.promptHashKey)
      Self.appendHexadecimal(event.promptHash, digits: 16, to: &bytes)
      bytes.append(contentsOf: Self.idEnd)
    }
    if event.task != 0 {
      bytes.append(contentsOf: Self.taskKey)
      Self.appendHexadecimal(event.task, digits: 16, to: &bytes)
      bytes.append(contentsOf: Self.stepKey)
      Self.appendDecimal(Int64(event.step), to: &bytes)
      bytes.append(Self.comma)
    }
    if event.attempt > 1 { Self.append(Self.attemptKey, Int64(event.attempt), to: &bytes) }
    if event.fallbackFrom >= 0 { bytes.append(contentsOf: fallbacks[Int(event.fallbackFrom)]) }
    if event.outcome != 0 { bytes.append(contentsOf: Self.outcomes[Int(event.outcome)]) }
    bytes.append(contentsOf: statuses[Int(event.status.rawValue)])
  }

  /// Appends an outcome event as one line.
  func appendOutcome(_ event: PendingEvent, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: Self.outcomeStart)
    Self.appendTime(event.time, to: &bytes)
    bytes.append(contentsOf: Self.idKey)
    Self.appendIdentifier(event, to: &bytes)
    bytes.append(contentsOf: Self.idEnd)
    if event.valueCents > 0 {
      bytes.append(contentsOf: Self.valueKey)
      Self.appendDecimal(event.valueCents / 100, to: &bytes)
      bytes.append(0x2E)
      CivilTime.appendTwoDigits(event.valueCents % 100, to: &bytes)
      bytes.append(contentsOf: Self.idEnd)
    }
    bytes.append(contentsOf: Self.taskKey)
    Self.appendHexadecimal(event.task, digits: 16, to: &bytes)
    bytes.append(contentsOf: event.outcome == 1 ? Self.successEnd : Self.failureEnd)
  }

  /// A release a week, `v2931.2`: the week since 1970 and the workload's place in its release train.
  private func appendVersion(_ event: PendingEvent, to bytes: inout [UInt8]) {
    let week = CivilTime.floorDivide(CivilTime.floorDivide(event.time, CivilTime.day) + 3, 7)
    Self.appendDecimal(week, to: &bytes)
    bytes.append(0x2E)
    Self.appendDecimal(Int64(workloadOfClient[Int(event.client)] % 4), to: &bytes)
    bytes.append(contentsOf: Self.tagsEnd)
  }

  private func appendTokens(_ event: PendingEvent, to bytes: inout [UInt8]) {
    if event.usage == 2 {
      bytes.append(contentsOf: Self.usageMissing)
    } else {
      Self.append(Self.inputKey, Int64(event.inputTokens), to: &bytes)
      Self.appendPositive(Self.cachedKey, event.cachedTokens, to: &bytes)
      Self.appendPositive(Self.writtenKey, event.writtenTokens, to: &bytes)
      Self.appendPositive(Self.writtenLongKey, event.writtenLongTokens, to: &bytes)
      Self.appendPositive(Self.audioKey, event.audioTokens, to: &bytes)
      Self.append(Self.outputKey, Int64(event.outputTokens), to: &bytes)
      if event.reasoningTokens >= 0 {
        Self.append(Self.reasoningKey, Int64(event.reasoningTokens), to: &bytes)
      }
      if event.webSearches > 0 {
        bytes.append(contentsOf: Self.searchKey)
        Self.appendDecimal(Int64(event.webSearches), to: &bytes)
        bytes.append(contentsOf: Self.braceEnd)
      }
      if event.usage == 1 { bytes.append(contentsOf: Self.usageEstimated) }
    }
    if event.responseCache != 0 {
      bytes.append(contentsOf: Self.responseCaches[Int(event.responseCache)])
    }
    if event.retrievals > 0 {
      Self.append(Self.retrievalsKey, Int64(event.retrievals), to: &bytes)
      Self.append(Self.retrievalFailuresKey, Int64(event.retrievalFailures), to: &bytes)
    }
    if event.isColdStart { bytes.append(contentsOf: Self.coldStart) }
  }

  private func appendTimes(_ event: PendingEvent, to bytes: inout [UInt8]) {
    Self.appendTenths(Self.latencyKey, event.latency, to: &bytes)
    Self.appendTenths(Self.firstTokenKey, event.firstToken, to: &bytes)
    Self.appendTenths(Self.queueKey, event.queue, to: &bytes)
    Self.appendTenths(Self.computeKey, event.compute, to: &bytes)
    Self.appendTenths(Self.networkKey, event.network, to: &bytes)
    Self.appendTenths(Self.retrievalKey, event.retrieval, to: &bytes)
  }
}
