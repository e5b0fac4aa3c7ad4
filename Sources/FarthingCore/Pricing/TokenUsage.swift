/// How the usage of a request is known: the event contract's field `usage`.
package enum UsageState: UInt8, Sendable, CaseIterable {
  case reported = 0
  case estimated = 1
  case missing = 2
}

/// The parts of a request that may have a price of their own, in the contract's order.
///
/// The order settles ties when a picodollar is left over. Audio counts as input audio, then output audio.
/// The raw value is an index in memory and in serialised prices.
package enum PricePart: UInt8, Sendable, CaseIterable {
  case input = 0
  case cachedInput, cacheWrite, cacheWrite1h
  case output, reasoning
  case inputAudio, outputAudio, inputImage
  /// Metered units and the fee of a request.
  case units

  /// Number of parts that are tokens.
  package static let tokenPartCount = 9
}

/// What one request used, as far as its price depends on it.
///
/// Counts are 0 where the event does not say; whether `input_tokens` was said matters, so it has a flag.
/// Metered units stand apart (``UnitQuantity``), since few requests have any.
package struct TokenUsage: Sendable, Equatable {
  /// All prompt tokens, cached, written, audio and image ones included.
  package var inputTokens: Int64
  package var cachedInputTokens: Int64
  package var cacheWriteTokens: Int64
  package var cacheWrite1hTokens: Int64
  /// All generated tokens, reasoning and audio ones included.
  package var outputTokens: Int64
  package var reasoningTokens: Int64
  package var inputAudioTokens: Int64
  package var outputAudioTokens: Int64
  package var inputImageTokens: Int64
  /// Whether the event says `input_tokens`.
  package var hasInputTokens: Bool
  package var state: UsageState
  /// Whether the answer came whole from a response cache (`hit` or `semantic_hit`).
  package var isResponseCacheHit: Bool

  @inlinable
  package init(
    inputTokens: Int64? = nil, cachedInputTokens: Int64 = 0, cacheWriteTokens: Int64 = 0,
    cacheWrite1hTokens: Int64 = 0, outputTokens: Int64 = 0, reasoningTokens: Int64 = 0,
    inputAudioTokens: Int64 = 0, outputAudioTokens: Int64 = 0, inputImageTokens: Int64 = 0,
    state: UsageState = .reported, isResponseCacheHit: Bool = false
  ) {
    self.inputTokens = inputTokens ?? 0
    self.cachedInputTokens = cachedInputTokens
    self.cacheWriteTokens = cacheWriteTokens
    self.cacheWrite1hTokens = cacheWrite1hTokens
    self.outputTokens = outputTokens
    self.reasoningTokens = reasoningTokens
    self.inputAudioTokens = inputAudioTokens
    self.outputAudioTokens = outputAudioTokens
    self.inputImageTokens = inputImageTokens
    hasInputTokens = inputTokens != nil
    self.state = state
    self.isResponseCacheHit = isResponseCacheHit
  }

  /// The usage of a request event whose texts are in `bytes`.
  ///
  /// An absent `usage` is `missing` where the event has neither a token count nor units, else `reported`.
  @inline(__always)
  package init(event: borrowing DecodedEvent, in bytes: Span<UInt8>) {
    self.init(
      inputTokens: event.integer(.inputTokens),
      cachedInputTokens: event.integers[Int(IntegerField.cachedInputTokens.rawValue)],
      cacheWriteTokens: event.integers[Int(IntegerField.cacheWriteTokens.rawValue)],
      cacheWrite1hTokens: event.integers[Int(IntegerField.cacheWrite1hTokens.rawValue)],
      outputTokens: event.integers[Int(IntegerField.outputTokens.rawValue)],
      reasoningTokens: event.integers[Int(IntegerField.reasoningTokens.rawValue)],
      inputAudioTokens: event.integers[Int(IntegerField.inputAudioTokens.rawValue)],
      outputAudioTokens: event.integers[Int(IntegerField.outputAudioTokens.rawValue)],
      inputImageTokens: event.integers[Int(IntegerField.inputImageTokens.rawValue)])
    if let range = event.range(of: .usage) {
      // The contract knows three values, and their first letters differ.
      switch bytes[Int(range.offset)] {
      case UInt8(ascii: "e"): state = .estimated
      case UInt8(ascii: "m"): state = .missing
      default: state = .reported
      }
    } else if event.integerPresence & Self.tokenFields == 0, event.units.isEmpty {
      state = .missing
    }
    if let range = event.range(of: .responseCache) {
      isResponseCacheHit = bytes[Int(range.offset)] != UInt8(ascii: "m")
    }
  }

  /// The presence bits of the token counts.
  private static let tokenFields: UInt32 =
    [
      IntegerField.inputTokens, .cachedInputTokens, .cacheWriteTokens, .cacheWrite1hTokens,
      .outputTokens, .reasoningTokens, .inputAudioTokens, .outputAudioTokens, .inputImageTokens,
    ].reduce(0) { $0 | 1 << UInt32($1.rawValue) }
}

/// How much a request used of one metered unit that its price names.
package struct UnitQuantity: Sendable, Equatable {
  /// Index of the unit in ``ResolvedPrice/units``.
  package var unit: Int
  /// 0 ... 2⁵³.
  package var count: Int64

  package init(unit: Int, count: Int64) {
    self.unit = unit
    self.count = count
  }
}

/// The cost of one request under one price, by part.
package struct CostBreakdown: Sendable {
  /// Picodollars of each ``PricePart``, by its raw value; they sum to ``total`` exactly.
  package var parts: InlineArray<10, Int128>
  /// Picodollars, rounded once, half to even.
  package var total: Int128
  /// Picodollars that cached input, or a response-cache hit, saved; see ``Charge/cacheSavings``.
  package var cacheSavings: Int128

  package static let zero = CostBreakdown(
    parts: InlineArray(repeating: 0), total: 0, cacheSavings: 0)

  /// Picodollars of one part.
  package subscript(part: PricePart) -> Int128 { parts[Int(part.rawValue)] }

  /// Output, reasoning and output audio, in picodollars.
  package var outputCost: Int128 { self[.output] + self[.reasoning] + self[.outputAudio] }
  /// Metered units and the request's fee, in picodollars.
  package var unitsCost: Int128 { self[.units] }
  /// All input parts, in picodollars.
  package var inputCost: Int128 { total - outputCost - unitsCost }
}
