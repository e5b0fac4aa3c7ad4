internal import FarthingStore

/// Numbers 64-bit keys in the order of their first appearance.
///
/// Open addressing with linear steps in a table of at least twice as many places as keys.
struct KeyInterner {
  private(set) var keys: [UInt64] = []
  /// Index of the key plus one; 0 where the place is free.
  private var table: [UInt32]
  private var shift: UInt64

  init(capacity: Int = 16) {
    var size = 32
    while size < capacity * 2 { size *= 2 }
    table = [UInt32](repeating: 0, count: size)
    shift = UInt64(64 - size.trailingZeroBitCount)
  }

  var count: Int { keys.count }
  /// About the bytes that it takes.
  var byteCount: Int { keys.capacity * 8 + table.count * 4 }

  @inline(__always)
  private func place(of key: UInt64) -> Int {
    // The golden ratio spreads neighbouring keys; the product wraps by intent.
    let product = (key ^ (key >> 32)) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: product >> shift)
  }

  /// The number of a key, given now if it has none.
  mutating func intern(_ key: UInt64) -> UInt32 {
    let mask = table.count - 1
    var place = place(of: key)
    while true {
      let entry = table[place]
      if entry == 0 { break }
      if keys[Int(entry) - 1] == key { return entry - 1 }
      place = (place + 1) & mask
    }
    keys.append(key)
    table[place] = UInt32(keys.count)
    if keys.count * 2 > table.count { grow() }
    return UInt32(keys.count - 1)
  }

  private mutating func grow() {
    let size = table.count * 2
    shift -= 1
    table = [UInt32](repeating: 0, count: size)
    for (index, key) in keys.enumerated() {
      var place = place(of: key)
      while table[place] != 0 { place = (place + 1) & (size - 1) }
      table[place] = UInt32(index + 1)
    }
  }
}

/// Numbers texts in the order of their first appearance, comparing their bytes.
struct TextInterner {
  private(set) var bytes: [UInt8] = []
  private(set) var offsets: [Int] = [0]
  private var digests: [UInt64] = []
  private var table = [UInt32](repeating: 0, count: 64)

  var count: Int { digests.count }
  var byteCount: Int { bytes.capacity + digests.capacity * 16 + table.count * 4 }

  func string(_ index: Int) -> String {
    String(decoding: bytes[offsets[index]..<offsets[index + 1]], as: UTF8.self)
  }

  func range(_ index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }

  /// The number of the text, or nil where it has none.
  func number(of text: Span<UInt8>, _ range: Range<Int>) -> UInt32? {
    let digest = TextKey(text, range).mixed
    let entry = table[place(of: text, range, digest)]
    return entry == 0 ? nil : entry - 1
  }

  mutating func intern(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
    let digest = TextKey(text, range).mixed
    let place = place(of: text, range, digest)
    let entry = table[place]
    if entry != 0 { return entry - 1 }
    for index in range { bytes.append(text[index]) }
    offsets.append(bytes.count)
    digests.append(digest)
    table[place] = UInt32(digests.count)
    if digests.count * 2 > table.count { grow() }
    return UInt32(digests.count - 1)
  }

  mutating func intern(_ text: String) -> UInt32 {
    let utf8 = Array(text.utf8)
    return intern(utf8.span, 0..<utf8.count)
  }

  /// Where the text stands or would be put.
  private func place(of text: Span<UInt8>, _ range: Range<Int>, _ digest: UInt64) -> Int {
    let mask = table.count - 1
    var place = Int(truncatingIfNeeded: digest) & mask
    while true {
      let entry = table[place]
      if entry == 0 { return place }
      let index = Int(entry) - 1
      if digests[index] == digest, equals(index, text, range) { return place }
      place = (place + 1) & mask
    }
  }

  private func equals(_ index: Int, _ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let start = offsets[index]
    guard offsets[index + 1] - start == range.count else { return false }
    for offset in 0..<range.count where bytes[start + offset] != text[range.lowerBound + offset] {
      return false
    }
    return true
  }

  private mutating func grow() {
    let size = table.count * 2
    table = [UInt32](repeating: 0, count: size)
    for (index, digest) in digests.enumerated() {
      var place = Int(truncatingIfNeeded: digest) & (size - 1)
      while table[place] != 0 { place = (place + 1) & (size - 1) }
      table[place] = UInt32(index + 1)
    }
  }
}
