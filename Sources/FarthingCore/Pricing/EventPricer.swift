// Events in, charges out: the hot path of pricing.
//
// A price is resolved once for each (model, provider, tier, batch, and site or tenant where the book has cards
// for one) and period, not for each event. The look-up works on the event's bytes: they are hashed a word at a
// time, the slot's stored bytes are compared, and no string is made. Where one combination has several periods
// (a price that changed, a night rate), its entries form a chain.

/// Prices the events of one worker; not shared between threads, each worker has its own.
package struct EventPricer {
  private let book: PriceBook
  /// Every price met so far, no key twice; ``Charge/price`` indexes it. It only grows.
  package private(set) var prices: [ResolvedPrice] = []

  /// The rates of each price whose costs need no rounding; by index as ``prices``.
  private var commonRates: [CommonRates?] = []
  private var priceIndices: [String: Int32] = [:]
  private var entries: [Entry] = []
  /// Bytes of the entries' keys, each padded so that whole words can be read.
  private var keyBytes: [UInt8] = []
  /// Open addressing; −1 is free. The count is a power of two.
  private var slots: [Int32]

  private struct Entry {
    var hash: UInt64
    var fields: Fields
    var keyOffset: Int
    var period: PricePeriod
    /// −1: no list knows the model.
    var price: Int32
    /// The next period of the same combination; −1 at the end.
    var next: Int32
  }

  /// The texts that a price depends on, as ranges of some buffer, and the batch flag.
  private struct Fields {
    var ranges: InlineArray<5, ByteRange>
    var isBatch: Bool

    var lengths: UInt64 {
      UInt64(ranges[0].length) | UInt64(ranges[1].length) << 12 | UInt64(ranges[2].length) << 24
        | UInt64(ranges[3].length) << 36 | UInt64(ranges[4].length) << 48
    }
  }

  /// Beyond this many entries the cache starts anew, so that hostile input cannot make it grow without bound.
  private static let maximumEntries = 65_536

  package init(book: PriceBook) {
    self.book = book
    slots = Array(repeating: -1, count: 256)
  }

  /// The batch with the charge of each event.
  /// - Complexity: O(events); a list is asked only where a combination is new.
  package mutating func charge(_ batch: DecodedBatch, source: String) -> ChargedBatch {
    let charges = charges(of: batch)
    return ChargedBatch(decoded: batch, charges: charges, prices: prices, source: source)
  }

  /// The charge of each event of a batch, in order; ``Charge/unpriced`` for outcomes and capacity.
  package mutating func charges(of batch: DecodedBatch) -> [Charge] {
    var charges: [Charge] = []
    charges.reserveCapacity(batch.events.count)
    let bytes = batch.bytes.span
    let entries = batch.entries.span
    let events = batch.events.span
    for index in events.indices {
      if events[index].kind == .request {
        charges.append(charge(events[index], bytes: bytes, entries: entries))
      } else {
        charges.append(.unpriced)
      }
    }
    return charges
  }

  /// The charge of one request event whose texts are in `bytes` and whose units are in `units`.
  @inline(__always)
  package mutating func charge(
    _ event: borrowing DecodedEvent, bytes: Span<UInt8>, entries units: Span<NamedEntry>
  ) -> Charge {
    let usage = TokenUsage(event: event, in: bytes)
    let index = priceIndex(event, bytes: bytes)
    guard index >= 0 else {
      guard usage.isResponseCacheHit else { return .unpriced }
      return Charge(
        state: .priced, cost: 0, outputCost: 0, unitsCost: 0, cacheSavings: 0, price: -1)
    }
    if event.units.isEmpty, let charge = commonRates[Int(index)]?.charge(usage, price: index) {
      return charge
    }
    let price = prices[Int(index)]
    guard !event.units.isEmpty else { return price.charge(usage, price: index) }
    var quantities: [UnitQuantity] = []
    for place in event.units {
      let range = units[place].name
      let name = bytes.extracting(Int(range.offset)..<Int(range.offset + range.length))
      if let unit = price.unitIndex(named: name) {
        quantities.append(UnitQuantity(unit: unit, count: units[place].count))
      }
    }
    return price.charge(usage, units: quantities, price: index)
  }

  // MARK: Look-up

  @inline(__always)
  private mutating func priceIndex(_ event: borrowing DecodedEvent, bytes: Span<UInt8>) -> Int32 {
    let fields = fields(of: event)
    let hash = Self.hash(fields, bytes: bytes)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    var first: Int32 = -1
    while slots[slot] >= 0 {
      let entry = Int(slots[slot])
      if entries[entry].hash == hash, isKey(of: entry, equalTo: fields, bytes: bytes) {
        first = slots[slot]
        break
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    var index = first
    while index >= 0 {
      if entries[Int(index)].period.contains(event.time) { return entries[Int(index)].price }
      index = entries[Int(index)].next
    }
    return resolve(event.time, fields, hash: hash, slot: slot, first: first, bytes: bytes)
  }

  @inline(__always)
  private func fields(of event: borrowing DecodedEvent) -> Fields {
    let none = ByteRange()
    return Fields(
      ranges: [
        event.range(of: .model) ?? none,
        event.range(of: .provider) ?? none,
        event.range(of: .serviceTier) ?? none,
        book.dependsOnSite ? event.range(of: .site) ?? none : none,
        book.dependsOnTenant ? event.range(of: .tenant) ?? none : none,
      ],
      isBatch: event.integer(.batch) == 1)
  }

  private static func hash(_ fields: Fields, bytes: Span<UInt8>) -> UInt64 {
    // Texts are at most 1,024 bytes, so the five lengths share a word and words need no separator.
    var hash: UInt64 = fields.isBatch ? 0x9E37_79B9_7F4A_7C15 : 0x2545_F491_4F6C_DD1D
    hash = mixed(hash ^ fields.lengths)
    for field in 0..<5 {
      let range = fields.ranges[field]
      var index = Int(range.offset)
      let end = index + Int(range.length)
      while index < end {
        hash = mixed(hash ^ word(bytes, index, end))
        index += 8
      }
    }
    return hash
  }

  /// A multiplication whose two halves are folded: every bit of the input reaches the whole word.
  @inline(__always)
  private static func mixed(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }

  /// Up to eight bytes from `index`, those from `end` on as zeros.
  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, _ index: Int, _ end: Int) -> UInt64 {
    let length = end &- index
    if _fastPath(index &+ 8 <= bytes.count) {
      let window = bytes.extracting(index..<(index &+ 8))
      let all =
        UInt64(window[0]) | UInt64(window[1]) << 8 | UInt64(window[2]) << 16
        | UInt64(window[3]) << 24 | UInt64(window[4]) << 32 | UInt64(window[5]) << 40
        | UInt64(window[6]) << 48 | UInt64(window[7]) << 56
      return length >= 8 ? all : all & ((1 << UInt64(8 &* length)) &- 1)
    }
    var all: UInt64 = 0
    for place in 0..<min(8, length) { all |= UInt64(bytes[index + place]) << UInt64(8 * place) }
    return all
  }

  private func isKey(of entry: Int, equalTo fields: Fields, bytes: Span<UInt8>) -> Bool {
    guard entries[entry].fields.isBatch == fields.isBatch else { return false }
    let keys = keyBytes.span
    for field in 0..<5 {
      let stored = entries[entry].fields.ranges[field]
      let range = fields.ranges[field]
      guard stored.length == range.length else { return false }
      var offset = 0
      let length = Int(range.length)
      while offset < length {
        let left = Self.word(
          keys, Int(stored.offset) + offset, Int(stored.offset) + length)
        let right = Self.word(bytes, Int(range.offset) + offset, Int(range.offset) + length)
        guard left == right else { return false }
        offset += 8
      }
    }
    return true
  }

  // MARK: Resolution

  @inline(never)
  private mutating func resolve(
    _ time: Int64, _ fields: Fields, hash: UInt64, slot: Int, first: Int32, bytes: Span<UInt8>
  ) -> Int32 {
    func text(_ field: Int) -> String? {
      let range = fields.ranges[field]
      guard range.length > 0 else { return nil }
      let part = bytes.extracting(Int(range.offset)..<Int(range.offset + range.length))
      return String(decoding: part.indices.map { part[$0] }, as: UTF8.self)
    }
    let request = PriceRequest(
      model: text(0) ?? "", provider: text(1), serviceTier: text(2), isBatch: fields.isBatch,
      site: text(3), tenant: text(4), time: time)
    // A call whose source names no model has no price.
    let resolution =
      request.model.isEmpty
      ? PriceResolution(price: nil, card: nil, list: nil, period: .always)
      : book.explain(request)
    let price = resolution.price.map { index(of: $0) } ?? -1
    guard entries.count < Self.maximumEntries else {
      entries = []
      keyBytes = []
      slots = Array(repeating: -1, count: 256)
      return price
    }
    let entry = Entry(
      hash: hash, fields: stored(fields, first: first, bytes: bytes), keyOffset: keyBytes.count,
      period: resolution.period, price: price, next: -1)
    insert(entry, slot: slot, first: first)
    return price
  }

  private mutating func index(of price: ResolvedPrice) -> Int32 {
    if let known = priceIndices[price.key] { return known }
    let index = Int32(prices.count)
    prices.append(price)
    commonRates.append(CommonRates(price))
    priceIndices[price.key] = index
    return index
  }

  /// The fields with ranges into `keyBytes`; the periods of one combination share its bytes.
  private mutating func stored(_ fields: Fields, first: Int32, bytes: Span<UInt8>) -> Fields {
    if first >= 0 { return entries[Int(first)].fields }
    var stored = fields
    for field in 0..<5 {
      let range = fields.ranges[field]
      stored.ranges[field].offset = UInt32(keyBytes.count)
      for index in Int(range.offset)..<Int(range.offset + range.length) {
        keyBytes.append(bytes[index])
      }
    }
    keyBytes.append(contentsOf: repeatElement(0, count: 8))
    return stored
  }

  private mutating func insert(_ entry: Entry, slot: Int, first: Int32) {
    let index = Int32(entries.count)
    entries.append(entry)
    if first >= 0 {
      // The new period goes second in its chain, so that the slot still names the first.
      entries[Int(index)].next = entries[Int(first)].next
      entries[Int(first)].next = index
      return
    }
    slots[slot] = index
    // Chained entries take no slot, so this keeps the table at most half full.
    if entries.count * 2 > slots.count { grow() }
  }

  private mutating func grow() {
    let heads = slots.filter { $0 >= 0 }
    slots = Array(repeating: -1, count: slots.count * 2)
    for head in heads {
      var slot = Int(truncatingIfNeeded: entries[Int(head)].hash) & (slots.count - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = head
    }
  }
}
