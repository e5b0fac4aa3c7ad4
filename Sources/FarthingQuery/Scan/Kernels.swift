// The loops that touch every row. They are concrete, branch-free where the data decides, and work
// on spans, so that the compiler turns the simple ones into vector instructions.

enum Kernels {
  static func set(_ mask: inout [UInt8], _ value: UInt8, rows: Int) {
    var target = mask.mutableSpan
    for row in 0..<rows { target[row] = value }
  }

  static func and(_ mask: inout [UInt8], _ other: [UInt8], rows: Int) {
    let source = other.span
    var target = mask.mutableSpan
    for row in 0..<rows { target[row] &= source[row] }
  }

  static func or(_ mask: inout [UInt8], _ other: [UInt8], rows: Int) {
    let source = other.span
    var target = mask.mutableSpan
    for row in 0..<rows { target[row] |= source[row] }
  }

  static func count(_ mask: [UInt8], rows: Int) -> Int {
    let source = mask.span
    var count = 0
    for row in 0..<rows { count &+= Int(source[row]) }
    return count
  }

  /// Writes the numbers of the rows whose mask is 1 and returns how many there are.
  ///
  /// Rows of one tenant, identity or task stand together within a block, so mostly whole stretches
  /// of the mask are 0; they are passed over 64 rows at a time.
  static func select(_ mask: [UInt8], rows: Int, into selection: inout [UInt32]) -> Int {
    let source = mask.span
    var target = selection.mutableSpan
    var count = 0
    var start = 0
    while start < rows {
      let end = min(start &+ 64, rows)
      var any: UInt8 = 0
      for row in start..<end { any |= source[row] }
      if any != 0 {
        for row in start..<end {
          target[count] = UInt32(truncatingIfNeeded: row)
          count &+= Int(source[row])
        }
      }
      start = end
    }
    return count
  }

  /// `table[code]` of every row.
  static func lookUp(
    _ codes: [UInt32], _ table: [UInt8], rows: Int, into mask: inout [UInt8]
  ) {
    let source = codes.span
    let bits = table.span
    var target = mask.mutableSpan
    for row in 0..<rows { target[row] = bits[Int(source[row])] }
  }

  /// 1 where the value lies between the bounds, both included; the other way round with `flip` 1.
  static func compare(
    _ values: [Int64], _ least: Int64, _ greatest: Int64, flip: UInt8, rows: Int,
    into mask: inout [UInt8]
  ) {
    let source = values.span
    var target = mask.mutableSpan
    for row in 0..<rows {
      let value = source[row]
      target[row] = (value >= least && value <= greatest ? 1 : 0) ^ flip
    }
  }

  /// `table[code]` of every row.
  static func translate(
    _ codes: [UInt32], _ table: [UInt32], rows: Int, into ids: inout [UInt32]
  ) {
    let source = codes.span
    let map = table.span
    var target = ids.mutableSpan
    for row in 0..<rows { target[row] = map[Int(source[row])] }
  }

  /// Values where the mask is 1, 0 elsewhere.
  static func masked(
    _ values: [Int64], _ mask: [UInt8], rows: Int, into result: inout [Int64]
  ) {
    let source = values.span
    let bits = mask.span
    var target = result.mutableSpan
    for row in 0..<rows { target[row] = source[row] & (0 &- Int64(bits[row])) }
  }

  /// Greatest absolute value, as an unsigned number so that the least Int64 has one.
  static func greatestMagnitude(_ values: [Int64], rows: Int) -> UInt64 {
    let source = values.span
    var least: Int64 = 0
    var greatest: Int64 = 0
    for row in 0..<rows {
      least = min(least, source[row])
      greatest = max(greatest, source[row])
    }
    return max(least.magnitude, greatest.magnitude)
  }

  // The sums below cannot wrap: the caller has bounded what each place can reach.

  static func sum(_ values: [Int64], rows: Int) -> Int64 {
    let source = values.span
    var sum: Int64 = 0
    for row in 0..<rows { sum &+= source[row] }
    return sum
  }

  static func sum(_ values: [Int64], _ selection: [UInt32], count: Int) -> Int64 {
    let source = values.span
    let rows = selection.span
    var sum: Int64 = 0
    for index in 0..<count { sum &+= source[Int(rows[index])] }
    return sum
  }

  static func add(
    _ values: [Int64], _ groups: [UInt32], rows: Int, into sums: inout [Int64]
  ) {
    let source = values.span
    let places = groups.span
    var target = sums.mutableSpan
    for row in 0..<rows { target[Int(places[row])] &+= source[row] }
  }

  static func add(
    _ values: [Int64], _ selection: [UInt32], _ groups: [UInt32], count: Int,
    into sums: inout [Int64]
  ) {
    let source = values.span
    let rows = selection.span
    let places = groups.span
    var target = sums.mutableSpan
    for index in 0..<count { target[Int(places[index])] &+= source[Int(rows[index])] }
  }

  static func addOnes(_ groups: [UInt32], count: Int, into sums: inout [Int64]) {
    let places = groups.span
    var target = sums.mutableSpan
    for index in 0..<count { target[Int(places[index])] &+= 1 }
  }

  static func addMask(
    _ mask: [UInt8], _ groups: [UInt32], rows: Int, into sums: inout [Int64]
  ) {
    let source = mask.span
    let places = groups.span
    var target = sums.mutableSpan
    for row in 0..<rows { target[Int(places[row])] &+= Int64(source[row]) }
  }

  static func addMask(
    _ mask: [UInt8], _ selection: [UInt32], _ groups: [UInt32], count: Int,
    into sums: inout [Int64]
  ) {
    let source = mask.span
    let rows = selection.span
    let places = groups.span
    var target = sums.mutableSpan
    for index in 0..<count { target[Int(places[index])] &+= Int64(source[Int(rows[index])]) }
  }
}

extension Kernels {
  // Folding cannot wrap: the product of all factors is bounded by the number of slots.

  static func fold(
    _ codes: [UInt32], _ map: [UInt32], _ rows: RowSelection, factor: UInt32,
    into slots: inout [UInt32]
  ) {
    let source = codes.span
    let table = map.span
    if let list = rows.list {
      let selection = list.span
      var target = slots.mutableSpan
      for index in 0..<rows.count {
        let id = table[Int(source[Int(selection[index])])]
        target[index] = factor == 0 ? id : target[index] &* factor &+ id
      }
    } else if factor == 0 {
      var target = slots.mutableSpan
      for row in 0..<rows.count { target[row] = table[Int(source[row])] }
    } else {
      var target = slots.mutableSpan
      for row in 0..<rows.count {
        target[row] = target[row] &* factor &+ table[Int(source[row])]
      }
    }
  }

  static func fold(
    _ ids: [UInt32], _ rows: RowSelection, factor: UInt32, into slots: inout [UInt32]
  ) {
    let source = ids.span
    if let list = rows.list {
      let selection = list.span
      var target = slots.mutableSpan
      for index in 0..<rows.count {
        let id = source[Int(selection[index])]
        target[index] = factor == 0 ? id : target[index] &* factor &+ id
      }
    } else {
      var target = slots.mutableSpan
      for row in 0..<rows.count {
        target[row] = factor == 0 ? source[row] : target[row] &* factor &+ source[row]
      }
    }
  }

  /// Folds in a number that all rows have.
  static func fold(id: UInt32, count: Int, factor: UInt32, into slots: inout [UInt32]) {
    var target = slots.mutableSpan
    for index in 0..<count { target[index] = factor == 0 ? id : target[index] &* factor &+ id }
  }

  /// `first` and how many of the ascending bounds are not above the row's value.
  static func place(
    _ values: [Int64], rows: Int, among bounds: [Int64], first: UInt32, into ids: inout [UInt32]
  ) {
    let source = values.span
    let limits = bounds.span
    var target = ids.mutableSpan
    if limits.count > 8 {
      for row in 0..<rows { target[row] = first &+ rank(of: source[row], among: limits) }
      return
    }
    for row in 0..<rows { target[row] = first }
    for index in 0..<limits.count {
      let limit = limits[index]
      for row in 0..<rows { target[row] &+= source[row] >= limit ? 1 : 0 }
    }
  }

  /// As above for the selected rows only.
  static func place(
    _ values: [Int64], _ selection: [UInt32], count: Int, among bounds: [Int64], first: UInt32,
    into ids: inout [UInt32]
  ) {
    let source = values.span
    let rows = selection.span
    let limits = bounds.span
    var target = ids.mutableSpan
    for index in 0..<count {
      let row = Int(rows[index])
      target[row] = first &+ rank(of: source[row], among: limits)
    }
  }

  /// How many of the ascending bounds are not above a value.
  @inline(__always)
  private static func rank(of value: Int64, among bounds: Span<Int64>) -> UInt32 {
    var low = 0
    var count = bounds.count
    while count > 0 {
      let half = count / 2
      let isAbove = bounds[low + half] <= value
      low = isAbove ? low + half + 1 : low
      count = isAbove ? count - half - 1 : half
    }
    return UInt32(truncatingIfNeeded: low)
  }

  static func clear(_ groups: inout [UInt32], count: Int) {
    var target = groups.mutableSpan
    for row in 0..<count { target[row] = 0 }
  }

  /// Replaces slots by groups, numbering those that are new.
  static func assign(
    _ groups: inout [UInt32], count: Int, table: inout [UInt32], slots: inout [UInt32]
  ) {
    var target = groups.mutableSpan
    var places = table.mutableSpan
    for index in 0..<count {
      let slot = target[index]
      var group = places[Int(slot)]
      if group == 0 {
        slots.append(slot)
        group = UInt32(truncatingIfNeeded: slots.count)
        places[Int(slot)] = group
      }
      target[index] = group &- 1
    }
  }
}
