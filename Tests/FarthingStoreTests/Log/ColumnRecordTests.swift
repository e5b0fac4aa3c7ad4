import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `A log record by column` {
  private func payload(_ batch: ChargedBatch) throws -> [UInt8] {
    let prepared = BatchPreparation(seed: Array(1...16)).prepareForLog(batch)
    try #require(prepared.count == 1)
    return BatchRecord.columnHead(receivedTime: arrival) + prepared[0].makeRecordBody()
  }

  /// The events by kind, as they stand in such a record, event by event.
  private func byKind(_ batch: ChargedBatch) -> [UInt8] {
    let order = EventKind.allCases.flatMap { kind in
      batch.decoded.events.indices.filter { batch.decoded.events[$0].kind == kind }
    }
    return BatchRecord.encode(batch, selection: order, receivedTime: arrival)
  }

  @Test func `restores events, charges and prices exactly`() throws {
    let batch = Batches.make(0..<40)
    let payload = try payload(batch)
    let (decoded, receivedTime) = try BatchRecord.decode(payload)
    #expect(receivedTime == arrival)
    #expect(byKind(decoded) == byKind(batch))
    #expect(payload.count * 2 < byKind(batch).count)
    for length in 0..<payload.count {
      #expect(throws: EncodingFault.self) { try BatchRecord.decode(Array(payload[..<length])) }
    }
  }

  @Test func `restores every field, wide amounts, and entries that have no column`() throws {
    // An event has at most 32 tags: twenty events bring more names than there are columns for.
    let tagged = (0..<20).map { event in
      let tags = (0..<26).map { #""k\#(event * 26 + $0)":"v\#($0 % 3)""# }.joined(separator: ",")
      return #"{"time":"2026-11-20T10:00:00Z","model":"m-1","tags":{\#(tags)}}"#
    }
    let units = (0..<140).map { #""u\#($0)":\#($0 * 1_000_003)"# }.joined(separator: ",")
    let batch = Batches.charge(
      tagged.joined(separator: "\n")
        + """

        {"time":"2026-11-20T10:00:01Z","model":"m-1","tags":{"k519":"only"},"units":{\(units)}}
        {"time":"2000-01-01T00:00:00Z","id":"i","model":"m-2","provider":"p","operation":"chat",\
        "endpoint":"e","site":"s","client_site":"c","workload":"w","identity":"j","tenant":"t",\
        "usage":"reported","prompt_hash":"h","status":"error","error":"timeout","fallback_from":"f",\
        "service_tier":"batch","data_class":"internal","jurisdiction":"eu","task":"k",\
        "input_tokens":9000000000,"cached_input_tokens":1,"cache_write_tokens":2,\
        "cache_write_1h_tokens":1,"output_tokens":3,"reasoning_tokens":1,"attempt":2,"step":4,\
        "latency_ms":0,"ttft_ms":1e-300,"queue_ms":3600000,\
        "reported_cost_usd":"123456789.123456789012"}
        {"type":"outcome","time":"2026-11-20T10:00:02Z","task":"k","outcome":"success",\
        "value_usd":"0.000000000001"}
        {"type":"capacity","time":"2026-11-20T00:00:00Z","until":"2026-11-21T00:00:00Z",\
        "site":"s","pool":"p","accelerators":8,"usd_per_accelerator_hour":2.5}
        """)
    try #require(batch.decoded.rejections.isEmpty, "\(batch.decoded.rejections)")
    let (decoded, _) = try BatchRecord.decode(payload(batch))
    #expect(byKind(decoded) == byKind(batch))
  }

  @Test func `keeps amounts beyond 64 bits`() throws {
    var batch = Batches.make(0..<3)
    batch.charges[0].cost = Int128(1) << 80 + 12_345
    batch.charges[1].cacheSavings = -(Int128(1) << 70) - 7
    batch.charges[2].outputCost = (1 << 62) - 1
    let (decoded, _) = try BatchRecord.decode(payload(batch))
    #expect(byKind(decoded) == byKind(batch))
  }

  @Test func `has the bytes that its format page tells`() throws {
    var decoded = DecodedBatch(bytes: Array("okt".utf8))
    for time: Int64 in [3, 5] {
      var event = DecodedEvent(kind: .outcome)
      event.time = time
      event.set(.outcome, ByteRange(offset: 0, length: 2))
      if time == 5 { event.set(.id, ByteRange(offset: 2, length: 1)) }
      event.set(.valueUSD, picodollars: 7)
      decoded.events.append(event)
    }
    let batch = ChargedBatch(
      decoded: decoded, charges: [.unpriced, .unpriced], prices: [], source: "e")
    let prepared = BatchPreparation(seed: Array(1...16)).prepareForLog(batch)
    #expect(
      BatchRecord.columnHead(receivedTime: 1) + prepared[0].makeRecordBody() == [
        3, 0, 2, 1, 0x65, 0, 1,  // version, no position, arrival 1, source "e", no price, one kind
        1, 2, 4,  // outcomes: two rows, four columns
        0, 1, 1, 0, 2, 0x74,  // id, by row, a byte each: absent, one character, "t"
        20, 0, 1, 2, 0x6F, 0x6B, 0,  // outcome, by codes: one text of 2, "ok", all rows
        56, 1, 6, 1, 3,  // time, a byte each, from 3: 3 + 0 and 3 + 2
        65, 0, 14,  // value_usd: 7 in all rows
      ])
  }

  @Test func `with impossible contents is refused`() throws {
    func refused(_ tail: [UInt8]) -> Bool {
      let bytes = BatchRecord.columnHead(receivedTime: 1) + [1, 0x65, 0] + tail
      return (try? BatchRecord.decode(bytes)) == nil
    }
    let time: [UInt8] = [56, 0, 6]
    #expect(!refused([1, 1, 1, 1] + time))
    #expect(refused([1, 7, 1, 1] + time), "a kind that there is not")
    #expect(refused([1, 1, 0x81, 0x80, 1, 1] + time), "16,385 rows")
    #expect(refused([1, 1, 1, 2] + time + time), "a column twice")
    #expect(refused([1, 1, 1, 0]), "no time")
    #expect(refused([1, 0, 1, 1] + time), "a request without a cost state")
    #expect(refused([2, 1, 1, 1] + time + [1, 1, 1] + time), "a kind twice")
    #expect(
      refused([1, 1, 1, 2] + time + [20, 0, 1, 2, 0x6F, 0x6B, 1, 2]), "a text that is not there")
    #expect(refused([1, 1, 1, 2] + time + [21, 2, 0]), "an unknown form")
    #expect(
      refused([1, 1, 1, 2] + time + [80, 8, 0] + Array(repeating: 0xFF, count: 8)), "no number")
    #expect(refused([1, 1, 1, 2] + time + [100, 0, 0]), "an unknown column")
    #expect(refused([1, 1, 1, 1, 56, 9, 6]), "cells of nine bytes")
  }
}
