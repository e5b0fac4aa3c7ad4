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
