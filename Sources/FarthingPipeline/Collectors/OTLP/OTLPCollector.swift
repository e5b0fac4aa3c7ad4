package import FarthingCore

// OTLP as a pure function: bytes of a request in, events and an answer out. Who listens, stores and
// answers is the server's business:
//
//     let collected = collector.collect(body, signal: .traces, encoding: .protobuf, context)
//     … price and append collected.batch; wait until it is durable …
//     collector.confirm(collected)             // only once it is stored
//     answer with collected.response()         // or OTLPResponse.failure(status: 503, …)
//
// Traces become events. Metrics and logs are taken and checked, and counted only as records: the
// metrics and log records of GenAI repeat what spans say, and nothing in them ties them to a span, so
// taking both would count calls twice.

/// What one OTLP request came to.
package struct Collected: Sendable {
  package var signal: OTLPSignal
  package var encoding: OTLPEncoding
  /// The calls, to be priced and appended, and what was refused of them.
  package var batch = DecodedBatch()
  /// Records of the request: spans, data points or log records.
  package var records = 0
  /// Spans that tell of calls.
  package var callSpans = 0
  /// Of them, those that repeat a call of this request or of an earlier one.
  package var repeatedSpans = 0
  /// Of them, those whose calls were refused.
  package var rejectedSpans = 0
  /// Sentences for the log; each is said once by a collector.
  package var warnings: [String] = []
  /// Why the request is no OTLP request; nothing of it is taken then.
  package var failure: String?
  /// What ``OTLPCollector/confirm(_:)`` remembers.
  var marks: [UInt64] = []
  var warned: [String] = []

  init(_ signal: OTLPSignal, _ encoding: OTLPEncoding) {
    self.signal = signal
    self.encoding = encoding
  }

  /// The answer once the batch is stored: success, partial success, or 400 where ``failure`` is.
  package func response() -> OTLPResponse {
    if let failure { return .failure(status: 400, message: failure, encoding) }
    var sentences = batch.rejections.prefix(3).map { rejection in
      let field = rejection.field.map { " \($0)" } ?? ""
      let value = rejection.value.map { " \"\($0)\"" } ?? ""
      return "span \(rejection.line):\(field)\(value) expected \(rejection.expected)"
    }
    if batch.rejections.count > 3 {
      sentences.append("and \(batch.rejections.count - 3) more")
    }
    sentences += warnings
    return .success(
      signal, encoding, rejected: rejectedSpans, message: sentences.joined(separator: "; "))
  }
}

/// Takes calls out of OTLP requests.
///
/// A collector remembers which spans it counted lately, so all requests of a listener go to one.
/// ``collect(_:signal:encoding:_:)`` changes nothing that matters before ``confirm(_:)``: a request
/// that could not be stored and is sent again comes out the same.
package struct OTLPCollector: EventCollector {
  private var recent: RecentCalls
  private var links = AttemptLinks()
  private var traces = TraceReader()
  /// Room for the drafts of a body, kept for the next one.
  private var spare: [CallDraft] = []
  /// Drafts beyond whose number the room is given back.
  private static let spareLimit = 2048
  /// What was warned of already.
  private var warned: Set<String> = []
  /// Warnings that are remembered; beyond, a new one is not said.
  private static let warningLimit = 1024

  package init() { self.init(recent: RecentCalls()) }

  init(recent: RecentCalls) { self.recent = recent }

  package var name: String { SourceFormat.otlp.rawValue }

  /// Takes one request, decompressed.
  ///
  /// Never throws and never traps: what cannot be decoded is ``Collected/failure``.
  /// - Complexity: O(n) in the bytes.
  package mutating func collect(
    _ body: [UInt8], signal: OTLPSignal, encoding: OTLPEncoding, _ context: CollectionContext
  ) -> Collected {
    var collected = Collected(signal, encoding)
    guard body.count <= EventDecoder.pieceLimit else {
      collected.failure = "the body is larger than \(EventDecoder.pieceLimit) bytes"
      return collected
    }
    switch (signal, encoding) {
    case (.traces, .protobuf): collectTraces(body, context, &collected)
    case (.traces, .json):
      do {
        collectTraces(try OTLPJSON.traces(body), context, &collected)
      } catch {
        collected.failure = error.sentence
      }
    case (.metrics, _), (.logs, _): collectRecords(body, &collected)
    }
    return collected
  }

  /// Remembers that what was collected is stored.
  package mutating func confirm(_ collected: Collected) {
    recent.remember(collected.marks)
    for warning in collected.warned where warned.count < Self.warningLimit {
      warned.insert(warning)
    }
  }

  // MARK: Files

  /// Decodes requests as files hold them: JSON lines, as the OpenTelemetry Collector's file exporter
  /// writes them, one JSON document, or one body of protobuf.
  package mutating func decode(_ bytes: [UInt8], _ context: CollectionContext) -> DecodedBatch {
    let first = bytes.first { !$0.isJSONSpace }
    guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == nil else {
      let collected = collect(bytes, signal: .traces, encoding: .protobuf, context)
      confirm(collected)
      return collected.fileBatch(line: context.firstLine)
    }
    let records = JSONRecords(bytes, firstLine: context.firstLine)
    var result = DecodedBatch()
    result.rejections = records.rejections
    for record in records.records {
      var collected = Collected(.traces, .json)
      do {
        collectTraces(try OTLPJSON.traces(record.tree.root), context, &collected)
      } catch {
        collected.failure = error.sentence
      }
      confirm(collected)
      result.append(collected.fileBatch(line: record.line))
    }
    return result
  }

  // MARK: Traces

  private mutating func collectTraces(
    _ body: [UInt8], _ context: CollectionContext, _ collected: inout Collected
  ) {
    var spans = SpanInterpreter(body, drafts: spare)
    spare = []
    defer {
      if spans.drafts.count <= Self.spareLimit {
        spare = spans.drafts
        spans.drafts = []
        spare.removeAll(keepingCapacity: true)
      }
    }
    do {
      try traces.read(body.span, &spans)
    } catch {
      collected.failure = error.sentence
      return
    }
    collected.records = spans.spanCount
    collected.callSpans = spans.drafts.count
    warn(of: spans.unknownScopes, &collected)
    warn(of: spans.unreadFields, &collected)
    let groups = CallGroups(spans.drafts, passages: spans.passages, spans.arena)
    collected.marks.reserveCapacity(2 * groups.groups.count)
    // Of each call its group's place, whose first draft is made to say all that is known of it.
    var calls: [Int] = []
    calls.reserveCapacity(groups.groups.count)
    for (place, group) in groups.groups.enumerated() {
      for other in group.others { spans.fill(group.first, from: other) }
      let isRepeated = mark(group, groups, spans.drafts, &collected)
      collected.repeatedSpans += group.others.count + (isRepeated ? 1 : 0)
      if isRepeated { continue }
      spans.drafts[group.first].settleCacheWrites()
      calls.append(place)
    }
    let fallbacks = link(calls.map { groups.groups[$0].first }, &spans.drafts, spans.arena)
    var batch = CallBatch(
      now: context.now, arena: spans.arena, entries: spans.entries, capacity: calls.count)
    for place in calls {
      let group = groups.groups[place]
      let fallback = fallbacks.isEmpty ? nil : fallbacks[group.first]
      if !batch.add(spans.drafts[group.first], fallbackFrom: fallback) {
        collected.rejectedSpans += 1 + group.others.count
      }
    }
    collected.batch = batch.batch
  }

  /// Notes the group's marks, for when it is stored.
  ///
  /// - Returns: Whether an earlier body told of the same call.
  private func mark(
    _ group: CallGroups.Group, _ groups: CallGroups, _ drafts: [CallDraft],
    _ collected: inout Collected
  ) -> Bool {
    var isRepeated = false
    // A span that repeats the call under it is not itself counted, but what is above it repeats the
    // call too.
    func mark(_ id: SpanID) {
      isRepeated = isRepeated || recent.hasCountedChild(id)
      if id.isValid { collected.marks.append(RecentCalls.counted(id)) }
    }
    mark(drafts[group.first].id)
    for other in group.others { mark(drafts[other].id) }
    groups.forEachUnresolvedParent(of: group) { parent in
      isRepeated = isRepeated || recent.isCounted(parent)
      collected.marks.append(RecentCalls.countedChild(of: parent))
    }
    return isRepeated
  }

  /// Tells retries and fallbacks of a gateway by the id that its attempts share.
  ///
  /// - Returns: By draft, the model of the route that was tried before, where a gateway fell back.
  private mutating func link(
    _ indices: [Int], _ calls: inout [CallDraft], _ arena: TextArena
  ) -> [Int: String] {
    var fallbacks: [Int: String] = [:]
    let linked = indices.filter { calls[$0].callID != nil }
      .sorted { (calls[$0].start, $0) < (calls[$1].start, $1) }
    for index in linked {
      guard let id = calls[index].callID else { continue }
      let link = links.link(
        trace: arena.string(id), time: calls[index].event.time,
        model: calls[index].event.range(of: .model).map(arena.string),
        route: calls[index].route.map(arena.string), isFailure: calls[index].isFailure)
      if link.attempt > 1 { calls[index].event.set(.attempt, link.attempt) }
      if let model = link.fallbackFrom { fallbacks[index] = model }
    }
    return fallbacks
  }

  private func warn(of scopes: [String: String], _ collected: inout Collected) {
    for (scope, version) in scopes.sorted(by: { $0.key < $1.key }) {
      let key = "scope " + scope
      guard !warned.contains(key), warned.count < Self.warningLimit else { continue }
      collected.warned.append(key)
      let name = DescriptiveText.fitting(scope)
      let number = version.isEmpty ? "" : " " + DescriptiveText.fitting(version)
      collected.warnings.append(
        "instrumentation scope \"\(name)\"\(number) is not known: its spans are read by the "
          + "GenAI semantic conventions, with cached tokens taken to be inside input tokens")
    }
  }

  private func warn(of fields: Set<String>, _ collected: inout Collected) {
    for field in fields.sorted() {
      let key = "field " + field
      guard !warned.contains(key), warned.count < Self.warningLimit else { continue }
      collected.warned.append(key)
      let name = DescriptiveText.fitting(field)
      let near =
        Suggestion.nearest(to: field, among: ContractField.names).flatMap {
          $0 == field ? nil : "; did you mean \"farthing.\($0)\"?"
        } ?? ""
      collected.warnings.append(
        "the attribute \"farthing.\(name)\" is left out: it fills no field of a request, or its value "
          + "is none of that field\(near)")
    }
  }

  // MARK: Metrics and logs

  private func collectRecords(_ body: [UInt8], _ collected: inout Collected) {
    var survey = RecordSurvey(collected.signal)
    collected.failure = Self.failure(of: body, collected.encoding, &survey)
    collected.records = survey.records
    let key = "repeats " + collected.signal.rawValue
    guard collected.failure == nil, survey.hasGenAI, !warned.contains(key) else { return }
    collected.warned.append(key)
    collected.warnings.append(
      "GenAI \(collected.signal.rawValue) are taken and not counted: they repeat calls that "
        + "spans report; send traces to \(OTLPSignal.traces.path)")
  }

  private static func failure(
    of body: [UInt8], _ encoding: OTLPEncoding, _ survey: inout RecordSurvey
  ) -> String? {
    switch encoding {
    case .protobuf:
      do throws(ProtobufFault) {
        try survey.read(body.span)
      } catch {
        return error.sentence
      }
    case .json:
      do throws(OTLPJSONFault) {
        try OTLPJSON.survey(body, &survey)
      } catch {
        return error.sentence
      }
    }
    return nil
  }
}

extension Collected {
  /// The batch of a request that a file held, with its failure as a rejection of the line.
  fileprivate func fileBatch(line: Int) -> DecodedBatch {
    var batch = batch
    for index in batch.rejections.indices { batch.rejections[index].line = line }
    for index in batch.events.indices { batch.events[index].line = line }
    if let failure {
      batch.rejections.append(
        EventRejection(
          line: line, field: nil, value: nil, expected: "an OTLP trace request: \(failure)"))
    }
    return batch
  }
}

extension DecodedBatch {
  /// Appends another batch's events and rejections.
  fileprivate mutating func append(_ other: DecodedBatch) {
    let bytes = UInt32(truncatingIfNeeded: self.bytes.count)
    let entries = self.entries.count
    self.bytes += other.bytes
    self.entries += other.entries.map { entry in
      var entry = entry
      entry.name.offset += bytes
      entry.text.offset += bytes
      return entry
    }
    for var event in other.events {
      for field in TextField.allCases {
        guard var range = event.range(of: field) else { continue }
        range.offset += bytes
        event.set(field, range)
      }
      event.tags = event.tags.lowerBound + entries..<event.tags.upperBound + entries
      event.units = event.units.lowerBound + entries..<event.units.upperBound + entries
      events.append(event)
    }
    rejections += other.rejections
  }
}

/// Why a request is none.
protocol OTLPFault: Error {
  /// A sentence for the client's developer, without the bytes at fault.
  var sentence: String { get }
}

extension ProtobufFault: OTLPFault {
  var sentence: String { "not a protobuf message of the signal: \(reason) at byte \(offset + 1)" }
}
