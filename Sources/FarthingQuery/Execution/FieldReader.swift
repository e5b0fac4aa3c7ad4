internal import FarthingCore
internal import FarthingStore

/// Reads one field of single rows as values for people.
final class FieldReader {
  private let field: RequestField
  private let source: FieldSource
  private var slots: [ColumnSlot] = []
  /// By slot and code of the segment at hand, made when it is first met.
  private var codeTexts: [[QueryValue?]] = []

  init(_ field: RequestField, _ reader: BlockReader) {
    self.field = field
    source = FieldSource(field)
    switch source {
    case .text(let name), .integer(let name), .boolean(let name), .real(let name), .time(let name):
      slots = [reader.slot(name)]
    case .money(let name, let state):
      slots = [reader.slot(name), reader.slot(name.high)]
      if let state { slots.append(reader.slot(state)) }
    case .object(let isTags):
      slots = reader.objectNames(isTags: isTags).map { reader.slot($0) }
    }
    enterSegment()
  }

  func enterSegment() { codeTexts = [[QueryValue?]](repeating: [], count: slots.count) }

  /// The values of rows of the reader's block.
  func values(_ rows: [Int], _ reader: BlockReader) throws(StoreError) -> [QueryValue] {
    var values: [QueryValue] = []
    values.reserveCapacity(rows.count)
    switch source {
    case .text where slots[0].kind != .text:
      try reader.loadCodes(slots[0])
      let codes = slots[0].codes
      for row in rows { values.append(text(place: 0, code: Int(codes[row]))) }
    case .real where slots[0].kind != nil:
      try reader.loadReals(slots[0])
      let reals = slots[0].reals
      for row in rows {
        let isPresent = reals.validity.map { $0[row] != 0 } ?? true
        values.append(isPresent ? .real(reals.values[row]) : .null)
      }
    case .money where slots[1].kind == nil && (slots.count < 3 || slots[2].kind == .codes):
      try amounts(rows, reader, into: &values)
    default:
      for row in rows { values.append(try value(row, reader)) }
    }
    return values
  }

  /// The amounts of rows of a column without a companion, whose states are codes.
  private func amounts(
    _ rows: [Int], _ reader: BlockReader, into values: inout [QueryValue]
  ) throws(StoreError) {
    let isMoney = field.kind != .integer
    var isUnpriced: [Bool] = []
    var states: [UInt32] = []
    if slots.count > 2 {
      try reader.loadCodes(slots[2])
      states = slots[2].codes
      isUnpriced = (0..<slots[2].codeCount).map { code in
        text(place: 2, code: code) == .text("unpriced")
      }
    }
    try reader.loadIntegers(slots[0])
    let amounts = slots[0].integers
    for row in rows {
      let isPresent = amounts.validity.map { $0[row] != 0 } ?? (slots[0].kind != nil)
      if !isPresent || !states.isEmpty && isUnpriced[Int(states[row])] {
        values.append(.null)
      } else {
        let amount = Int128(amounts.values[row])
        values.append(isMoney ? .money(amount) : .count(amount))
      }
    }
  }

  /// The value of a row of the reader's block; defaults are shown, absence is null.
  func value(_ row: Int, _ reader: BlockReader) throws(StoreError) -> QueryValue {
    switch source {
    case .text: return try text(0, row, reader)
    case .integer:
      return try integer(slots[0], row, reader).map { .count(Int128($0)) } ?? .null
    case .boolean: return try integer(slots[0], row, reader).map { .boolean($0 != 0) } ?? .null
    case .time: return try integer(slots[0], row, reader).map { .time($0) } ?? .null
    case .real:
      if slots[0].kind == nil { return .null }
      try reader.loadReals(slots[0])
      let isPresent = slots[0].reals.validity.map { $0[row] != 0 } ?? true
      return isPresent ? .real(slots[0].reals.values[row]) : .null
    case .money: return try amount(row, reader)
    case .object(let isTags): return try object(isTags, row, reader)
    }
  }

  private func integer(
    _ slot: ColumnSlot, _ row: Int, _ reader: BlockReader
  ) throws(StoreError) -> Int64? {
    if slot.kind == nil, slot.name.rawValue != "attempt" { return nil }
    try reader.loadIntegers(slot)
    let isPresent = slot.integers.validity.map { $0[row] != 0 } ?? true
    return isPresent ? slot.integers.values[row] : nil
  }

  private func text(
    _ place: Int, _ row: Int, _ reader: BlockReader
  ) throws(StoreError) -> QueryValue {
    let slot = slots[place]
    if slot.kind == .text {
      try reader.loadText(slot)
      let fallback = slot.defaultText.map { String(decoding: $0, as: UTF8.self) }
      return (slot.text.string(row) ?? fallback).map { .text($0) } ?? .null
    }
    try reader.loadCodes(slot)
    return text(place: place, code: Int(slot.codes[row]))
  }

  private func text(place: Int, code: Int) -> QueryValue {
    let slot = slots[place]
    if codeTexts[place].isEmpty {
      codeTexts[place].append(contentsOf: repeatElement(nil, count: slot.codeCount))
    }
    if let known = codeTexts[place][code] { return known }
    let made = text(ofCode: code, slot)
    codeTexts[place][code] = made
    return made
  }

  private func text(ofCode code: Int, _ slot: ColumnSlot) -> QueryValue {
    // The codes of `usage` go beyond the dictionary: the last two are its defaults.
    if !slot.isUsage, code != 0, let text = slot.dictionary?.string(of: UInt32(code)) {
      return .text(text)
    }
    var value = QueryValue.null
    slot.forEachCode { number, bytes, range, isPresent in
      if number == code, isPresent { value = .text(FieldReader.string(bytes, range)) }
    }
    return value
  }

  private static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    var copy: [UInt8] = []
    for index in range { copy.append(bytes[index]) }
    return String(decoding: copy, as: UTF8.self)
  }

  private func amount(_ row: Int, _ reader: BlockReader) throws(StoreError) -> QueryValue {
    if slots.count > 2, try text(2, row, reader) == .text("unpriced") { return .null }
    guard let low = try integer(slots[0], row, reader) else { return .null }
    var amount = Int128(low)
    if slots[1].kind != nil {
      try reader.loadIntegers(slots[1])
      amount = wideAmount(high: slots[1].integers.values[row], low: low)
    }
    return field.kind == .integer ? .count(amount) : .money(amount)
  }

  private func object(
    _ isTags: Bool, _ row: Int, _ reader: BlockReader
  ) throws(StoreError) -> QueryValue {
    var entries: [String] = []
    for (place, slot) in slots.enumerated() where slot.kind != nil {
      let name = slot.name.entryName ?? ""
      if isTags {
        if case .text(let text) = try text(place, row, reader) {
          entries.append("\(FieldReader.quoted(name)):\(FieldReader.quoted(text))")
        }
      } else if let count = try integer(slot, row, reader) {
        entries.append("\(FieldReader.quoted(name)):\(count)")
      }
    }
    return entries.isEmpty ? .null : .object("{\(entries.joined(separator: ","))}")
  }

  /// A JSON string. Texts of the contract hold no control characters, so two escapes are enough.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }
}
