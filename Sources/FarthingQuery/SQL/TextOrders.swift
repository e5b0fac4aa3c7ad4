internal import FarthingCore
internal import FarthingStore

// How SQL compares the texts of two kinds of columns.
//
// A time is shown with as few fraction digits as it needs, so that the order of its bytes is not the
// order of time ("…00.5Z" stands before "…00Z"), and a decimal's bytes never were in order. The
// columns therefore bring their own collations: `instant` and `decimal`. SQLite uses them for
// comparisons, ORDER BY, GROUP BY, min, max and IN.
//
// Each is an order of all texts: the empty one first, then those that are a time (or a number), in
// its order, then every other text by its bytes.

/// An instant as a text says it; finer than a nanosecond is only known to be there.
struct TextInstant: Comparable {
  /// Since 1970.
  let seconds: Int64
  let nanoseconds: Int32
  let hasRemainder: Bool

  static func < (left: TextInstant, right: TextInstant) -> Bool {
    if left.seconds != right.seconds { return left.seconds < right.seconds }
    if left.nanoseconds != right.nanoseconds { return left.nanoseconds < right.nanoseconds }
    return !left.hasRemainder && right.hasRemainder
  }

  /// Unix nanoseconds, cut to what 64 bits hold.
  var unixNanoseconds: Int64 {
    Int64(clamping: Int128(seconds) * 1_000_000_000 + Int128(nanoseconds))
  }

  /// Reads RFC 3339, or the beginning of it: `2026`, `2026-11`, `2026-11-21`, `2026-11-21T08:30` mean the
  /// instant at which they begin. Without an offset it is UTC; a space may stand for the `T`.
  init?(_ text: Span<UInt8>) {
    var cursor = DigitCursor()
    guard let year = cursor.number(text, 4) else { return nil }
    var month = 1
    var day = 1
    if cursor.take(text, UInt8(ascii: "-")) {
      guard let read = cursor.number(text, 2), (1...12).contains(read) else { return nil }
      month = read
      if cursor.take(text, UInt8(ascii: "-")) {
        guard let read = cursor.number(text, 2), read >= 1,
          read <= CivilTime.length(ofMonth: month, year: year)
        else { return nil }
        day = read
      } else if cursor.place < text.count {
        return nil
      }
    }
    let midnight = CivilTime.days(year: year, month: month, day: day) * 86_400
    var clock = (seconds: 0, nanoseconds: 0, hasRemainder: false)
    if cursor.place < text.count {
      guard text[cursor.place] | 0x20 == UInt8(ascii: "t") || text[cursor.place] == 0x20,
        let read = TextInstant.clock(text, &cursor)
      else { return nil }
      clock = read
    }
    seconds = Int64(midnight + clock.seconds)
    nanoseconds = Int32(clock.nanoseconds)
    hasRemainder = clock.hasRemainder
  }

  /// What follows the date, up to the end of the text.
  private static func clock(
    _ text: Span<UInt8>, _ cursor: inout DigitCursor
  ) -> (seconds: Int, nanoseconds: Int, hasRemainder: Bool)? {
    cursor.place += 1
    if cursor.place == text.count { return (0, 0, false) }
    guard let hour = cursor.number(text, 2), hour < 24 else { return nil }
    var seconds = hour * 3_600
    var nanoseconds = 0
    var hasRemainder = false
    if cursor.take(text, UInt8(ascii: ":")) {
      guard let minute = cursor.number(text, 2), minute < 60 else { return nil }
      seconds += minute * 60
      if cursor.take(text, UInt8(ascii: ":")) {
        guard let second = cursor.number(text, 2), second <= 60 else { return nil }
        seconds += second
        if cursor.take(text, UInt8(ascii: ".")) {
          guard let fraction = cursor.fraction(text) else { return nil }
          (nanoseconds, hasRemainder) = fraction
        }
      }
    }
    if cursor.place < text.count {
      let sign = text[cursor.place]
      cursor.place += 1
      if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
        guard let hours = cursor.number(text, 2), hours < 24,
          cursor.take(text, UInt8(ascii: ":")), let minutes = cursor.number(text, 2),
          minutes < 60
        else { return nil }
        let offset = hours * 3_600 + minutes * 60
        seconds += sign == UInt8(ascii: "-") ? offset : -offset
      } else if sign | 0x20 != UInt8(ascii: "z") {
        return nil
      }
    }
    return cursor.place == text.count ? (seconds, nanoseconds, hasRemainder) : nil
  }
}

/// A place in a text from which digits are read.
private struct DigitCursor {
  var place = 0

  mutating func take(_ text: Span<UInt8>, _ byte: UInt8) -> Bool {
    guard place < text.count, text[place] == byte else { return false }
    place += 1
    return true
  }

  /// Exactly `count` digits.
  mutating func number(_ text: Span<UInt8>, _ count: Int) -> Int? {
    guard text.count - place >= count else { return nil }
    var value = 0
    for index in place..<place + count {
      guard text[index] &- 0x30 < 10 else { return nil }
      value = value * 10 + Int(text[index] & 0x0F)
    }
    place += count
    return value
  }

  /// At least one digit after a point: nanoseconds, and whether something follows that is finer.
  mutating func fraction(_ text: Span<UInt8>) -> (Int, Bool)? {
    let start = place
    var value = 0
    var hasRemainder = false
    while place < text.count, text[place] &- 0x30 < 10 {
      let digit = Int(text[place] & 0x0F)
      if place - start < 9 {
        value = value * 10 + digit
      } else if digit != 0 {
        hasRemainder = true
      }
      place += 1
    }
    if place == start { return nil }
    for _ in min(9, place - start)..<9 { value *= 10 }
    return (value, hasRemainder)
  }
}

/// The collations of the tables.
enum TextOrders {
  static let instant = "instant"
  static let decimal = "decimal"

  /// Texts that are times by their instant.
  static func compareInstants(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
    switch (TextInstant(left), TextInstant(right)) {
    case (let left?, let right?): left < right ? -1 : right < left ? 1 : 0
    case (.some, nil): right.isEmpty ? 1 : -1
    case (nil, .some): left.isEmpty ? -1 : 1
    case (nil, nil): compareBytes(left, right)
    }
  }

  /// Texts that are decimal numbers by their value, however many digits they have.
  static func compareDecimals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
    switch (try? DecimalText(left), try? DecimalText(right)) {
    case (let leftShape?, let rightShape?):
      let leftDigits = SignificantDigits(left, leftShape)
      let rightDigits = SignificantDigits(right, rightShape)
      let leftSign = leftDigits.sign
      let rightSign = rightDigits.sign
      if leftSign != rightSign || leftSign == 0 { return leftSign - rightSign }
      return SignificantDigits.compareMagnitudes(left, leftDigits, right, rightDigits) * leftSign
    case (.some, nil): return right.isEmpty ? 1 : -1
    case (nil, .some): return left.isEmpty ? -1 : 1
    case (nil, nil): return compareBytes(left, right)
    }
  }

  private static func compareBytes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
    for place in 0..<min(left.count, right.count) where left[place] != right[place] {
      return left[place] < right[place] ? -1 : 1
    }
    return left.count - right.count
  }
}

/// The digits of a decimal number from its first that is not zero.
private struct SignificantDigits {
  /// Where they stand in the text, a point among them; empty for zero.
  private var range: Range<Int>
  /// The power of ten of the first.
  private var weight: Int
  private let isNegative: Bool

  init(_ text: Span<UInt8>, _ shape: DecimalText) {
    range = shape.digits
    weight = shape.digitsBeforePoint - 1 + shape.exponent
    isNegative = shape.isNegative
    while let first = range.first {
      if text[first] == UInt8(ascii: "0") {
        weight -= 1
      } else if text[first] != UInt8(ascii: ".") {
        break
      }
      range = first + 1..<range.upperBound
    }
  }

  var sign: Int { range.isEmpty ? 0 : isNegative ? -1 : 1 }

  static func compareMagnitudes(
    _ left: Span<UInt8>, _ leftDigits: SignificantDigits,
    _ right: Span<UInt8>, _ rightDigits: SignificantDigits
  ) -> Int {
    if leftDigits.weight != rightDigits.weight {
      return leftDigits.weight < rightDigits.weight ? -1 : 1
    }
    var first = leftDigits.range
    var second = rightDigits.range
    while !first.isEmpty || !second.isEmpty {
      let a = next(left, &first)
      let b = next(right, &second)
      if a != b { return a < b ? -1 : 1 }
    }
    return 0
  }

  /// Takes a digit; 0 where there is none left.
  private static func next(_ text: Span<UInt8>, _ range: inout Range<Int>) -> UInt8 {
    while let place = range.first {
      range = place + 1..<range.upperBound
      if text[place] != UInt8(ascii: ".") { return text[place] & 0x0F }
    }
    return 0
  }
}
