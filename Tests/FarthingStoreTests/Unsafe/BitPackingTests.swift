import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `Bit packing` {
  @Test func `gives back values of every width and count`() {
    var generator = SplitMix(seed: 11)
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

  @Test func `gives back a part of the values as it gives back all`() {
    var generator = SplitMix(seed: 12)
    for width in [1, 7, 31, 32, 33, 47, 64] {
      for count in [9, 1024, 5000] {
        let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
        let values = (0..<count).map { _ in generator.next() & mask }
        var bytes: [UInt8] = []
        for _ in 0..<20 {
          let ends = [
            Int.random(in: 0...count, using: &generator), .random(in: 0...count, using: &generator),
          ]
          let rows = (ends.min() ?? 0)..<(ends.max() ?? 0)
          bytes.removeAll()
          if width <= 32 {
            BitPacking.pack(values.map { UInt32($0) }, width: width, into: &bytes)
            var back = [UInt32](repeating: 7, count: count)
            #expect(BitPacking.unpack(bytes.span, width: width, rows: rows, into: &back))
            #expect(back[rows].elementsEqual(values[rows].map { UInt32($0) }))
          } else {
            BitPacking.pack(values, width: width, into: &bytes)
            var back = [UInt64](repeating: 7, count: count)
            #expect(BitPacking.unpack(bytes.span, width: width, rows: rows, into: &back))
            #expect(back[rows] == values[rows])
          }
        }
      }
    }
  }

  @Test func `writes runs as a mask, and refuses runs that are not of the block`() {
    var generator = SplitMix(seed: 13)
    for rows in [1, 31, 32, 33, 64, 1000] {
      var codes: [UInt32] = []
      var lengths: [UInt32] = []
      var expected: [UInt8] = []
      while expected.count < rows {
        let length = min(Int.random(in: 1...90, using: &generator), rows - expected.count)
        let code = UInt32.random(in: 0...3, using: &generator)
        codes.append(code)
        lengths.append(UInt32(length))
        expected += [UInt8](repeating: [0, 1, 0, 1][Int(code)], count: length)
      }
      var runs = CodeRuns()
      runs.codes = codes
      runs.lengths = lengths
      var mask = [UInt8](repeating: 9, count: rows)
      #expect(runs.expand([0, 1, 0, 1], rows: rows, into: &mask))
      #expect(mask == expected)
      var short = mask
      #expect(!runs.expand([0], rows: rows, into: &short) || codes.allSatisfy { $0 == 0 })
      #expect(!runs.expand([0, 1, 0, 1], rows: rows - 1, into: &short))
      var long = mask + [0]
      #expect(!runs.expand([0, 1, 0, 1], rows: rows + 1, into: &long))
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
