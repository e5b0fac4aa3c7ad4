// Exact sums by group.
//
// Blocks are summed in 64 bits as long as it is certain that no sum can leave them: `reach` bounds
// the magnitude that any group's 64-bit sum can have by now. Before a block that could exceed it,
// the 64-bit sums are poured into 128-bit ones. Pouring checks for overflow; so nothing wraps, and
// the loop over the rows needs no check.

/// The sum of one quantity for each group.
struct SumAccumulator {
  private var small: [Int64] = []
  private var large: [Int128] = []
  private var reach: UInt64 = 0
  /// Whether a sum has left 128 bits.
  private(set) var hasOverflowed = false

  var byteCount: Int { small.count * 8 + large.count * 16 }

  mutating func grow(to groupCount: Int) {
    if small.count < groupCount {
      small.append(contentsOf: repeatElement(0, count: groupCount - small.count))
    }
    if !large.isEmpty, large.count < groupCount {
      large.append(contentsOf: repeatElement(0, count: groupCount - large.count))
    }
  }

  /// Adds 1 for each kept row.
  mutating func addOnes(_ block: BlockGroups) {
    makeRoom(for: UInt64(block.selection.count))
    if block.isSingle {
      small[0] += Int64(block.selection.count)
    } else {
      Kernels.addOnes(block.groups, count: block.selection.count, into: &small)
    }
  }

  /// Adds 1 for each kept row whose mask is 1.
  mutating func addMask(_ mask: [UInt8], _ block: BlockGroups) {
    let count = block.selection.count
    makeRoom(for: UInt64(count))
    if block.isSingle {
      if let list = block.selection.list {
        for index in 0..<count { small[0] += Int64(mask[Int(list[index])]) }
      } else {
        small[0] += Int64(Kernels.count(mask, rows: count))
      }
    } else if let list = block.selection.list {
      Kernels.addMask(mask, list, block.groups, count: count, into: &small)
    } else {
      Kernels.addMask(mask, block.groups, rows: count, into: &small)
    }
  }

  /// Adds the value of each kept row.
  /// - Parameter magnitude: No value of the block is farther from 0.
  mutating func add(_ values: [Int64], magnitude: UInt64, _ block: BlockGroups) {
    let count = block.selection.count
    let (reach, overflow) = magnitude.multipliedReportingOverflow(by: UInt64(count))
    if overflow || reach > UInt64(Int64.max) {
      for index in 0..<count {
        add(Int128(values[block.selection.row(index)]), to: block.group(index))
      }
      return
    }
    makeRoom(for: reach)
    if block.isSingle {
      if let list = block.selection.list {
        small[0] += Kernels.sum(values, list, count: count)
      } else {
        small[0] += Kernels.sum(values, rows: count)
      }
    } else if let list = block.selection.list {
      Kernels.add(values, list, block.groups, count: count, into: &small)
    } else {
      Kernels.add(values, block.groups, rows: count, into: &small)
    }
  }

  /// Adds an amount of any size to one group.
  mutating func add(_ amount: Int128, to group: Int) {
    if large.count < small.count {
      large.append(contentsOf: repeatElement(0, count: small.count - large.count))
    }
    let (sum, overflow) = large[group].addingReportingOverflow(amount)
    if overflow { hasOverflowed = true }
    large[group] = sum
  }

  /// Adds the sums of another worker's groups.
  mutating func merge(_ other: SumAccumulator, _ numbers: [UInt32]) {
    for group in other.small.indices {
      guard let sum = other.sum(group) else {
        hasOverflowed = true
        continue
      }
      if sum != 0 { add(sum, to: Int(numbers[group])) }
    }
    hasOverflowed = hasOverflowed || other.hasOverflowed
  }

  /// The sum of a group, or nil where it leaves 128 bits.
  func sum(_ group: Int) -> Int128? {
    if hasOverflowed { return nil }
    guard group < small.count else { return 0 }
    if large.isEmpty { return Int128(small[group]) }
    let (sum, overflow) = large[group].addingReportingOverflow(Int128(small[group]))
    return overflow ? nil : sum
  }

  private mutating func makeRoom(for more: UInt64) {
    let (sum, overflow) = reach.addingReportingOverflow(more)
    if !overflow, sum <= UInt64(Int64.max) {
      reach = sum
      return
    }
    for group in small.indices where small[group] != 0 {
      add(Int128(small[group]), to: group)
      small[group] = 0
    }
    reach = more
  }
}
