/// Passes over a JSON value and checks it, without building anything.
///
/// Iterative, so that no nesting exhausts the stack: open containers are frames of an array. Keys
/// given twice are found per object by their hashes: each key leaves a mark above its frame's first,
/// and a closing brace looks at its own marks and drops them.
struct JSONScanner: Sendable {
  /// What is wrong with the text.
  enum Fault: Error, Equatable {
    /// The text is not JSON at `at`, where something else was expected.
    case syntax(at: Int, expected: String)
    case text(TextFault)
    case repeatedKey(ByteRange)
    case tooDeep(at: Int)
  }

  /// Where a key is and what it hashes to.
  struct KeyMark: Sendable {
    var hash: UInt64
    var range: ByteRange
  }

  private struct Frame: Sendable {
    var isObject: Bool
    var firstMark: Int
  }

  /// Open containers at which a further one is refused.
  var nestingLimit = Int.max
  /// Whether a key given twice is a fault.
  var refusesRepeatedKeys = false
  /// Whether a line feed is white space; in NDJSON it ends the text.
  var spansLines = true
  /// Whether texts may hold bytes that are not UTF-8 and lone surrogates, which do not hide where
  /// the text ends.
  var toleratesEncoding = false
  /// Receives texts with escapes while they are read.
  var tail: [UInt8] = []
  /// Length of the input, where ranges into the tail begin.
  var base = 0
  var marks: [KeyMark] = []
  private var frames: [Frame] = []

  init() {}

  /// The first index from `at` that is not white space.
  @inline(__always)
  func afterBlanks(_ bytes: Span<UInt8>, _ at: Int) -> Int {
    bytes.byte(at) > 0x20 ? at : skipBlanks(bytes, at)
  }

  @inline(never)
  private func skipBlanks(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var at = start
    while true {
      switch bytes.byte(at) {
      case 0x20, 0x09, 0x0D: at &+= 1
      case 0x0A where spansLines: at &+= 1
      default: return at
      }
    }
  }

  /// Passes over the value at `start`.
  /// - Parameter depth: How many containers are open around it.
  /// - Returns: The index after it.
  /// - Complexity: O(n) in its bytes; the keys of one object are sorted where they are many.
  mutating func skipValue(
    _ bytes: Span<UInt8>, at start: Int, depth: Int
  ) throws(Fault) -> Int {
    frames.removeAll(keepingCapacity: true)
    let bottom = marks.count
    defer { marks.removeSubrange(min(bottom, marks.count)...) }
    var at = start
    while true {
      at = afterBlanks(bytes, at)
      switch bytes.byte(at) {
      case UInt8(ascii: "{"):
        try open(isObject: true, at: at, depth: depth)
        at = afterBlanks(bytes, at &+ 1)
        if bytes.byte(at) != UInt8(ascii: "}") {
          at = try key(bytes, at: at)
          continue
        }
      case UInt8(ascii: "["):
        try open(isObject: false, at: at, depth: depth)
        at = afterBlanks(bytes, at &+ 1)
        if bytes.byte(at) != UInt8(ascii: "]") { continue }
      default:
        at = try scalar(bytes, at: at)
      }
      guard let next = try closeContainers(bytes, at: at) else { return endOfValue }
      at = next
    }
  }

  /// Where the value passed over last ended; set when ``closeContainers(_:at:)`` answers nil.
  private var endOfValue = 0

  private mutating func open(isObject: Bool, at: Int, depth: Int) throws(Fault) {
    if depth &+ frames.count >= nestingLimit { throw .tooDeep(at: at) }
    frames.append(Frame(isObject: isObject, firstMark: marks.count))
  }

  /// After a value, or at the closing bracket of an empty container: closes what ends here.
  /// - Returns: Where the next value begins, or nil where all is closed.
  private mutating func closeContainers(
    _ bytes: Span<UInt8>, at start: Int
  ) throws(Fault) -> Int? {
    var at = start
    while let frame = frames.last {
      at = afterBlanks(bytes, at)
      let byte = bytes.byte(at)
      if byte == UInt8(ascii: ",") {
        at = afterBlanks(bytes, at &+ 1)
        return frame.isObject ? try key(bytes, at: at) : at
      }
      guard byte == (frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
        throw .syntax(
          at: at, expected: frame.isObject ? "a comma or }" : "a comma or ]")
      }
      if frame.isObject && refusesRepeatedKeys, let range = repeatedKey(from: frame.firstMark) {
        throw .repeatedKey(range)
      }
      marks.removeSubrange(frame.firstMark...)
      frames.removeLast()
      at &+= 1
    }
    endOfValue = at
    return nil
  }

  /// Reads a key and its colon.
  private mutating func key(_ bytes: Span<UInt8>, at start: Int) throws(Fault) -> Int {
    guard bytes.byte(start) == UInt8(ascii: "\"") else {
      throw .syntax(at: start, expected: "a key in quotes")
    }
    let before = tail.count
    let text = try string(bytes, at: start &+ 1)
    if refusesRepeatedKeys { mark(text.range, bytes) }
    if tail.count != before && !refusesRepeatedKeys { tail.removeSubrange(before...) }
    let at = afterBlanks(bytes, text.end)
    guard bytes.byte(at) == UInt8(ascii: ":") else {
      throw .syntax(at: at, expected: "a colon")
    }
    return at &+ 1
  }

  /// Reads the string whose first character is at `start`.
  @inline(__always)
  mutating func string(_ bytes: Span<UInt8>, at start: Int) throws(Fault) -> ReadText {
    let end = bytes.endOfPlainText(from: start)
    if end >= 0 {
      let range = ByteRange(
        offset: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: end &- start))
      return ReadText(range: range, end: end &+ 1, isUnclean: false)
    }
    do {
      return try TextReader.read(
        bytes, from: start, base: base, tolerant: toleratesEncoding, tail: &tail)
    } catch {
      throw .text(error)
    }
  }

  private mutating func scalar(_ bytes: Span<UInt8>, at: Int) throws(Fault) -> Int {
    switch bytes.byte(at) {
    case UInt8(ascii: "\""):
      let before = tail.count
      let end = try string(bytes, at: at &+ 1).end
      if tail.count != before { tail.removeSubrange(before...) }
      return end
    case UInt8(ascii: "t") where Self.isTrue(bytes.word(at)): return at &+ 4
    case UInt8(ascii: "n") where Self.isNull(bytes.word(at)): return at &+ 4
    case UInt8(ascii: "f") where Self.isFalse(bytes.word(at)): return at &+ 5
    case UInt8(ascii: "-"), 0x30...0x39:
      if let number = JSONNumber(bytes, at: at) { return number.end }
    default: break
    }
    throw .syntax(at: at, expected: "a value")
  }

  @inline(__always)
  static func isTrue(_ word: UInt64) -> Bool { word & 0xFFFF_FFFF == 0x6575_7274 }
  @inline(__always)
  static func isNull(_ word: UInt64) -> Bool { word & 0xFFFF_FFFF == 0x6C6C_756E }
  @inline(__always)
  static func isFalse(_ word: UInt64) -> Bool { word & 0xFF_FFFF_FFFF == 0x65_736C_6166 }

  // MARK: Keys given twice

  /// Leaves a mark for the key at `range`.
  mutating func mark(_ range: ByteRange, _ bytes: Span<UInt8>) {
    marks.append(KeyMark(hash: hash(range, bytes), range: range))
  }

  /// The second of two equal keys among the marks from `first`, or nil.
  ///
  /// Keys with equal 64-bit hashes are taken to be equal; who constructs a collision only has an
  /// event of theirs refused.
  /// - Complexity: O(n log n) in the marks.
  mutating func repeatedKey(from first: Int) -> ByteRange? {
    let count = marks.count - first
    if count < 2 { return nil }
    if count <= 12 {
      for later in (first + 1)..<marks.count {
        for earlier in first..<later where marks[earlier].hash == marks[later].hash {
          return marks[later].range
        }
      }
      return nil
    }
    var sorted = Array(marks[first...])
    sorted.sort { ($0.hash, $0.range.offset) < ($1.hash, $1.range.offset) }
    for index in 1..<sorted.count where sorted[index].hash == sorted[index - 1].hash {
      return sorted[index].range
    }
    return nil
  }

  /// A hash of the text at `range`, which is in the input or in the tail.
  func hash(_ range: ByteRange, _ bytes: Span<UInt8>) -> UInt64 {
    Int(range.offset) < base || range.length == 0
      ? Self.hash(bytes, from: Int(range.offset), count: Int(range.length))
      : Self.hash(tail.span, from: Int(range.offset) - base, count: Int(range.length))
  }

  /// Mixes eight bytes at a time by a 128-bit product whose halves are folded.
  private static func hash(_ bytes: Span<UInt8>, from start: Int, count: Int) -> UInt64 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(count)
    var at = start
    var left = count
    while left > 0 {
      let word = ByteWord.low(left, of: bytes.word(at))
      let product = (state ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
      state = (product.high ^ product.low) &+ 0xA076_1D64_78BD_642F
      at &+= 8
      left &-= 8
    }
    return state
  }
}
