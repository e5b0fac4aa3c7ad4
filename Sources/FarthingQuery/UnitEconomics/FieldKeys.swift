internal import FarthingCore
internal import FarthingStore

/// The values of a field as keys, block by block, for one worker.
final class FieldKeys {
  private enum Kind {
    case text(ColumnSlot)
    case integer(ColumnSlot)
    case real(ColumnSlot)
    case money(ColumnSlot, high: ColumnSlot, unpriced: TextMask?)
    case none
  }

  private let kind: Kind
  private(set) var keys: [TextKey] = []
  /// 1 where the row has a value.
  private(set) var presence: [UInt8] = []
  /// By code of the segment at hand, made when the first of its blocks is read.
  private var codeKeys: [TextKey] = []
  private var codePresence: [UInt8] = []
  private var loadedBlock = -1

  init(_ field: RequestField, _ reader: BlockReader) {
    switch FieldSource(field) {
    case .text(let name): kind = .text(reader.slot(name))
    case .integer(let name), .boolean(let name), .time(let name):
      kind = .integer(reader.slot(name))
    case .real(let name): kind = .real(reader.slot(name))
    case .money(let name, let state):
      let mask = state.map {
        TextMask(reader.slot($0), TextTest(.oneOf([Array("unpriced".utf8)])))
      }
      kind = .money(reader.slot(name), high: reader.slot(name.high), unpriced: mask)
    case .object: kind = .none
    }
  }

  /// The codes of the block, where the segment holds the field as codes: equal codes are equal keys.
  var codeSlot: ColumnSlot? {
    if case .text(let slot) = kind, slot.kind != .text { return slot }
    return nil
  }

  /// Whether no row of the segment has a value, defaults included.
  var isAbsent: Bool {
    switch kind {
    case .text(let slot): slot.kind == nil && slot.defaultText == nil
    case .integer(let slot): slot.kind == nil && slot.name.rawValue != "attempt"
    case .real(let slot): slot.kind == nil
    case .money(let slot, _, _): slot.kind == nil
    case .none: true
    }
  }

  func enterSegment() {
    loadedBlock = -1
    codeKeys.removeAll(keepingCapacity: true)
    codePresence.removeAll(keepingCapacity: true)
    if case .money(_, _, let unpriced?) = kind { unpriced.enterSegment() }
  }

  /// By code of the segment at hand: its key, and 1 where it stands for a value.
  func keysOfCodes() -> ([TextKey], [UInt8]) {
    if codeKeys.isEmpty, case .text(let slot) = kind {
      var made: [TextKey] = []
      var present: [UInt8] = []
      made.reserveCapacity(slot.codeCount)
      slot.forEachCode { _, bytes, range, isPresent in
        made.append(isPresent ? TextKey(bytes, range) : TextKey(low: 0, high: 0))
        present.append(isPresent ? 1 : 0)
      }
      codeKeys = made
      codePresence = present
    }
    return (codeKeys, codePresence)
  }

  /// Makes the keys of the reader's block, once.
  func load(_ reader: BlockReader) throws(StoreError) {
    if loadedBlock == reader.block { return }
    loadedBlock = reader.block
    let rows = reader.rowCount
    if keys.count < rows {
      keys = [TextKey](repeating: TextKey(low: 0, high: 0), count: rows)
      presence = [UInt8](repeating: 0, count: rows)
    }
    switch kind {
    case .text(let slot): try loadTexts(slot, reader)
    case .integer(let slot):
      try reader.loadIntegers(slot)
      for row in 0..<rows {
        keys[row] = TextKey(low: UInt64(bitPattern: slot.integers.values[row]), high: 0)
        presence[row] = slot.integers.validity?[row] ?? 1
      }
    case .real(let slot):
      try reader.loadReals(slot)
      for row in 0..<rows {
        // Adding 0 makes −0 and 0 one value.
        keys[row] = TextKey(low: (slot.reals.values[row] + 0).bitPattern, high: 0)
        presence[row] = slot.reals.validity?[row] ?? 1
      }
    case .money(let slot, let high, let unpriced):
      try loadAmounts(slot, high, unpriced, reader)
    case .none: Kernels.set(&presence, 0, rows: rows)
    }
  }

  private func loadTexts(_ slot: ColumnSlot, _ reader: BlockReader) throws(StoreError) {
    if slot.kind != .text { try reader.loadCodes(slot) } else { try reader.loadText(slot) }
    // Local values: a class's property would be checked for overlapping access at every row.
    var rowKeys: [TextKey] = []
    var rowPresence: [UInt8] = []
    swap(&rowKeys, &keys)
    swap(&rowPresence, &presence)
    if slot.kind != .text {
      let codes = slot.codes
      let (known, present) = keysOfCodes()
      for row in 0..<reader.rowCount {
        let code = Int(codes[row])
        rowPresence[row] = present[code]
        rowKeys[row] = known[code]
      }
    } else {
      let text = slot.text
      let bytes = text.bytes
      let fallback = slot.defaultText
      for row in 0..<reader.rowCount {
        if let range = text.range(row) {
          rowKeys[row] = TextKey(bytes.span, range)
          rowPresence[row] = 1
        } else {
          rowPresence[row] = fallback == nil ? 0 : 1
          if let fallback { rowKeys[row] = TextKey(fallback) }
        }
      }
    }
    swap(&rowKeys, &keys)
    swap(&rowPresence, &presence)
  }

  private func loadAmounts(
    _ slot: ColumnSlot, _ high: ColumnSlot, _ unpriced: TextMask?, _ reader: BlockReader
  ) throws(StoreError) {
    try reader.loadIntegers(slot)
    if high.kind != nil { try reader.loadIntegers(high) }
    var hidden = [UInt8](repeating: 0, count: reader.rowCount)
    if let unpriced { try unpriced.fill(&hidden, reader) }
    for row in 0..<reader.rowCount {
      let low = slot.integers.values[row]
      let amount =
        high.kind == nil ? Int128(low) : wideAmount(high: high.integers.values[row], low: low)
      keys[row] = TextKey(
        low: UInt64(truncatingIfNeeded: amount), high: UInt64(truncatingIfNeeded: amount >> 64))
      presence[row] = (slot.integers.validity?[row] ?? 1) & (1 - hidden[row])
    }
  }
}
