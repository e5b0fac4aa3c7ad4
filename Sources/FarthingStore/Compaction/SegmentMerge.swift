// Merging small segments into one.
//
// Rows go block by block from the readers back into the form in which they arrived, and from there
// through the write buffer, so a merged segment is encoded like any other and nothing is computed
// anew: costs, states and prices are copied. Memory: one block of rows and one buffer.

internal import FarthingCore

/// Copies the rows of segments of one kind into a buffer.
struct SegmentMerge {
  private let scratch = ScanScratch()

  /// The rows of all segments, in the order given, in one buffer.
  ///
  /// - Throws: `damaged` where a block of a source is, `limitExceeded` where the rows do not fit.
  func merge(_ segments: [SegmentReader], kind: EventKind) throws(StoreError) -> WriteBuffer {
    let buffer = WriteBuffer(kind: kind)
    for segment in segments {
      var prices: [StoredPrice] = []
      var numbers: [String: Int32] = [:]
      for bytes in try segment.priceBytes() {
        guard let price = ResolvedPrice.deserialised(bytes.span) else {
          throw StoreError(.damaged, "segment \(segment.name) has a malformed price")
        }
        numbers[price.key] = Int32(prices.count)
        prices.append(StoredPrice(key: price.key, bytes: bytes))
      }
      for block in 0..<segment.blockCount {
        var rows = try BlockRows(segment, block: block, prices: numbers, scratch: scratch)
        try rows.copy(to: buffer, prices: prices)
      }
    }
    return buffer
  }
}

/// One block of a segment as a batch of events.
private struct BlockRows {
  private var batch = DecodedBatch()
  private var charges: [Charge] = []
  private var sources: [String] = []
  private var receivedTimes: [Int64] = []
  private let segment: SegmentReader
  private let block: Int
  private let scratch: ScanScratch

  init(
    _ segment: SegmentReader, block: Int, prices: [String: Int32], scratch: ScanScratch
  ) throws(StoreError) {
    self.segment = segment
    self.block = block
    self.scratch = scratch
    let rows = segment.rows(inBlock: block).count
    batch.events = (0..<rows).map { _ in DecodedEvent(kind: segment.kind) }
    charges = Array(repeating: .unpriced, count: rows)
    sources = Array(repeating: "", count: rows)
    receivedTimes = try integers(.receivedTime).values
    let times = try integers(.time).values
    let ends = try integers(.until).values
    for row in 0..<rows {
      batch.events[row].time = times[row]
      batch.events[row].until = ends[row]
    }
    try readFields()
    try readEntries(rows: rows)
    try forEachText(.source) { (rows, row, range) in
      rows.sources[row] = rows.batch.string(range)
    }
    if segment.kind == .request { try readCharges(prices) }
  }

  /// Appends the rows, those of one arrival at a time.
  mutating func copy(to buffer: WriteBuffer, prices: [StoredPrice]) throws(StoreError) {
    var start = 0
    while start < batch.events.count {
      var end = start + 1
      while end < batch.events.count, receivedTimes[end] == receivedTimes[start],
        sources[end] == sources[start]
      { end += 1 }
      let taken = buffer.append(
        batch, charges: charges, prices: prices, source: sources[start], selection: start..<end,
        receivedTime: receivedTimes[start])
      guard taken == end - start else {
        throw StoreError(.limitExceeded, "the merged rows are more than one segment holds")
      }
      start = end
    }
  }

  private func integers(_ name: ColumnName) throws(StoreError) -> IntegerColumn {
    var column = IntegerColumn()
    try segment.readIntegers(name, block: block, into: &column, scratch: scratch)
    return column
  }

  private mutating func readFields() throws(StoreError) {
    for field in TextField.allCases {
      try forEachText(.field(field)) { rows, row, range in rows.batch.events[row].set(field, range)
      }
    }
    for field in IntegerField.allCases where segment.kind(of: .field(field)) != nil {
      let column = try integers(.field(field))
      for row in batch.events.indices where column.validity?[row] != 0 {
        batch.events[row].set(field, column.values[row])
      }
    }
    for field in RealField.allCases where segment.kind(of: .field(field)) != nil {
      var column = RealColumn()
      try segment.readReals(.field(field), block: block, into: &column, scratch: scratch)
      for row in batch.events.indices where column.validity?[row] != 0 {
        batch.events[row].set(field, column.values[row])
      }
    }
    for field in MoneyField.allCases where segment.kind(of: .field(field)) != nil {
      let (amounts, validity) = try money(.field(field))
      for row in batch.events.indices where validity?[row] != 0 {
        batch.events[row].set(field, picodollars: amounts[row])
      }
    }
  }

  /// Tags and units, gathered by row.
  private mutating func readEntries(rows count: Int) throws(StoreError) {
    var tags = [[NamedEntry]](repeating: [], count: count)
    var units = tags
    for name in segment.columnNames {
      guard let entryName = name.entryName else { continue }
      let text = append(Array(entryName.utf8)[...])
      if name.isTag {
        try forEachText(name) { _, row, range in
          tags[row].append(NamedEntry(name: text, text: range))
        }
      } else {
        let column = try integers(name)
        for row in 0..<count where column.validity?[row] != 0 {
          units[row].append(NamedEntry(name: text, count: column.values[row]))
        }
      }
    }
    for isTags in [true, false] {
      var found: [(row: Int, name: ArraySlice<UInt8>, text: ArraySlice<UInt8>, count: Int64)] = []
      try segment.forEachOverflowEntry(isTags: isTags, block: block, scratch: scratch) {
        found.append(($0, $1, $2, $3))
      }
      for entry in found {
        let name = append(entry.name)
        if isTags {
          tags[entry.row].append(NamedEntry(name: name, text: append(entry.text)))
        } else {
          units[entry.row].append(NamedEntry(name: name, count: entry.count))
        }
      }
    }
    for row in 0..<count {
      let start = batch.entries.count
      batch.entries += tags[row]
      let middle = batch.entries.count
      batch.entries += units[row]
      batch.events[row].tags = start..<middle
      batch.events[row].units = middle..<batch.entries.count
    }
  }

  private mutating func readCharges(_ prices: [String: Int32]) throws(StoreError) {
    let cost = try money(.cost).amounts
    let output = try money(.outputCost).amounts
    let units = try money(.unitsCost).amounts
    let savings = try money(.cacheSavings).amounts
    for row in charges.indices {
      charges[row].cost = cost[row]
      charges[row].outputCost = output[row]
      charges[row].unitsCost = units[row]
      charges[row].cacheSavings = savings[row]
    }
    try forEachText(.costState) { rows, row, range in
      let text = rows.batch.string(range)
      rows.charges[row].state = CostState.allCases.first { "\($0)" == text } ?? .unpriced
    }
    try forEachText(.price) { rows, row, range in
      rows.charges[row].price = prices[rows.batch.string(range)] ?? -1
    }
  }

  private func money(
    _ name: ColumnName
  ) throws(StoreError) -> (amounts: [Int128], validity: [UInt8]?) {
    let low = try integers(name)
    guard segment.kind(of: name.high) != nil else {
      return (low.values.map { Int128($0) }, low.validity)
    }
    let high = try integers(name.high).values
    return (
      low.values.indices.map { Int128(high[$0]) << 62 + Int128(low.values[$0]) }, low.validity
    )
  }

  private mutating func append(_ text: ArraySlice<UInt8>) -> ByteRange {
    let range = ByteRange(offset: UInt32(batch.bytes.count), length: UInt32(text.count))
    batch.bytes += text
    return range
  }

  /// Hands over the rows that have a text, whichever way the segment stores it.
  private mutating func forEachText(
    _ name: ColumnName, _ body: (inout BlockRows, _ row: Int, ByteRange) -> Void
  ) throws(StoreError) {
    switch segment.kind(of: name) {
    case .codes:
      var codes: [UInt32] = []
      let dictionary = try segment.dictionary(name)
      try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
      var places: [UInt32: ByteRange] = [:]
      for row in codes.indices where codes[row] != 0 {
        guard let place = dictionary.range(of: codes[row]) else {
          throw StoreError(.damaged, "segment \(segment.name) column \(name) has an unknown code")
        }
        let range = places[codes[row]] ?? append(dictionary.bytes[place])
        places[codes[row]] = range
        body(&self, row, range)
      }
    case .text:
      var texts = TextColumn()
      try segment.readText(name, block: block, into: &texts, scratch: scratch)
      for row in 0..<texts.count {
        guard let place = texts.range(row) else { continue }
        body(&self, row, append(texts.bytes[place]))
      }
    default: return
    }
  }
}
