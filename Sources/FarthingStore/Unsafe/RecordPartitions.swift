// Records of whole words, dealt out to partitions by a digest of their key.
//
// Whatever has to be seen together (all requests of a task, all prompts of one text) meets in one
// partition, which is then counted in a table that fits the cache. Every partition has a chain of
// chunks and a place to write at; a record is written straight to its partition, so memory is
// touched once on the way in and once on the way out, and no array ever moves.
//
// Unsafe because: a record goes to one of 256 changing places, and arrays of arrays would be checked
// for bounds, uniqueness and overlap at each. Every chunk holds a whole number of records; a place to
// write at equals the end of its chunk exactly when that is full; `append` compares the words it is
// given with what it reads. Chunks are freed with the object or by `release`.

/// Records of one worker. One thread uses it at a time.
@safe
package final class RecordPartitions: @unchecked Sendable {
  package static let bits: UInt64 = 8
  package static let count = 1 << Int(bits)

  /// Words of a record: first the lower half of its key, then, where the caller wants so, the upper
  /// half, then whatever belongs to it.
  package let stride: Int
  /// Records so far, less those that were released.
  package private(set) var recordCount = 0
  /// The memory of all chunks.
  package private(set) var byteCount = 0

  @unsafe
  private struct Chunk {
    let start: UnsafeMutablePointer<UInt64>
    let capacity: Int
  }

  /// Words of the first chunk of a partition; every further one is twice as large, up to the last.
  private static let leastChunk = 64
  private static let greatestChunk = 4096

  private var chunks = unsafe [[Chunk]](repeating: [], count: count)
  private let cursors: UnsafeMutablePointer<UnsafeMutablePointer<UInt64>?>
  private let ends: UnsafeMutablePointer<UnsafeMutablePointer<UInt64>?>

  /// - Parameter stride: 1…16.
  package init(stride: Int) {
    precondition((1...16).contains(stride), "BUG: a record of \(stride) words, want 1...16")
    self.stride = stride
    unsafe cursors = .allocate(capacity: Self.count)
    unsafe ends = .allocate(capacity: Self.count)
    unsafe cursors.initialize(repeating: nil, count: Self.count)
    unsafe ends.initialize(repeating: nil, count: Self.count)
  }

  deinit {
    for place in 0..<Self.count { release(place) }
    unsafe cursors.deallocate()
    unsafe ends.deallocate()
  }

  /// The partition of a key.
  package static func place(_ lower: UInt64, _ upper: UInt64) -> Int {
    Int(truncatingIfNeeded: TextKey.mix(lower, upper) &>> (64 - bits))
  }

  /// Appends the first `count` records of `words`, one after another.
  ///
  /// - Parameter upperHalf: of every record's key; nil where it is the record's second word.
  /// - Complexity: O(count).
  package func append(_ words: [UInt64], count: Int, upperHalf: UInt64?) {
    precondition(
      count >= 0 && words.count >= count * stride && (upperHalf != nil || stride > 1),
      "BUG: got \(words.count) words for \(count) records of \(stride)")
    unsafe words.withUnsafeBufferPointer { words in
      guard let base = words.baseAddress else { return }
      switch stride {
      case 1: unsafe deal(base, count, stride: 1, upperHalf)
      case 2: unsafe deal(base, count, stride: 2, upperHalf)
      case 3: unsafe deal(base, count, stride: 3, upperHalf)
      case 4: unsafe deal(base, count, stride: 4, upperHalf)
      default: unsafe deal(base, count, stride: stride, upperHalf)
      }
    }
    recordCount += count
  }

  @inline(__always)
  private func deal(
    _ base: UnsafePointer<UInt64>, _ count: Int, stride: Int, _ upperHalf: UInt64?
  ) {
    let cursors = unsafe self.cursors
    let ends = unsafe self.ends
    for record in 0..<count {
      let source = unsafe base + record &* stride
      let upper = unsafe upperHalf ?? source[1]
      let place = unsafe Self.place(source[0], upper)
      guard
        let target = unsafe cursors[place] == ends[place] ? newChunk(place) : cursors[place]
      else { continue }
      for word in 0..<stride { unsafe target[word] = source[word] }
      unsafe cursors[place] = target + stride
    }
  }

  /// Puts a further chunk behind a partition's full one and gives its start.
  @inline(never)
  private func newChunk(_ place: Int) -> UnsafeMutablePointer<UInt64>? {
    let before = unsafe chunks[place].last?.capacity ?? 0
    let wanted = min(max(before * 2, Self.leastChunk), Self.greatestChunk)
    let capacity = max(wanted / stride, 1) * stride
    let start = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
    unsafe chunks[place].append(Chunk(start: start, capacity: capacity))
    byteCount += capacity * 8
    unsafe cursors[place] = start
    unsafe ends[place] = start + capacity
    return unsafe start
  }

  /// How many records a partition has.
  package func recordCount(_ place: Int) -> Int {
    let list = unsafe chunks[place]
    let count = unsafe list.count
    var words = 0
    for index in 0..<count { unsafe words += list[index].capacity }
    if let end = unsafe ends[place], let cursor = unsafe cursors[place] {
      unsafe words -= end - cursor
    }
    return words / stride
  }

  /// Calls `body` with runs of whole records, in the order in which they came, until all were given.
  package func forEachRun(_ place: Int, _ body: (Span<UInt64>) -> Void) {
    let list = unsafe chunks[place]
    let count = unsafe list.count
    for index in 0..<count {
      let chunk = unsafe list[index]
      var used = unsafe chunk.capacity
      if index + 1 == count, let end = unsafe ends[place],
        let cursor = unsafe cursors[place]
      {
        unsafe used -= end - cursor
      }
      let words = unsafe UnsafeBufferPointer(start: chunk.start, count: used)
      let span = unsafe words.span
      body(span)
    }
  }

  /// Gives up a partition's memory.
  package func release(_ place: Int) {
    recordCount -= recordCount(place)
    let list = unsafe chunks[place]
    let count = unsafe list.count
    for index in 0..<count {
      unsafe byteCount -= list[index].capacity * 8
      unsafe list[index].start.deallocate()
    }
    unsafe chunks[place] = []
    unsafe cursors[place] = nil
    unsafe ends[place] = nil
  }
}
