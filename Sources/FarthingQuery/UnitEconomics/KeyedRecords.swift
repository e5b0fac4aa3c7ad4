internal import FarthingStore

// What tasks, prompts and other values of many kinds need: all records of one value together.
//
// Records are dealt out to partitions by a digest of their key while the blocks are scanned.
// Afterwards one partition at a time is put into a table small enough for the cache. The same digest
// is used by all workers, so partition p of one belongs with partition p of every other.
//
// Most fields have texts of one shape, whose keys differ in their lower halves only: their records
// are kept without the upper half, which the worker knows. Whatever does not fit that, a key of
// another shape or an amount beyond 64 bits, is kept in full beside them.

/// How the words of a record stand: lower half of the key, upper half if it is not common to all,
/// then what is kept of it.
struct RecordLayout {
  let stride: Int
  /// The upper half of every key; nil where it is the second word.
  let upperHalf: UInt64?

  /// Where what is kept begins.
  var first: Int { upperHalf == nil ? 2 : 1 }
}

/// Records of one worker: a key, and what the accumulator asks for beside it.
final class KeyedRecords {
  static let partitionCount = RecordPartitions.count

  let hasGroups: Bool
  let hasAmounts: Bool
  /// Lower half; group; amount.
  private let narrow: RecordPartitions
  /// Lower half; upper half; group; lower and upper part of the amount.
  private let wide: RecordPartitions
  /// The upper half of the keys of `narrow`; nil while there is none.
  private var upperHalf: UInt64?
  private var stage: [UInt64] = []
  private var wideStage: [UInt64] = []

  init(hasGroups: Bool, hasAmounts: Bool) {
    self.hasGroups = hasGroups
    self.hasAmounts = hasAmounts
    narrow = RecordPartitions(stride: 1 + (hasGroups ? 1 : 0) + (hasAmounts ? 1 : 0))
    wide = RecordPartitions(stride: 2 + (hasGroups ? 1 : 0) + (hasAmounts ? 2 : 0))
  }

  var byteCount: Int { narrow.byteCount + wide.byteCount }

  func recordCount(_ place: Int) -> Int { narrow.recordCount(place) + wide.recordCount(place) }

  /// Calls `body` with all records of a partition, run by run.
  func forEachRun(_ place: Int, _ body: (Span<UInt64>, RecordLayout) -> Void) {
    let layout = RecordLayout(stride: narrow.stride, upperHalf: upperHalf ?? 0)
    narrow.forEachRun(place) { body($0, layout) }
    let full = RecordLayout(stride: wide.stride, upperHalf: nil)
    wide.forEachRun(place) { body($0, full) }
  }

  /// Gives up a partition's memory.
  func release(_ place: Int) {
    narrow.release(place)
    wide.release(place)
  }

  /// Adds a record for each kept row that has a key.
  ///
  /// - Parameters:
  ///   - amounts: By row; not looked at without amounts.
  ///   - highAmounts: Their upper parts, where there are any.
  func append(
    _ keys: KeyBlock, _ block: BlockGroups, amounts: [Int64], highAmounts: [Int64]?
  ) {
    let count = block.selection.count
    let common = commonUpperHalf(keys)
    guard let common, highAmounts == nil else {
      appendFull(keys, block, amounts: amounts, highAmounts: highAmounts)
      return
    }
    var stage: [UInt64] = []
    swap(&stage, &self.stage)
    let wanted = count * narrow.stride
    if stage.count < wanted { stage = [UInt64](repeating: 0, count: wanted) }
    let words = KeyedRecords.fill(
      &stage, keys, block, amounts: hasAmounts ? amounts : nil, hasGroups: hasGroups)
    narrow.append(stage, count: words / narrow.stride, upperHalf: common)
    swap(&stage, &self.stage)
  }

  /// The upper half that all keys of the block share with those kept so far.
  private func commonUpperHalf(_ keys: KeyBlock) -> UInt64? {
    guard let half = keys.upperHalf else { return nil }
    if upperHalf == nil { upperHalf = half }
    return upperHalf == half ? half : nil
  }

  /// Writes the records of a block and returns how many words that took.
  private static func fill(
    _ stage: inout [UInt64], _ keys: KeyBlock, _ block: BlockGroups, amounts: [Int64]?,
    hasGroups: Bool
  ) -> Int {
    let count = block.selection.count
    let lower = keys.lower.span
    let list = block.selection.list
    let validity = keys.validity
    let groups = block.groups.span
    let isGrouped = hasGroups && !block.isSingle
    var target = stage.mutableSpan
    var next = 0
    for index in 0..<count {
      let row = list.map { Int($0[index]) } ?? index
      if let validity, validity[row] == 0 { continue }
      target[next] = lower[row]
      next &+= 1
      if hasGroups {
        target[next] = isGrouped ? UInt64(groups[index]) : 0
        next &+= 1
      }
      if let amounts {
        target[next] = UInt64(bitPattern: amounts[row])
        next &+= 1
      }
    }
    return next
  }

  private func appendFull(
    _ keys: KeyBlock, _ block: BlockGroups, amounts: [Int64], highAmounts: [Int64]?
  ) {
    var stage: [UInt64] = []
    swap(&stage, &wideStage)
    stage.removeAll(keepingCapacity: true)
    for index in 0..<block.selection.count {
      let row = block.selection.row(index)
      if let validity = keys.validity, validity[row] == 0 { continue }
      let key = keys[row]
      stage.append(key.low)
      stage.append(key.high)
      if hasGroups { stage.append(UInt64(block.group(index))) }
      if hasAmounts {
        stage.append(UInt64(bitPattern: amounts[row]))
        stage.append(UInt64(bitPattern: highAmounts?[row] ?? 0))
      }
    }
    wide.append(stage, count: stage.count / wide.stride, upperHalf: nil)
    swap(&stage, &wideStage)
  }

  /// Adds records of a group each, without amounts.
  ///
  /// - Parameter codes: By record its code and its group, one after the other; the first `count`
  ///   records count.
  func append(_ codes: [UInt32], count: Int, _ keys: CodeKeys) {
    var stage: [UInt64] = []
    if let half = keys.upperHalf, upperHalf == nil || upperHalf == half {
      upperHalf = half
      swap(&stage, &self.stage)
      let wanted = count * narrow.stride
      if stage.count < wanted { stage = [UInt64](repeating: 0, count: wanted) }
      for record in 0..<count {
        let place = record * narrow.stride
        stage[place] = keys.lower[Int(codes[record * 2])]
        if hasGroups { stage[place + 1] = UInt64(codes[record * 2 + 1]) }
      }
      narrow.append(stage, count: count, upperHalf: half)
      swap(&stage, &self.stage)
      return
    }
    swap(&stage, &wideStage)
    stage.removeAll(keepingCapacity: true)
    for record in 0..<count {
      let key = keys[Int(codes[record * 2])]
      stage.append(key.low)
      stage.append(key.high)
      if hasGroups { stage.append(UInt64(codes[record * 2 + 1])) }
    }
    wide.append(stage, count: count, upperHalf: nil)
    swap(&stage, &wideStage)
  }
}
