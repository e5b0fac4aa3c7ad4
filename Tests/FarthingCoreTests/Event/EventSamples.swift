@testable import FarthingCore

/// What the tests of decoding share.
enum EventSamples {
  /// 2026-03-02T00:00:00Z.
  static let now: Int64 = 1_772_409_600_000_000_000

  /// Members that make a request valid.
  static let required = #""time":"2026-03-01T00:00:00Z","model":"m""#

  static func request(_ members: String) -> String { "{\(required),\(members)}" }

  static func decode(
    _ text: String, layout: EventDecoder.Layout = .lines
  ) -> DecodedBatch {
    var decoder = EventDecoder(now: now)
    return decoder.decode(Array(text.utf8), layout: layout)
  }

  static func decode(bytes: [UInt8], layout: EventDecoder.Layout = .lines) -> DecodedBatch {
    var decoder = EventDecoder(now: now)
    return decoder.decode(bytes, layout: layout)
  }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
