internal import FarthingCore

// A table's rows as bytes of a log record, column by column: docs/format/log.md.
//
// Whole columns go out in loops over flat memory, and a text of a column of codes once a record
// instead of once a row. Unsafe as in `RowTable.swift`; stores of eight bytes at a row's place may
// reach beyond it, and seven bytes more than the column takes are asked for.

extension RowTable {
  /// Appends the rows, but for when and through what they arrived, which the record says once.
  ///
  /// - Complexity: O(values), some 0.1 µs a row.
  func append(recordTo bytes: inout [UInt8]) {
    let tags = usedEntries(from: Place.tags, names: entryCount(units: false))
    let units = usedEntries(from: Place.units, names: entryCount(units: true))
    let fixed = RecordColumn.fixed.filter { isUsed($0.place) }
    bytes.append(variable: UInt64(rowCount))
    bytes.append(variable: UInt64(fixed.count + tags.count + units.count))
    for column in fixed {
      bytes.append(column.number)
      if column.number < RecordColumn.costState {
        bytes.append(column.kind == .text ? RecordColumn.plain : RecordColumn.coded)
      }
      switch column.kind {
      case .code: appendCodes(at: column.place, to: &bytes)
      case .text: appendPlainTexts(at: column.place, to: &bytes)
      case .number: appendNumbers(at: column.place, to: &bytes)
      }
    }
    for code in tags {
      bytes.append(RecordColumn.tag)
      unsafe tagNames.pointee.append(textOf: code, to: &bytes)
      appendCodes(at: Place.tags + code - 1, to: &bytes)
    }
    for code in units {
      bytes.append(RecordColumn.unit)
      unsafe unitNames.pointee.append(textOf: code, to: &bytes)
      appendNumbers(at: Place.units + code - 1, to: &bytes)
    }
  }

  private func entryCount(units: Bool) -> Int {
    unsafe units ? unitNames.pointee.count : tagNames.pointee.count
  }

  private func usedEntries(from first: Int, names: Int) -> [Int] {
    names == 0 ? [] : (1...names).filter { isUsed(first + $0 - 1) }
  }

  private func appendCodes(at place: Int, to bytes: inout [UInt8]) {
    guard let cells = unsafe slots[place].cells else { return }
    unsafe slots[place].dictionary.append(textsTo: &bytes)
    let count = unsafe slots[place].dictionary.count
    let codes = unsafe cells.assumingMemoryBound(to: UInt32.self)
    unsafe appendSmall(codes, isConstant: count == 1 && isConstant(codes), greatest: count, &bytes)
  }

  private func appendPlainTexts(at place: Int, to bytes: inout [UInt8]) {
    guard let cells = unsafe slots[place].cells else { return }
    let lengths = unsafe cells.assumingMemoryBound(to: UInt32.self)
    var greatest: UInt32 = 0
    for row in 0..<rowCount { greatest = unsafe max(greatest, lengths[row]) }
    let isConstant = unsafe isConstant(lengths)
    unsafe appendSmall(lengths, isConstant: isConstant, greatest: Int(greatest), &bytes)
    if isConstant { bytes.append(variable: UInt64(greatest)) }
    guard let arena = unsafe slots[place].arena else { return }
    unsafe bytes.append(
      contentsOf: UnsafeBufferPointer(start: arena, count: slots[place].arenaUsed))
  }

  /// Whether all rows have the same cell, which is not absent.
  private func isConstant(_ cells: UnsafePointer<UInt32>) -> Bool {
    let first = unsafe cells[0]
    guard first != 0 else { return false }
    for row in 1..<max(1, rowCount) where unsafe cells[row] != first { return false }
    return true
  }

  /// Appends the width of a row's cell in bytes, and the cells.
  private func appendSmall(
    _ cells: UnsafePointer<UInt32>, isConstant: Bool, greatest: Int, _ bytes: inout [UInt8]
  ) {
    let width = isConstant ? 0 : greatest < 1 << 8 ? 1 : greatest < 1 << 16 ? 2 : 4
    bytes.append(UInt8(width))
    guard width > 0 else { return }
    let rows = rowCount
    bytes.append(addingCapacity: rows * width) { (added: inout OutputSpan<UInt8>) in
      unsafe added.withUnsafeMutableBufferPointer { target, initialized in
        guard let base = target.baseAddress else { return }
        let first = UnsafeMutableRawPointer(base)
        switch width {
        case 1:
          for row in 0..<rows {
            unsafe first.storeBytes(
              of: UInt8(truncatingIfNeeded: cells[row]), toByteOffset: row, as: UInt8.self)
          }
        case 2:
          for row in 0..<rows {
            unsafe first.storeBytes(
              of: UInt16(truncatingIfNeeded: cells[row]).littleEndian, toByteOffset: row &* 2,
              as: UInt16.self)
          }
        default:
          for row in 0..<rows {
            unsafe first.storeBytes(
              of: cells[row].littleEndian, toByteOffset: row &* 4, as: UInt32.self)
          }
        }
        initialized = rows * width
      }
    }
  }

  /// Appends numbers as their distance from the least one, plus 1; 0 is absent.
  private func appendNumbers(at place: Int, to bytes: inout [UInt8]) {
    guard let memory = unsafe slots[place].cells else { return }
    let cells = unsafe memory.assumingMemoryBound(to: UInt64.self)
    let rows = rowCount
    var least = UInt64.max
    var greatest: UInt64 = 0
    var isPresent = true
    for row in 0..<rows {
      let cell = unsafe cells[row]
      // An absent one wraps to the greatest and so does not count.
      least = min(least, cell &- 1)
      greatest = max(greatest, cell)
      isPresent = isPresent && cell != 0
    }
    // `least` is one below the least cell, so a cell less `least` is at least 1.
    let width: Int
    if isPresent, greatest == least &+ 1 {
      width = 0
    } else {
      let bits = UInt64.bitWidth - (greatest &- least).leadingZeroBitCount
      width = greatest == 0 ? 1 : (bits + 7) / 8
    }
    bytes.append(UInt8(width))
    let origin = greatest == 0 ? 0 : least
    bytes.append(signed: Int64(bitPattern: (origin &+ 1) ^ 1 &<< 63))
    guard width > 0 else { return }
    bytes.append(addingCapacity: rows * width + 7) { (added: inout OutputSpan<UInt8>) in
      unsafe added.withUnsafeMutableBufferPointer { target, initialized in
        guard let base = target.baseAddress else { return }
        let first = UnsafeMutableRawPointer(base)
        var place = 0
        for row in 0..<rows {
          let cell = unsafe cells[row]
          let value = cell == 0 ? 0 : cell &- origin
          unsafe first.storeBytes(of: value.littleEndian, toByteOffset: place, as: UInt64.self)
          place &+= width
        }
        initialized = rows * width
      }
    }
  }
}
