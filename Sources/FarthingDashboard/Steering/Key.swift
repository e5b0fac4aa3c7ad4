/// What a terminal says that somebody did.
package enum Key: Sendable, Hashable {
  case character(Character)
  case enter, escape, tab, backTab, backspace, delete
  case up, down, left, right, home, end, pageUp, pageDown
  /// A letter held with control.
  case control(Character)
  /// Text that was pasted: never commands.
  case paste(String)
  /// A button went down at a cell, from 0.
  case click(x: Int, y: Int)
  /// The wheel turned over a cell, up or down.
  case wheel(x: Int, y: Int, isUp: Bool)
}

/// Turns the bytes of a terminal into keys.
///
/// Sequences may come in pieces; what could be the beginning of one is kept until more comes or
/// ``flush()`` says that nothing does, for escape alone is a key too.
package struct KeyDecoder: Sendable {
  private var rest: [UInt8] = []
  private var pasted: [UInt8]?
  /// Most bytes of a paste that are kept, and of a sequence before it counts as nonsense.
  private static let pasteLimit = 1 << 16
  private static let sequenceLimit = 64

  package init() {}

  /// Whether a lone escape may be the beginning of something.
  package var isWaiting: Bool { !rest.isEmpty }

  package mutating func take(_ bytes: [UInt8]) -> [Key] {
    rest += bytes
    var keys: [Key] = []
    while let key = next() { keys.append(contentsOf: key) }
    return keys
  }

  /// Nothing followed: what was kept is what it is.
  package mutating func flush() -> [Key] {
    guard pasted == nil, !rest.isEmpty else { return [] }
    let isEscape = rest.first == 0x1B
    rest = []
    return isEscape ? [.escape] : []
  }

  /// The next key's worth of bytes; an empty list where they mean nothing, nil where more are needed.
  private mutating func next() -> [Key]? {
    if pasted != nil { return paste() }
    guard let first = rest.first else { return nil }
    switch first {
    case 0x1B: return escape()
    case 0x0D, 0x0A:
      rest.removeFirst()
      return [.enter]
    case 0x09:
      rest.removeFirst()
      return [.tab]
    case 0x7F, 0x08:
      rest.removeFirst()
      return [.backspace]
    case 0x01...0x1A:
      rest.removeFirst()
      return [.control(Character(UnicodeScalar(first + 0x60)))]
    case 0x00, 0x1C...0x1F:
      rest.removeFirst()
      return []
    default: return character()
    }
  }

  private mutating func character() -> [Key]? {
    let first = rest[0]
    let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 0
    guard length > 0 else {
      rest.removeFirst()
      return []
    }
    guard rest.count >= length else { return nil }
    guard let text = String(validating: rest.prefix(length), as: UTF8.self) else {
      rest.removeFirst()
      return []
    }
    rest.removeFirst(length)
    return text.first.map { [.character($0)] } ?? []
  }

  private mutating func escape() -> [Key]? {
    guard rest.count > 1 else { return nil }
    switch rest[1] {
    case UInt8(ascii: "["): return sequence()
    case UInt8(ascii: "O"):
      guard rest.count > 2 else { return nil }
      let final = rest[2]
      rest.removeFirst(3)
      return Self.cursor(final).map { [$0] } ?? []
    default:
      // Escape, and then another key at once.
      rest.removeFirst()
      return [.escape]
    }
  }

  /// `ESC [ parameters final`
  private mutating func sequence() -> [Key]? {
    guard let end = rest.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
      guard rest.count > Self.sequenceLimit else { return nil }
      rest.removeFirst(2)
      return []
    }
    let final = rest[end]
    let body = Array(rest[2..<end])
    rest.removeFirst(end + 1)
    if body.first == UInt8(ascii: "<") { return Self.mouse(Array(body.dropFirst()), final) }
    let numbers = Self.numbers(body)
    if final == UInt8(ascii: "~") {
      switch numbers.first {
      case 1, 7: return [.home]
      case 3: return [.delete]
      case 4, 8: return [.end]
      case 5: return [.pageUp]
      case 6: return [.pageDown]
      case 200:
        pasted = []
        return []
      default: return []
      }
    }
    if final == UInt8(ascii: "Z") { return [.backTab] }
    return Self.cursor(final).map { [$0] } ?? []
  }

  private static func cursor(_ final: UInt8) -> Key? {
    switch final {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): .right
    case UInt8(ascii: "D"): .left
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "M"): .enter
    default: nil
    }
  }

  private static func numbers(_ body: [UInt8]) -> [Int] {
    body.split(separator: UInt8(ascii: ";")).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
  }

  /// Source: xterm's SGR mouse mode (1006).
  private static func mouse(_ body: [UInt8], _ final: UInt8) -> [Key] {
    let numbers = numbers(body)
    guard numbers.count == 3, final == UInt8(ascii: "M"), (1...10_000).contains(numbers[1]),
      (1...10_000).contains(numbers[2])
    else { return [] }
    let (x, y) = (numbers[1] - 1, numbers[2] - 1)
    switch numbers[0] & ~(4 | 8 | 16) {
    case 0: return [.click(x: x, y: y)]
    case 64: return [.wheel(x: x, y: y, isUp: true)]
    case 65: return [.wheel(x: x, y: y, isUp: false)]
    default: return []
    }
  }

  private mutating func paste() -> [Key]? {
    let end = Array("\u{1B}[201~".utf8)
    var place = 0
    while place + end.count <= rest.count {
      if rest[place] == 0x1B, Array(rest[place..<place + end.count]) == end {
        pasted = (pasted ?? []) + rest[..<place]
        rest.removeFirst(place + end.count)
        let text = String(decoding: (pasted ?? []).prefix(Self.pasteLimit), as: UTF8.self)
        pasted = nil
        return [.paste(text)]
      }
      place += 1
    }
    // The last bytes may be the beginning of the end.
    let safe = max(0, rest.count - end.count + 1)
    if (pasted?.count ?? 0) < Self.pasteLimit { pasted = (pasted ?? []) + rest[..<safe] }
    rest.removeFirst(safe)
    return nil
  }
}
