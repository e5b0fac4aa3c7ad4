extension EventFragments {
  static let comma: UInt8 = 0x2C
  static let timeKey = Array(#"{"time":""#.utf8)
  static let outcomeStart = Array(#"{"type":"outcome","time":""#.utf8)
  static let idKey = Array(#"","id":""#.utf8)
  static let idEnd = Array(#"","#.utf8)
  static let tagsEnd = Array(#""},"#.utf8)
  static let braceEnd = Array("},".utf8)
  static let promptHashKey = Array(#""prompt_hash":""#.utf8)
  static let taskKey = Array(#""task":"task-"#.utf8)
  static let stepKey = Array(#"","step":"#.utf8)
  static let attemptKey = Array(#""attempt":"#.utf8)
  static let valueKey = Array(#""value_usd":""#.utf8)
  static let successEnd = Array("\",\"outcome\":\"success\"}\n".utf8)
  static let failureEnd = Array("\",\"outcome\":\"failure\"}\n".utf8)
  static let inputKey = Array(#""input_tokens":"#.utf8)
  static let cachedKey = Array(#""cached_input_tokens":"#.utf8)
  static let writtenKey = Array(#""cache_write_tokens":"#.utf8)
  static let writtenLongKey = Array(#""cache_write_1h_tokens":"#.utf8)
  static let audioKey = Array(#""input_audio_tokens":"#.utf8)
  static let outputKey = Array(#""output_tokens":"#.utf8)
  static let reasoningKey = Array(#""reasoning_tokens":"#.utf8)
  static let searchKey = Array(#""units":{"web_search":"#.utf8)
  static let usageMissing = Array(#""usage":"missing","#.utf8)
  static let usageEstimated = Array(#""usage":"estimated","#.utf8)
  static let retrievalsKey = Array(#""retrievals":"#.utf8)
  static let retrievalFailuresKey = Array(#""retrieval_failures":"#.utf8)
  static let coldStart = Array(#""cold_start":true,"#.utf8)
  static let latencyKey = Array(#""latency_ms":"#.utf8)
  static let firstTokenKey = Array(#""ttft_ms":"#.utf8)
  static let queueKey = Array(#""queue_ms":"#.utf8)
  static let computeKey = Array(#""compute_ms":"#.utf8)
  static let networkKey = Array(#""network_ms":"#.utf8)
  static let retrievalKey = Array(#""retrieval_ms":"#.utf8)
  /// By ``PendingEvent/outcome`` and ``PendingEvent/responseCache``; their place 0 is never used.
  static let outcomes = ["", #""outcome":"success","#, #""outcome":"failure","#]
    .map { Array($0.utf8) }
  static let responseCaches = [
    "", #""response_cache":"hit","#, #""response_cache":"semantic_hit","#,
    #""response_cache":"miss","#,
  ].map { Array($0.utf8) }

  @inline(__always)
  static func append(_ key: [UInt8], _ value: Int64, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: key)
    appendDecimal(value, to: &bytes)
    bytes.append(comma)
  }

  @inline(__always)
  static func appendPositive(_ key: [UInt8], _ value: Int32, to bytes: inout [UInt8]) {
    if value > 0 { append(key, Int64(value), to: &bytes) }
  }

  /// `"key":12.3,` from 123 tenths; nothing for a negative count.
  @inline(__always)
  static func appendTenths(_ key: [UInt8], _ tenths: Int64, to bytes: inout [UInt8]) {
    guard tenths >= 0 else { return }
    bytes.append(contentsOf: key)
    let whole = tenths / 10
    appendDecimal(whole, to: &bytes)
    let rest = UInt8(truncatingIfNeeded: tenths - whole * 10)
    if rest != 0 {
      bytes.append(0x2E)
      bytes.append(0x30 + rest)
    }
    bytes.append(comma)
  }

  /// A number of at least 0 in decimal digits.
  static func appendDecimal(_ value: Int64, to bytes: inout [UInt8]) {
    if value < 10 {
      bytes.append(0x30 + UInt8(truncatingIfNeeded: value))
      return
    }
    var power: Int64 = 10
    while value / power >= 10 { power *= 10 }
    while power > 0 {
      bytes.append(0x30 + UInt8(truncatingIfNeeded: value / power % 10))
      power /= 10
    }
  }

  /// The low `digits` hexadecimal digits of a number.
  static func appendHexadecimal(_ value: UInt64, digits: Int, to bytes: inout [UInt8]) {
    var shift = UInt64(digits) * 4
    while shift > 0 {
      shift -= 4
      let digit = UInt8(truncatingIfNeeded: value &>> shift) & 15
      bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  /// A time-ordered identifier in the form of UUID version 7: milliseconds, then 74 random bits.
  static func appendIdentifier(_ event: PendingEvent, to bytes: inout [UInt8]) {
    let milliseconds = UInt64(bitPattern: event.time / 1_000_000)
    appendHexadecimal(milliseconds &>> 16, digits: 8, to: &bytes)
    bytes.append(0x2D)
    appendHexadecimal(milliseconds, digits: 4, to: &bytes)
    bytes.append(0x2D)
    bytes.append(0x37)
    appendHexadecimal(event.idHigh, digits: 3, to: &bytes)
    bytes.append(0x2D)
    appendHexadecimal(8 | (event.idHigh &>> 60 & 3), digits: 1, to: &bytes)
    appendHexadecimal(event.idHigh &>> 12, digits: 3, to: &bytes)
    bytes.append(0x2D)
    appendHexadecimal(event.idLow, digits: 12, to: &bytes)
  }

  /// `2026-03-02T10:11:12.123456Z`, microseconds always.
  static func appendTime(_ time: Int64, to bytes: inout [UInt8]) {
    let dayNumber = CivilTime.floorDivide(time, CivilTime.day)
    CivilTime.appendDate(dayNumber, to: &bytes)
    let inDay = time - dayNumber * CivilTime.day
    let seconds = inDay / CivilTime.second
    bytes.append(0x54)
    CivilTime.appendTwoDigits(seconds / 3600, to: &bytes)
    bytes.append(0x3A)
    CivilTime.appendTwoDigits(seconds / 60 % 60, to: &bytes)
    bytes.append(0x3A)
    CivilTime.appendTwoDigits(seconds % 60, to: &bytes)
    bytes.append(0x2E)
    let microseconds = inDay / 1000 % 1_000_000
    CivilTime.appendTwoDigits(microseconds / 10_000, to: &bytes)
    CivilTime.appendTwoDigits(microseconds / 100 % 100, to: &bytes)
    CivilTime.appendTwoDigits(microseconds % 100, to: &bytes)
    bytes.append(0x5A)
  }
}
