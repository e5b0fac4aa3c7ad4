import FarthingCore
import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Synchronization
import Testing

@testable import FarthingServer

@Suite struct `What an answer means to an agent` {
  private func meaning(_ status: Int, _ fields: [String: String] = [:]) -> ForwardAnswer {
    HTTPForwardTransport.meaning(
      of: ServerCaller.Answer(status: status, fields: fields, body: Array("words\n".utf8)))
  }

  @Test func `stored, up to the record that the server names`() {
    #expect(
      meaning(200, ["farthing-stored": "17"]) == .stored(through: 17, rejected: 0, note: nil))
    #expect(
      meaning(200, ["farthing-stored": "17", "farthing-rejected": "2"])
        == .stored(through: 17, rejected: 2, note: "status 200: words"))
    #expect(meaning(409, ["farthing-stored": "3"]) == .gap(stored: 3))
  }

  @Test func `a 200 or a 400 of somebody else throws nothing away`() {
    guard case .forbidden = meaning(200) else {
      Issue.record("a page of a proxy counts as stored")
      return
    }
    #expect(
      meaning(400)
        == .busy(retryAfter: nil, "the server takes nothing now: status 400: words"))
    #expect(meaning(400, ["farthing-refused": "batch"]) == .refused("status 400: words"))
  }

  @Test func `later, slowly, or less at once`() {
    for status in [408, 409, 429, 500, 502, 503, 504] {
      guard case .busy(5, _) = meaning(status, ["retry-after": "5"]) else {
        Issue.record("\(status)")
        continue
      }
    }
    for status in [401, 403, 404, 405, 415, 501] {
      guard case .forbidden = meaning(status) else {
        Issue.record("\(status)")
        continue
      }
    }
    for stored in ["9223372036854775807", "-1", "x"] {
      guard case .busy = meaning(409, ["farthing-stored": stored]),
        case .forbidden = meaning(200, ["farthing-stored": stored])
      else {
        Issue.record("\(stored)")
        continue
      }
    }
    #expect(
      meaning(503, ["retry-after": "-5"])
        == .busy(retryAfter: 0, "the server takes nothing now: status 503: words"))
    #expect(meaning(413) == .tooLarge("status 413: words", byServer: false))
    #expect(
      meaning(413, ["farthing-refused": "body"]) == .tooLarge("status 413: words", byServer: true))
  }

  @Test func `nothing where nobody listens`() async throws {
    let caller = try ServerCaller(url: "http://127.0.0.1:9", token: { nil })
    let head = ForwardHead(
      agent: "a", version: "", stream: 1, first: 1, records: 0, settled: 0, waitingEvents: 0,
      lagMilliseconds: 0, spoolBytes: 0, spoolCapacity: 0, lostRecords: 0)
    guard case .unreachable = await HTTPForwardTransport(caller).send(head, []) else {
      Issue.record("somebody answered")
      return
    }
    await caller.close()
  }
}

@Suite struct `The spool behind an agent's port` {
  @Test func `refuses uploads while it is full, and says so once`() async throws {
    let folder = try TemporaryDirectory()
    var options = SpoolOptions()
    options.capacity = 200_000
    let spool = try Spool(directory: folder.path, options: options, random: 1)
    let notes = Mutex<[String]>([])
    let uploads = SpoolUploads(SpoolSink(spool, site: nil, bell: Doorbell())) { note in
      notes.withLock { $0.append(note) }
    }
    func upload(_ number: Int) async -> Result<AppendResult, StoreError> {
      await uploads.append([
        Upload(
          batches: [Batches.make(number * 100..<number * 100 + 100)], receivedTime: arrival)
      ])[0]
    }
    var taken = 0
    while case .success(let result) = await upload(taken) {
      #expect(result.accepted == 125)
      taken += 1
      try #require(taken < 1_000)
    }
    guard case .failure(let error) = await upload(taken) else {
      Issue.record("it was taken")
      return
    }
    #expect(error.code == .diskFull)
    await #expect(throws: StoreError.self) { try await uploads.probe() }
    #expect(notes.withLock { $0.count } == 1)
    let records = try await spool.next(textBytes: .max, events: .max)
    try await spool.acknowledge(through: records.last?.sequence ?? 0, now: arrival)
    try await uploads.probe()
    guard case .success = await upload(taken) else {
      Issue.record("it was refused")
      return
    }
    #expect(
      notes.withLock { $0.last } == "the spool has room again; events are taken")
    try await spool.close()
  }

  @Test func `takes small uploads beside one that does not fit`() async throws {
    let folder = try TemporaryDirectory()
    var options = SpoolOptions()
    // Less than the random bits of the large one.
    options.capacity = 100_000
    let spool = try Spool(directory: folder.path, options: options, random: 1)
    let notes = Mutex<[String]>([])
    let uploads = SpoolUploads(SpoolSink(spool, site: nil, bell: Doorbell())) { note in
      notes.withLock { $0.append(note) }
    }
    func upload(_ text: String) -> Upload {
      Upload(batches: [Batches.charge(text)], receivedTime: arrival)
    }
    // Digits without an order, which hardly compress.
    var random = SystemRandomNumberGenerator()
    let large = (0..<8_000).map { number in
      Self.line(
        "\(number)-\(UInt64.random(in: 0 ... .max, using: &random))"
          + "-\(UInt64.random(in: 0 ... .max, using: &random))")
    }.joined()
    let results = await uploads.append([
      upload(Self.line("a")), upload(large), upload(Self.line("b")),
    ])
    #expect(try results[0].get().accepted == 1 && results[2].get().accepted == 1)
    guard case .failure(let error) = results[1] else {
      Issue.record("more was taken than the spool may hold")
      return
    }
    #expect(error.code == .limitExceeded)
    guard case .failure(error) = await uploads.append([upload(large)])[0] else {
      Issue.record("more was taken than the spool may hold")
      return
    }
    #expect(Committer.fault(error).code == .storageFull)
    // The spool is not full, so nobody is told so and nobody else is kept out.
    #expect(notes.withLock { $0.isEmpty })
    try await spool.close()
  }

  private static func line(_ id: String) -> String {
    #"{"time":"2026-11-20T10:00:00Z","id":"\#(id)","model":"m-1"}"# + "\n"
  }
}
