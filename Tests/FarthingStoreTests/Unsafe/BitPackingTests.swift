import Testing

@testable import FarthingStore

@Suite struct `Bit packing` {
  @Test func `gives back values of every width and count`() {
    var generator = SeededGenerator(seed: 11)
    for width in 0...64 {
      for count in [0, 1, 7, 1023, 1024, 1025, 2100] {
        let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
        let values = (0..<count).map { _ in generator.next() & mask }
        var bytes: [UInt8] = [0xAB]
        if width <= 32 {
          let words = values.map { UInt32($0) }
          BitPacking.pack(words, width: width, into: &bytes)
          #expect(bytes.count == 1 + BitPacking.packedByteCount(count: count, width: width))
          var back = [UInt32](repeating: 7, count: count)
          let isWhole = BitPacking.unpack(
            bytes.span.extracting(1..<bytes.count), width: width, into: &back)
          #expect(isWhole && back == words)
        } else {
          BitPacking.pack(values, width: width, into: &bytes)
          #expect(bytes.count == 1 + BitPacking.packedByteCount(count: count, width: width))
          var back = [UInt64](repeating: 7, count: count)
          let isWhole = BitPacking.unpack(
            bytes.span.extracting(1..<bytes.count), width: width, into: &back)
          #expect(isWhole && back == values)
        }
      }
    }
  }

  @Test func `refuses bytes that are too few and widths that are none`() {
    var words = [UInt32](repeating: 0, count: 1024)
    let bytes = [UInt8](repeating: 0, count: 1024 / 8 * 5 - 1)
    #expect(!BitPacking.unpack(bytes.span, width: 5, into: &words))
    #expect(!BitPacking.unpack(bytes.span, width: 33, into: &words))
    #expect(!BitPacking.unpack(bytes.span, width: -1, into: &words))
    var wide = [UInt64](repeating: 0, count: 1024)
    #expect(!BitPacking.unpack(bytes.span, width: 40, into: &wide))
    #expect(!BitPacking.unpack(bytes.span, width: 65, into: &wide))
  }
}

/// Steele, Lea and Flood's SplitMix64: the same numbers for the same seed.
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
