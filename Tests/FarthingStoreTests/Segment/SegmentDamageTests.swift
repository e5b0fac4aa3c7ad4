import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `A damaged segment` {
  @Test func `is refused by name, or reads as before, whichever byte is flipped`() throws {
    let buffer = SegmentFixtures.buffer(SegmentFixtures.batch(SegmentFixtures.lines(12)))
    let whole = try #require(buffer.sealed(id: 9)).bytes
    let expected = try SegmentFixtures.dump(
      try SegmentReader.open(MemorySegmentSource(name: "9", bytes: whole), expectedID: 9))
    var generator = SplitMix(seed: 5)
    var refused = 0
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      do {
        let reader = try SegmentReader.open(
          MemorySegmentSource(name: "9", bytes: bytes), expectedID: 9)
        let found = try SegmentFixtures.dump(reader)
        #expect(found == expected, "byte \(place) of \(whole.count) changed what is read")
      } catch {
        refused += 1
        #expect((error as? StoreError)?.message.hasPrefix("segment 9") == true, "\(error)")
      }
    }
    #expect(refused == whole.count)
  }

  @Test func `is refused at every length that it may be cut to`() throws {
    let buffer = SegmentFixtures.buffer(SegmentFixtures.batch(SegmentFixtures.lines(3)))
    let whole = try #require(buffer.sealed(id: 9)).bytes
    for count in whole.indices {
      #expect(throws: StoreError.self) {
        try SegmentReader.open(MemorySegmentSource(name: "9", bytes: Array(whole.prefix(count))))
      }
    }
  }

  @Test func `names the column, the block and both checksums`() throws {
    let buffer = SegmentFixtures.buffer(SegmentFixtures.batch(SegmentFixtures.lines(40)))
    var bytes = try #require(buffer.sealed(id: 9)).bytes
    // The first part after the header is block 0 of the first column.
    bytes[SegmentFormat.headerSize + 2] ^= 0x10
    let reader = try SegmentReader.open(MemorySegmentSource(name: "0009.seg", bytes: bytes))
    var times = IntegerColumn()
    let error = #expect(throws: StoreError.self) {
      try reader.readIntegers(.time, block: 0, into: &times, scratch: ScanScratch())
    }
    let pattern =
      /segment 0009\.seg column time block 0: checksum [0-9a-f]{16}, expected [0-9a-f]{16}/
    #expect(error?.code == .damaged)
    #expect(error?.message.wholeMatch(of: pattern) != nil)
  }

  @Test func `is refused where it is another segment than the catalogue lists`() throws {
    let buffer = SegmentFixtures.buffer(SegmentFixtures.batch(SegmentFixtures.lines(3)))
    let bytes = try #require(buffer.sealed(id: 9)).bytes
    let error = #expect(throws: StoreError.self) {
      try SegmentReader.open(MemorySegmentSource(name: "8", bytes: bytes), expectedID: 8)
    }
    #expect(error?.message == "segment 8: its header has the id 9, expected 8")
  }

  @Test func `of a later version says so`() throws {
    let buffer = SegmentFixtures.buffer(SegmentFixtures.batch(SegmentFixtures.lines(3)))
    var bytes = try #require(buffer.sealed(id: 9)).bytes
    bytes[8] = 3
    let error = #expect(throws: StoreError.self) {
      try SegmentReader.open(MemorySegmentSource(name: "9", bytes: bytes))
    }
    #expect(error?.code == .unsupportedVersion)
    #expect(
      error?.message
        == "segment 9: it has format version 3, this build reads 2; read it with the build that wrote it, "
        + "or ingest its events into a new folder")
  }

  @Test func `of random bytes behind valid checksums never crashes a decoder`() {
    var generator = SplitMix(seed: 21)
    let scratch = ScanScratch()
    for _ in 0..<1500 {
      let count = Int.random(in: 0..<80, using: &generator)
      let bytes = (0..<count).map { _ in
        // Small bytes reach further: they are tags, widths and counts.
        UInt8.random(in: 0...(Bool.random(using: &generator) ? 8 : 255), using: &generator)
      }
      let rows = Int.random(in: 0..<40, using: &generator)
      let span = bytes.span
      var integers = IntegerColumn()
      var reals = RealColumn()
      var text = TextColumn()
      var keys = KeyColumn()
      var codes: [UInt32] = []
      var cursor = ByteCursor(span)
      try? IntegerBlock.decode(
        span, cursor: &cursor, count: rows, into: &integers, scratch: scratch)
      cursor = ByteCursor(span)
      try? RealBlock.decode(span, cursor: &cursor, count: rows, into: &reals, scratch: scratch)
      cursor = ByteCursor(span)
      try? CodeBlock.decode(
        span, cursor: &cursor, count: rows, limit: 9, into: &codes, scratch: scratch)
      cursor = ByteCursor(span)
      try? TextBlock.decode(
        span, cursor: &cursor, count: rows, times: [Int64](repeating: 5, count: rows),
        into: &text, scratch: scratch)
      cursor = ByteCursor(span)
      _ = try? TextBlock.decodeKeys(
        span, cursor: &cursor, count: rows, into: &keys, scratch: scratch)
      _ = try? SegmentFooter(bytes, kind: .request, limit: 1000)
      for column in (try? ColumnDirectory.list(span, limit: 1000)) ?? [] {
        _ = try? ColumnBlocks(span, column, count: 3, limit: 1000)
      }
      _ = try? SegmentTotals.sketches(bytes)
    }
  }
}
