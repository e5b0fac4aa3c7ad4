// Tags and units whose names have no column of their own.
//
// A segment gives a column to the first 512 tag names and 128 unit names that its rows show. What
// has a further name stands in one text column, `tags` or `units`: for each row its entries one
// after another, each a name and a value. Reading `tags.NAME` looks through them, so an answer does
// not depend on whether a name was early enough.

enum OverflowEntries {
  /// Calls `body` with every entry of a block: its row, its name, and its text or its count.
  static func forEach(
    in column: TextColumn, isTags: Bool,
    _ body: (Int, ArraySlice<UInt8>, ArraySlice<UInt8>, Int64) -> Void
  ) throws(EncodingFault) {
    let bytes = column.bytes.span
    for row in 0..<column.count {
      guard let range = column.range(row) else { continue }
      let text = bytes.extracting(range)
      var cursor = ByteCursor(text)
      while cursor.remaining > 0 {
        let name = try cursor.counted(text)
        let value = isTags ? try cursor.counted(text) : 0..<0
        let count = isTags ? 0 : try cursor.signed(text)
        let start = range.lowerBound
        body(
          row, column.bytes[start + name.lowerBound..<start + name.upperBound],
          column.bytes[start + value.lowerBound..<start + value.upperBound], count)
      }
    }
  }

  /// Reads the values of one tag out of a block of `tags`.
  static func texts(
    named name: [UInt8], in column: TextColumn, into target: inout TextColumn
  ) throws(EncodingFault) {
    var values = [ArraySlice<UInt8>?](repeating: nil, count: column.count)
    try forEach(in: column, isTags: true) { row, entryName, value, _ in
      if entryName.elementsEqual(name) { values[row] = value }
    }
    target.removeAll()
    for value in values { target.append(value ?? []) }
    target.validity = values.map { $0 == nil ? 0 : 1 }
  }

  /// Reads the counts of one unit out of a block of `units`.
  static func counts(
    named name: [UInt8], in column: TextColumn, into target: inout IntegerColumn
  ) throws(EncodingFault) {
    var counts = [Int64?](repeating: nil, count: column.count)
    try forEach(in: column, isTags: false) { row, entryName, _, count in
      if entryName.elementsEqual(name) { counts[row] = count }
    }
    target.markAllAbsent(count: column.count)
    for (row, count) in counts.enumerated() {
      guard let count else { continue }
      target.values[row] = count
      target.validity?[row] = 1
    }
  }
}
