import FarthingCore
import FarthingQuery
import Testing

@testable import FarthingStore

/// What a segment knows by the codes of a column, as questions see it.
@Suite struct `What a segment knows by the codes of a column` {
  @Test func `answers a question without a look at its rows`() throws {
    let segment = try SealedCase(damaging: .rows).segment
    let rows = try SealedCase.ask(segment, by: "model")
    #expect(rows == (try SealedCase.ask(try SealedCase(damaging: nil).segment, by: "model")))
    #expect(rows.count > 1)
    #expect(segment.foundDamage == nil)
    // A group by two columns is nothing that it knows.
    #expect(throws: QueryError.self) { try SealedCase.ask(segment, by: "model,site") }
    #expect(segment.foundDamage != nil)
  }

  @Test func `gives way to the rows where it is damaged, and says so`() throws {
    let segment = try SealedCase(damaging: .sums).segment
    let rows = try SealedCase.ask(segment, by: "model")
    #expect(rows == (try SealedCase.ask(try SealedCase(damaging: nil).segment, by: "model")))
    #expect(segment.foundDamage == nil)
    let message = try #require(segment.foundSumsDamage).description
    #expect(message.contains("segment test sums by model: checksum "))
    var snapshot = StoreSnapshot()
    snapshot.requests = [segment]
    #expect(snapshot.sumsDamage.map(\.lostRows) == [0])
    #expect(!snapshot.lacksRows)
    #expect(snapshot.verified().map(\.lostRows) == [0])
  }
}

/// A sealed segment of random requests, a part of which may be damaged.
private struct SealedCase {
  enum Part {
    case rows
    case sums
  }

  let segment: SegmentReader

  init(damaging part: Part?) throws {
    var dice = Dice(5)
    let requests = (0..<300).map {
      RandomEvents.request(&dice, arrival: RandomEvents.start + Int64($0))
    }
    var bytes = try #require(try ReferenceStore.sealed(requests, id: 1))
    let intact = try SegmentReader.open(MemorySegmentSource(name: "test", bytes: bytes))
    if part == .rows {
      for place in intact.columns.indices {
        for part in try intact.blocks(ofColumn: place).parts { bytes[part.offset] ^= 0x10 }
      }
    } else if part == .sums {
      let directory = try #require(intact.codeSumsDirectory(of: .field(.model)))
      bytes[directory.sums.offset] ^= 0x10
    }
    segment = try SegmentReader.open(MemorySegmentSource(name: "test", bytes: bytes))
  }

  static func ask(_ segment: SegmentReader, by groups: String) throws -> [[QueryValue]] {
    let plan = try QueryPlan.parse(
      QueryWords(metrics: "requests,input_tokens,error_cost,latency_p95", by: groups),
      now: RandomEvents.start)
    return try QueryExecutor().run(plan, requests: [segment], outcomes: []).rows
  }
}
