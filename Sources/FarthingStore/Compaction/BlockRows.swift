internal import FarthingCore

/// The prices of a segment, to be referred to by number.
struct SegmentPrices {
  private(set) var stored: [StoredPrice] = []
  /// Places in ``stored`` by key.
  private(set) var numbers: [String: Int32] = [:]

  /// - Throws: `damaged` where a price of the segment is malformed.
  init(_ segment: SegmentReader) throws(StoreError) {
    for bytes in try segment.priceBytes() {
      guard let price = ResolvedPrice.deserialised(bytes.span) else {
        throw StoreError(.damaged, "segment \(segment.name) has a malformed price")
      }
      add(StoredPrice(key: price.key, bytes: bytes))
    }
  }

  /// The number of a price, which is added where it is new.
  @discardableResult
  mutating func add(_ price: StoredPrice) -> Int32 {
    if let known = numbers[price.key] { return known }
    let number = Int32(stored.count)
    numbers[price.key] = number
    stored.append(price)
    return number
  }
}

/// One block of a segment as a batch of events.
struct BlockRows {
  private(set) var batch = DecodedBatch()
  /// One a row; ``Charge/price`` indexes the segment's prices.
  var charges: [Charge] = []
  /// One a row, nil where it is charged as it was booked; empty where all are.
  var bookings: [Booking?] = []
  private var sources: [String] = []
  private var receivedTimes: [Int64] = []
  private let segment: SegmentReader
  private let block: Int
  private let scratch: ScanScratch

  /// Reads a block.
  ///
  /// - Parameters:
  ///   - prices: Those of the segment.
  ///   - isWhole: false for what a price depends on and the charge, and nothing else; such rows cannot be
  ///     copied.
  init(
    _ segment: SegmentReader, block: Int, prices: SegmentPrices, isWhole: Bool = true,
    scratch: ScanScratch
  ) throws(StoreError) {
    self.segment = segment
    self.block = block
    self.scratch = scratch
    let rows = segment.rows(inBlock: block).count
    batch.events = (0..<rows).map { _ in DecodedEvent(kind: segment.kind) }
    charges = Array(repeating: .unpriced, count: rows)
    let times = try integers(.time).values
    for row in 0..<rows { batch.events[row].time = times[row] }
    try readFields(isWhole ? .all : .pricing)
    try readEntries(rows: rows, withTags: isWhole)
    if isWhole { try readArrival(rows: rows) }
    if segment.kind == .request { try readCharges(prices.numbers) }
  }

  private mutating func readArrival(rows: Int) throws(StoreError) {
    let ends = try integers(.until).values
    for row in 0..<rows { batch.events[row].until = ends[row] }
    sources = Array(repeating: "", count: rows)
    receivedTimes = try integers(.receivedTime).values
    try forEachText(.source) { (rows, row, range) in
      rows.sources[row] = rows.batch.string(range)
    }
  }

  /// Appends the rows as they are.
  ///
  /// - Parameter prices: What ``charges`` index.
  /// - Throws: `limitExceeded` where the buffer does not take them all.
  func copy(to buffer: WriteBuffer, prices: [StoredPrice]) throws(StoreError) {
    guard let source = sources.first, let receivedTime = receivedTimes.first else { return }
    // Only the prices in use, so that none of another time stays with the rows.
    var used: [StoredPrice] = []
    var numbers: [Int32: Int32] = [-1: -1]
    var renumbered = charges
    for row in renumbered.indices {
      let price = renumbered[row].price
      if numbers[price] == nil {
        numbers[price] = Int32(used.count)
        used.append(prices[Int(price)])
      }
      renumbered[row].price = numbers[price] ?? -1
    }
    let first = buffer.rowCount
    buffer.append(
      batch, charges: renumbered, prices: used, source: source, selection: batch.events.indices,
      receivedTime: receivedTime)
    guard buffer.rowCount == first + batch.events.count else {
      throw StoreError(.limitExceeded, "the rows are more than one segment holds")
    }
    buffer.setArrivals(from: first, receivedTimes: receivedTimes, sources: sources)
    for (row, booking) in bookings.enumerated() {
      if let booking { buffer.table.setBooking(row: first + row, booking) }
    }
  }

  private func integers(_ name: ColumnName) throws(StoreError) -> IntegerColumn {
    var column = IntegerColumn()
    try segment.readIntegers(name, block: block, into: &column, scratch: scratch)
    return column
  }

  /// Which fields are read.
  private struct FieldSelection {
    var texts: [TextField]
    var integers: [IntegerField]
    var reals: [RealField]
    var moneys: [MoneyField]

    static let all = FieldSelection(
      texts: TextField.allCases, integers: IntegerField.allCases, reals: RealField.allCases,
      moneys: MoneyField.allCases)

    /// What ``EventPricer`` looks at.
    static let pricing = FieldSelection(
      texts: [.model, .provider, .serviceTier, .site, .tenant, .usage, .responseCache],
      integers: [
        .inputTokens, .cachedInputTokens, .cacheWriteTokens, .cacheWrite1hTokens, .outputTokens,
        .reasoningTokens, .inputAudioTokens, .outputAudioTokens, .inputImageTokens, .batch,
      ], reals: [], moneys: [])
  }

  private mutating func readFields(_ fields: FieldSelection) throws(StoreError) {
    for field in fields.texts {
      try forEachText(.field(field)) { rows, row, range in rows.batch.events[row].set(field, range)
      }
    }
    for field in fields.integers where segment.kind(of: .field(field)) != nil {
      let column = try integers(.field(field))
      for row in batch.events.indices where column.validity?[row] != 0 {
        batch.events[row].set(field, column.values[row])
      }
    }
    for field in fields.reals where segment.kind(of: .field(field)) != nil {
      var column = RealColumn()
      try segment.readReals(.field(field), block: block, into: &column, scratch: scratch)
      for row in batch.events.indices where column.validity?[row] != 0 {
        batch.events[row].set(field, column.values[row])
      }
    }
    for field in fields.moneys where segment.kind(of: .field(field)) != nil {
      let (amounts, validity) = try money(.field(field))
      for row in batch.events.indices where validity?[row] != 0 {
        batch.events[row].set(field, picodollars: amounts[row])
      }
    }
  }

  /// Tags and units, gathered by row.
  private mutating func readEntries(rows count: Int, withTags: Bool) throws(StoreError) {
    var tags = [[NamedEntry]](repeating: [], count: count)
    var units = tags
    for name in segment.columnNames {
      guard let entryName = name.entryName, withTags || name.isUnit else { continue }
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
    for isTags in withTags ? [true, false] : [false] {
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
    let figures = try figures { $0 }
    for row in charges.indices { charges[row] = figures[row] }
    try forEachText(.costState) { rows, row, range in
      let text = rows.batch.string(range)
      rows.charges[row].state = CostState.allCases.first { "\($0)" == text } ?? .unpriced
    }
    try forEachText(.price) { rows, row, range in
      rows.charges[row].price = prices[rows.batch.string(range)] ?? -1
    }
    if segment.kind(of: .costState.booked) != nil { try readBookings() }
  }

  private mutating func readBookings() throws(StoreError) {
    let figures = try figures { $0.booked }
    bookings = Array(repeating: nil, count: charges.count)
    try forEachText(.costState.booked) { rows, row, range in
      var charge = figures[row]
      let text = rows.batch.string(range)
      charge.state = CostState.allCases.first { "\($0)" == text } ?? .unpriced
      rows.bookings[row] = Booking(charge: charge, priceKey: [])
    }
    try forEachText(.price.booked) { rows, row, range in
      let key = Array(rows.batch.bytes[Int(range.offset)..<Int(range.offset + range.length)])
      rows.bookings[row]?.priceKey = key
    }
  }

  /// The amounts of each row's charge out of the four columns that `column` makes of their names.
  private func figures(_ column: (ColumnName) -> ColumnName) throws(StoreError) -> [Charge] {
    let cost = try money(column(.cost)).amounts
    let output = try money(column(.outputCost)).amounts
    let units = try money(column(.unitsCost)).amounts
    let savings = try money(column(.cacheSavings)).amounts
    return charges.indices.map { row in
      Charge(
        state: .unpriced, cost: cost[row], outputCost: output[row], unitsCost: units[row],
        cacheSavings: savings[row], price: -1)
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
