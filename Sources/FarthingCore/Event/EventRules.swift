/// Where an event comes from, which decides how far its source is trusted to follow the contract.
package enum EventOrigin: Sendable {
  /// The event contract's own JSON: every rule holds.
  case contract
  /// Another format: a call may name no model, and counts that contradict each other (parts above
  /// their whole) are kept as they were reported, since refusing them would lose the call's cost.
  case otherFormat
}

/// The contract's rules on a whole event, whoever built it.
///
/// The decoder checks each value where it reads it and calls ``partsFault(_:)`` at the end;
/// events that collectors build from other formats pass all rules here.
package enum EventRules {
  /// Why the event is refused, or nil where it is valid.
  ///
  /// Faults are looked for in the order of the contract's fields, and the first is reported.
  /// - Parameters:
  ///   - batch: The batch whose bytes and entries the event points into.
  ///   - now: The clock in Unix nanoseconds.
  package static func check(
    _ event: DecodedEvent, in batch: DecodedBatch, now: Int64, from origin: EventOrigin
  ) -> EventRejection? {
    let fault =
      missingFault(event, requiresModel: origin == .contract) ?? timeFault(event, now: now)
      ?? textFault(event, in: batch) ?? numberFault(event) ?? entryFault(event, in: batch)
      ?? (origin == .contract ? partsFault(event) : nil)
    return fault?.rejection(line: event.line)
  }

  /// The latest time that an event may have: a day ahead of `now`.
  static func latestTime(now: Int64) -> Int64 {
    let (latest, overflow) = now.addingReportingOverflow(EventLimits.aheadNanoseconds)
    return overflow ? .max : latest
  }

  private static func timeFault(_ event: DecodedEvent, now: Int64) -> EventFault? {
    if event.time < EventLimits.earliestTime || event.time > latestTime(now: now) {
      return EventFault(
        field: "time", value: String(event.time), expected: Expectation.timeRange)
    }
    return periodFault(event)
  }

  /// A capacity period that ends before it begins.
  static func periodFault(_ event: DecodedEvent) -> EventFault? {
    guard event.kind == .capacity && event.until < event.time else { return nil }
    return EventFault(field: "until", value: String(event.until), expected: Expectation.periodEnd)
  }

  /// A required field that is absent. No valid time is 0, so a time of 0 is an absent one.
  static func missingFault(
    _ event: DecodedEvent, requiresModel: Bool
  ) -> EventFault? {
    for code in EventShape.required(of: event.kind) {
      let isPresent: Bool
      if let field = code.text {
        isPresent = event.range(of: field) != nil || (field == .model && !requiresModel)
      } else if let field = code.integer {
        isPresent = event.integer(field) != nil
      } else if let field = code.money {
        isPresent = event.money(field) != nil
      } else {
        isPresent = (code == .time ? event.time : event.until) != 0
      }
      if !isPresent {
        return EventFault(
          field: code.contractName, value: nil, expected: Expectation.required)
      }
    }
    return nil
  }

  private static func textFault(_ event: DecodedEvent, in batch: DecodedBatch) -> EventFault? {
    var present = event.textPresence
    while present != 0 {
      let number = UInt8(truncatingIfNeeded: present.trailingZeroBitCount)
      present &= present - 1
      guard let field = TextField(rawValue: number), let range = event.range(of: field) else {
        continue
      }
      let limit = field == .id ? EventLimits.idBytes : EventLimits.textBytes
      if let fault = textFault(field.contractName, range, in: batch, limit: limit) {
        return fault
      }
      guard EventShape.enumerated & FieldCode(field).bit != 0,
        let values = EventShape.values(of: field)
      else { continue }
      let text = batch.string(range)
      if !values.contains(text) {
        return EventFault(
          field: field.contractName, value: Excerpt.shortened(text),
          expected: Expectation.oneOf(values))
      }
    }
    return nil
  }

  private static func textFault(
    _ name: @autoclosure () -> String, _ range: ByteRange, in batch: DecodedBatch, limit: Int
  ) -> EventFault? {
    let start = Int(range.offset)
    let isPlain = isPlain(batch.bytes[start..<start + Int(range.length)])
    // Most texts are plain, and a string is made of those only that are not.
    if isPlain && range.length > 0 && range.length <= limit { return nil }
    let text = batch.string(range)
    let isUnclean = text.unicodeScalars.contains { TextRules.forbids($0.value) }
    guard range.length > limit || range.length == 0 || isUnclean else { return nil }
    // The name is made here alone: most events have no fault, and names are made by reflection.
    return EventFault(
      field: name(), value: Excerpt.shortened(text),
      expected: range.length == 0
        ? Expectation.nonEmptyText
        : isUnclean ? Expectation.cleanText : Expectation.bytes(limit))
  }

  /// Whether all bytes are printable characters of ASCII. Without an early end, so that many bytes are
  /// looked at at a time.
  package static func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
    var strange: UInt8 = 0
    for byte in text { strange |= (byte &- 0x20 >= 0x5F) ? 1 : 0 }
    return strange == 0
  }

  // Bits are walked rather than the lists of fields: each list would be made anew for each event.
  private static func numberFault(_ event: DecodedEvent) -> EventFault? {
    var present = event.integerPresence
    while present != 0 {
      let number = UInt8(truncatingIfNeeded: present.trailingZeroBitCount)
      present &= present - 1
      guard let field = IntegerField(rawValue: number), let value = event.integer(field) else {
        continue
      }
      if value < field.minimum || value > EventLimits.integer {
        return EventFault(
          field: field.contractName, value: String(value),
          expected: value < field.minimum
            ? Expectation.integer(atLeast: field.minimum) : Expectation.greatest)
      }
    }
    var reals = event.realPresence
    while reals != 0 {
      let number = UInt8(truncatingIfNeeded: reals.trailingZeroBitCount)
      reals &= reals - 1
      guard let field = RealField(rawValue: number), let value = event.real(field),
        !(value >= 0 && value.isFinite)
      else { continue }
      return EventFault(
        field: field.contractName, value: "\(value)",
        expected: value < 0 ? Expectation.real : Expectation.finite)
    }
    guard event.moneyPresence != 0 else { return nil }
    for field in MoneyField.allCases {
      guard let value = event.money(field) else { continue }
      // 10¹⁵ dollars in picodollars.
      let limit = Int128(1_000_000_000_000_000) * 1_000_000_000_000
      if value < 0 || value > limit {
        return EventFault(
          field: field.contractName, value: "\(value) picodollars",
          expected: value < 0 ? Expectation.money : Expectation.moneyDigits)
      }
    }
    return nil
  }

  private static func entryFault(_ event: DecodedEvent, in batch: DecodedBatch) -> EventFault? {
    if event.tags.count > EventLimits.entries {
      return EventFault(
        field: "tags", value: String(event.tags.count), expected: Expectation.tagCount)
    }
    if event.units.count > EventLimits.units {
      return EventFault(
        field: "units", value: String(event.units.count), expected: Expectation.unitCount)
    }
    for entry in batch.entries[event.tags] {
      func name() -> String { "tags." + Excerpt.shortened(batch.string(entry.name)) }
      if let fault = textFault(name(), entry.name, in: batch, limit: EventLimits.textBytes)
        ?? textFault(name(), entry.text, in: batch, limit: EventLimits.textBytes)
      {
        return fault
      }
    }
    for entry in batch.entries[event.units] {
      let name = "units." + Excerpt.shortened(batch.string(entry.name))
      if let fault = textFault(name, entry.name, in: batch, limit: EventLimits.textBytes) {
        return fault
      }
      if entry.count < 0 || entry.count > EventLimits.integer {
        return EventFault(
          field: name, value: String(entry.count),
          expected: entry.count < 0 ? Expectation.integer(atLeast: 0) : Expectation.greatest)
      }
    }
    return nil
  }

  /// Whether a part is above its whole, where the whole is known.
  ///
  /// A part without its whole is kept: the whole is unknown then, not zero. The event is `inout` so
  /// that the decoder's is looked at in its place.
  @inline(__always)
  static func hasPartAboveWhole(_ event: inout DecodedEvent) -> Bool {
    // Absent counts are zero in their places, so they may be summed; no sum overflows, since each
    // is at most 2⁵³.
    let input = event.integer(.inputTokens) ?? .max
    let output = event.integer(.outputTokens) ?? .max
    let inInput =
      event.integers[Int(IntegerField.cachedInputTokens.rawValue)]
      &+ event.integers[Int(IntegerField.cacheWriteTokens.rawValue)]
      &+ event.integers[Int(IntegerField.cacheWrite1hTokens.rawValue)]
    return inInput > input
      || event.integers[Int(IntegerField.inputAudioTokens.rawValue)] > input
      || event.integers[Int(IntegerField.inputImageTokens.rawValue)] > input
      || event.integers[Int(IntegerField.reasoningTokens.rawValue)] > output
      || event.integers[Int(IntegerField.outputAudioTokens.rawValue)] > output
      || event.integers[Int(IntegerField.retrievalFailures.rawValue)]
        > (event.integer(.retrievals) ?? .max)
  }

  /// The first part above its whole in the order of the contract's fields.
  static func partsFault(_ event: DecodedEvent) -> EventFault? {
    var event = event
    return hasPartAboveWhole(&event) ? firstPartAbove(event) : nil
  }

  @inline(never)
  private static func firstPartAbove(_ event: DecodedEvent) -> EventFault? {
    let input = event.integer(.inputTokens) ?? .max
    var sum: Int64 = 0
    for field in [IntegerField.cachedInputTokens, .cacheWriteTokens, .cacheWrite1hTokens] {
      guard let value = event.integer(field) else { continue }
      sum += value
      if sum > input {
        return EventFault(
          field: field.contractName, value: String(value),
          expected: "cached and written tokens of together at most input_tokens, which is \(input)")
      }
    }
    let parts: [(IntegerField, IntegerField)] = [
      (.reasoningTokens, .outputTokens), (.inputAudioTokens, .inputTokens),
      (.outputAudioTokens, .outputTokens), (.inputImageTokens, .inputTokens),
      (.retrievalFailures, .retrievals),
    ]
    for (part, whole) in parts {
      guard let value = event.integer(part), let limit = event.integer(whole), value > limit
      else { continue }
      return EventFault(
        field: part.contractName, value: String(value),
        expected: "at most \(whole.contractName), which is \(limit)")
    }
    return nil
  }
}
