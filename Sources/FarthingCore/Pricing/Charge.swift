/// How far a request's cost can be trusted; stored with each request.
package enum CostState: UInt8, Sendable, CaseIterable {
  case priced = 0
  case estimated = 1
  case unpriced = 2
}

/// What one request costs, as it is stored: computed once, when the request arrives.
///
/// `inputCost` is `cost − outputCost − unitsCost`. Where `state` is `unpriced` all are 0.
package struct Charge: Sendable, Equatable {
  package var state: CostState
  package var cost: Int128
  package var outputCost: Int128
  package var unitsCost: Int128
  /// What cached input or a response-cache hit saved against the input and output prices; may be
  /// negative where a card prices cached input above input.
  package var cacheSavings: Int128
  /// Index of the price in force in the batch's price list; −1 where there was none.
  package var price: Int32

  @inlinable
  package init(
    state: CostState, cost: Int128, outputCost: Int128, unitsCost: Int128,
    cacheSavings: Int128, price: Int32
  ) {
    self.state = state
    self.cost = cost
    self.outputCost = outputCost
    self.unitsCost = unitsCost
    self.cacheSavings = cacheSavings
    self.price = price
  }

  package static let unpriced = Charge(
    state: .unpriced, cost: 0, outputCost: 0, unitsCost: 0, cacheSavings: 0, price: -1)
}
