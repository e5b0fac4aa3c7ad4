import FarthingCore
import FarthingStore
import FarthingTestSupport
import Testing

@testable import FarthingPipeline

@Suite struct `A body that is decoded part by part` {
  private static let count = 90

  /// Lines of some 16 KiB each, so that they come in several pieces, every tenth one malformed.
  private static func body(isArray: Bool) -> [UInt8] {
    let padding = String(repeating: " ", count: 16_000)
    let lines = (0..<count).map { number in
      number % 10 == 9
        ? "{\(padding)\"time\":true,\"x_\(number)\":1}"
        : "{\(padding)\"time\":\"2026-11-20T10:00:00Z\",\"id\":\"r\(number)\",\"model\":\"m\"}"
    }
    let text =
      isArray ? "[" + lines.joined(separator: ",\n") + "] rest" : lines.joined(separator: "\n")
    return Array(text.utf8)
  }

  private func ids(_ body: DecodedBody) -> [String] {
    body.batches.flatMap { batch in
      batch.decoded.events.map { $0.range(of: .id).map { batch.decoded.string($0) } ?? "" }
    }
  }

  @Test(arguments: [false, true])
  func `has the events and the receipt of the whole`(isArray: Bool) throws {
    let decoder = BodyDecoder(
      book: try PriceBook(lists: []), listedErrors: 5, now: arrival, partEvents: 20)
    let whole = decoder.decode(Self.body(isArray: isArray), now: arrival)
    #expect(ids(whole) == (0..<Self.count).filter { $0 % 10 != 9 }.map { "r\($0)" })
    // What follows an array may be refused as well.
    #expect(whole.receipt.rejected >= 9)
    #expect(whole.receipt.refusals.count == 5)
    #expect(whole.receipt.unread.count == (isArray ? 1 : 0))
    let body = OpenBody(Self.body(isArray: isArray), now: arrival)
    var found: [String] = []
    var parts = 0
    while true {
      let part = body.next(decoder, laysOut: false)
      found += ids(part.decoded)
      parts += 1
      if part.hasMore { continue }
      #expect(part.decoded.receipt == whole.receipt)
      #expect(part.decoded.newest == whole.newest)
      break
    }
    #expect(found == ids(whole))
    #expect(parts > 1)
  }

  @Test func `asks for memory as it expands, and ends where there is none`() throws {
    let plain = [UInt8](repeating: 0x20, count: 1 << 20)
    var compressed: [UInt8] = []
    #expect(ZstdCompressor().compress(plain.span, limit: 1 << 20, into: &compressed))
    var claimed = 0
    let all = try BodyExpansion.expand(compressed, .zstd, limit: 1 << 20) { count in
      claimed += count
      return true
    }
    #expect(all == plain)
    #expect(claimed + compressed.count == 1 << 20)
    let none = try BodyExpansion.expand(compressed, .zstd, limit: 1 << 20) { count in
      claimed -= count
      return claimed > 1 << 19
    }
    #expect(none == nil)
    let window = #expect(throws: StoreError.self) {
      // A frame whose head says a window of 256 MiB.
      try BodyExpansion.expand([0x28, 0xB5, 0x2F, 0xFD, 0, 0x90, 1, 0, 0], .zstd, limit: 1 << 20)
    }
    #expect(
      window?.message
        == "the zstd data asks for a window of more than 32 MiB, the most that is taken; compress it "
        + "without --long, or below level 20")
  }
}
