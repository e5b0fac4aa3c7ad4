internal import FarthingCore

// When a zone's clocks stand how far from UTC, read from the compiled zone files (TZif) that every
// Unix system carries. The caller hands over the bytes; nothing here opens a file.
//
// A file lists transitions and, for all later times, ends with a rule in the notation of the
// POSIX variable TZ. Source: RFC 8536 (TZif) and POSIX.1-2017, chapter 8.3.

/// The offsets of a time zone over all times.
package struct TimeZoneRules: Sendable, Hashable {
  package let name: String
  /// Unix seconds at which an offset begins, ascending.
  let transitions: [Int64]
  /// Seconds east of UTC from the transition of the same index on.
  let offsets: [Int]
  /// Before the first transition.
  let firstOffset: Int
  /// After the last transition; nil where its offset holds for ever.
  let tail: RecurringRule?

  package static let utc = TimeZoneRules(
    name: "UTC", transitions: [], offsets: [], firstOffset: 0, tail: nil)

  /// A fixed distance from UTC, written `+HH:MM` or `-HH:MM`; nil for anything else.
  package init?(offset text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"),
      bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
      let hours = Int(text.dropFirst().prefix(2)), let minutes = Int(text.suffix(2)),
      (0...23).contains(hours), (0...59).contains(minutes)
    else { return nil }
    let seconds = (hours * 3600 + minutes * 60) * (bytes[0] == UInt8(ascii: "-") ? -1 : 1)
    self.init(name: text, transitions: [], offsets: [], firstOffset: seconds, tail: nil)
  }

  init(
    name: String, transitions: [Int64], offsets: [Int], firstOffset: Int, tail: RecurringRule?
  ) {
    self.name = name
    self.transitions = transitions
    self.offsets = offsets
    self.firstOffset = firstOffset
    self.tail = tail
  }

  /// Whether local time is UTC at all times.
  package var isUTC: Bool { transitions.isEmpty && firstOffset == 0 && tail == nil }

  /// Seconds east of UTC at a Unix second.
  package func offset(at second: Int64) -> Int {
    guard let last = transitions.last else {
      return tail?.offset(at: second) ?? firstOffset
    }
    if second >= last, let tail { return tail.offset(at: second) }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= second { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? firstOffset : offsets[low - 1]
  }

  /// The first instant at which the zone's clocks show `localSecond` or later (seconds since 1970
  /// as if local time were UTC).
  package func firstSecond(showing localSecond: Int64) -> Int64 {
    let before = Int64(offset(at: localSecond - 86_400))
    let after = Int64(offset(at: localSecond + 86_400))
    if before == after { return localSecond - before }
    let candidates = [localSecond - before, localSecond - after].sorted()
    for candidate in candidates
    where candidate + Int64(offset(at: candidate)) == localSecond {
      return candidate
    }
    // The clocks jump over it: the instant of the jump is the answer.
    var low = candidates[0]
    var high = candidates[1]
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if middle + Int64(offset(at: middle)) < localSecond { low = middle } else { high = middle }
    }
    return high
  }

  /// The first instant of a local day, counted from 1 January 1970, in Unix nanoseconds.
  package func startOfDay(_ day: Int64) -> Int64 {
    CivilTime.nanoseconds(seconds: Int128(firstSecond(showing: day * 86_400)))
  }

  /// The path of a zone's file below the folder of zones (usually `/usr/share/zoneinfo`), or nil
  /// where the name can be none: letters, digits, `_`, `+`, `-` in parts joined by `/`.
  package static func relativePath(of name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty
        && part.utf8.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
            UInt8(ascii: "-"):
            true
          default: false
          }
        }
    }
    return isPlain && parts.count <= 4 ? name : nil
  }
}

extension TimeZoneRules {
  /// The rules in the bytes of a zone file.
  /// - Returns: nil where the bytes are no complete TZif file; nothing in them is trusted.
  package init?(name: String, tzif bytes: [UInt8]) {
    guard let version = ZoneHeader(bytes, at: 0) else { return nil }
    var header = version
    // From version 2 on, a second block with 64-bit times follows the first.
    if version.version >= 2 {
      guard let second = ZoneHeader(bytes, at: version.end) else { return nil }
      header = second
    }
    let timeSize = version.version >= 2 ? 8 : 4
    guard header.blockEnd(timeSize: timeSize) <= bytes.count, header.typeCount > 0 else {
      return nil
    }
    var transitions: [Int64] = []
    var offsets: [Int] = []
    let typeIndexes = header.start + header.timeCount * timeSize
    let types = typeIndexes + header.timeCount
    func offset(ofType index: Int) -> Int {
      Int(Int32(truncatingIfNeeded: bytes.bigEndian(at: types + index * 6, size: 4)))
    }
    for index in 0..<header.timeCount {
      let time = bytes.bigEndian(at: header.start + index * timeSize, size: timeSize)
      let type = Int(bytes[typeIndexes + index])
      guard type < header.typeCount else { return nil }
      if let last = transitions.last, time <= last { return nil }
      let seconds = offset(ofType: type)
      guard abs(seconds) < 90_000 else { return nil }
      transitions.append(time)
      offsets.append(seconds)
    }
    var tail: RecurringRule?
    if version.version >= 2 {
      let footer = bytes[header.blockEnd(timeSize: timeSize)...]
      if footer.first == 10, let end = footer.dropFirst().firstIndex(of: 10) {
        let text = String(decoding: footer[(footer.startIndex + 1)..<end], as: UTF8.self)
        if !text.isEmpty {
          guard let rule = RecurringRule(text) else { return nil }
          tail = rule
        }
      }
    }
    let first = offset(ofType: 0)
    guard abs(first) < 90_000 else { return nil }
    self.init(
      name: name, transitions: transitions, offsets: offsets, firstOffset: first, tail: tail)
  }
}

/// The counts at the head of a block of a zone file.
private struct ZoneHeader {
  let version: Int
  let timeCount: Int
  let typeCount: Int
  /// Where the block's transition times begin.
  let start: Int
  private let leapCount: Int
  private let characterCount: Int
  private let indicatorCount: Int

  init?(_ bytes: [UInt8], at position: Int) {
    guard bytes.count - position >= 44, Array(bytes[position..<position + 4]) == Array("TZif".utf8)
    else { return nil }
    let mark = bytes[position + 4]
    version = mark == 0 ? 1 : Int(mark) - 48
    let counts = (0..<6).map { bytes.bigEndian(at: position + 20 + $0 * 4, size: 4) }
    guard counts.allSatisfy({ $0 >= 0 && $0 <= 1_000_000 }) else { return nil }
    indicatorCount = Int(counts[0] + counts[1])
    leapCount = Int(counts[2])
    timeCount = Int(counts[3])
    typeCount = Int(counts[4])
    characterCount = Int(counts[5])
    start = position + 44
  }

  func blockEnd(timeSize: Int) -> Int {
    start + timeCount * (timeSize + 1) + typeCount * 6 + characterCount
      + leapCount * (timeSize + 4) + indicatorCount
  }

  /// Where the first block, with its 32-bit times, ends.
  var end: Int { blockEnd(timeSize: 4) }
}

extension [UInt8] {
  /// A signed big-endian integer; the caller has checked that its bytes are there.
  fileprivate func bigEndian(at position: Int, size: Int) -> Int64 {
    var value: UInt64 = 0
    for byte in self[position..<position + size] { value = value << 8 | UInt64(byte) }
    return size == 4
      ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
  }
}
