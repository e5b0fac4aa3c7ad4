import Testing

@testable import FarthingStore

@Suite struct Checksums {
  /// The buffer that the reference implementation's self test fills: the high bytes of powers.
  static func pattern(_ count: Int) -> [UInt8] {
    var state: UInt64 = 2_654_435_761
    return (0..<count).map { _ in
      defer { state &*= 11_400_714_785_074_694_797 }
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  /// A span of a temporary does not outlive a macro's expression, an argument does.
  static func xxh64(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    XXH64.hash(bytes.span, seed: seed)
  }

  static func crc32c(_ bytes: some Sequence<UInt8>, previous: UInt32 = 0) -> UInt32 {
    let array = Array(bytes)
    return CRC32C.checksum(array.span, previous: previous)
  }

  /// Source: the reference implementation's self test (XSUM_XXH64_testdata); "abc" and "" are
  /// widely published.
  @Test func `XXH64 gives the published values`() {
    #expect(Self.xxh64([UInt8]()) == 0xEF46_DB37_51D8_E999)
    #expect(Self.xxh64(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
    let prime: UInt64 = 2_654_435_761
    #expect(Self.xxh64([UInt8](), seed: prime) == 0xAC75_FDA2_929B_17EF)
    #expect(Self.xxh64(Self.pattern(1)) == 0xE934_A84A_DB05_2768)
    #expect(Self.xxh64(Self.pattern(14)) == 0x8282_DCC4_994E_35C8)
    #expect(Self.xxh64(Self.pattern(222)) == 0xB641_AE8C_B691_C174)
  }

  @Test func `XXH64 notices every bit and the seed`() {
    let bytes = Self.pattern(70)
    let whole = Self.xxh64(bytes)
    for place in bytes.indices {
      for bit in 0..<8 {
        var other = bytes
        other[place] ^= 1 << bit
        #expect(Self.xxh64(other) != whole)
      }
    }
    #expect(Self.xxh64(bytes, seed: 1) != whole)
  }

  /// Source: RFC 3720, appendix B.4.
  @Test func `CRC-32C gives the published values`() {
    #expect(Self.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(Self.crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(Self.crc32c((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    #expect(Self.crc32c(Array("123456789".utf8)) == 0xE306_9283)
  }

  @Test func `CRC-32C of pieces is that of the whole`() {
    let bytes = Self.pattern(100)
    let whole = Self.crc32c(bytes)
    for cut in 0...100 {
      let first = Self.crc32c(bytes[0..<cut])
      #expect(Self.crc32c(bytes[cut..<100], previous: first) == whole)
    }
  }
}
