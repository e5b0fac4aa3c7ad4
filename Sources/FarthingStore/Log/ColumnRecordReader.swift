internal import FarthingCore

/// Reads rows that stand column by column back into events.
struct ColumnRecordReader {
  var cursor: ByteCursor
  private(set) var events: [DecodedEvent] = []
  private(set) var charges: [Charge] = []
  private(set) var entries: [NamedEntry] = []
  /// Index of each price by its key.
  private let prices: [String: Int32]

  /// A tag or a unit of the table at hand.
  private struct Entry {
    var name: ByteRange
    var texts: [ByteRange] = []
    /// Code or number of each row; see ``numbers``.
    var cells: [UInt64]
    /// What the numbers are counted from.
    var base: Int64 = 0
  }

  private var tags: [Entry] = []
  private var units: [Entry] = []
  /// Texts of the rows with entries that have no column; empty where there are none.
  private var overflowTags: [ByteRange?] = []
  private var overflowUnits: [ByteRange?] = []

  init(cursor: ByteCursor, prices: [String: Int32]) {
    self.cursor = cursor
    self.prices = prices
  }

  /// The rows of one kind.
  mutating func table(_ bytes: Span<UInt8>) throws(EncodingFault) {
    guard let kind = EventKind(rawValue: try cursor.byte(bytes)) else {
      throw EncodingFault("an event in it is of an unknown kind")
    }
    let rows = try cursor.count(bytes, upTo: RecordColumn.maximumRows)
    let first = events.count
    guard rows > 0, first == 0 || events[first - 1].kind.rawValue < kind.rawValue else {
      throw EncodingFault("its kinds of events are out of order")
    }
    let all = first..<first + rows
    events.append(contentsOf: repeatElement(DecodedEvent(kind: kind), count: rows))
    charges.append(contentsOf: repeatElement(.unpriced, count: rows))
    tags = []
    units = []
    overflowTags = []
    overflowUnits = []
    var present: Set<UInt8> = []
    for _ in 0..<(try cursor.count(bytes, upTo: cursor.remaining)) {
      let number = try cursor.byte(bytes)
      guard
        present.insert(number).inserted || number == RecordColumn.tag
          || number == RecordColumn.unit
      else { throw EncodingFault("a column of it is there twice") }
      try column(number, bytes, all)
    }
    guard present.contains(RecordColumn.time),
      kind != .request || present.contains(RecordColumn.costState)
    else { throw EncodingFault("it lacks a column that each event has") }
    try takeEntries(bytes, all)
  }

  private mutating func column(
    _ number: UInt8, _ bytes: Span<UInt8>, _ rows: Range<Int>
  ) throws(EncodingFault) {
    switch number {
    case 0..<UInt8(BatchRecord.texts.count):
      try texts(BatchRecord.texts[Int(number)], bytes, rows)
    case RecordColumn.costState: try costStates(bytes, rows)
    case RecordColumn.price: try priceIndices(bytes, rows)
    case RecordColumn.tag, RecordColumn.unit: try entry(number, bytes, rows.count)
    case RecordColumn.overflowTags: overflowTags = try plain(bytes, rows.count)
    case RecordColumn.overflowUnits: overflowUnits = try plain(bytes, rows.count)
    default: try values(number, bytes, rows)
    }
  }

  // MARK: - Cells

  private mutating func width(_ bytes: Span<UInt8>) throws(EncodingFault) -> Int {
    let width = Int(try cursor.byte(bytes))
    guard width <= 8 else { throw EncodingFault("a cell of it is \(width) bytes wide") }
    return width
  }

  /// The cells of a column: 0 is absent.
  ///
  /// - Parameter constant: what each cell is where none has a width.
  private mutating func cells(
    _ bytes: Span<UInt8>, _ count: Int, width: Int, constant: UInt64
  ) throws(EncodingFault) -> [UInt64] {
    guard width > 0 else { return Array(repeating: constant, count: count) }
    var place = try cursor.take(count * width).lowerBound
    var cells: [UInt64] = []
    cells.reserveCapacity(count)
    for _ in 0..<count {
      var cell: UInt64 = 0
      for index in 0..<width { cell |= UInt64(bytes[place + index]) << UInt64(index * 8) }
      cells.append(cell)
      place += width
    }
    return cells
  }

  private mutating func range(_ count: Int) throws(EncodingFault) -> ByteRange {
    let range = try cursor.take(count)
    guard let offset = UInt32(exactly: range.lowerBound), let length = UInt32(exactly: count)
    else { throw EncodingFault("it is too long") }
    return ByteRange(offset: offset, length: length)
  }

  /// A column of codes: its texts, and the code of each row.
  private mutating func coded(
    _ bytes: Span<UInt8>, _ count: Int
  ) throws(EncodingFault) -> (texts: [ByteRange], codes: [UInt64]) {
    var lengths: [Int] = []
    for _ in 0..<(try cursor.count(bytes, upTo: cursor.remaining)) {
      lengths.append(try cursor.count(bytes, upTo: bytes.count))
    }
    var texts: [ByteRange] = []
    for length in lengths { texts.append(try range(length)) }
    let width = try width(bytes)
    let codes = try cells(bytes, count, width: width, constant: 1)
    guard codes.allSatisfy({ $0 <= UInt64(texts.count) }) else {
      throw EncodingFault("a text of it is not there")
    }
    return (texts, codes)
  }

  /// A column of texts by row.
  private mutating func plain(
    _ bytes: Span<UInt8>, _ count: Int
  ) throws(EncodingFault) -> [ByteRange?] {
    let width = try width(bytes)
    let constant = width == 0 ? try cursor.variable(bytes) : 0
    let lengths = try cells(bytes, count, width: width, constant: constant)
    var texts: [ByteRange?] = []
    texts.reserveCapacity(count)
    for length in lengths {
      guard length > 0 else {
        texts.append(nil)
        continue
      }
      guard length <= UInt64(cursor.remaining) + 1 else { throw EncodingFault("it ends early") }
      texts.append(try range(Int(length) - 1))
    }
    return texts
  }

  // MARK: - Columns

  private mutating func texts(
    _ field: TextField, _ bytes: Span<UInt8>, _ rows: Range<Int>
  ) throws(EncodingFault) {
    switch try cursor.byte(bytes) {
    case RecordColumn.coded:
      let column = try coded(bytes, rows.count)
      for (index, code) in column.codes.enumerated() where code > 0 {
        events[rows.lowerBound + index].set(field, column.texts[Int(code) - 1])
      }
    case RecordColumn.plain:
      for (index, text) in try plain(bytes, rows.count).enumerated() {
        if let text { events[rows.lowerBound + index].set(field, text) }
      }
    default: throw EncodingFault("a column of it has an unknown form")
    }
  }

  private static let states: [String: CostState] = Dictionary(
    uniqueKeysWithValues: CostState.allCases.map { ("\($0)", $0) })

  private mutating func costStates(
    _ bytes: Span<UInt8>, _ rows: Range<Int>
  ) throws(EncodingFault) {
    let column = try coded(bytes, rows.count)
    let states = column.texts.map { Self.states[Self.string($0, bytes)] }
    for (index, code) in column.codes.enumerated() {
      guard code > 0, let state = states[Int(code) - 1] else {
        throw EncodingFault("a cost state in it is unknown")
      }
      charges[rows.lowerBound + index].state = state
    }
  }

  private mutating func priceIndices(
    _ bytes: Span<UInt8>, _ rows: Range<Int>
  ) throws(EncodingFault) {
    let column = try coded(bytes, rows.count)
    let indices = column.texts.map { prices[Self.string($0, bytes)] }
    for (index, code) in column.codes.enumerated() where code > 0 {
      guard let price = indices[Int(code) - 1] else {
        throw EncodingFault("a price of it is not there")
      }
      charges[rows.lowerBound + index].price = price
    }
  }

  private static func string(_ range: ByteRange, _ bytes: Span<UInt8>) -> String {
    var text: [UInt8] = []
    let start = Int(range.offset)
    for index in start..<start + Int(range.length) { text.append(bytes[index]) }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func entry(
    _ number: UInt8, _ bytes: Span<UInt8>, _ count: Int
  ) throws(EncodingFault) {
    let name = try range(try cursor.count(bytes, upTo: cursor.remaining))
    if number == RecordColumn.tag {
      guard tags.count < RowTable.maximumTags else { throw EncodingFault("it has too many tags") }
      let column = try coded(bytes, count)
      tags.append(Entry(name: name, texts: column.texts, cells: column.codes))
    } else {
      guard units.count < RowTable.maximumUnits else {
        throw EncodingFault("it has too many units")
      }
      let column = try numbers(bytes, count)
      units.append(Entry(name: name, cells: column.cells, base: column.base))
    }
  }

  /// A column of numbers: a cell above 0 stands for `base` and one less than it, wrapping.
  private mutating func numbers(
    _ bytes: Span<UInt8>, _ count: Int
  ) throws(EncodingFault) -> (cells: [UInt64], base: Int64) {
    let width = try width(bytes)
    let base = try cursor.signed(bytes)
    return (try cells(bytes, count, width: width, constant: 1), base)
  }

  private static func value(_ cell: UInt64, _ base: Int64) -> Int64 {
    base &+ Int64(bitPattern: cell &- 1)
  }

  private mutating func values(
    _ number: UInt8, _ bytes: Span<UInt8>, _ rows: Range<Int>
  ) throws(EncodingFault) {
    let column = try numbers(bytes, rows.count)
    for (index, cell) in column.cells.enumerated() {
      let row = rows.lowerBound + index
      guard cell > 0 else {
        if number == RecordColumn.time { throw EncodingFault("an event in it has no time") }
        continue
      }
      try set(number, Self.value(cell, column.base), row: row)
    }
  }

  private mutating func set(
    _ number: UInt8, _ value: Int64, row: Int
  ) throws(EncodingFault) {
    let place = Int(number)
    switch number {
    case RecordColumn.time: events[row].time = value
    case RecordColumn.until: events[row].until = value
    case RecordColumn.integers..<RecordColumn.integers + UInt8(BatchRecord.integers.count):
      events[row].set(BatchRecord.integers[place - Int(RecordColumn.integers)], value)
    case RecordColumn.reals..<RecordColumn.reals + UInt8(BatchRecord.reals.count):
      let field = BatchRecord.reals[place - Int(RecordColumn.reals)]
      let real = Double(bitPattern: UInt64(bitPattern: value))
      // What no event has would make a segment whose sketches cannot be read back.
      guard real >= 0, real.isFinite else {
        throw EncodingFault("it has a \(field.contractName) of \(real)")
      }
      events[row].set(field, real)
    case RecordColumn.moneyLow..<RecordColumn.moneyLow + 7:
      set(amount: place - Int(RecordColumn.moneyLow), Int128(value), row: row)
    case RecordColumn.moneyHigh..<RecordColumn.moneyHigh + 7:
      let index = place - Int(RecordColumn.moneyHigh)
      let low = amount(index, row: row) ?? 0
      set(amount: index, Int128(value) << RecordColumn.lowBits &+ low, row: row)
    default: throw EncodingFault("it has a field that this build does not know")
    }
  }

  private func amount(_ index: Int, row: Int) -> Int128? {
    switch index {
    case 3: charges[row].cost
    case 4: charges[row].outputCost
    case 5: charges[row].unitsCost
    case 6: charges[row].cacheSavings
    default: events[row].money(BatchRecord.moneys[index])
    }
  }

  private mutating func set(amount index: Int, _ value: Int128, row: Int) {
    switch index {
    case 3: charges[row].cost = value
    case 4: charges[row].outputCost = value
    case 5: charges[row].unitsCost = value
    case 6: charges[row].cacheSavings = value
    default: events[row].set(BatchRecord.moneys[index], picodollars: value)
    }
  }

  // MARK: - Tags and units

  /// Gives each row its tags and units, which an event has side by side.
  private mutating func takeEntries(
    _ bytes: Span<UInt8>, _ rows: Range<Int>
  ) throws(EncodingFault) {
    for row in rows {
      let index = row - rows.lowerBound
      let tagStart = entries.count
      for tag in tags where tag.cells[index] > 0 {
        entries.append(
          NamedEntry(name: tag.name, text: tag.texts[Int(tag.cells[index]) - 1]))
      }
      if !overflowTags.isEmpty, let text = overflowTags[index] {
        var rest = ByteCursor(place: Int(text.offset), end: Int(text.offset + text.length))
        while rest.remaining > 0 {
          let name = try Self.text(&rest, bytes)
          entries.append(NamedEntry(name: name, text: try Self.text(&rest, bytes)))
        }
      }
      events[row].tags = tagStart..<entries.count
      let unitStart = entries.count
      for unit in units where unit.cells[index] > 0 {
        entries.append(
          NamedEntry(name: unit.name, count: Self.value(unit.cells[index], unit.base)))
      }
      if !overflowUnits.isEmpty, let text = overflowUnits[index] {
        var rest = ByteCursor(place: Int(text.offset), end: Int(text.offset + text.length))
        while rest.remaining > 0 {
          let name = try Self.text(&rest, bytes)
          entries.append(NamedEntry(name: name, count: try rest.signed(bytes)))
        }
      }
      events[row].units = unitStart..<entries.count
    }
  }

  private static func text(
    _ cursor: inout ByteCursor, _ bytes: Span<UInt8>
  ) throws(EncodingFault) -> ByteRange {
    let range = try cursor.counted(bytes)
    guard let offset = UInt32(exactly: range.lowerBound), let length = UInt32(exactly: range.count)
    else { throw EncodingFault("it is too long") }
    return ByteRange(offset: offset, length: length)
  }
}
