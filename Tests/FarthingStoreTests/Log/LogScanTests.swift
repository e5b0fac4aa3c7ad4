import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `A log file` {
  private let identity = LogIdentity(store: 7, file: 3)

  /// Records 10, 11… with the given payload sizes; each tells that those before it are durable.
  private func file(_ sizes: [Int], mark: Bool = true) -> [UInt8] {
    var bytes = LogFormat.preamble(store: 7, file: 3, firstSequence: 10)
    for (place, size) in sizes.enumerated() {
      let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ place) }
      LogRecordHeader.append(
        LogPayload(head: payload), type: 1, sequence: 10 + Int64(place),
        durableSequence: 9 + Int64(place),
        identity: identity, to: &bytes)
    }
    if mark {
      let content = DurableMark(sequence: 9 + Int64(sizes.count), end: bytes.count)
        .bytes(identity)
      bytes.replaceSubrange(LogFormat.markOffset..<LogFormat.markOffset + 20, with: content)
    }
    return bytes
  }

  private func scan(_ bytes: [UInt8], next: Int64? = nil) throws(StoreError) -> LogScan {
    try LogScan(
      bytes, identity: identity, firstSequence: 10, nextFirstSequence: next, name: "log/3")
  }

  @Test func `gives its records back`() throws {
    let scan = try scan(file([5, 0, 800]))
    #expect(scan.records.map(\.sequence) == [10, 11, 12])
    #expect(scan.records.map(\.payload.count) == [5, 0, 800])
    #expect(scan.gaps.isEmpty && scan.tornBytes == 0 && !scan.headerDamaged)
  }

  @Test func `loses a torn tail that nothing vouches for`() throws {
    let whole = file([5, 60, 800], mark: false)
    for length in stride(from: whole.count - 800, to: whole.count, by: 37) {
      let scan = try scan(Array(whole[..<length]))
      #expect(scan.records.count == 2 && scan.gaps.isEmpty)
    }
  }

  @Test func `names the loss of what its mark vouches for`() throws {
    let whole = file([5, 60, 800])
    let cut = try scan(Array(whole[..<(whole.count - 100)]))
    #expect(cut.records.count == 2)
    #expect(cut.gaps.map(\.sequences) == [12...12])
    var flipped = whole
    flipped[LogFormat.recordsOffset + 40 + 2] ^= 1
    let gap = try scan(flipped)
    #expect(gap.records.map(\.sequence) == [11, 12])
    #expect(gap.gaps.map(\.sequences) == [10...10])
  }

  @Test func `takes a later record's word without a mark`() throws {
    var bytes = file([5, 60, 800], mark: false)
    bytes[LogFormat.recordsOffset + 40 + 2] ^= 1
    #expect(try scan(bytes).gaps.map(\.sequences) == [10...10])
  }

  @Test func `is superseded by a newer file from that one's first record on`() throws {
    let scan = try scan(file([5, 60, 800]), next: 11)
    #expect(scan.records.map(\.sequence) == [10])
    #expect(scan.gaps.isEmpty)
    #expect(try self.scan(file([5]), next: 13).gaps.map(\.sequences) == [11...12])
  }

  @Test func `takes no block of another file or store`() throws {
    let bytes = file([5, 60])
    for other in [LogIdentity(store: 8, file: 3), LogIdentity(store: 7, file: 4)] {
      let scan = try LogScan(
        bytes, identity: other, firstSequence: 10, nextFirstSequence: nil, name: "other")
      #expect(scan.records.isEmpty && scan.headerDamaged)
    }
  }

  @Test func `finds each flipped bit of a record`() throws {
    let whole = file([24, 16])
    for place in LogFormat.recordsOffset..<whole.count {
      var bytes = whole
      bytes[place] ^= 0x10
      let scan = try scan(bytes)
      #expect(scan.records.count == 1 && scan.gaps.count == 1, "byte \(place)")
    }
  }

  @Test func `restores events, charges and prices exactly`() throws {
    let batch = Batches.make(0..<40)
    let payload = BatchRecord.encode(
      batch, selection: batch.decoded.events.indices, receivedTime: arrival)
    let (decoded, receivedTime) = try BatchRecord.decode(payload)
    #expect(receivedTime == arrival)
    #expect(decoded.charges == batch.charges)
    #expect(decoded.source == "events")
    #expect(decoded.prices.map(\.key) == batch.prices.map(\.key))
    let again = BatchRecord.encode(
      decoded, selection: decoded.decoded.events.indices, receivedTime: arrival)
    #expect(again == payload)
    for length in 0..<payload.count {
      #expect(throws: EncodingFault.self) { try BatchRecord.decode(Array(payload[..<length])) }
    }
  }

  @Test func `has the bytes that its format page tells`() throws {
    var event = DecodedEvent(kind: .outcome)
    event.time = 3
    event.set(.outcome, ByteRange(offset: 0, length: 2))
    event.set(.valueUSD, picodollars: 5)
    var decoded = DecodedBatch(bytes: Array("ok".utf8))
    decoded.events = [event]
    let batch = ChargedBatch(decoded: decoded, charges: [.unpriced], prices: [], source: "e")
    let payload = BatchRecord.encode(batch, selection: [0], receivedTime: 1)
    #expect(
      payload == [
        1, 2, 1, 0x65, 0, 1,  // version, arrival 1, source "e", no price, one event
        1, 6, 0x80, 0x80, 0x40, 2, 0x6F, 0x6B,  // outcome at 3; text bit 20: "ok"
        0, 0x80, 0x80, 8, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // money bit 17: 5
        0, 0,  // no tag, no unit
      ])
    var bytes: [UInt8] = []
    LogRecordHeader.append(
      LogPayload(head: payload), type: 1, sequence: 2, durableSequence: 1, identity: identity,
      to: &bytes)
    #expect(
      Array(bytes[0..<24]) == [
        36, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
      ])
    #expect(bytes.count == 40 + 40)
  }
}
