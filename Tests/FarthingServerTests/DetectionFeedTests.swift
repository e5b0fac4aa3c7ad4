import FarthingCore
import FarthingPipeline
import FarthingStore
import Synchronization
import Testing

@testable import FarthingServer

@Suite("The feed of detection")
struct DetectionFeedTests {
  private func batch(_ lines: [String]) throws -> ChargedBatch {
    let now = HostProcess.now()
    let decoder = BodyDecoder(book: try PriceBook(lists: []), listedErrors: 10, now: now)
    let decoded = decoder.decode(Array(lines.joined(separator: "\n").utf8), now: now)
    return try #require(decoded.batches.first)
  }

  @Test func `what it has no room for is counted, and the rest keeps its order`() throws {
    let feed = DetectionFeed()
    let batch = try batch([event("a"), event("b")])
    let places = Array(repeating: 0, count: DetectionFeed.eventLimit / 2)
    for time in 1...3 { feed.put(batch, places, Int64(time)) }
    #expect(feed.counts.unseen == places.count)
    #expect(feed.take().map(\.receivedAt) == [1, 2])
    #expect(feed.counts.seen == 2 * places.count && feed.counts.waiting == 0)
    feed.put(batch, [0, 1], 4)
    #expect(feed.take().map(\.receivedAt) == [4])
  }

  @Test func `a writer tells of what is new, in the order of the log`() async throws {
    try await withServer { server in
      let told = Mutex<[(places: Int, time: Int64)]>([])
      let box = Box(told)
      await server.writer.watch { _, places, time in
        box.value.withLock { $0.append((places.count, time)) }
      }
      for body in [[event("a"), event("b")], [event("b"), event("c")], [event("a")]] {
        _ = try await server.post(body.joined(separator: "\n"))
      }
      let seen = box.value.withLock { $0 }
      #expect(seen.map(\.places) == [2, 1])
      #expect(seen.map(\.time) == seen.map(\.time).sorted() && seen[0].time < seen[1].time)
    }
  }

  private final class Box: Sendable {
    let value: Mutex<[(places: Int, time: Int64)]>
    init(_ value: consuming Mutex<[(places: Int, time: Int64)]>) { self.value = value }
  }
}
