/// Writes times as ``TimeText/rfc3339(_:)`` does, straight into bytes. Neighbouring rows mostly share
/// their day, and often their time: what the last one gave is kept.
struct TimeBytes {
  private var day = 0..<Int64(0)
  /// `2026-03-01T` of the day at hand.
  private var date: [UInt8] = []
  private var last: Int64?
  private var text: [UInt8] = []

  /// Appends the text of a time.
  mutating func append(_ nanoseconds: Int64, to bytes: inout [UInt8]) {
    if last != nanoseconds {
      last = nanoseconds
      write(nanoseconds)
    }
    bytes.append(contentsOf: text)
  }

  private mutating func write(_ nanoseconds: Int64) {
    if !day.contains(nanoseconds) {
      let whole = TimeText.rfc3339(nanoseconds)
      let rest = nanoseconds % TimeText.nanosecondsPerDay
      let start = nanoseconds.subtractingReportingOverflow(
        rest < 0 ? rest + TimeText.nanosecondsPerDay : rest)
      let end = start.partialValue.addingReportingOverflow(TimeText.nanosecondsPerDay)
      // The first and the last day that have a number are not whole.
      day = start.overflow || end.overflow ? 0..<0 : start.partialValue..<end.partialValue
      date = Array(whole.utf8.prefix(11))
      if day.isEmpty {
        text = Array(whole.utf8)
        return
      }
    }
    let rest = UInt64(nanoseconds - day.lowerBound)
    let seconds = rest / 1_000_000_000
    let fraction = rest % 1_000_000_000
    text.removeAll(keepingCapacity: true)
    text.append(contentsOf: date)
    DecimalBytes.append(seconds / 3600, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    DecimalBytes.append(seconds / 60 % 60, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    DecimalBytes.append(seconds % 60, digits: 2, to: &text)
    if fraction != 0 {
      text.append(UInt8(ascii: "."))
      if fraction % 1_000_000 == 0 {
        DecimalBytes.append(fraction / 1_000_000, digits: 3, to: &text)
      } else if fraction % 1000 == 0 {
        DecimalBytes.append(fraction / 1000, digits: 6, to: &text)
      } else {
        DecimalBytes.append(fraction, digits: 9, to: &text)
      }
    }
    text.append(UInt8(ascii: "Z"))
  }
}
