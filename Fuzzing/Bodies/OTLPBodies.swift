internal import FarthingCore
internal import FarthingPipeline

/// Requests of the OpenTelemetry protocol.
enum OTLPBodies {
  /// Signal and encoding in the first byte.
  static func otlp(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let choice = Int(input.byte())
    let signal = OTLPSignal.allCases[choice % OTLPSignal.allCases.count]
    let encoding: OTLPEncoding = choice / 3 % 2 == 0 ? .protobuf : .json
    var collector = OTLPCollector()
    let context = CollectionContext(now: fuzzClock)
    let body = Array(input.bytes)
    for _ in 0..<2 {
      let collected = collector.collect(body, signal: signal, encoding: encoding, context)
      for event in collected.batch.events {
        let fault = EventRules.check(
          event, in: collected.batch, now: fuzzClock, from: .otherFormat)
        try require(fault == nil, "an accepted call breaks a rule: \(String(describing: fault))")
        try require(event.range(of: .id) != nil, "a call without an id")
      }
      let calls = collected.batch.events.count + collected.repeatedSpans + collected.rejectedSpans
      try require(
        calls == collected.callSpans, "\(collected.callSpans) call spans became \(calls)")
      try require(collected.callSpans <= collected.records, "more calls than spans")
      try require(
        collected.failure == nil || collected.batch.events.isEmpty, "calls of a refused request")
      let response = collected.response()
      try require(
        (response.status == 200) == (collected.failure == nil), "an answer of the wrong status")
      if encoding == .json {
        try require(
          (try? JSONTree(response.body)) != nil, "an answer that is no JSON")
      }
      collector.confirm(collected)
    }
  }
}
