/// A decoded batch with what each of its events costs: what the store is handed.
package struct ChargedBatch: Sendable {
  package var decoded: DecodedBatch
  /// One for each event, in order; ``Charge/unpriced`` for outcomes and capacity.
  package var charges: [Charge]
  /// The prices that ``Charge/price`` points at, no key twice.
  package var prices: [ResolvedPrice]
  /// Which collector the events came through, such as `events` or `litellm`.
  package var source: String

  package init(
    decoded: DecodedBatch, charges: [Charge], prices: [ResolvedPrice], source: String
  ) {
    self.decoded = decoded
    self.charges = charges
    self.prices = prices
    self.source = source
  }

  /// Memory that it takes, in bytes, about: what is in its arrays.
  package var footprint: Int {
    decoded.bytes.count
      + decoded.events.count * (MemoryLayout<DecodedEvent>.stride + MemoryLayout<Charge>.stride)
      + decoded.entries.count * MemoryLayout<NamedEntry>.stride
  }
}
