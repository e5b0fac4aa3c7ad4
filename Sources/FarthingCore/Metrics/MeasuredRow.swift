/// What the conditions and amounts of the measures read of one request.
package struct MeasuredRow: Sendable {
  /// Bit n is set where `integers[n]` is present; both by ``IntegerField``.
  package var integerPresence: UInt32
  package var integers: InlineArray<17, Int64>
  /// Picodollars by ``MoneyColumn``; 0 where absent.
  package var moneys: InlineArray<5, Int128>
  package var costState: CostState
  package var status: RequestStatus
  package var responseCache: ResponseCacheState
  package var hasFallback: Bool
  package var hasTask: Bool

  /// A request without any optional field, unpriced.
  package init() {
    integerPresence = 0
    integers = InlineArray(repeating: 0)
    moneys = InlineArray(repeating: 0)
    costState = .unpriced
    status = .ok
    responseCache = .absent
    hasFallback = false
    hasTask = false
  }

  /// A decoded request and its charge; texts are read from the batch's `bytes`.
  package init(event: DecodedEvent, charge: Charge, bytes: [UInt8]) {
    integerPresence = event.integerPresence
    integers = event.integers
    moneys = InlineArray(repeating: 0)
    costState = charge.state
    status = RequestStatus(bytes, event.range(of: .status))
    responseCache = ResponseCacheState(bytes, event.range(of: .responseCache))
    hasFallback = event.range(of: .fallbackFrom) != nil
    hasTask = event.range(of: .task) != nil
    self[.cost] = charge.cost
    self[.outputCost] = charge.outputCost
    self[.unitsCost] = charge.unitsCost
    self[.cacheSavings] = charge.cacheSavings
    self[.reportedCost] = event.money(.reportedCostUSD) ?? 0
  }

  package subscript(field: IntegerField) -> Int64? {
    get {
      let place = Int(field.rawValue)
      return integerPresence & (1 << UInt32(place)) == 0 ? nil : integers[place]
    }
    set {
      let place = Int(field.rawValue)
      integers[place] = newValue ?? 0
      let bit: UInt32 = 1 << UInt32(place)
      integerPresence = newValue == nil ? integerPresence & ~bit : integerPresence | bit
    }
  }

  package subscript(column: MoneyColumn) -> Int128 {
    get { moneys[Int(column.rawValue)] }
    set { moneys[Int(column.rawValue)] = newValue }
  }
}

/// What the measures need to know of `status`.
package enum RequestStatus: Sendable {
  case ok, timeout, otherFailure

  /// - Parameter text: The contract's value; nil (absent) is `ok`.
  package init(_ text: String?) {
    self = text == nil || text == "ok" ? .ok : text == "timeout" ? .timeout : .otherFailure
  }

  /// The statuses of the contract have different lengths where it matters here: only `ok` has two
  /// bytes, only `timeout` and `blocked` seven.
  init(_ bytes: [UInt8], _ range: ByteRange?) {
    guard let range else {
      self = .ok
      return
    }
    switch range.length {
    case 2: self = .ok
    case 7: self = bytes[Int(range.offset)] == UInt8(ascii: "t") ? .timeout : .otherFailure
    default: self = .otherFailure
    }
  }
}

/// What the measures need to know of `response_cache`.
package enum ResponseCacheState: Sendable {
  case absent, miss, hit

  /// - Parameter text: The contract's value; nil is absent, `semantic_hit` is a hit.
  package init(_ text: String?) {
    self = text == nil ? .absent : text == "miss" ? .miss : .hit
  }

  /// Of `hit`, `semantic_hit` and `miss` only the last has four bytes.
  init(_ bytes: [UInt8], _ range: ByteRange?) {
    guard let range else {
      self = .absent
      return
    }
    self = range.length == 4 ? .miss : .hit
  }
}
