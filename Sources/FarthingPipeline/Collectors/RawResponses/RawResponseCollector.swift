package import FarthingCore

/// Raw answers of an inference API: a file is one call.
///
/// A body may be a whole answer, an event stream, or an array of a stream's chunks; lines of JSON are
/// one whole answer each. Request path and model, HTTP status and headers are taken from the
/// metadata where it is there.
package struct RawResponseCollector: EventCollector {
  private let format: ResponseFormat

  init(_ format: ResponseFormat) { self.format = format }

  package var name: String { format.source.rawValue }

  package mutating func decode(_ bytes: [UInt8], _ context: CollectionContext) -> DecodedBatch {
    var builder = EventBatchBuilder(now: context.now)
    let metadata = context.metadata.flatMap { try? JSONTree($0) }
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    if EventStream.firstDatum(in: bytes, from: start) != nil {
      decodeStream(bytes, from: start, metadata, context, &builder)
      return builder.take()
    }
    let records = JSONRecords(bytes, firstLine: context.firstLine)
    for rejection in records.rejections { builder.refuse(rejection) }
    if records.records.count > 1 && records.records.allSatisfy({ Self.isGeminiChunk($0) }) {
      var response = RawResponse(metadata: metadata)
      for record in records.records { response.add(chunk: record.tree.root) }
      add(response, line: context.firstLine, context, &builder)
      return builder.take()
    }
    for record in records.records {
      var response = RawResponse(metadata: metadata)
      response.add(body: record.tree.root)
      add(response, line: record.line, context, &builder)
    }
    if bytes[start...].allSatisfy({ $0 <= 0x20 }), metadata != nil {
      // A failed call may have no body at all.
      add(RawResponse(metadata: metadata), line: context.firstLine, context, &builder)
    }
    return builder.take()
  }

  /// Whether the record is a chunk of `streamGenerateContent`, which streams an array unless it is
  /// asked for events: chunks of one answer share its id.
  private static func isGeminiChunk(_ record: JSONRecord) -> Bool {
    record.tree.root["candidates"] != nil && record.tree.root["usageMetadata"] != nil
      && record.isElement
  }

  private func decodeStream(
    _ bytes: [UInt8], from start: Int, _ metadata: JSONTree?, _ context: CollectionContext,
    _ builder: inout EventBatchBuilder
  ) {
    var response = RawResponse(metadata: metadata)
    for range in EventStream.data(in: bytes, from: start) {
      // `[DONE]` ends OpenAI's streams; a chunk that the end of the file cut off says nothing.
      guard bytes[range.lowerBound] == UInt8(ascii: "{"),
        let tree = try? JSONTree(Array(bytes[range]))
      else { continue }
      response.add(chunk: tree.root)
    }
    add(response, line: context.firstLine, context, &builder)
  }

  // MARK: One call

  private func add(
    _ response: RawResponse, line: Int, _ context: CollectionContext,
    _ builder: inout EventBatchBuilder
  ) {
    guard format.recognises(response) else {
      builder.refuse(
        EventRejection(
          line: line, field: nil, value: nil, expected: "an answer of the \(name) API"))
      return
    }
    let requestPath = response.text(["meta.request_path"]) ?? ""
    let path = requestPath.lowercased()
    builder.begin(.request, line: line)
    builder.setTime(created(response) ?? context.fallbackTime)
    if let id = response.text(format.id) { builder.set(.id, DescriptiveText.id(id)) }
    if let model = response.text(format.model) ?? Self.model(inPath: requestPath) {
      builder.set(.model, model)
    }
    builder.set(
      .provider, format.providers.first { path.contains($0.part) }?.provider ?? format.provider)
    if let operation = operation(response, path: path) { builder.set(.operation, operation) }
    addServiceTier(response, &builder)
    addUsage(response, &builder)
    for latency in format.latency {
      if let milliseconds = response.find(latency)?.integer, milliseconds >= 0 {
        builder.set(.latencyMs, Double(milliseconds))
        break
      }
    }
    addStatus(response, &builder)
    builder.finish()
  }

  private func created(_ response: RawResponse) -> Int64? {
    for path in format.createdSeconds {
      if let time = response.find(path)?.integer(scaledBy: 9), time >= EventLimits.earliestTime {
        return time
      }
    }
    return nil
  }

  /// Paths that name the model: `/model/ID/converse`, `/models/ID:generateContent`.
  private static func model(inPath path: String) -> String? {
    let parts = path.split(separator: "/")
    guard let place = parts.firstIndex(where: { $0 == "model" || $0 == "models" }),
      place + 1 < parts.count
    else { return nil }
    let name = parts[place + 1]
    return parts[place] == "model"
      ? String(name) : name.split(separator: ":").first.map(String.init)
  }

  private func operation(_ response: RawResponse, path: String) -> String? {
    if let named = format.operations.first(where: { path.contains($0.part) }) {
      return named.operation
    }
    if let object = response.text(["object"]), let operation = format.objects[object] {
      return operation
    }
    return format.objects.isEmpty || format.source != .openai
      ? format.operations.last?.operation : nil
  }

  private func addServiceTier(_ response: RawResponse, _ builder: inout EventBatchBuilder) {
    guard let tier = response.text(format.serviceTier) else { return }
    if tier == ServiceTierNames.batch {
      builder.set(.batch, 1)
    } else {
      builder.set(
        .serviceTier,
        DescriptiveText.fitting(ServiceTierNames.canonical[tier] ?? tier))
    }
  }

  private func addUsage(_ response: RawResponse, _ builder: inout EventBatchBuilder) {
    var hasCounts = false
    for rule in format.counts {
      let count = rule.value { response.find($0, isFinalOnly: rule.isFinalOnly) }
      guard let count else { continue }
      builder.set(rule.field, count)
      hasCounts = true
    }
    let isBrokenOff = format.finish != nil && response.isStream && !response.isFinished
    if hasCounts && isBrokenOff { builder.set(.usage, "estimated") }
  }

  private func addStatus(_ response: RawResponse, _ builder: inout EventBatchBuilder) {
    let httpStatus = response.find("meta.status")?.integer
    let isHTTPFailure = httpStatus.map { $0 >= 400 } ?? false
    let words = (format.error + ["error.type", "error.message"]).compactMap {
      response.find($0)?.literal
    }
    let states = ["failed": "error", "cancelled": "cancelled"]
    var status: String?
    if isHTTPFailure || response.find("error") != nil {
      status = CallStatus.ofFailure(httpStatus: httpStatus, error: words)
    } else if response.text(format.blocked) != nil {
      status = "blocked"
    } else if let state = response.text(["status"]) {
      status = states[state]
    }
    guard let status else { return }
    builder.set(.status, status)
    if let httpStatus, isHTTPFailure, httpStatus <= 599 { builder.set(.httpStatus, httpStatus) }
    if let error = response.text(format.error) {
      builder.set(.error, DescriptiveText.fitting(String(error.prefix(64))))
    }
  }
}
