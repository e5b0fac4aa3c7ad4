import FarthingCore
import Testing

@testable import FarthingStore

@Suite struct `A stream decompressor` {
  /// `printf 'hello hello hello\n' | gzip -9n`.
  static let gzip: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9,
    0x57, 0xC8, 0x40, 0x90, 0x5C, 0x00, 0x3B, 0x7C, 0x8A, 0xDF, 0x12, 0x00, 0x00, 0x00,
  ]
  /// `printf 'hello hello hello\n' | zstd -1`.
  static let zstd: [UInt8] = [
    0x28, 0xB5, 0x2F, 0xFD, 0x04, 0x48, 0x91, 0x00, 0x00, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x20,
    0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x20, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x0A, 0xA3, 0xAA, 0x74,
    0xCE,
  ]

  static func expand(
    _ bytes: [UInt8], _ compression: StreamCompression, pieces: Int, limit: Int,
    maximum: Int = .max
  ) throws -> [UInt8] {
    let stream = try StreamDecompressor(compression, maximumOutput: maximum)
    var output: [UInt8] = []
    var place = 0
    while place < bytes.count {
      let end = min(place + pieces, bytes.count)
      stream.supply(Array(bytes[place..<end]))
      place = end
      while try stream.produce(into: &output, upTo: limit) {}
    }
    try stream.finish()
    return output
  }

  static func bytes(_ compression: StreamCompression) -> [UInt8] {
    compression == .gzip ? gzip : zstd
  }

  @Test(arguments: StreamCompression.allCases, [1, 3, 1000])
  func `gives the plain bytes, whatever the pieces are`(
    compression: StreamCompression, size: Int
  ) throws {
    for limit in [1, 5, 4096] {
      let output = try Self.expand(
        Self.bytes(compression), compression, pieces: size, limit: limit)
      #expect(String(decoding: output, as: UTF8.self) == "hello hello hello\n")
    }
  }

  @Test(arguments: StreamCompression.allCases)
  func `reads concatenated members as one stream`(compression: StreamCompression) throws {
    let twice = Self.bytes(compression) + Self.bytes(compression)
    let output = try Self.expand(twice, compression, pieces: 7, limit: 6)
    #expect(String(decoding: output, as: UTF8.self) == "hello hello hello\nhello hello hello\n")
  }

  @Test(arguments: StreamCompression.allCases)
  func `says of every truncation that the data ends early`(
    compression: StreamCompression
  ) throws {
    let whole = Self.bytes(compression)
    for count in 1..<whole.count {
      #expect {
        try Self.expand(Array(whole.prefix(count)), compression, pieces: 4, limit: 64)
      } throws: { error in
        (error as? StoreError)?.message.contains("ends early: the file is cut short") == true
      }
    }
  }

  @Test(arguments: StreamCompression.allCases)
  func `refuses damaged bytes or gives other ones, and never crashes`(
    compression: StreamCompression
  ) throws {
    let whole = Self.bytes(compression)
    for place in whole.indices {
      for bit in 0..<8 {
        var bytes = whole
        bytes[place] ^= 1 << bit
        let output = try? Self.expand(bytes, compression, pieces: 64, limit: 64)
        if compression == .gzip, place >= 10, let output {
          #expect(String(decoding: output, as: UTF8.self) == "hello hello hello\n")
        }
      }
    }
  }

  @Test func `stops at its maximum`() throws {
    #expect {
      try Self.expand(Self.gzip, .gzip, pieces: 64, limit: 64, maximum: 17)
    } throws: { error in
      (error as? StoreError)?.code == .limitExceeded
    }
  }

  @Test func `knows files by their first bytes`() {
    #expect(StreamCompression.detect(Self.gzip) == .gzip)
    #expect(StreamCompression.detect(Self.zstd) == .zstd)
    #expect(StreamCompression.detect([0x50, 0x2A, 0x4D, 0x18]) == .zstd)
    #expect(StreamCompression.detect(Array("{\"a\"".utf8)) == nil)
    #expect(StreamCompression.detect([]) == nil)
  }
}
