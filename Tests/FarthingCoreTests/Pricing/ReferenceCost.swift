import FarthingTestSupport

@testable import FarthingCore

/// A natural number of any size, in decimal digits: slow, and too simple to be wrong in the same way as the code
/// under test.
struct ReferenceNumber {
  /// Lowest digit first; no leading zeros.
  var digits: [UInt8]

  init(_ value: UInt128) { digits = String(value).utf8.reversed().map { $0 - 0x30 } }

  static func + (left: ReferenceNumber, right: ReferenceNumber) -> ReferenceNumber {
    var result = left
    var carry: UInt8 = 0
    for index in 0..<max(left.digits.count, right.digits.count) + 1 {
      if index >= result.digits.count { result.digits.append(0) }
      let sum =
        result.digits[index] + (index < right.digits.count ? right.digits[index] : 0) + carry
      result.digits[index] = sum % 10
      carry = sum / 10
    }
    result.trim()
    return result
  }

  static func * (left: ReferenceNumber, right: ReferenceNumber) -> ReferenceNumber {
    var result = ReferenceNumber(0)
    result.digits = Array(repeating: 0, count: left.digits.count + right.digits.count + 1)
    for (i, a) in left.digits.enumerated() {
      var carry = 0
      for (j, b) in right.digits.enumerated() {
        let sum = Int(result.digits[i + j]) + Int(a) * Int(b) + carry
        result.digits[i + j] = UInt8(sum % 10)
        carry = sum / 10
      }
      var place = i + right.digits.count
      while carry > 0 {
        let sum = Int(result.digits[place]) + carry
        result.digits[place] = UInt8(sum % 10)
        carry = sum / 10
        place += 1
      }
    }
    result.trim()
    return result
  }

  func shifted(by zeros: Int) -> ReferenceNumber {
    var result = self
    result.digits.insert(contentsOf: repeatElement(0, count: zeros), at: 0)
    result.trim()
    return result
  }

  private mutating func trim() {
    while digits.count > 1, digits.last == 0 { digits.removeLast() }
  }

  /// This × 10^−`scale`, rounded half to even to a whole number.
  func rounded(scale: Int) -> Int128 {
    guard scale > 0 else { return Int128(text(digits + [])) ?? -1 }
    let dropped = Array(digits.prefix(scale))
    var kept = Int128(text(Array(digits.dropFirst(scale)))) ?? -1
    let top = dropped.count == scale ? dropped[scale - 1] : 0
    let hasMore = dropped.dropLast(dropped.count == scale ? 1 : 0).contains { $0 != 0 }
    if top > 5 || (top == 5 && (hasMore || kept % 2 == 1)) { kept += 1 }
    return kept
  }

  private func text(_ digits: [UInt8]) -> String {
    digits.isEmpty ? "0" : String(decoding: digits.reversed().map { $0 + 0x30 }, as: UTF8.self)
  }
}

/// The rules of the contract on a plain table of rates, with numbers of any size.
enum ReferenceCost {
  /// - Parameter rates: by ``PricePart``; nil where the part has no price of its own.
  static func total(_ usage: TokenUsage, rates: [Rate?]) -> Int128 {
    func rate(_ part: PricePart) -> Rate? { rates[Int(part.rawValue)] }
    let input = rate(.input) ?? .zero
    let output = rate(.output) ?? .zero
    let written = rate(.cacheWrite) ?? input
    let cachedTokens = usage.cachedInputTokens
    let writtenTokens = usage.cacheWriteTokens + usage.cacheWrite1hTokens
    var text = usage.inputTokens - cachedTokens - writtenTokens
    let audio = min(usage.inputAudioTokens, text)
    text -= audio
    let image = min(usage.inputImageTokens, text)
    text -= image
    var plain = usage.outputTokens - usage.reasoningTokens
    let spoken = min(usage.outputAudioTokens, plain)
    plain -= spoken
    let terms: [(Int64, Rate)] = [
      (text, input), (cachedTokens, rate(.cachedInput) ?? input),
      (usage.cacheWriteTokens, written),
      (usage.cacheWrite1hTokens, rate(.cacheWrite1h) ?? written),
      (plain, output), (usage.reasoningTokens, rate(.reasoning) ?? output),
      (audio, rate(.inputAudio) ?? input), (spoken, rate(.outputAudio) ?? output),
      (image, rate(.inputImage) ?? input),
    ]
    let scale = 40
    let sum = terms.reduce(ReferenceNumber(0)) { (sum, term) in
      let product = ReferenceNumber(UInt128(term.0)) * ReferenceNumber(term.1.mantissa)
      return sum + product.shifted(by: scale - term.1.scale)
    }
    return sum.rounded(scale: scale - 12)
  }
}

extension SplitMix {
  /// A count from 0 to `limit`, small ones as likely as large ones.
  mutating func count(upTo limit: Int64) -> Int64 {
    guard limit > 0 else { return 0 }
    let bits = Int.random(in: 0...(64 - limit.leadingZeroBitCount), using: &self)
    return min(
      limit, Int64.random(in: 0...(bits == 0 ? 0 : Int64(1) << Int64(min(bits, 62))), using: &self))
  }
}
