/// In which order the rows of a buffer stand in its segment.
///
/// Blocks follow each other in time: no row of a block is later than one of the next. Inside a
/// block, rows of one task, and of one tenant and identity, stand together, oldest first. What a
/// task's requests have in common (site, workload, tags) is then one run; see
/// `docs/decisions/0003-segment-format.md` for what that saves and costs.
enum RowOrder {
  /// The order of rows by time, those of equal time in their order of arrival.
  static func byTime(_ times: [Int64]) -> [UInt32] {
    var order = (0..<UInt32(times.count)).map { $0 }
    guard let least = times.min(), let greatest = times.max() else { return order }
    if isAscending(times) { return order }
    let keys = times.map { UInt64(bitPattern: $0 &- least) }
    sort(&order, keys: keys, greatest: UInt64(bitPattern: greatest &- least))
    return order
  }

  /// Reorders the rows of each block so that equal keys stand together; the last key counts most.
  ///
  /// - Parameter keys: codes by row, each with the greatest code.
  static func cluster(_ order: inout [UInt32], keys: [(codes: [UInt32], greatest: UInt32)]) {
    var start = 0
    while start < order.count {
      let end = min(start + SegmentFormat.blockRows, order.count)
      var block = Array(order[start..<end])
      for key in keys where key.greatest > 0 {
        sort(&block, codes: key.codes, greatest: key.greatest)
      }
      order.replaceSubrange(start..<end, with: block)
      start = end
    }
  }

  private static func isAscending(_ times: [Int64]) -> Bool {
    for row in 1..<max(times.count, 1) where times[row] < times[row - 1] { return false }
    return true
  }

  /// Sorts rows by their keys, eleven bits at a time from the lowest; stable.
  private static func sort(_ order: inout [UInt32], keys: [UInt64], greatest: UInt64) {
    var other = order
    var shift: UInt64 = 0
    while shift < 64, greatest >> shift > 0 {
      WordKernels.sort(&order, keys: keys, shift: shift, through: &other)
      shift += 11
    }
  }

  /// As above for the codes of one block's rows.
  private static func sort(_ order: inout [UInt32], codes: [UInt32], greatest: UInt32) {
    var other = order
    var shift: UInt32 = 0
    while shift < 32, greatest >> shift > 0 {
      let bits: UInt32 = greatest < 2048 ? 11 : 10
      let mask = (1 << bits) - 1 as UInt32
      var starts = [Int](repeating: 0, count: Int(mask) + 2)
      for row in order { starts[Int((codes[Int(row)] >> shift) & mask) + 1] += 1 }
      for digit in 1..<starts.count { starts[digit] += starts[digit - 1] }
      for row in order {
        let digit = Int((codes[Int(row)] >> shift) & mask)
        other[starts[digit]] = row
        starts[digit] += 1
      }
      swap(&order, &other)
      shift += bits
    }
  }
}
