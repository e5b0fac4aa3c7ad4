internal import FarthingCore

// One table's rows into another, column by column.
//
// Workers fill small tables side by side; the writer takes their rows over. A column of numbers is
// copied, a column of codes goes through a map from the small table's codes to the large one's, so
// the writer looks each text up once a batch and not once a row.
//
// Unsafe as in `RowTable.swift`. Which bytes: source rows are checked to lie below the source's
// `rowCount`, target rows below this table's capacity, before any cell is touched; codes of the
// source are below the size of their map because its dictionary gave them, which is checked too.

extension RowTable {
  /// Appends rows of another table.
  ///
  /// - Parameters:
  ///   - taken: the rows to take, ascending; nil for all.
  ///   - receivedTime: their arrival, Unix nanoseconds; what the other table says of it does not
  ///     count.
  ///   - codes: working memory, for reuse between calls.
  /// - Returns: the range of the new rows' times; nil where none was taken.
  /// - Complexity: O(values); with all rows, also the texts of the other table.
  func absorb(
    _ other: RowTable, _ taken: [UInt32]?, receivedTime: Int64, codes: inout [UInt32]
  ) -> ClosedRange<Int64>? {
    let count = taken?.count ?? other.rowCount
    guard count > 0 else { return nil }
    precondition(
      rowCount + count <= capacity && Int(taken?.max() ?? 0) < other.rowCount,
      "BUG: \(count) of \(other.rowCount) rows do not fit")
    for place in 0..<Place.tags where unsafe other.slots[place].cells != nil {
      if place == Place.overflowTags || place == Place.overflowUnits { continue }
      if place == Place.receivedTime { continue }
      if place >= Place.integers {
        absorbNumbers(other, from: place, to: place, taken)
      } else if place < TextField.allCases.count, Self.plainTexts & (1 &<< UInt32(place)) != 0 {
        absorbTexts(other, at: place, taken)
      } else {
        absorbCodes(other, from: place, to: place, taken, &codes)
      }
    }
    let time = fill(receivedTime: receivedTime, count: count)
    absorbEntries(other, taken, codes: &codes)
    rowCount += count
    return time
  }

  private func fill(receivedTime: Int64, count: Int) -> ClosedRange<Int64>? {
    let target = unsafe numbers(Place.receivedTime)
    let value = UInt64(bitPattern: receivedTime) ^ 1 &<< 63
    unsafe target.update(repeating: value, count: count)
    // Flipped cells compare as unsigned as their numbers do as signed.
    let times = unsafe numbers(Place.time)
    var least = UInt64.max
    var greatest: UInt64 = 0
    for index in 0..<count {
      let time = unsafe times[index]
      least = min(least, time)
      greatest = max(greatest, time)
    }
    return Int64(bitPattern: least ^ 1 &<< 63)...Int64(bitPattern: greatest ^ 1 &<< 63)
  }

  /// The cells from the next row on.
  private func numbers(_ place: Int) -> UnsafeMutablePointer<UInt64> {
    unsafe cells(place, stride: 8).assumingMemoryBound(to: UInt64.self) + rowCount
  }

  private func codeCells(_ place: Int) -> UnsafeMutablePointer<UInt32> {
    unsafe cells(place, stride: 4).assumingMemoryBound(to: UInt32.self) + rowCount
  }

  private func absorbNumbers(_ other: RowTable, from: Int, to place: Int, _ taken: [UInt32]?) {
    guard let cells = unsafe other.slots[from].cells else { return }
    let source = unsafe cells.assumingMemoryBound(to: UInt64.self)
    guard let taken else {
      unsafe numbers(place).update(from: source, count: other.rowCount)
      return
    }
    // Cells are zero beforehand, and a column without a value must not come into being.
    for index in taken.indices {
      let cell = unsafe source[Int(taken[index])]
      if cell != 0 { unsafe numbers(place)[index] = cell }
    }
  }

  /// - Parameter codes: becomes the map from the other table's codes, at least as far as it is used.
  private func absorbCodes(
    _ other: RowTable, from: Int, to place: Int, _ taken: [UInt32]?, _ codes: inout [UInt32]
  ) {
    guard let cells = unsafe other.slots[from].cells else { return }
    let source = unsafe cells.assumingMemoryBound(to: UInt32.self)
    if let taken {
      let texts = unsafe other.slots[from].dictionary.count
      codes.removeAll(keepingCapacity: true)
      codes.append(contentsOf: repeatElement(0, count: texts + 1))
      for index in taken.indices {
        let code = unsafe Int(source[Int(taken[index])])
        if code == 0 { continue }
        if codes[code] == 0 {
          unsafe other.slots[from].dictionary.withText(code) { text, length in
            codes[code] = unsafe slots[place].dictionary.code(text, length)
          }
        }
        unsafe codeCells(place)[index] = codes[code]
      }
      return
    }
    unsafe slots[place].dictionary.take(other.slots[from].dictionary, into: &codes)
    let target = unsafe codeCells(place)
    unsafe codes.withUnsafeBufferPointer { codes in
      let last = UInt32(truncatingIfNeeded: codes.count &- 1)
      for row in 0..<other.rowCount {
        let code = unsafe source[row]
        precondition(code <= last, "BUG: code \(code) of \(last)")
        unsafe target[row] = unsafe codes[Int(code)]
      }
    }
  }

  private func absorbTexts(_ other: RowTable, at place: Int, _ taken: [UInt32]?) {
    guard let cells = unsafe other.slots[place].cells, let arena = unsafe other.slots[place].arena
    else { return }
    let lengths = unsafe cells.assumingMemoryBound(to: UInt32.self)
    guard let taken else {
      unsafe appendPlain(arena, other.slots[place].arenaUsed, at: place)
      unsafe codeCells(place).update(from: lengths, count: other.rowCount)
      return
    }
    var start = 0
    var row = 0
    for index in taken.indices {
      while row < Int(taken[index]) {
        start += unsafe max(0, Int(lengths[row]) - 1)
        row += 1
      }
      let length = unsafe Int(lengths[row])
      if length == 0 { continue }
      unsafe appendPlain(arena + start, length - 1, at: place)
      unsafe codeCells(place)[index] = UInt32(length)
    }
  }

  /// Puts bytes at the end of a text column's arena.
  private func appendPlain(_ bytes: UnsafePointer<UInt8>, _ count: Int, at place: Int) {
    let used = unsafe slots[place].arenaUsed
    if unsafe used + count > slots[place].arenaSize || slots[place].arena == nil {
      growArena(place, by: count)
    }
    guard let arena = unsafe slots[place].arena else { return }
    unsafe (arena + used).update(from: bytes, count: count)
    unsafe slots[place].arenaUsed = used + count
  }

  // MARK: - Tags and units

  private func absorbEntries(
    _ other: RowTable, _ taken: [UInt32]?, codes: inout [UInt32]
  ) {
    var names: [UInt32] = []
    unsafe tagNames.pointee.take(other.tagNames.pointee, upTo: Self.maximumTags, into: &names)
    var tagsLeftOver: [Int] = []
    for number in 1..<max(names.count, 1) {
      let from = Place.tags + number - 1
      guard unsafe other.slots[from].cells != nil else { continue }
      if names[number] == 0 {
        tagsLeftOver.append(number)
        continue
      }
      let place = Place.tags + Int(names[number]) - 1
      absorbCodes(other, from: from, to: place, taken, &codes)
    }
    if unsafe !tagsLeftOver.isEmpty || other.slots[Place.overflowTags].cells != nil {
      absorbOverflow(other, taken, leftOver: tagsLeftOver, isTags: true)
    }
    unsafe unitNames.pointee.take(other.unitNames.pointee, upTo: Self.maximumUnits, into: &names)
    var unitsLeftOver: [Int] = []
    for number in 1..<max(names.count, 1) {
      let from = Place.units + number - 1
      guard unsafe other.slots[from].cells != nil else { continue }
      if names[number] == 0 {
        unitsLeftOver.append(number)
      } else {
        absorbNumbers(
          other, from: from, to: Place.units + Int(names[number]) - 1, taken)
      }
    }
    if unsafe !unitsLeftOver.isEmpty || other.slots[Place.overflowUnits].cells != nil {
      absorbOverflow(other, taken, leftOver: unitsLeftOver, isTags: false)
    }
  }

  /// Takes over, row by row, what has no column there or here.
  private func absorbOverflow(
    _ other: RowTable, _ taken: [UInt32]?, leftOver: [Int], isTags: Bool
  ) {
    let place = isTags ? Place.overflowTags : Place.overflowUnits
    let offsets = other.plainOffsets(at: place)
    let first = rowCount
    defer { rowCount = first }
    let rows = taken?.map(Int.init) ?? Array(0..<other.rowCount)
    for (index, row) in rows.enumerated() {
      if let arena = unsafe other.slots[place].arena {
        let range = Int(offsets[row])..<Int(offsets[row + 1])
        unsafe overflow.append(
          contentsOf: UnsafeBufferPointer(start: arena + range.lowerBound, count: range.count))
      }
      for number in leftOver {
        if isTags {
          appendLeftOverTag(of: other, number, row: row)
        } else {
          appendLeftOverUnit(of: other, number, row: row)
        }
      }
      rowCount = first + index
      if !overflow.isEmpty { flushOverflow(to: place) }
    }
  }

  private func appendLeftOverTag(of other: RowTable, _ number: Int, row: Int) {
    let from = Place.tags + number - 1
    guard let cells = unsafe other.slots[from].cells else { return }
    let code = unsafe Int(cells.assumingMemoryBound(to: UInt32.self)[row])
    guard code > 0 else { return }
    unsafe other.tagNames.pointee.withText(number) { unsafe addOverflow($0, $1) }
    unsafe other.slots[from].dictionary.withText(code) { text, length in
      overflow.append(variable: UInt64(length))
      unsafe overflow.append(contentsOf: UnsafeBufferPointer(start: text, count: length))
    }
  }

  private func appendLeftOverUnit(of other: RowTable, _ number: Int, row: Int) {
    guard let cells = unsafe other.slots[Place.units + number - 1].cells else { return }
    let cell = unsafe cells.assumingMemoryBound(to: UInt64.self)[row]
    guard cell != 0 else { return }
    unsafe other.unitNames.pointee.withText(number) { unsafe addOverflow($0, $1) }
    overflow.append(signed: Int64(bitPattern: cell ^ 1 &<< 63))
  }
}
