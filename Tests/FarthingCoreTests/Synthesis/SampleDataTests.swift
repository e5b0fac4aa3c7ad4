import Foundation
import Testing

@testable import FarthingCore

/// The files of `SampleData/` are what the generator makes today.
///
/// A zstd frame ends with the low half of the XXH64 hash of what it holds, so the comparison
/// needs no decompression.
@Suite("Sample data")
struct SampleDataTests {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "SampleData")

  @Test func `the generator still makes the sample, byte for byte`() throws {
    var synthesis = try EventSynthesis(try SynthesisOptions.sample())
    var bytes: [UInt8] = []
    while synthesis.fill(&bytes, atLeast: 1 << 20) {}
    let file = [UInt8](try Data(contentsOf: Self.folder.appending(path: "fortnight.ndjson.zst")))
    let stored = file.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    #expect(UInt32(truncatingIfNeeded: Self.hash(bytes)) == stored)

    let labels = try Data(contentsOf: Self.folder.appending(path: "labels.json"))
    #expect(synthesis.labelsJSON() == [UInt8](labels))

    let page = try String(contentsOf: Self.folder.appending(path: "README.md"), encoding: .utf8)
    #expect(page.contains("\(Self.grouped(synthesis.requestCount)) requests"))
    #expect(page.contains("\(Self.grouped(synthesis.outcomeCount)) outcomes"))
    for incident in SynthesisOptions.sampleIncidents {
      #expect(page.contains("--incident \(incident)"))
    }
  }

  @Test func `the folder stays within five megabytes`() throws {
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.folder, includingPropertiesForKeys: [.fileSizeKey])
    let total = try files.reduce(0) {
      try $0 + ($1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0)
    }
    #expect(total <= 5_000_000)
  }

  private static func grouped(_ number: Int) -> String {
    "\(number / 1000),\(String(1000 + number % 1000).dropFirst())"
  }

  /// XXH64 with seed 0, as the xxHash specification (version 0.1.1) describes it.
  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
    func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
      value << count | value >> (64 - count)
    }
    func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
      rotate(lane &+ input &* prime2, 31) &* prime1
    }
    var place = 0
    func word(_ count: Int) -> UInt64 {
      var value: UInt64 = 0
      for index in 0..<count { value |= UInt64(bytes[place + index]) << UInt64(8 * index) }
      place += count
      return value
    }
    var lanes = [prime1 &+ prime2, prime2, 0, 0 &- prime1]
    while bytes.count - place >= 32 {
      for lane in 0..<4 { lanes[lane] = round(lanes[lane], word(8)) }
    }
    var hash =
      rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
    for lane in lanes { hash = (hash ^ round(0, lane)) &* prime1 &+ prime4 }
    hash = hash &+ UInt64(bytes.count)
    while bytes.count - place >= 8 {
      hash = rotate(hash ^ round(0, word(8)), 27) &* prime1 &+ prime4
    }
    if bytes.count - place >= 4 {
      hash = rotate(hash ^ (word(4) &* prime1), 23) &* prime2 &+ prime3
    }
    while place < bytes.count { hash = rotate(hash ^ (word(1) &* prime5), 11) &* prime1 }
    hash = (hash ^ hash >> 33) &* prime2
    hash = (hash ^ hash >> 29) &* prime3
    return hash ^ hash >> 32
  }
}
