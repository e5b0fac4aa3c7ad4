internal import FarthingCore
internal import Synchronization

// The charge as booked: what the columns `booked_cost`, `booked_cost_state`, `booked_price` and their like answer.
//
// They are not stored. Where a repricing has changed a row's charge, the row has what it was booked at in the
// companions `cost.booked`, `cost_state.booked` and so on; every other row has nothing there, and was booked at what
// it is charged now. A row has been repriced where `cost_state.booked` says so, which every such row does.

/// The texts of a column of codes and of its companion, as one.
struct BookedTexts: Sendable {
  let dictionary: TextDictionary
  /// The code in ``dictionary`` of each code of the companion.
  let codes: [UInt32]

  init(base: TextDictionary, companion: TextDictionary) {
    var texts = TextColumn()
    var known: [[UInt8]: UInt32] = [:]
    for code in 1..<UInt32(max(base.count, 1)) {
      let text = base.range(of: code).map { Array(base.bytes[$0]) } ?? []
      texts.append(text)
      known[text] = code
    }
    var codes: [UInt32] = [0]
    for code in 1..<UInt32(max(companion.count, 1)) {
      let text = companion.range(of: code).map { Array(companion.bytes[$0]) } ?? []
      if known[text] == nil {
        texts.append(text)
        known[text] = UInt32(texts.count)
      }
      codes.append(known[text] ?? 0)
    }
    dictionary = TextDictionary(texts: texts)
    self.codes = codes
  }
}

extension SegmentReader {
  /// Whether a repricing has changed the charge of any of the rows.
  package var hasBookings: Bool { kind(of: ColumnName.costState.booked) != nil }

  /// How the column that answers as booked for `base` is read.
  func bookedKind(of base: ColumnName) -> ColumnKind? {
    kind(of: base) ?? kind(of: base.bookedCompanion)
  }

  /// Bounds of what the column that answers as booked for `base` has in a block.
  func bookedZone(of base: ColumnName, block: Int) -> (minimum: Int64, maximum: Int64)? {
    guard hasBookings else { return zone(base, block: block) }
    if kind(of: base) == .codes || kind(of: base.bookedCompanion) == .codes {
      guard let texts = try? bookedTexts(of: base) else { return nil }
      return (0, Int64(texts.dictionary.count - 1))
    }
    guard let own = zone(base.bookedCompanion, block: block) else {
      return zone(base, block: block)
    }
    guard let now = zone(base, block: block) else { return own }
    return (min(own.minimum, now.minimum), max(own.maximum, now.maximum))
  }

  func bookedDictionary(of base: ColumnName) throws(StoreError) -> TextDictionary {
    hasBookings ? try bookedTexts(of: base).dictionary : try dictionary(base)
  }

  private func bookedTexts(of base: ColumnName) throws(StoreError) -> BookedTexts {
    if let known = bookedDictionaries.withLock({ $0[base] }) { return known }
    let texts = BookedTexts(
      base: try dictionary(base), companion: try dictionary(base.bookedCompanion))
    bookedDictionaries.withLock { $0[base] = texts }
    return texts
  }

  func readBookedCodes(
    of base: ColumnName, block: Int, into codes: inout [UInt32], scratch: ScanScratch
  ) throws(StoreError) {
    try readCodes(base, block: block, into: &codes, scratch: scratch)
    guard hasBookings else { return }
    let texts = try bookedTexts(of: base)
    var marks: [UInt32] = []
    try readCodes(ColumnName.costState.booked, block: block, into: &marks, scratch: scratch)
    var own: [UInt32] = []
    try readCodes(base.bookedCompanion, block: block, into: &own, scratch: scratch)
    for row in codes.indices where marks[row] != 0 { codes[row] = texts.codes[Int(own[row])] }
  }

  func readBookedIntegers(
    of base: ColumnName, block: Int, into column: inout IntegerColumn, scratch: ScanScratch
  ) throws(StoreError) {
    try readIntegers(base, block: block, into: &column, scratch: scratch)
    guard hasBookings else { return }
    var marks: [UInt32] = []
    try readCodes(ColumnName.costState.booked, block: block, into: &marks, scratch: scratch)
    var own = IntegerColumn()
    try readIntegers(base.bookedCompanion, block: block, into: &own, scratch: scratch)
    var validity = column.validity ?? [UInt8](repeating: 1, count: column.values.count)
    for row in marks.indices where marks[row] != 0 {
      column.values[row] = own.values[row]
      validity[row] = own.validity.map { $0[row] } ?? 1
    }
    column.validity = validity.contains(0) ? validity : nil
  }
}
