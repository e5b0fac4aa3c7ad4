internal import FarthingCore

/// What a stored request was charged when it arrived, where a repricing has changed that since.
struct Booking: Sendable, Equatable {
  /// Its `price` is not used: the price may be of a list that is not there any more.
  var charge: Charge
  /// The key of the price in force then; empty where there was none.
  var priceKey: [UInt8]
}

extension Charge {
  /// Whether two charges are the same but for which price says so.
  func hasSameFigures(as other: Charge) -> Bool {
    cost == other.cost && state == other.state && outputCost == other.outputCost
      && unitsCost == other.unitsCost && cacheSavings == other.cacheSavings
  }
}
