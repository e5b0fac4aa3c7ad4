// Counting once, over bodies. Exporters send spans as they end, so the span under another one may
// come in an earlier body, or a later one. Where both name the provider's answer, their events have
// one id, and the store counts one. Where they do not, as failures cannot, this memory tells: it
// keeps which spans were counted, and above which spans.
//
// Bounded: two generations of at most `generationLimit` marks; when the younger is full the older is
// forgotten. What is forgotten, and what was before a restart, is not tied any more: such a pair
// without an answer's id counts twice. A mark is a 64-bit hash; at the bound a false one is met once
// in 10¹³ spans.

/// Calls of the last bodies.
struct RecentCalls: Sendable {
  let generationLimit: Int
  private var younger: Set<UInt64> = []
  private var older: Set<UInt64> = []

  init(generationLimit: Int = 1 << 16) { self.generationLimit = generationLimit }

  /// Whether the span was counted.
  func isCounted(_ id: SpanID) -> Bool { has(Self.mark(id, salt: 1)) }

  /// Whether a span right under this one was counted.
  func hasCountedChild(_ id: SpanID) -> Bool { has(Self.mark(id, salt: 2)) }

  /// Remembers the spans of calls that are stored now.
  mutating func remember(_ marks: [UInt64]) {
    for mark in marks {
      if younger.count >= generationLimit {
        older = younger
        younger = []
      }
      younger.insert(mark)
    }
  }

  static func counted(_ id: SpanID) -> UInt64 { mark(id, salt: 1) }
  static func countedChild(of id: SpanID) -> UInt64 { mark(id, salt: 2) }

  private func has(_ mark: UInt64) -> Bool { younger.contains(mark) || older.contains(mark) }

  private static func mark(_ id: SpanID, salt: UInt64) -> UInt64 {
    var mixed = id.span &+ salt &* 0x9E37_79B9_7F4A_7C15
    for word in [id.traceHigh, id.traceLow] {
      mixed = (mixed ^ (mixed &>> 32) ^ word) &* 0xD6E8_FEB8_6659_FD93
    }
    return mixed ^ (mixed &>> 29)
  }
}
