internal import FarthingCore

// Reading rows back out of a write buffer. Unsafe as in `RowTable.swift`: rows are checked to lie below
// the capacity, texts inside their arena, before a pointer is used.

extension RowTable {
  /// The names of the tags, or of the units, that have a column; the n-th is at the n-th place.
  func entryNames(units: Bool) -> [String] {
    let texts = unsafe units ? unitNames.pointee.texts() : tagNames.pointee.texts()
    return (0..<texts.count).map { texts.string($0) ?? "" }
  }

  /// Whether a row has a value at `place`.
  func isUsed(_ place: Int) -> Bool {
    unsafe slots[place].cells != nil
  }

  /// How many texts a column of codes has.
  func entryCount(at place: Int) -> Int { unsafe slots[place].dictionary.count }

  /// The texts of a column of codes.
  func texts(at place: Int) -> TextColumn {
    unsafe slots[place].dictionary.texts()
  }

  /// Copies the codes of the rows at `order[rows]` into `codes`.
  func gatherCodes(
    at place: Int, order: [UInt32], rows: Range<Int>, into codes: inout [UInt32]
  ) {
    resize(&codes, to: rows.count)
    guard let cells = unsafe slots[place].cells else { return codes.clear() }
    precondition(rows.lowerBound >= 0 && rows.upperBound <= order.count, "BUG: rows \(rows)")
    let source = unsafe cells.assumingMemoryBound(to: UInt32.self)
    unsafe order.withUnsafeBufferPointer { order in
      unsafe codes.withUnsafeMutableBufferPointer { target in
        for index in 0..<rows.count {
          let row = unsafe Int(order[rows.lowerBound &+ index])
          precondition(row < capacity, "BUG: row \(row)")
          unsafe target[index] = source[row]
        }
      }
    }
  }

  /// Copies the numbers of the rows at `order[rows]` into `values`: an absent one is `Int64.min`.
  ///
  func gatherNumbers(
    at place: Int, order: [UInt32], rows: Range<Int>, into values: inout [Int64]
  ) {
    resize(&values, to: rows.count)
    guard let cells = unsafe slots[place].cells else {
      for index in values.indices { values[index] = .min }
      return
    }
    precondition(rows.lowerBound >= 0 && rows.upperBound <= order.count, "BUG: rows \(rows)")
    let source = unsafe cells.assumingMemoryBound(to: UInt64.self)
    unsafe order.withUnsafeBufferPointer { order in
      unsafe values.withUnsafeMutableBufferPointer { target in
        for index in 0..<rows.count {
          let row = unsafe Int(order[rows.lowerBound &+ index])
          precondition(row < capacity, "BUG: row \(row)")
          let cell = unsafe source[row]
          unsafe target[index] = Int64(bitPattern: cell ^ 1 &<< 63)
        }
      }
    }
  }

  /// Calls `body` with the codes of all rows, nil where no row has one.
  func withCodes<Result>(
    at place: Int, _ body: (UnsafePointer<UInt32>?) -> Result
  ) -> Result {
    unsafe body(
      slots[place].cells.map { unsafe UnsafePointer($0.assumingMemoryBound(to: UInt32.self)) })
  }

  /// Calls `body` with the cells of all rows of a column of numbers, nil where no row has one.
  func withNumbers<Result>(
    at place: Int, _ body: (UnsafePointer<UInt64>?) -> Result
  ) -> Result {
    unsafe body(
      slots[place].cells.map { unsafe UnsafePointer($0.assumingMemoryBound(to: UInt64.self)) })
  }

  /// Where the texts of a text column begin in its arena, one a row and the end.
  func plainOffsets(at place: Int) -> [UInt32] {
    var offsets = [UInt32](repeating: 0, count: rowCount + 1)
    guard let cells = unsafe slots[place].cells else { return offsets }
    let lengths = unsafe cells.assumingMemoryBound(to: UInt32.self)
    var sum: UInt32 = 0
    for row in 0..<rowCount {
      offsets[row] = sum
      sum &+= unsafe lengths[row] == 0 ? 0 : lengths[row] &- 1
    }
    offsets[rowCount] = sum
    return offsets
  }

  /// Copies the texts of the rows at `order[rows]` into `column`.
  ///
  /// - Parameter offsets: of ``plainOffsets(at:)``.
  func gatherTexts(
    at place: Int, offsets: [UInt32], order: [UInt32], rows: Range<Int>,
    into column: inout TextColumn
  ) {
    column.removeAll()
    guard let cells = unsafe slots[place].cells else { return }
    let lengths = unsafe cells.assumingMemoryBound(to: UInt32.self)
    let buffer = unsafe UnsafeBufferPointer(
      start: slots[place].arena, count: slots[place].arenaUsed)
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= order.count && offsets.count > rowCount,
      "BUG: rows \(rows)")
    var validity = [UInt8](repeating: 1, count: rows.count)
    var absent = 0
    resize(&column.offsets, to: rows.count + 1)
    column.offsets[0] = 0
    var total = 0
    for index in rows {
      let row = Int(order[index])
      precondition(row < rowCount, "BUG: row \(row)")
      if unsafe lengths[row] == 0 {
        validity[index - rows.lowerBound] = 0
        absent += 1
      } else {
        total += unsafe Int(lengths[row]) - 1
      }
      column.offsets[index - rows.lowerBound + 1] = UInt32(truncatingIfNeeded: total)
    }
    column.bytes.append(addingCapacity: total) { (added: inout OutputSpan<UInt8>) in
      unsafe added.withUnsafeMutableBufferPointer { target, initialized in
        guard let first = target.baseAddress, let arena = buffer.baseAddress else { return }
        for index in rows {
          let row = Int(order[index])
          let start = Int(offsets[row])
          let length = Int(offsets[row + 1]) - start
          precondition(
            start + length <= buffer.count && initialized + length <= total,
            "BUG: a text ends outside of its arena")
          unsafe (first + initialized).update(from: arena + start, count: length)
          initialized += length
        }
      }
    }
    column.validity = absent == 0 ? nil : validity
  }
}

extension [UInt32] {
  fileprivate mutating func clear() {
    for index in indices { self[index] = 0 }
  }
}
