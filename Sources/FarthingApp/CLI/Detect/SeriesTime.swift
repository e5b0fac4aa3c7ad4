internal import FarthingCore

/// Times as series of all sorts of sources write them.
///
/// RFC 3339; dates with `-` or `/`, a time of day after a `T` or spaces or none, to the minute or with a fraction; an offset, `Z`,
/// `UTC`, or none, which is UTC; Unix time in seconds, milliseconds, microseconds or nanoseconds,
/// told by its size: seconds below 10¹¹ (the year 5138), each further unit a thousand times that.
enum SeriesTime {
  /// - Returns: Unix nanoseconds; nil where the text is no such time or lies outside of 1678 to 2262.
  static func parse(_ text: ArraySlice<UInt8>) -> Int64? {
    let bytes = Array(text.trimmedSpaces)
    guard let first = bytes.first else { return nil }
    let isDate =
      bytes.count >= 8 && isDigit(first)
      && (bytes[4] == UInt8(ascii: "-") || bytes[4] == UInt8(ascii: "/"))
    return isDate ? date(bytes) : unix(bytes)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  // MARK: Unix time

  private static func unix(_ bytes: [UInt8]) -> Int64? {
    let text = String(decoding: bytes, as: UTF8.self)
    if let whole = Int64(text) {
      let scale = scale(Double(whole))
      let (time, overflow) = whole.multipliedReportingOverflow(by: Int64(scale))
      return overflow ? nil : time
    }
    // Names such as "nan" and "infinity", and hexadecimal, are no times.
    guard bytes.allSatisfy({ isDigit($0) || ".+-eE".utf8.contains($0) }),
      let value = Double(text), value.isFinite
    else { return nil }
    let time = (value * scale(value)).rounded()
    return abs(time) < 9.2e18 ? Int64(time) : nil
  }

  /// Nanoseconds a unit.
  private static func scale(_ value: Double) -> Double {
    switch abs(value) {
    case ..<1e11: 1e9
    case ..<1e14: 1e6
    case ..<1e17: 1e3
    default: 1
    }
  }

  // MARK: Dates

  private static func date(_ bytes: [UInt8]) -> Int64? {
    var scan = Scan(bytes)
    guard let year = scan.number(digits: 4...4), scan.takes("-/"),
      let month = scan.number(digits: 1...2), scan.takes("-/"),
      let day = scan.number(digits: 1...2), (1...12).contains(month),
      (1...CivilTime.length(ofMonth: month, year: year)).contains(day)
    else { return nil }
    var seconds = Int128(CivilTime.days(year: year, month: month, day: day)) * 86_400
    var fraction: Int64 = 0
    if !scan.isAtEnd {
      guard scan.takes("Tt ") else { return nil }
      scan.skipSpaces()
      guard let hour = scan.number(digits: 1...2), hour < 24, scan.takes(":"),
        let minute = scan.number(digits: 2...2), minute < 60
      else { return nil }
      seconds += Int128(hour * 3600 + minute * 60)
      if scan.takes(":") {
        guard let second = scan.number(digits: 2...2), second <= 60 else { return nil }
        seconds += Int128(second)
        if scan.takes(".,") {
          guard let part = scan.fraction() else { return nil }
          fraction = part
        }
      }
      guard let offset = scan.offset() else { return nil }
      seconds -= Int128(offset)
    }
    return Int64(exactly: seconds * 1_000_000_000 + Int128(fraction))
  }

  /// A place in a text that is read from front to back.
  private struct Scan {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    mutating func takes(_ choices: StaticString) -> Bool {
      guard at < bytes.count, "\(choices)".utf8.contains(bytes[at]) else { return false }
      at += 1
      return true
    }

    mutating func skipSpaces() { while takes(" ") {} }

    mutating func number(digits: ClosedRange<Int>) -> Int? {
      var value = 0
      var count = 0
      while at < bytes.count, count < digits.upperBound, SeriesTime.isDigit(bytes[at]) {
        value = value * 10 + Int(bytes[at] - 0x30)
        at += 1
        count += 1
      }
      return digits.contains(count) ? value : nil
    }

    /// Nanoseconds of a fraction of a second; digits beyond the ninth are dropped.
    mutating func fraction() -> Int64? {
      var value: Int64 = 0
      var count = 0
      while at < bytes.count, SeriesTime.isDigit(bytes[at]) {
        if count < 9 { value = value * 10 + Int64(bytes[at] - 0x30) }
        count += 1
        at += 1
      }
      guard count > 0 else { return nil }
      for _ in min(count, 9)..<9 { value *= 10 }
      return value
    }

    /// Seconds that the rest says the clock is ahead of UTC; 0 for no rest, nil for another one.
    mutating func offset() -> Int? {
      skipSpaces()
      if isAtEnd { return 0 }
      if takes("Zz") { return isAtEnd ? 0 : nil }
      if bytes[at...].elementsEqual("UTC".utf8) { return 0 }
      let isBehind = at < bytes.count && bytes[at] == UInt8(ascii: "-")
      guard takes("+-"), let hours = number(digits: 2...2), hours < 24 else { return nil }
      var minutes = 0
      if !isAtEnd {
        _ = takes(":")
        guard let value = number(digits: 2...2), value < 60 else { return nil }
        minutes = value
      }
      let distance = hours * 3600 + minutes * 60
      return isAtEnd ? (isBehind ? -distance : distance) : nil
    }
  }
}

extension ArraySlice<UInt8> {
  /// Without spaces and tabs at either end.
  var trimmedSpaces: ArraySlice<UInt8> {
    var slice = self
    while let first = slice.first, first == 0x20 || first == 0x09 { slice = slice.dropFirst() }
    while let last = slice.last, last == 0x20 || last == 0x09 { slice = slice.dropLast() }
    return slice
  }
}
