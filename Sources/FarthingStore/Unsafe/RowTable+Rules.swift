internal import FarthingCore

// Columns in the order of arrival, for finding rules. Unsafe as in `RowTable.swift`: a slab has
// `maximumRows` cells, and the rows of each call are checked to lie below `rowCount`.

extension RowTable {
  /// Replaces `codes` by those of the rows; 0 where absent.
  func copyCodes(at place: Int, rows: Range<Int>, into codes: inout [UInt32]) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "BUG: rows \(rows)")
    resize(&codes, to: rows.count)
    unsafe withCodes(at: place) { cells in
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        guard let cells = unsafe cells else { return unsafe codes.update(repeating: 0) }
        for index in 0..<rows.count { unsafe codes[index] = cells[rows.lowerBound &+ index] }
      }
    }
  }

  /// Replaces `values` by the numbers of the rows; 0 where absent.
  func copyNumbers(at place: Int, rows: Range<Int>, into values: inout [Int64]) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "BUG: rows \(rows)")
    resize(&values, to: rows.count)
    unsafe withNumbers(at: place) { cells in
      unsafe values.withUnsafeMutableBufferPointer { values in
        guard let cells = unsafe cells else { return unsafe values.update(repeating: 0) }
        for index in 0..<rows.count {
          let cell = unsafe cells[rows.lowerBound &+ index]
          unsafe values[index] = cell == 0 ? 0 : Int64(bitPattern: cell ^ 1 &<< 63)
        }
      }
    }
  }

  /// Sets `remainders[rows]` to the numbers of the rows less `amounts`, wrapping.
  ///
  /// - Returns: how many are not 0; nil where a row has no number.
  func subtract(
    _ amounts: [Int64], at place: Int, rows: Range<Int>, into remainders: inout [Int64]
  ) -> Int? {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount && amounts.count == rows.count
        && remainders.count == rowCount, "BUG: rows \(rows)")
    return unsafe withNumbers(at: place) { cells in
      guard let cells = unsafe cells else { return nil }
      return unsafe amounts.withUnsafeBufferPointer { amounts in
        unsafe remainders.withUnsafeMutableBufferPointer { remainders in
          var different = 0
          var absent = 0
          for index in 0..<rows.count {
            let cell = unsafe cells[rows.lowerBound &+ index]
            let rest = unsafe Int64(bitPattern: cell ^ 1 &<< 63) &- amounts[index]
            absent &+= cell == 0 ? 1 : 0
            different &+= rest == 0 ? 0 : 1
            unsafe remainders[rows.lowerBound &+ index] = rest
          }
          return absent == 0 ? different : nil
        }
      }
    }
  }

  /// Least and greatest of the present numbers of a column; 0…0 where there is none.
  func range(at place: Int) -> ZoneMap {
    var least = UInt64.max
    var greatest: UInt64 = 0
    unsafe withNumbers(at: place) { cells in
      guard let cells = unsafe cells else { return }
      // With its highest bit flipped a signed number is ordered like an unsigned one.
      for row in 0..<rowCount {
        let cell = unsafe cells[row]
        least = min(least, cell == 0 ? .max : cell)
        greatest = max(greatest, cell)
      }
    }
    guard greatest > 0 else { return ZoneMap(minimum: 0, maximum: 0) }
    return ZoneMap(
      minimum: Int64(bitPattern: least ^ 1 &<< 63), maximum: Int64(bitPattern: greatest ^ 1 &<< 63))
  }
}
