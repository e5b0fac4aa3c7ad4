// Texts to small numbers, for columns in the making.
//
// An open-addressing table of 64-bit cells (upper half: 32 bits of the text's hash; lower half: its
// code, 0 for an empty cell) over one arena of bytes. A look-up hashes the text where it stands in
// the input, touches one or two cells and compares with the arena; no String, no array, no
// allocation unless the text is new. The hash is keyed by random words of the process, so input
// cannot choose what collides. It orders nothing: codes are given in order of appearance, and a
// segment's bytes do not depend on the key. Hashes are kept, so that neither growth nor taking the
// texts of another dictionary over hashes a text again.
//
// Unsafe because: this is a plain struct of pointers that stands in memory of its owner, so that a
// row's twenty look-ups cost no reference counting. The owner calls `destroy` once. Texts come in as a pointer and a length that the
// caller has checked against its buffer; cells are masked into the table; codes index `ends`, which
// has room for `capacity` + 1 of them.

/// See the head of this file. All zero is an empty dictionary.
@unsafe
struct ByteDictionary {
  private var cells: UnsafeMutablePointer<UInt64>?
  private var mask = 0
  private var arena: UnsafeMutablePointer<UInt8>?
  private var arenaSize = 0
  /// End of each text in the arena, by code; `ends[0]` is 0.
  private var ends: UnsafeMutablePointer<UInt32>?
  /// Hash of each text, by code; the first is not used.
  private var hashes: UnsafeMutablePointer<UInt64>?
  private var capacity = 0
  /// Texts so far; codes are 1…count.
  private(set) var count = 0
  /// Bytes of all texts.
  private(set) var textBytes = 0

  /// Keeps loads that only warm the cache from being dropped; it means nothing.
  private var searches: UInt64 = 0

  private static let key = (UInt64.random(in: 1 ... .max), UInt64.random(in: 1 ... .max))

  init() {}

  /// Memory in use.
  var byteCount: Int { unsafe mask * 8 + arenaSize + capacity * 12 }

  /// Frees all memory; the dictionary is empty then.
  mutating func destroy() {
    unsafe cells?.deallocate()
    unsafe arena?.deallocate()
    unsafe ends?.deallocate()
    unsafe hashes?.deallocate()
    unsafe self = ByteDictionary()
  }

  /// Forgets all texts and keeps the memory.
  mutating func removeAll() {
    guard unsafe count > 0 else { return }
    unsafe cells?.update(repeating: 0, count: mask + 1)
    unsafe count = 0
    unsafe textBytes = 0
  }

  /// The code of the `length` bytes at `text`, a new one where it was not seen before; 0 where it is
  /// new and there are `limit` texts already.
  @inline(__always)
  mutating func code(
    _ text: UnsafePointer<UInt8>, _ length: Int, upTo limit: Int = .max
  ) -> UInt32 {
    unsafe code(
      text, length, hash: Self.hash(UnsafeRawPointer(text), length), upTo: limit)
  }

  /// As above where the text's hash is known, which is the same in every dictionary of the process.
  @inline(__always)
  mutating func code(
    _ text: UnsafePointer<UInt8>, _ length: Int, hash: UInt64, upTo limit: Int
  ) -> UInt32 {
    let tag = hash >> 32
    if let cells = unsafe cells, let arena = unsafe arena, let ends = unsafe ends {
      var place = unsafe Int(truncatingIfNeeded: hash) & mask
      while true {
        let cell = unsafe cells[place]
        if cell == 0 { break }
        if cell >> 32 == tag {
          let code = Int(truncatingIfNeeded: cell & 0xFFFF_FFFF)
          let start = unsafe Int(ends[code - 1])
          if unsafe Int(ends[code]) - start == length,
            unsafe Self.areEqual(UnsafeRawPointer(arena + start), UnsafeRawPointer(text), length)
          {
            return UInt32(truncatingIfNeeded: code)
          }
        }
        place = unsafe (place &+ 1) & mask
      }
    }
    return unsafe count < limit ? insert(text, length, hash: hash) : 0
  }

  /// The codes that the texts of another dictionary have here, by their codes there; new texts are
  /// taken over. The first is 0, for absent.
  ///
  /// - Complexity: O(texts of the other dictionary).
  mutating func take(_ other: ByteDictionary, upTo limit: Int = .max, into codes: inout [UInt32]) {
    codes.removeAll(keepingCapacity: true)
    codes.append(0)
    guard let arena = unsafe other.arena, let ends = unsafe other.ends,
      let hashes = unsafe other.hashes, unsafe other.count > 0
    else { return }
    // Each search begins with a cache miss where this dictionary is large; those of many texts
    // overlap when they are asked for together.
    let ahead = 16
    var asked: UInt64 = 0
    for number in unsafe 1...other.count {
      if number % ahead == 1, let cells = unsafe cells, unsafe mask > 1023 {
        for next in unsafe number...min(number + ahead - 1, other.count) {
          asked ^= unsafe cells[Int(truncatingIfNeeded: hashes[next]) & mask]
        }
      }
      let start = unsafe Int(ends[number - 1])
      unsafe codes.append(
        code(
          UnsafePointer(arena + start), Int(ends[number]) - start, hash: hashes[number],
          upTo: limit))
    }
    unsafe searches ^= asked
  }

  /// Whether `code`, which this dictionary gave since it was last emptied, stands for a text.
  @inline(__always)
  func isText(_ code: Int, _ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    precondition(unsafe code >= 1 && code <= count, "BUG: no text \(code)")
    guard let arena = unsafe arena, let ends = unsafe ends else { return false }
    let start = unsafe Int(ends[code - 1])
    return unsafe Int(ends[code]) - start == length
      && Self.areEqual(UnsafeRawPointer(arena + start), UnsafeRawPointer(text), length)
  }

  /// Calls `body` with the text that `code` stands for.
  func withText(_ code: Int, _ body: (UnsafePointer<UInt8>, Int) -> Void) {
    precondition(unsafe code >= 1 && code <= count, "BUG: no text \(code)")
    guard let arena = unsafe arena, let ends = unsafe ends else { return }
    let start = unsafe Int(ends[code - 1])
    unsafe body(UnsafePointer(arena + start), Int(ends[code]) - start)
  }

  /// The texts in the order of their codes.
  func texts() -> TextColumn {
    var column = TextColumn()
    guard let arena = unsafe arena, let ends = unsafe ends else { return column }
    column.bytes = unsafe Array(UnsafeBufferPointer(start: arena, count: textBytes))
    column.offsets = unsafe Array(UnsafeBufferPointer(start: ends, count: count + 1))
    return column
  }

  /// Appends a text behind its length.
  func append(textOf code: Int, to bytes: inout [UInt8]) {
    unsafe withText(code) { text, length in
      bytes.append(variable: UInt64(length))
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text, count: length))
    }
  }

  /// Appends how many texts there are, the length of each, and all of them.
  func append(textsTo bytes: inout [UInt8]) {
    unsafe bytes.append(variable: UInt64(count))
    guard let arena = unsafe arena, let ends = unsafe ends, unsafe count > 0 else { return }
    for code in unsafe 1...count {
      unsafe bytes.append(variable: UInt64(ends[code] - ends[code - 1]))
    }
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: arena, count: textBytes))
  }

  @inline(never)
  private mutating func insert(
    _ text: UnsafePointer<UInt8>, _ length: Int, hash: UInt64
  ) -> UInt32 {
    unsafe grow(by: length)
    guard let cells = unsafe cells, let arena = unsafe arena, let ends = unsafe ends,
      let hashes = unsafe hashes
    else { preconditionFailure("BUG: a dictionary has no memory after it grew") }
    unsafe (arena + textBytes).update(from: text, count: length)
    unsafe textBytes += length
    unsafe count += 1
    unsafe ends[count] = UInt32(textBytes)
    unsafe hashes[count] = hash
    var place = unsafe Int(truncatingIfNeeded: hash) & mask
    while unsafe cells[place] != 0 { place = unsafe (place &+ 1) & mask }
    unsafe cells[place] = (hash >> 32) << 32 | UInt64(count)
    return unsafe UInt32(count)
  }

  /// Makes room for one more text of `length` bytes.
  private mutating func grow(by length: Int) {
    if unsafe arenaSize < textBytes + length || arena == nil {
      let size = unsafe max(256, (textBytes + length) * 2)
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
      if let arena = unsafe arena {
        unsafe larger.update(from: arena, count: textBytes)
        unsafe arena.deallocate()
      }
      unsafe arena = larger
      unsafe arenaSize = size
    }
    guard unsafe count + 1 > capacity else { return }
    let larger = unsafe max(16, capacity * 2)
    let newEnds = UnsafeMutablePointer<UInt32>.allocate(capacity: larger + 1)
    unsafe newEnds[0] = 0
    if let ends = unsafe ends {
      unsafe newEnds.update(from: ends, count: count + 1)
      unsafe ends.deallocate()
    }
    unsafe ends = newEnds
    let newHashes = UnsafeMutablePointer<UInt64>.allocate(capacity: larger + 1)
    unsafe newHashes[0] = 0
    if let hashes = unsafe hashes {
      unsafe newHashes.update(from: hashes, count: count + 1)
      unsafe hashes.deallocate()
    }
    unsafe hashes = newHashes
    unsafe capacity = larger
    unsafe rebuildCells(size: larger * 2)
  }

  /// Puts every text into a new table of `size` cells, a power of two at most half full.
  private mutating func rebuildCells(size: Int) {
    unsafe cells?.deallocate()
    let table = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
    unsafe table.initialize(repeating: 0, count: size)
    unsafe mask = size - 1
    unsafe cells = table
    guard let hashes = unsafe hashes, unsafe count > 0 else { return }
    for code in unsafe 1...count {
      let hash = unsafe hashes[code]
      var place = unsafe Int(truncatingIfNeeded: hash) & mask
      while unsafe table[place] != 0 { place = unsafe (place &+ 1) & mask }
      unsafe table[place] = (hash >> 32) << 32 | UInt64(code)
    }
  }

  /// A keyed multiply-and-fold hash: two overlapping words for texts of up to 16 bytes, then
  /// sixteen bytes a step. Every load stays inside the `length` bytes.
  @inline(__always)
  private static func hash(_ text: UnsafeRawPointer, _ length: Int) -> UInt64 {
    let (key0, key1) = unsafe key
    var first: UInt64
    var last: UInt64
    var state = key0 ^ UInt64(truncatingIfNeeded: length)
    if length >= 8 {
      var place = 0
      while place &+ 16 < length {
        state = unsafe fold(
          unsafe state ^ text.loadUnaligned(fromByteOffset: place, as: UInt64.self),
          unsafe key1 ^ text.loadUnaligned(fromByteOffset: place &+ 8, as: UInt64.self))
        place &+= 16
      }
      first = unsafe text.loadUnaligned(
        fromByteOffset: length >= 16 ? length &- 16 : 0, as: UInt64.self)
      last = unsafe text.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
    } else if length >= 4 {
      first = unsafe UInt64(text.loadUnaligned(as: UInt32.self))
      last = unsafe UInt64(text.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self))
    } else if length > 0 {
      first = unsafe UInt64(text.load(as: UInt8.self))
      last =
        unsafe UInt64(text.load(fromByteOffset: length >> 1, as: UInt8.self)) << 8
        | UInt64(text.load(fromByteOffset: length &- 1, as: UInt8.self))
    } else {
      first = 0
      last = 0
    }
    return unsafe fold(fold(first ^ state, last ^ key1), key0 ^ 0x9E37_79B9_7F4A_7C15)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  @inline(__always)
  private static func areEqual(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ length: Int
  ) -> Bool {
    if length >= 8 {
      var place = 0
      while place &+ 8 < length {
        if unsafe !areEqual(left, right, at: place, as: UInt64.self) { return false }
        place &+= 8
      }
      // The last word overlaps the one before: no loop over single bytes.
      return unsafe areEqual(left, right, at: length &- 8, as: UInt64.self)
    }
    if length >= 4 {
      return unsafe areEqual(left, right, at: 0, as: UInt32.self)
        && areEqual(left, right, at: length &- 4, as: UInt32.self)
    }
    if length >= 2 {
      return unsafe areEqual(left, right, at: 0, as: UInt16.self)
        && areEqual(left, right, at: length &- 2, as: UInt16.self)
    }
    return unsafe length == 0 || areEqual(left, right, at: 0, as: UInt8.self)
  }

  @inline(__always)
  private static func areEqual<Word: FixedWidthInteger & BitwiseCopyable>(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, at place: Int, as word: Word.Type
  ) -> Bool {
    unsafe left.loadUnaligned(fromByteOffset: place, as: word)
      == right.loadUnaligned(fromByteOffset: place, as: word)
  }
}
