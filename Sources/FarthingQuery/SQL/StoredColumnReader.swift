internal import FarthingCore
internal import FarthingStore

/// The texts of code columns that SQLite may keep pointers to, by segment and column.
///
/// Kept until the database is gone, so that a scan that begins again finds them; tables of many
/// texts are not kept, since they would add up to a copy of the store's dictionaries.
final class KeptTexts {
  private struct Place: Hashable {
    let segment: Int
    let column: ColumnName
  }

  private static let countLimit = 4_096
  private var tables: [Place: SQLTextTable] = [:]

  /// The texts of the codes of the slot's segment, and whether they are kept.
  func table(_ slot: ColumnSlot, segment: Int) -> (texts: SQLTextTable, isKept: Bool) {
    let place = Place(segment: segment, column: slot.name)
    if let known = tables[place] { return (known, true) }
    var column = TextColumn()
    var presence: [UInt8] = []
    slot.forEachCode { _, bytes, range, isPresent in
      column.bytes.reserveCapacity(column.bytes.count + range.count)
      for index in range { column.bytes.append(bytes[index]) }
      column.offsets.append(UInt32(truncatingIfNeeded: column.bytes.count))
      presence.append(isPresent ? 1 : 0)
    }
    column.validity = presence
    let texts = SQLTextTable(column)
    guard texts.count <= KeptTexts.countLimit else { return (texts, false) }
    tables[place] = texts
    return (texts, true)
  }
}

/// Fills one column of SQL from the columns of segments.
final class StoredColumnReader {
  private let source: StoredColumn.Source
  private var slots: [ColumnSlot] = []
  private var state: ColumnSlot?
  private let kept: KeptTexts
  /// Of the segment at hand.
  private var texts: (texts: SQLTextTable, isKept: Bool)?
  private var segment = 0
  private var unpriced: [Bool] = []
  private var decimal = DecimalBytes()
  private let scratch = ScanScratch()

  init(_ source: StoredColumn.Source, _ reader: BlockReader, _ kept: KeptTexts) {
    self.source = source
    self.kept = kept
    switch source {
    case .text(let name), .integer(let name), .real(let name), .time(let name):
      slots = [reader.slot(name)]
    case .money(let name, let state), .picodollars(let name, let state):
      slots = [reader.slot(name), reader.slot(name.high)]
      self.state = state.map { reader.slot($0) }
    case .object(let isTags): slots = reader.objectNames(isTags: isTags).map { reader.slot($0) }
    }
  }

  /// - Parameter segment: Its place among all of the table's.
  func enterSegment(_ segment: Int) {
    self.segment = segment
    texts = nil
    unpriced.removeAll(keepingCapacity: true)
  }

  func fill(
    _ target: SQLColumnBuffer, rows: SQLRows, _ reader: BlockReader
  ) throws(StoreError) {
    switch source {
    case .text: try fillText(target, rows, reader)
    case .integer, .time:
      if slots[0].kind == nil, slots[0].name.rawValue != "attempt" { return target.setNull() }
      try reader.loadIntegers(slots[0])
      let column = slots[0].integers
      if case .time = source {
        target.setTimes(column.values, validity: column.validity, rows: rows)
      } else {
        target.setIntegers(column.values, validity: column.validity, rows: rows)
      }
    case .real:
      if slots[0].kind == nil { return target.setNull() }
      try reader.loadReals(slots[0])
      let column = slots[0].reals
      target.setReals(column.values, validity: column.validity, rows: rows)
    case .money: try fillMoney(target, rows, reader)
    case .picodollars: try fillPicodollars(target, rows, reader)
    case .object(let isTags): try fillObject(target, isTags: isTags, rows, reader)
    }
  }

  private func fillText(
    _ target: SQLColumnBuffer, _ rows: SQLRows, _ reader: BlockReader
  ) throws(StoreError) {
    let slot = slots[0]
    if slot.kind == .text {
      try reader.loadText(slot)
      return target.setTexts(slot.text, fallback: slot.defaultText, rows: rows)
    }
    if slot.kind == nil, slot.defaultText == nil { return target.setNull() }
    try reader.loadCodes(slot)
    let known = texts ?? kept.table(slot, segment: segment)
    texts = known
    target.setCodes(slot.codes, texts: known.texts, isKept: known.isKept, rows: rows)
  }

  // MARK: - Money

  /// Loads the amounts of the block.
  /// - Returns: 1 for each row that has one; nil where all have.
  private func loadAmounts(_ reader: BlockReader) throws(StoreError) -> [UInt8]? {
    try reader.loadIntegers(slots[0])
    if slots[1].kind != nil { try reader.loadIntegers(slots[1]) }
    var validity = slots[0].integers.validity
    guard let state else { return validity }
    if state.kind == .text {
      try reader.loadText(state)
      var present = validity ?? [UInt8](repeating: 1, count: reader.rowCount)
      for row in 0..<reader.rowCount where state.text.string(row) == "unpriced" {
        present[row] = 0
      }
      return present
    }
    try reader.loadCodes(state)
    if unpriced.isEmpty {
      let word = Array("unpriced".utf8)
      state.forEachCode { _, bytes, range, isPresent in
        unpriced.append(
          isPresent && range.count == word.count
            && range.indices.allSatisfy { bytes[$0] == word[$0 - range.lowerBound] })
      }
    }
    if !unpriced.contains(true) { return validity }
    var present = validity ?? [UInt8](repeating: 1, count: reader.rowCount)
    validity = nil
    let codes = state.codes
    for row in 0..<reader.rowCount where unpriced[Int(codes[row])] { present[row] = 0 }
    return present
  }

  private func amount(_ row: Int) -> Int128 {
    let low = slots[0].integers.values[row]
    if slots[1].kind == nil { return Int128(low) }
    return wideAmount(high: slots[1].integers.values[row], low: low)
  }

  private func fillMoney(
    _ target: SQLColumnBuffer, _ rows: SQLRows, _ reader: BlockReader
  ) throws(StoreError) {
    if slots[0].kind == nil { return target.setNull() }
    let validity = try loadAmounts(reader)
    target.beginTexts(rows.count)
    for place in 0..<rows.count {
      let row = rows.row(place)
      if let validity, validity[row] == 0 {
        target.appendNull()
      } else {
        let text = decimal.make(amount(row))
        target.append(text.span)
      }
    }
  }

  private func fillPicodollars(
    _ target: SQLColumnBuffer, _ rows: SQLRows, _ reader: BlockReader
  ) throws(StoreError) {
    if slots[0].kind == nil { return target.setNull() }
    let validity = try loadAmounts(reader)
    if slots[1].kind == nil {
      return target.setIntegers(slots[0].integers.values, validity: validity, rows: rows)
    }
    target.setMixed(
      (0..<rows.count).map { place in
        let row = rows.row(place)
        if let validity, validity[row] == 0 { return .null }
        return SQLValue(picodollars: amount(row))
      })
  }

  // MARK: - Tags and units

  private func fillObject(
    _ target: SQLColumnBuffer, isTags: Bool, _ rows: SQLRows, _ reader: BlockReader
  ) throws(StoreError) {
    var entries = [[(name: [UInt8], value: [UInt8])]](repeating: [], count: rows.count)
    for slot in slots {
      let owner = reader.segment
      // What overflows is read for all names at once, below.
      guard owner.columnNames.contains(slot.name), slot.kind != nil else { continue }
      let name = Array((slot.name.entryName ?? "").utf8)
      if isTags { try loadTag(slot, reader) } else { try reader.loadIntegers(slot) }
      for place in 0..<rows.count {
        let row = rows.row(place)
        if isTags {
          if let value = tag(slot, row) { entries[place].append((name, value)) }
        } else if slot.integers.validity.map({ $0[row] != 0 }) ?? true {
          entries[place].append((name, Array(String(slot.integers.values[row]).utf8)))
        }
      }
    }
    var overflow: [Int: [(name: [UInt8], value: [UInt8])]] = [:]
    try reader.segment.forEachOverflowEntry(isTags: isTags, block: reader.block, scratch: scratch) {
      row, name, value, count in
      overflow[row, default: []].append(
        (Array(name), isTags ? Array(value) : Array(String(count).utf8)))
    }
    target.beginTexts(rows.count)
    var text: [UInt8] = []
    for place in 0..<rows.count {
      var found = entries[place]
      if let more = overflow[rows.row(place)] {
        found = (found + more).sorted { $0.name.lexicographicallyPrecedes($1.name) }
      }
      if found.isEmpty {
        target.appendNull()
        continue
      }
      text.removeAll(keepingCapacity: true)
      for (name, value) in found {
        text.append(UInt8(ascii: text.isEmpty ? "{" : ","))
        StoredColumnReader.append(quoted: name, to: &text)
        text.append(UInt8(ascii: ":"))
        if isTags {
          StoredColumnReader.append(quoted: value, to: &text)
        } else {
          text.append(contentsOf: value)
        }
      }
      text.append(UInt8(ascii: "}"))
      target.append(text.span)
    }
  }

  private func loadTag(_ slot: ColumnSlot, _ reader: BlockReader) throws(StoreError) {
    if slot.kind == .text { try reader.loadText(slot) } else { try reader.loadCodes(slot) }
  }

  private func tag(_ slot: ColumnSlot, _ row: Int) -> [UInt8]? {
    if slot.kind == .text { return slot.text.range(row).map { Array(slot.text.bytes[$0]) } }
    guard let dictionary = slot.dictionary, let range = dictionary.range(of: slot.codes[row])
    else { return nil }
    return Array(dictionary.bytes[range])
  }

  /// A JSON string. Texts of the contract hold no control characters, so two escapes are enough.
  private static func append(quoted text: [UInt8], to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        bytes.append(UInt8(ascii: "\\"))
      }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension SQLValue {
  /// An integer where it fits into 64 bits, else its digits: never a rounded number.
  init(picodollars: Int128) {
    if let small = Int64(exactly: picodollars) {
      self = .integer(small)
    } else {
      self = .text(String(picodollars))
    }
  }
}
