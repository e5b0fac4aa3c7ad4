package import FarthingCore
package import FarthingStore

/// What a store holds, event by event: the other side of the books.
package struct Ledger: Equatable {
  /// What the rows of one id say together.
  package struct Entry: Equatable {
    package var cost: Int128 = 0
    package var inputTokens: Int64 = 0
    package var times: Int = 0
  }

  package var entries: [String: Entry] = [:]

  package var cost: Int128 { entries.values.reduce(0) { $0 + $1.cost } }
  package var ids: Set<String> { Set(entries.keys) }
  /// Ids that are there more than once.
  package var doubled: [String] { entries.filter { $0.value.times > 1 }.map(\.key).sorted() }

  package init() {}

  /// Books a batch: each of its events once.
  package mutating func add(_ batch: ChargedBatch) {
    for (place, event) in batch.decoded.events.enumerated() {
      guard let id = event.range(of: .id) else { continue }
      entries[batch.decoded.string(id), default: Entry()].add(
        cost: event.kind == .request ? batch.charges[place].cost : 0,
        inputTokens: event.integer(.inputTokens) ?? 0)
    }
  }

  /// Reads ids, costs and tokens of every row back.
  ///
  /// - Throws: as reading the segments does.
  package init(_ snapshot: StoreSnapshot) throws(StoreError) {
    let scratch = ScanScratch()
    for segment in snapshot.requests + snapshot.outcomes + snapshot.capacities {
      for block in 0..<segment.blockCount {
        var ids = TextColumn()
        var low = IntegerColumn()
        var high = IntegerColumn()
        var tokens = IntegerColumn()
        try segment.readText(.field(.id), block: block, into: &ids, scratch: scratch)
        try segment.readIntegers(.cost, block: block, into: &low, scratch: scratch)
        try segment.readIntegers(ColumnName.cost.high, block: block, into: &high, scratch: scratch)
        try segment.readIntegers(
          .field(.inputTokens), block: block, into: &tokens, scratch: scratch)
        for row in 0..<ids.count {
          entries[ids.string(row) ?? "", default: Entry()].add(
            cost: Int128(high.values[row]) << 62 + Int128(low.values[row]),
            inputTokens: tokens.values[row])
        }
      }
    }
  }
}

extension Ledger.Entry {
  fileprivate mutating func add(cost: Int128, inputTokens: Int64) {
    self.cost += cost
    self.inputTokens += inputTokens
    times += 1
  }
}
