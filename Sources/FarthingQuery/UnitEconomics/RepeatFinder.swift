internal import FarthingStore

/// Finds the records of a partition whose key may occur again.
///
/// Most prompts occur once. A first pass over the digests of all keys sets bits, and marks those
/// that were set already; only records at a marked bit can have a twin, and go through the table.
/// Which records pass depends on chance, whether a twin passes does not: both have one bit.
struct RepeatFinder {
  private var seen: [UInt64]
  private var marked: [UInt64]
  private let shift: UInt64

  /// - Parameter count: How many records the partition has.
  init(count: Int) {
    var bits = 64
    while bits < count * 8 { bits *= 2 }
    seen = [UInt64](repeating: 0, count: bits / 64)
    marked = seen
    shift = UInt64(64 - bits.trailingZeroBitCount)
  }

  /// Takes note of all records of a run.
  mutating func note(
    _ run: Span<UInt64>, _ layout: RecordLayout, groupWord: Int?, _ map: [UInt32]
  ) {
    RepeatFinder.note(run, layout, groupWord: groupWord, map, shift: shift, &seen, &marked)
  }

  private static func note(
    _ run: Span<UInt64>, _ layout: RecordLayout, groupWord: Int?, _ map: [UInt32],
    shift: UInt64, _ seenBits: inout [UInt64], _ markedBits: inout [UInt64]
  ) {
    let groups = map.span
    var seen = seenBits.mutableSpan
    var marked = markedBits.mutableSpan
    var first = 0
    while first < run.count {
      var group: UInt32 = 0
      if let groupWord { group = groups[Int(truncatingIfNeeded: run[first &+ groupWord])] }
      let digest = KeyTable.digest(run[first], layout.upperHalf ?? run[first &+ 1], group) &>> shift
      let word = Int(truncatingIfNeeded: digest &>> 6)
      let bit = UInt64(1) &<< (digest & 63)
      let before = seen[word]
      seen[word] = before | bit
      marked[word] |= before & bit
      first &+= layout.stride
    }
  }

  /// Writes the words of the records that may have a twin to the front of `words`.
  ///
  /// - Returns: how many words.
  func candidates(
    _ run: Span<UInt64>, _ layout: RecordLayout, groupWord: Int?, _ map: [UInt32],
    into words: inout [UInt64]
  ) -> Int {
    if words.count < run.count + layout.stride {
      words = [UInt64](repeating: 0, count: run.count + layout.stride)
    }
    let groups = map.span
    let shift = shift
    let marked = marked.span
    var target = words.mutableSpan
    var count = 0
    var first = 0
    while first < run.count {
      var group: UInt32 = 0
      if let groupWord { group = groups[Int(truncatingIfNeeded: run[first &+ groupWord])] }
      let digest = KeyTable.digest(run[first], layout.upperHalf ?? run[first &+ 1], group) &>> shift
      let isMarked = (marked[Int(truncatingIfNeeded: digest &>> 6)] &>> (digest & 63)) & 1
      // Written in any case, and kept if it counts: whether it does cannot be guessed.
      for word in 0..<layout.stride { target[count &+ word] = run[first &+ word] }
      count &+= layout.stride &* Int(truncatingIfNeeded: isMarked)
      first &+= layout.stride
    }
    return count
  }
}
