import FarthingTestSupport
import Testing

@testable import FarthingStore

struct RecordPartitionsTests {
  @Test func `every record comes back once, in its key's partition and in order`() {
    var generator = SplitMix(seed: 21)
    for stride in [1, 2, 3, 4, 5, 7] {
      for upperHalf in [UInt64?.none, 5] where upperHalf != nil || stride > 1 {
        let records = RecordPartitions(stride: stride)
        var sent: [[[UInt64]]] = .init(repeating: [], count: RecordPartitions.count)
        for size in [0, 1, 900, 3_000] {
          var words: [UInt64] = []
          for _ in 0..<size {
            let record = (0..<stride).map { _ in generator.next() % 97 }
            words += record
            let upper = upperHalf ?? record[1]
            sent[RecordPartitions.place(record[0], upper)].append(record)
          }
          records.append(words, count: size, upperHalf: upperHalf)
        }
        #expect(records.recordCount == 3_901)
        for place in 0..<RecordPartitions.count {
          var back: [[UInt64]] = []
          records.forEachRun(place) { run in
            for first in Swift.stride(from: 0, to: run.count, by: stride) {
              back.append((0..<stride).map { run[first + $0] })
            }
          }
          #expect(back == sent[place])
          #expect(records.recordCount(place) == back.count)
          records.release(place)
          #expect(records.recordCount(place) == 0)
        }
        #expect(records.byteCount == 0)
      }
    }
  }
}
