// Eight bytes at a time, without a raw pointer.
//
// A JSON text is mostly the insides of strings. They are read as 64-bit little-endian words and
// tested in parallel for every byte that ends the simple case: the quote, the backslash, control
// characters, DEL and anything outside ASCII. `extracting` of a range of constant length lets the
// optimiser drop the bounds checks of its eight subscripts and merge them into one load, which
// makes the safe form as fast as an unaligned load (docs/decisions/0002-event-decoding.md).

extension Span where Element == UInt8 {
  /// The byte at `index`, or 0 past the end: a byte that no JSON text may contain.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    index >= 0 && index < count ? self[index] : 0
  }

  /// The eight bytes from `index` as a little-endian word, with zeros past the end.
  @inline(__always)
  func word(_ index: Int) -> UInt64 {
    // Asked in the words of the checks that follow, so that they are not made twice.
    guard index >= 0 else { return 0 }
    let end = index &+ 8
    guard end >= index, end <= count else { return lastWord(index) }
    let window = extracting(index..<end)
    return UInt64(window[0]) | UInt64(window[1]) << 8 | UInt64(window[2]) << 16
      | UInt64(window[3]) << 24 | UInt64(window[4]) << 32 | UInt64(window[5]) << 40
      | UInt64(window[6]) << 48 | UInt64(window[7]) << 56
  }

  @inline(never)
  private func lastWord(_ index: Int) -> UInt64 {
    var word: UInt64 = 0
    for place in 0..<8 {
      word |= UInt64(byte(index &+ place)) << UInt64(8 &* place)
    }
    return word
  }

  /// The index of the quote that ends the plain text from `start`.
  /// - Returns: −1 where a backslash, a control character, DEL, a byte outside ASCII or the end of
  ///   the bytes comes first.
  /// - Complexity: O(n) in the bytes passed over, eight at a time.
  @inline(__always)
  func endOfPlainText(from start: Int) -> Int {
    var index = start
    while true {
      let word = word(index)
      let stops = ByteWord.stops(in: word)
      if stops != 0 {
        let place = ByteWord.firstMark(in: stops)
        let stop = UInt8(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: 8 &* place))
        return stop == UInt8(ascii: "\"") ? index &+ place : -1
      }
      index &+= 8
    }
  }

  /// The index of the next line feed from `start`, or `count`.
  func endOfLine(from start: Int) -> Int {
    var index = start
    while index < count {
      let found = ByteWord.marks(of: 0x0A, in: word(index))
      if found != 0 { return Swift.min(index &+ ByteWord.firstMark(in: found), count) }
      index &+= 8
    }
    return count
  }
}

/// Tests on eight bytes held in one word. A mark is the high bit of a byte.
enum ByteWord {
  @inline(__always) static var ones: UInt64 { 0x0101_0101_0101_0101 }
  @inline(__always) static var highs: UInt64 { 0x8080_8080_8080_8080 }

  /// Marks of which the lowest stands on the first byte that is `"`, `\`, below 0x20, or above 0x7E.
  ///
  /// Marks above the lowest may be false, since a borrow or carry runs upwards: use only the first.
  @inline(__always)
  static func stops(in word: UInt64) -> UInt64 {
    // `byte ^ 2` is below 0x21 for the control characters, which it permutes, and for the quote.
    let quoteOrControl = (word ^ 0x0202_0202_0202_0202) &- 0x2121_2121_2121_2121
    let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- ones
    // Sets the high bit from 0x7F to 0xFE; the line above sets it for 0xFF.
    let beyond = word &+ ones
    return (quoteOrControl | backslash | beyond) & highs
  }

  /// Marks of which the lowest stands on the first byte equal to `byte`; none where no byte is.
  @inline(__always)
  static func marks(of byte: UInt8, in word: UInt64) -> UInt64 {
    let differences = word ^ (ones &* UInt64(byte))
    return (differences &- ones) & ~differences & highs
  }

  /// The place, 0 to 7, of the lowest mark.
  @inline(__always)
  static func firstMark(in marks: UInt64) -> Int {
    marks.trailingZeroBitCount &>> 3
  }

  /// The lowest `count` bytes of a word, the others cleared; `count` is 0 to 8.
  @inline(__always)
  static func low(_ count: Int, of word: UInt64) -> UInt64 {
    count >= 8 ? word : word & ((1 &<< UInt64(8 &* count)) &- 1)
  }
}
