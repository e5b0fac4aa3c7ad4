internal import FarthingCore

/// A call as one span tells it, before it is known whether other spans tell of the same call.
///
/// Its event's texts are places in the body's ``TextArena``.
struct CallDraft: Sendable {
  var event: DecodedEvent
  var id: SpanID
  var parent: UInt64
  /// Unix nanoseconds.
  var start: UInt64
  var end: UInt64
  /// How well the model is known, see ``SpanFields/models``; 9 where it is not.
  var modelRank: UInt8 = 9
  /// How much the error's class says: 0 a provider's answer's, 1 the instrumentation's, 2 an
  /// exception's, 3 what a provider's library calls a failure on this side.
  var errorRank: UInt8 = 9
  var isFailure = false
  var isFramework = false
  var isProvidersOwn = false
  /// Cache writes of all classes, and by class; negative where they are not said.
  var cacheWrites: Int64 = -1
  var cacheWrites5m: Int64 = -1
  var cacheWrites1h: Int64 = -1
  /// The provider's id of the answer, where it is one that no other answer has.
  var responseID: ByteRange?
  /// The source's own id, which a call's attempts share.
  var callID: ByteRange?
  /// What was asked for where a gateway chooses.
  var route: ByteRange?

  var duration: UInt64 { end > start ? end - start : 0 }

  /// Takes what this call lacks from what another span says of the same call. Times stay its own.
  mutating func fill(from other: CallDraft) {
    if other.modelRank < modelRank, let model = other.event.range(of: .model) {
      event.set(.model, model)
      modelRank = other.modelRank
    }
    for field in Self.filledTexts where event.range(of: field) == nil {
      if let text = other.event.range(of: field) { event.set(field, text) }
    }
    let comesFirst = other.isProvidersOwn && !isProvidersOwn
    for field in Self.filledCounts where comesFirst || event.integer(field) == nil {
      if let count = other.event.integer(field) { event.set(field, count) }
    }
    for field in Self.filledReals where comesFirst || event.real(field) == nil {
      if let value = other.event.real(field) { event.set(field, value) }
    }
    if event.money(.reportedCostUSD) == nil, let cost = other.event.money(.reportedCostUSD) {
      event.set(.reportedCostUSD, picodollars: cost)
    }
    if cacheWrites < 0 { cacheWrites = other.cacheWrites }
    if cacheWrites5m < 0 { cacheWrites5m = other.cacheWrites5m }
    if cacheWrites1h < 0 { cacheWrites1h = other.cacheWrites1h }
    responseID = responseID ?? other.responseID
    callID = callID ?? other.callID
    if event.tags.isEmpty { event.tags = other.event.tags }
    guard isFailure, other.isFailure else { return }
    if other.errorRank < errorRank, let error = other.event.range(of: .error) {
      event.set(.error, error)
      errorRank = other.errorRank
    }
    if let status = other.event.integer(.httpStatus), event.integer(.httpStatus) == nil {
      event.set(.httpStatus, status)
    }
  }

  private static let filledTexts: [TextField] = TextField.allCases.filter {
    ![.id, .model, .status, .error, .usage].contains($0)
  }
  private static let filledReals: [RealField] = RealField.allCases.filter { $0 != .latencyMs }
  private static let filledCounts: [IntegerField] = IntegerField.allCases.filter {
    ![.httpStatus, .attempt].contains($0)
  }

  /// Sets the fields of cache writes. Where the long class is known the short one is the rest. A
  /// whole of 0 without classes is left out: calls to providers that know no such writes say it too.
  mutating func settleCacheWrites() {
    if cacheWrites1h >= 0 {
      event.set(.cacheWrite1hTokens, cacheWrites1h)
      let short = cacheWrites5m >= 0 ? cacheWrites5m : cacheWrites - cacheWrites1h
      if short >= 0 { event.set(.cacheWriteTokens, short) }
    } else if max(cacheWrites5m, cacheWrites) > 0 {
      event.set(.cacheWriteTokens, max(cacheWrites5m, cacheWrites))
    }
  }
}
