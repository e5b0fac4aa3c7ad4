// The payload of a batch record: events as they were decoded and charged, so that replay restores
// them exactly and prices nothing anew. docs/format/log.md describes it byte by byte.

internal import FarthingCore

/// A batch on its way into the log, or out of it.
enum BatchRecord {
  static let version: UInt8 = 1
  /// As version 1, with the positions of followed sources before everything else.
  static let positionedVersion: UInt8 = 2

  /// Field numbers at rest: the place in these lists. New fields go to the end.
  static let texts: [TextField] = [
    .id, .model, .provider, .operation, .endpoint, .site, .clientSite, .workload, .identity,
    .tenant, .usage, .responseCache, .promptHash, .status, .error, .fallbackFrom, .serviceTier,
    .dataClass, .jurisdiction, .task, .outcome, .pool,
  ]
  static let integers: [IntegerField] = [
    .inputTokens, .cachedInputTokens, .cacheWriteTokens, .cacheWrite1hTokens, .outputTokens,
    .reasoningTokens, .inputAudioTokens, .outputAudioTokens, .inputImageTokens, .httpStatus,
    .attempt, .retrievals, .retrievalFailures, .step, .coldStart, .batch, .accelerators,
  ]
  static let reals: [RealField] = [
    .latencyMs, .ttftMs, .queueMs, .computeMs, .networkMs, .retrievalMs, .tokensPerSecond,
  ]
  static let moneys: [MoneyField] = [.reportedCostUSD, .valueUSD, .usdPerAcceleratorHour]

  /// The payload for the selected events of a batch.
  ///
  /// - Parameters:
  ///   - receivedTime: Unix nanoseconds.
  ///   - positions: how far the events' sources are read once these are durable.
  static func encode(
    _ batch: ChargedBatch, selection: some Collection<Int>, receivedTime: Int64,
    positions: [SourcePosition] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(selection.count * 256 + 256)
    bytes.append(positions.isEmpty ? version : positionedVersion)
    if !positions.isEmpty {
      bytes.append(variable: UInt64(positions.count))
      for position in positions {
        bytes.append(counted: position.source.utf8)
        bytes.append(counted: position.state)
      }
    }
    bytes.append(signed: receivedTime)
    bytes.append(counted: batch.source.utf8)
    // Only the prices that the selection uses, renumbered in the order of first use.
    var numbers = [Int32](repeating: -1, count: batch.prices.count)
    var used: [Int] = []
    for index in selection {
      let price = Int(batch.charges[index].price)
      if price >= 0, numbers[price] < 0 {
        numbers[price] = Int32(used.count)
        used.append(price)
      }
    }
    bytes.append(variable: UInt64(used.count))
    for price in used { bytes.append(counted: batch.prices[price].serialised()) }
    bytes.append(variable: UInt64(selection.count))
    var time: Int64 = 0
    for index in selection {
      let event = batch.decoded.events[index]
      bytes.append(event.kind.rawValue)
      // Differences wrap; adding them wraps back.
      bytes.append(signed: event.time &- time)
      time = event.time
      append(fieldsOf: event, batch.decoded, to: &bytes)
      if event.kind == .request { append(batch.charges[index], numbers: numbers, to: &bytes) }
    }
    return bytes
  }

  private static func append(
    fieldsOf event: borrowing DecodedEvent, _ batch: borrowing DecodedBatch,
    to bytes: inout [UInt8]
  ) {
    func text(_ range: ByteRange) -> ArraySlice<UInt8> {
      batch.bytes[Int(range.offset)..<Int(range.offset) + Int(range.length)]
    }
    if event.kind == .capacity { bytes.append(signed: event.until) }
    var present: UInt64 = 0
    for (number, field) in texts.enumerated() where event.range(of: field) != nil {
      present |= 1 << UInt64(number)
    }
    bytes.append(variable: present)
    for field in texts {
      if let range = event.range(of: field) { bytes.append(counted: text(range)) }
    }
    present = 0
    for (number, field) in integers.enumerated() where event.integer(field) != nil {
      present |= 1 << UInt64(number)
    }
    bytes.append(variable: present)
    for field in integers {
      if let value = event.integer(field) { bytes.append(signed: value) }
    }
    present = 0
    for (number, field) in reals.enumerated() where event.real(field) != nil {
      present |= 1 << UInt64(number)
    }
    for (number, field) in moneys.enumerated() where event.money(field) != nil {
      present |= 1 << UInt64(number + 16)
    }
    bytes.append(variable: present)
    for field in reals {
      if let value = event.real(field) { bytes.append(word: value.bitPattern, bytes: 8) }
    }
    for field in moneys {
      if let value = event.money(field) { bytes.append(wide: value) }
    }
    bytes.append(variable: UInt64(event.tags.count))
    for entry in batch.entries[event.tags] {
      bytes.append(counted: text(entry.name))
      bytes.append(counted: text(entry.text))
    }
    bytes.append(variable: UInt64(event.units.count))
    for entry in batch.entries[event.units] {
      bytes.append(counted: text(entry.name))
      bytes.append(signed: entry.count)
    }
  }

  private static func append(_ charge: Charge, numbers: [Int32], to bytes: inout [UInt8]) {
    let amounts = [charge.cost, charge.outputCost, charge.unitsCost, charge.cacheSavings]
    let isWide = amounts.contains { Int64(exactly: $0) == nil }
    bytes.append(charge.state.rawValue | (isWide ? 0x80 : 0))
    let price = charge.price < 0 ? 0 : UInt64(numbers[Int(charge.price)]) + 1
    bytes.append(variable: price)
    for amount in amounts {
      if isWide {
        bytes.append(wide: amount)
      } else {
        bytes.append(signed: Int64(truncatingIfNeeded: amount))
      }
    }
  }

  /// The batch that a payload holds. Its events point into the payload itself.
  ///
  /// - Throws: where the bytes are not exactly one batch; the checksum held, so a foreign writer
  ///   made them.
  static func decode(
    _ payload: [UInt8]
  ) throws(EncodingFault) -> (batch: ChargedBatch, receivedTime: Int64) {
    var reader = BatchRecordReader(cursor: ByteCursor(payload.span))
    let span = payload.span
    let isByColumn = payload.first == columnVersion
    _ = try reader.positions(span)
    let receivedTime = try reader.cursor.signed(span)
    let source = try reader.string(span)
    var prices: [ResolvedPrice] = []
    for _ in 0..<(try reader.cursor.count(span, upTo: payload.count)) {
      let place = try reader.cursor.counted(span)
      guard let price = ResolvedPrice.deserialised(span.extracting(place)) else {
        throw EncodingFault("a price in it is malformed")
      }
      prices.append(price)
    }
    var decoded = DecodedBatch(bytes: payload)
    if isByColumn {
      var keys: [String: Int32] = [:]
      for (index, price) in prices.enumerated() { keys[price.key] = Int32(index) }
      var columns = ColumnRecordReader(cursor: reader.cursor, prices: keys)
      for _ in 0..<(try columns.cursor.count(span, upTo: EventKind.allCases.count)) {
        try columns.table(span)
      }
      guard columns.cursor.remaining == 0 else {
        throw EncodingFault("bytes follow its last event")
      }
      decoded.events = columns.events
      decoded.entries = columns.entries
      return (
        ChargedBatch(
          decoded: decoded, charges: columns.charges, prices: prices, source: source),
        receivedTime
      )
    }
    let count = try reader.cursor.count(span, upTo: payload.count)
    reader.events.reserveCapacity(count)
    reader.charges.reserveCapacity(count)
    for _ in 0..<count { try reader.event(span, prices: prices.count) }
    guard reader.cursor.remaining == 0 else { throw EncodingFault("bytes follow its last event") }
    decoded.events = reader.events
    decoded.entries = reader.entries
    return (
      ChargedBatch(decoded: decoded, charges: reader.charges, prices: prices, source: source),
      receivedTime
    )
  }
}

extension BatchRecord {
  /// The positions that a payload holds; nothing else of it is read.
  static func positions(_ payload: [UInt8]) throws(EncodingFault) -> [SourcePosition] {
    var reader = BatchRecordReader(cursor: ByteCursor(payload.span))
    return try reader.positions(payload.span)
  }
}

/// Reads events out of a payload.
private struct BatchRecordReader {
  var cursor: ByteCursor
  var events: [DecodedEvent] = []
  var charges: [Charge] = []
  var entries: [NamedEntry] = []
  private var time: Int64 = 0

  init(cursor: ByteCursor) { self.cursor = cursor }

  mutating func text(_ bytes: Span<UInt8>) throws(EncodingFault) -> ByteRange {
    let range = try cursor.counted(bytes)
    guard let offset = UInt32(exactly: range.lowerBound), let length = UInt32(exactly: range.count)
    else { throw EncodingFault("it is too long") }
    return ByteRange(offset: offset, length: length)
  }

  mutating func string(_ bytes: Span<UInt8>) throws(EncodingFault) -> String {
    var copy: [UInt8] = []
    for index in try cursor.counted(bytes) { copy.append(bytes[index]) }
    guard let text = String(validating: copy, as: UTF8.self) else {
      throw EncodingFault("a text in it is not UTF-8")
    }
    return text
  }

  /// The version and, where it has them, the positions.
  mutating func positions(_ bytes: Span<UInt8>) throws(EncodingFault) -> [SourcePosition] {
    let version = try cursor.byte(bytes)
    if version == BatchRecord.version { return [] }
    guard version == BatchRecord.positionedVersion || version == BatchRecord.columnVersion else {
      throw EncodingFault("its payload version is unknown")
    }
    var positions: [SourcePosition] = []
    for _ in 0..<(try cursor.count(bytes, upTo: bytes.count)) {
      let source = try string(bytes)
      var state: [UInt8] = []
      for index in try cursor.counted(bytes) { state.append(bytes[index]) }
      positions.append(SourcePosition(source: source, state: state))
    }
    return positions
  }

  mutating func event(_ bytes: Span<UInt8>, prices: Int) throws(EncodingFault) {
    guard let kind = EventKind(rawValue: try cursor.byte(bytes)) else {
      throw EncodingFault("an event in it is of an unknown kind")
    }
    var event = DecodedEvent(kind: kind)
    time = time &+ (try cursor.signed(bytes))
    event.time = time
    if kind == .capacity { event.until = try cursor.signed(bytes) }
    try fields(bytes, into: &event)
    let tagStart = entries.count
    for _ in 0..<(try cursor.count(bytes, upTo: cursor.remaining)) {
      let name = try text(bytes)
      entries.append(NamedEntry(name: name, text: try text(bytes)))
    }
    event.tags = tagStart..<entries.count
    let unitStart = entries.count
    for _ in 0..<(try cursor.count(bytes, upTo: cursor.remaining)) {
      let name = try text(bytes)
      entries.append(NamedEntry(name: name, count: try cursor.signed(bytes)))
    }
    event.units = unitStart..<entries.count
    events.append(event)
    charges.append(kind == .request ? try charge(bytes, prices: prices) : .unpriced)
  }

  private mutating func fields(
    _ bytes: Span<UInt8>, into event: inout DecodedEvent
  ) throws(EncodingFault) {
    var present = try presence(bytes, count: BatchRecord.texts.count)
    for field in BatchRecord.texts {
      if present & 1 != 0 { event.set(field, try text(bytes)) }
      present >>= 1
    }
    present = try presence(bytes, count: BatchRecord.integers.count)
    for field in BatchRecord.integers {
      if present & 1 != 0 { event.set(field, try cursor.signed(bytes)) }
      present >>= 1
    }
    present = try presence(bytes, count: 16 + BatchRecord.moneys.count)
    guard (present & 0xFFFF) >> UInt64(BatchRecord.reals.count) == 0 else {
      throw EncodingFault("it has a field that this build does not know")
    }
    for (number, field) in BatchRecord.reals.enumerated() where present >> UInt64(number) & 1 != 0 {
      let value = Double(bitPattern: try cursor.word(bytes, bytes: 8))
      // What no event has would make a segment whose sketches cannot be read back.
      guard value >= 0, value.isFinite else {
        throw EncodingFault("it has a \(field.contractName) of \(value)")
      }
      event.set(field, value)
    }
    for (number, field) in BatchRecord.moneys.enumerated()
    where present >> UInt64(number + 16) & 1 != 0 {
      event.set(field, picodollars: try cursor.wide(bytes))
    }
  }

  private mutating func presence(
    _ bytes: Span<UInt8>, count: Int
  ) throws(EncodingFault) -> UInt64 {
    let present = try cursor.variable(bytes)
    guard present >> UInt64(count) == 0 else {
      throw EncodingFault("it has a field that this build does not know")
    }
    return present
  }

  private mutating func charge(
    _ bytes: Span<UInt8>, prices: Int
  ) throws(EncodingFault) -> Charge {
    let flags = try cursor.byte(bytes)
    guard let state = CostState(rawValue: flags & 0x7F) else {
      throw EncodingFault("a cost state in it is unknown")
    }
    let price = try cursor.count(bytes, upTo: prices)
    var amounts: [Int128] = []
    for _ in 0..<4 {
      amounts.append(
        flags & 0x80 != 0 ? try cursor.wide(bytes) : Int128(try cursor.signed(bytes)))
    }
    return Charge(
      state: state, cost: amounts[0], outputCost: amounts[1], unitsCost: amounts[2],
      cacheSavings: amounts[3], price: Int32(price) - 1)
  }
}
