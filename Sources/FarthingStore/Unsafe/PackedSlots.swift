// The older ids of a table of the duplicate index, packed.
//
// Elias and Fano's code for ascending numbers: of each slot's 56 bits the upper ones are counted in
// unary (a one bit for each slot, a zero bit after those of each bucket of equal upper bits), the
// lower ones stand side by side. With about as many buckets as slots that takes some two bits
// and the lower ones. The place of every 128th bucket is kept, so a search reads two or three words of
// the upper bits and about one slot. Epochs are distances to the oldest, in as many bits as the
// greatest of them needs: none where all arrived in one epoch.
//
// Source: Elias, "Efficient storage and retrieval by content and address of static files" (1974).
//
// Unsafe because: as `DuplicateTables`, whose memory this is a part of; 4,096 times four arrays would be
// as many headers, each a cache miss of its own.
//
// Which bytes: one allocation of `wordCount` words, freed by `destroy`, laid out in `init` as places,
// upper bits, lower bits and epochs, each with a word to spare. Why indices stay inside: a bucket is
// below `2^(56 − lowWidth)`, so its place is listed; a walk over upper bits ends at the zero after the
// bucket, and there are as many zeros as buckets and then a whole word of them; entries are counted by
// the ones passed, of which there are `count`.

/// Ascending slots that never change, in some 45 bits each; see ``DeduplicationIndex`` for what a slot
/// is. Empty at first.
@safe struct PackedSlots {
  /// Buckets between two listed places.
  private static let stride: UInt64 = 128

  /// nil while `count` is 0.
  private var memory: UnsafeMutablePointer<UInt64>?
  private var wordCount = 0
  private(set) var count = 0
  private var upperStart = 0
  private var lowStart = 0
  private var epochStart = 0
  private var lowWidth: UInt64 = 0
  private var epochWidth: UInt64 = 0
  private var oldestEpoch: UInt8 = 0

  init() {}

  /// - Parameters:
  ///   - slots: ascending in their upper 56 bits, none twice.
  ///   - currentEpoch: at least the epoch of each slot, modulo 256.
  init(_ slots: [UInt64], currentEpoch: UInt8) {
    guard !slots.isEmpty else { return }
    count = slots.count
    var youngest = UInt8.max
    var oldest = UInt8.min
    for slot in slots {
      let age = currentEpoch &- UInt8(truncatingIfNeeded: slot)
      youngest = min(youngest, age)
      oldest = max(oldest, age)
    }
    oldestEpoch = currentEpoch &- oldest
    epochWidth = UInt64(8 - (oldest - youngest).leadingZeroBitCount)
    // As many buckets as slots, or up to twice as many.
    let bucketWidth = UInt64(64 - UInt64(count).leadingZeroBitCount)
    lowWidth = 56 - bucketWidth
    let buckets = 1 << Int(bucketWidth)
    upperStart = buckets / Int(Self.stride) + 1
    lowStart = upperStart + (count + buckets) / 64 + 2
    epochStart = lowStart + count * Int(lowWidth) / 64 + 2
    wordCount = epochStart + (epochWidth == 0 ? 0 : count * Int(epochWidth) / 64 + 2)
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: wordCount)
    unsafe words.initialize(repeating: 0, count: wordCount)
    unsafe memory = words
    var listed: UInt64 = 0
    for (entry, slot) in slots.enumerated() {
      let bucket = (slot >> 8) >> lowWidth
      while listed * Self.stride <= bucket {
        unsafe words[Int(listed)] = UInt64(entry)
        listed += 1
      }
      let bit = bucket + UInt64(entry)
      unsafe words[upperStart + Int(bit >> 6)] |= 1 << (bit & 63)
      put(slot >> 8 & ((1 << lowWidth) - 1), entry, width: lowWidth, from: lowStart)
      let epoch = UInt8(truncatingIfNeeded: slot) &- oldestEpoch
      if epochWidth > 0 { put(UInt64(epoch), entry, width: epochWidth, from: epochStart) }
    }
    while Int(listed) < upperStart {
      unsafe words[Int(listed)] = UInt64(count)
      listed += 1
    }
  }

  /// Frees the memory; the value must not be used afterwards.
  func destroy() { unsafe memory?.deallocate() }

  var byteCount: Int { wordCount * 8 }

  private var words: UnsafeMutablePointer<UInt64> { unsafe memory.unsafelyUnwrapped }

  private func put(_ value: UInt64, _ entry: Int, width: UInt64, from start: Int) {
    let bit = UInt64(entry) &* width
    let word = start + Int(bit >> 6)
    let shift = bit & 63
    unsafe words[word] |= value << shift
    if shift + width > 64 { unsafe words[word + 1] |= value >> (64 - shift) }
  }

  @inline(__always)
  private func get(_ entry: Int, width: UInt64, from start: Int) -> UInt64 {
    let bit = UInt64(truncatingIfNeeded: entry) &* width
    let word = start &+ Int(bit &>> 6)
    let shift = bit & 63
    // Shifting twice keeps a shift of 0 from being one of 64.
    let value = unsafe words[word] &>> shift | (words[word &+ 1] &<< 1) &<< (63 &- shift)
    return value & (1 &<< width &- 1)
  }

  private func epoch(_ entry: Int) -> UInt8 {
    if epochWidth == 0 { return oldestEpoch }
    return oldestEpoch
      &+ UInt8(truncatingIfNeeded: get(entry, width: epochWidth, from: epochStart))
  }

  /// Loads the memory that the search for a slot most likely needs; a meaningless number.
  @inline(__always)
  func firstWords(of slot: UInt64) -> UInt64 {
    guard count > 0 else { return 0 }
    let bucket = (slot &>> 8) &>> lowWidth
    let place = unsafe words[Int(bucket / Self.stride)]
    // Slots are spread evenly, so the bucket's are about where they would be on average.
    let beyond = bucket % Self.stride
    let entry = min(
      UInt64(count &- 1), place &+ beyond &* UInt64(count) &>> (56 &- lowWidth))
    let upper = unsafe words[upperStart &+ Int((entry &+ bucket) &>> 6)]
    return unsafe upper ^ words[lowStart &+ Int((entry &* lowWidth) &>> 6)]
  }

  /// The epoch of the slot with these upper 56 bits; nil where there is none.
  ///
  /// - Complexity: O(1) expected.
  func epoch(of slot: UInt64) -> UInt8? {
    guard count > 0 else { return nil }
    let value = slot &>> 8
    let bucket = value &>> lowWidth
    let low = value & (1 &<< lowWidth &- 1)
    var bit = unsafe words[Int(bucket / Self.stride)] &+ bucket / Self.stride * Self.stride
    var left = Int(bucket % Self.stride)
    // Past as many zeros as buckets lie between.
    while left > 0 {
      let zeros = unsafe ~words[upperStart &+ Int(bit &>> 6)] &>> (bit & 63)
      let found = zeros.nonzeroBitCount
      if found < left {
        left &-= found
        bit = (bit | 63) &+ 1
      } else {
        bit &+= UInt64(Self.place(of: left, in: zeros)) &+ 1
        left = 0
      }
    }
    while unsafe words[upperStart &+ Int(bit &>> 6)] &>> (bit & 63) & 1 == 1 {
      let entry = Int(bit &- bucket)
      let found = get(entry, width: lowWidth, from: lowStart)
      if found == low { return epoch(entry) }
      if found > low { return nil }
      bit &+= 1
    }
    return nil
  }

  /// The place of the n-th one bit, of which there are so many.
  @inline(__always)
  private static func place(of number: Int, in bits: UInt64) -> Int {
    var rest = bits
    var left = number
    var place = 0
    var width: UInt64 = 32
    while width >= 8 {
      let ones = (rest & (1 &<< width &- 1)).nonzeroBitCount
      if left > ones {
        left &-= ones
        rest &>>= width
        place &+= Int(width)
      }
      width /= 2
    }
    while left > 1 {
      rest &= rest &- 1
      left &-= 1
    }
    return place &+ rest.trailingZeroBitCount
  }

  /// All slots, ascending.
  func unpacked() -> [UInt64] {
    var slots: [UInt64] = []
    slots.reserveCapacity(count)
    var word = 0
    while slots.count < count {
      var ones = unsafe words[upperStart + word]
      while ones != 0 {
        let bit = UInt64(word * 64 + ones.trailingZeroBitCount)
        ones &= ones &- 1
        let entry = slots.count
        let bucket = bit - UInt64(entry)
        let low = get(entry, width: lowWidth, from: lowStart)
        slots.append((bucket << lowWidth | low) << 8 | UInt64(epoch(entry)))
      }
      word += 1
    }
    return slots
  }
}
