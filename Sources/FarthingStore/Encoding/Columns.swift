// Decoded blocks of a column. All are made to be reused: reading into one that already has the
// size of a block allocates nothing.

/// A block of integers.
package struct IntegerColumn: Sendable {
  /// One a row; 0 where absent.
  package var values: [Int64] = []
  /// One a row, 1 where present and 0 where absent; nil where every row has a value.
  package var validity: [UInt8]?
  private var spare: [UInt8] = []

  package init() {}

  /// Marks every row as present, keeping the memory of `validity` for later.
  mutating func markAllPresent() {
    guard let bytes = validity else { return }
    spare = bytes
    validity = nil
  }

  /// Marks every row as absent, with the value 0.
  mutating func markAllAbsent(count: Int) {
    var bytes = takeValidity(count: count)
    resize(&values, to: count)
    for row in 0..<count {
      values[row] = 0
      bytes[row] = 0
    }
    validity = bytes
  }

  /// Takes the array for `count` rows out of this column, to be filled and put into `validity`.
  mutating func takeValidity(count: Int) -> [UInt8] {
    var bytes = validity ?? spare
    validity = nil
    spare = []
    resize(&bytes, to: count)
    return bytes
  }
}

/// A block of binary64 numbers.
package struct RealColumn: Sendable {
  /// One a row; 0 where absent.
  package var values: [Double] = []
  /// As in ``IntegerColumn/validity``.
  package var validity: [UInt8]?

  package init() {}
}

/// A block of texts.
package struct TextColumn: Sendable {
  /// The texts of all rows one after another.
  package var bytes: [UInt8] = []
  /// Where each row's text begins in `bytes`, and at last where the last one ends: rows + 1.
  package var offsets: [UInt32] = [0]
  /// As in ``IntegerColumn/validity``. An absent row has no bytes.
  package var validity: [UInt8]?

  package init() {}

  package var count: Int { offsets.count - 1 }

  /// Where the text of `row` stands in `bytes`; nil where it is absent.
  @inlinable
  package func range(_ row: Int) -> Range<Int>? {
    if let validity, validity[row] == 0 { return nil }
    return Int(offsets[row])..<Int(offsets[row + 1])
  }

  /// The text of `row`; nil where it is absent.
  package func string(_ row: Int) -> String? {
    range(row).map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  /// Appends a row's text; `validity` is the caller's to keep.
  package mutating func append(_ text: some Collection<UInt8>) {
    bytes.append(contentsOf: text)
    offsets.append(UInt32(truncatingIfNeeded: bytes.count))
  }

  /// Removes all rows, keeping the memory.
  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    offsets.removeAll(keepingCapacity: true)
    offsets.append(0)
    validity = nil
  }
}

/// A block of codes as runs of equal ones.
package struct CodeRuns: Sendable {
  /// One a run; every code is one of the segment's.
  package var codes: [UInt32] = []
  /// How many rows each run has; together all of the block.
  package var lengths: [UInt32] = []

  package init() {}
}

/// A block of texts as the lower halves of their ``TextKey``s.
package struct KeyColumn: Sendable {
  /// One a row; 0 where absent.
  package var keys: [UInt64] = []
  /// As in ``IntegerColumn/validity``.
  package var validity: [UInt8]?
  /// The upper half of every key of the block.
  package var upperHalf: UInt64 = 0

  package init() {}
}

/// What a thread needs to read blocks, kept between reads. One thread uses it at a time.
package final class ScanScratch {
  var block: [UInt8] = []
  var words: [UInt32] = []
  var spareWords: [UInt32] = []
  var wideWords: [UInt64] = []
  var integers = IntegerColumn()
  var times = IntegerColumn()
  var expanded: [UInt8] = []
  let expander = ZstdExpander()

  package init() {}
}
