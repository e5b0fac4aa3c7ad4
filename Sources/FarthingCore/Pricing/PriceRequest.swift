/// What the price of a request depends on.
package struct PriceRequest: Sendable, Hashable {
  /// The model as the event names it.
  package var model: String
  /// The provider as the event names it; nil where it names none.
  package var provider: String?
  /// The service tier in lower case; nil for the standard one.
  package var serviceTier: String?
  package var isBatch: Bool
  package var site: String?
  package var tenant: String?
  /// When the call started: Unix nanoseconds.
  package var time: Int64

  /// - Parameter serviceTier: as the event says it. `standard`, `default`, `auto` and an empty text are the
  ///   standard tier; `batch` sets `isBatch` instead.
  package init(
    model: String, provider: String? = nil, serviceTier: String? = nil, isBatch: Bool = false,
    site: String? = nil, tenant: String? = nil, time: Int64
  ) {
    self.model = model
    self.provider = provider
    self.isBatch = isBatch
    self.site = site
    self.tenant = tenant
    self.time = time
    switch serviceTier?.lowercased() {
    case nil, "", "standard", "default", "auto", "standard_only", "on_demand":
      self.serviceTier = nil
    case "batch":
      self.serviceTier = nil
      self.isBatch = true
    case let tier:
      self.serviceTier = tier
    }
  }
}

/// A stretch of time, its start included and its end excluded, in Unix nanoseconds.
package struct PricePeriod: Sendable, Hashable {
  package var from: Int64
  package var until: Int64

  package init(from: Int64 = .min, until: Int64 = .max) {
    self.from = from
    self.until = until
  }

  package static let always = PricePeriod()

  @inlinable
  package func contains(_ time: Int64) -> Bool { time >= from && time < until }

  /// Shortens this period, which contains `time`, to the side of `boundary` that `time` is on.
  package mutating func narrow(at boundary: Int64, around time: Int64) {
    if time >= boundary { from = max(from, boundary) } else { until = min(until, boundary) }
  }
}
