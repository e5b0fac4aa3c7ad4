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
  /// The keys of the block that was loaded last.
  private(set) var block = KeyBlock()
  /// By code of the segment at hand, made when the first of its blocks is read.
  private var codeKeys: CodeKeys?
  private var loadedBlock = -1

  init(_ field: RequestField, _ reader: BlockReader) {
    switch FieldSource(field) {
    case .text(let name):
      // Keys are enough, but for a default, which has a text and no code.
      let hasDefault = field.defaultText != nil || name.rawValue == "usage"
      kind = .text(reader.slot(name, wantsTexts: hasDefault))
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
    codeKeys = nil
    if case .money(_, _, let unpriced?) = kind { unpriced.enterSegment() }
  }

  /// The keys of the codes of the segment at hand, where it holds the field as codes.
  func keysOfCodes(_ reader: BlockReader) throws(StoreError) -> CodeKeys {
    if let codeKeys { return codeKeys }
    guard let slot = codeSlot else {
      preconditionFailure("BUG: got no codes of a field that is read by code")
    }
    let made = try CodeKeys(slot, reader)
    codeKeys = made
    return made
  }

  /// Makes the keys of the reader's block, once.
  func load(_ reader: BlockReader) throws(StoreError) {
    if loadedBlock == reader.block { return }
    loadedBlock = reader.block
    // A local value: a class's property would be checked for overlapping access at every row.
    var made = KeyBlock()
    swap(&made, &block)
    defer { swap(&made, &block) }
    switch kind {
    case .text(let slot): try loadTexts(slot, reader, into: &made)
    case .integer(let slot):
      try reader.loadIntegers(slot)
      let values = slot.integers.values
      FieldKeys.resize(&made.lower, reader.rowCount)
      for row in 0..<reader.rowCount { made.lower[row] = UInt64(bitPattern: values[row]) }
      made.upperHalf = 0
      made.validity = slot.integers.validity
    case .real(let slot):
      try reader.loadReals(slot)
      let values = slot.reals.values
      FieldKeys.resize(&made.lower, reader.rowCount)
      // Adding 0 makes −0 and 0 one value.
      for row in 0..<reader.rowCount { made.lower[row] = (values[row] + 0).bitPattern }
      made.upperHalf = 0
      made.validity = slot.reals.validity
    case .money(let slot, let high, let unpriced):
      try loadAmounts(slot, high, unpriced, reader, into: &made)
    case .none: made.validity = [UInt8](repeating: 0, count: reader.rowCount)
    }
  }

  private static func resize(_ halves: inout [UInt64], _ count: Int) {
    if halves.count < count { halves = [UInt64](repeating: 0, count: count) }
  }

  private func loadTexts(
    _ slot: ColumnSlot, _ reader: BlockReader, into made: inout KeyBlock
  ) throws(StoreError) {
    guard slot.kind == .text else { return try loadCodes(slot, reader, into: &made) }
    if slot.defaultText == nil {
      // Given back first, so that the reader can fill it in place.
      made.lower = []
      made.validity = nil
      if try reader.loadKeys(slot) {
        made.lower = slot.keys.keys
        made.upperHalf = slot.keys.upperHalf
        made.validity = slot.keys.validity
        return
      }
    }
    try reader.loadText(slot)
    let rows = reader.rowCount
    let text = slot.text
    let bytes = text.bytes
    let fallback = slot.defaultText.map { TextKey($0) }
    var validity = [UInt8](repeating: 1, count: rows)
    FieldKeys.resize(&made.lower, rows)
    FieldKeys.resize(&made.upper, rows)
    for row in 0..<rows {
      var key = fallback
      if let range = text.range(row) { key = TextKey(bytes.span, range) }
      made.lower[row] = key?.low ?? 0
      made.upper[row] = key?.high ?? 0
      if key == nil { validity[row] = 0 }
    }
    made.upperHalf = nil
    made.validity = validity
  }

  private func loadCodes(
    _ slot: ColumnSlot, _ reader: BlockReader, into made: inout KeyBlock
  ) throws(StoreError) {
    try reader.loadCodes(slot)
    let rows = reader.rowCount
    let codes = slot.codes
    let known = try keysOfCodes(reader)
    FieldKeys.resize(&made.lower, rows)
    for row in 0..<rows { made.lower[row] = known.lower[Int(codes[row])] }
    made.upperHalf = known.upperHalf
    if known.upperHalf == nil {
      FieldKeys.resize(&made.upper, rows)
      for row in 0..<rows { made.upper[row] = known.upper[Int(codes[row])] }
    }
    made.validity = nil
    if !known.hasDefault {
      var validity = [UInt8](repeating: 1, count: rows)
      for row in 0..<rows where codes[row] == 0 { validity[row] = 0 }
      made.validity = validity
    }
  }

  private func loadAmounts(
    _ slot: ColumnSlot, _ high: ColumnSlot, _ unpriced: TextMask?, _ reader: BlockReader,
    into made: inout KeyBlock
  ) throws(StoreError) {
    try reader.loadIntegers(slot)
    if high.kind != nil { try reader.loadIntegers(high) }
    let rows = reader.rowCount
    var hidden = [UInt8](repeating: 0, count: rows)
    if let unpriced { try unpriced.fill(&hidden, reader) }
    var validity = [UInt8](repeating: 1, count: rows)
    FieldKeys.resize(&made.lower, rows)
    FieldKeys.resize(&made.upper, rows)
    for row in 0..<rows {
      let low = slot.integers.values[row]
      let amount =
        high.kind == nil ? Int128(low) : wideAmount(high: high.integers.values[row], low: low)
      made.lower[row] = UInt64(truncatingIfNeeded: amount)
      made.upper[row] = UInt64(truncatingIfNeeded: amount >> 64)
      validity[row] = (slot.integers.validity?[row] ?? 1) & (1 - hidden[row])
    }
    made.upperHalf = nil
    made.validity = validity
  }
}
