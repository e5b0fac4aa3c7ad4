import FarthingCore
import FarthingStore
import FarthingTestSupport
import Synchronization
import Testing

@testable import FarthingPipeline

/// A server without a network: decodes as the server does and stores in a real store, which dies and is
/// opened again.
private actor Station: ForwardSink {
  let directory: String
  private(set) var writer: StoreWriter
  private let registry = AgentRegistry([])
  private var receiver: ForwardReceiver?
  /// Source and site of each event that was handed over.
  private(set) var taken: [String] = []

  init(_ directory: String) throws {
    self.directory = directory
    writer = try StoreWriter(directory: directory, now: arrival, randomBytes: testKey)
  }

  func restart() async throws {
    await writer.abandon()
    writer = try StoreWriter(directory: directory, now: arrival, randomBytes: testKey)
    receiver = nil
  }

  func close() async throws { try await writer.close() }

  func position(of source: String) async -> SourcePosition? {
    await writer.sourcePositions.first { $0.source == source }
  }

  func append(
    _ batches: [(batch: ChargedBatch, progress: SourceProgress)], receivedTime: Int64
  ) async -> Result<AppendCount, StoreError> {
    var count = AppendCount(accepted: 0, duplicates: 0)
    for (batch, progress) in batches {
      taken += batch.decoded.events.map { event in
        "\(batch.source) \(event.range(of: .site).map(batch.decoded.string) ?? "")"
      }
      do throws(StoreError) {
        let result = try await writer.append(
          batch, receivedTime: receivedTime, durability: .log, progress: progress)
        count.accepted += result.accepted
        count.duplicates += result.duplicateLines.count
      } catch { return .failure(error) }
    }
    return .success(count)
  }

  func take(_ head: ForwardHead, _ body: [UInt8]) async -> ForwardAnswer {
    let receiver = receiver ?? ForwardReceiver(sink: self, registry: registry, limit: 2)
    self.receiver = receiver
    if let seconds = await receiver.begin(head, now: arrival, random: 0) {
      return .busy(retryAfter: seconds, "busy")
    }
    var text: [UInt8] = []
    if !body.isEmpty {
      guard let stream = try? StreamDecompressor(.zstd) else { return .refused("no memory") }
      stream.supply(body)
      do {
        while try stream.produce(into: &text, upTo: 1 << 16) {}
        try stream.finish()
      } catch { return .refused("\(error)") }
    }
    var pricer = EventPricer(book: PriceBook(sources: [FlatPrices()]))
    guard
      let forward = DecodedForward(
        text, head, listedErrors: 10, now: arrival,
        charge: { pricer.charge($0, source: $1) })
    else {
      await receiver.giveUp(head)
      return .refused("no sections")
    }
    switch await receiver.store(forward, now: arrival) {
    case .stored(let through, let receipt):
      return .stored(through: through, rejected: receipt.rejected, note: nil)
    case .gap(let stored): return .gap(stored: stored)
    case .busy(let seconds): return .busy(retryAfter: seconds, "busy")
    case .failed(let error): return .busy(retryAfter: 1, "\(error)")
    }
  }

  var agents: [AgentStatus] { registry.all }
}

/// A line to the station that loses every third answer, and now and then the question.
private final class Line: ForwardTransport {
  private let station: Station
  private let sent = Mutex(0)
  private let everyLost: Int
  let heads = Mutex<[ForwardHead]>([])

  init(_ station: Station, everyLost: Int = 3) {
    self.station = station
    self.everyLost = everyLost
  }

  func send(_ head: ForwardHead, _ body: [UInt8]) async -> ForwardAnswer {
    heads.withLock { $0.append(head) }
    let number = sent.withLock { sent in
      sent += 1
      return sent
    }
    if number % 7 == 5 { return .unreachable("the question is lost") }
    let answer = await station.take(head, body)
    return number % everyLost == 0 ? .unreachable("the answer is lost") : answer
  }
}

@Suite struct `Forwarding` {
  private static func spool(_ directory: String) throws -> Spool {
    var options = SpoolOptions()
    options.emptySection = ForwardSection.empty
    return try Spool(directory: directory, options: options, random: 1)
  }

  private static func forwarder(
    _ spool: Spool, _ line: some ForwardTransport, bell: Doorbell = Doorbell(), events: Int = 30
  ) -> Forwarder {
    // The clock leaps over every pause.
    let clock = Atomic<Int64>(arrival)
    var options = ForwardingOptions()
    options.events = events
    return Forwarder(
      spool: spool, transport: line, name: "edge 1", version: "test", options: options, bell: bell,
      around: Forwarder.Surroundings(
        clock: { clock.load(ordering: .relaxed) },
        sleep: { clock.add($0, ordering: .relaxed) }, random: { 0.5 }, note: { _ in }))
  }

  /// Requests without ids: only the stream tells what is stored.
  private static func batch(_ numbers: Range<Int>) -> ChargedBatch {
    let lines = numbers.map {
      "{\"time\":\"2026-11-20T00:00:00Z\",\"model\":\"m\",\"input_tokens\":\($0)}\n"
    }
    return Batches.charge(lines.joined())
  }

  private static func tokens(_ station: Station) async throws -> [Int64] {
    let snapshot = try await station.writer.snapshot()
    var tokens: [Int64] = []
    for segment in snapshot.requests {
      for block in 0..<segment.blockCount {
        var column = IntegerColumn()
        try segment.readIntegers(
          .field(.inputTokens), block: block, into: &column, scratch: ScanScratch())
        tokens += column.values
      }
    }
    return tokens.sorted()
  }

  @Test func `stores each event once, without ids, over lost answers and deaths of both ends`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let station = try Station(folder.path + "/server")
    let line = Line(station)
    var next = 0
    var random = SplitMix(seed: 20_261_121)
    var spool = try Self.spool(folder.path + "/agent")
    for round in 0..<12 {
      let sink = SpoolSink(spool, site: nil, bell: Doorbell())
      for _ in 0..<6 {
        let count = 1 + Int(random.next() % 40)
        _ = try await sink.append(Self.batch(next..<next + count), receivedTime: arrival)
        next += count
      }
      let forwarder = Self.forwarder(spool, line)
      // Rounds end in the middle of the work: after so many batches, with what was not acknowledged.
      await forwarder.finish(by: arrival + Int64(round % 4) * 1_500_000_000)
      await forwarder.run()
      if round % 2 == 0 {
        await spool.abandon()
        spool = try Self.spool(folder.path + "/agent")
      } else {
        try await station.restart()
      }
    }
    let forwarder = Self.forwarder(spool, line)
    await forwarder.finish(by: .max)
    await forwarder.run()
    #expect(await spool.survey.waitingEvents == 0)
    let tokens = try await Self.tokens(station)
    #expect(Set((0..<next).map(Int64.init)).subtracting(tokens) == [], "lost")
    #expect(tokens.count == next, "doubled: \(tokens.count - Set(tokens).count)")
    try await spool.close()
    try await station.close()
  }

  @Test func `goes on behind what damage took at the agent, and tells how much it was`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let station = try Station(folder.path + "/server")
    var spool = try Self.spool(folder.path + "/agent")
    let sink = SpoolSink(spool, site: nil, bell: Doorbell())
    for first in stride(from: 0, to: 100, by: 10) {
      _ = try await sink.append(Self.batch(first..<first + 10), receivedTime: arrival)
    }
    try await spool.close()
    let name = try #require(
      try PosixFileSystem().list(folder.path + "/agent")?.first { $0.hasSuffix(".spool") })
    let path = folder.path + "/agent/" + name
    let size = try #require(try PosixFileSystem().size(path))
    let file = try PosixFileSystem().open(path, .readWrite)
    for place in [3, 6] {
      try file.write([0xFF, 0xFF, 0xFF], offset: 8192 + (size - 8192) * place / 10 + 60)
    }
    spool = try Self.spool(folder.path + "/agent")
    let line = Line(station)
    let forwarder = Self.forwarder(spool, line, events: 1_000)
    await forwarder.finish(by: .max)
    await forwarder.run()
    let tokens = try await Self.tokens(station)
    #expect(tokens.count == 80)
    #expect(Set(tokens).count == 80)
    #expect(await spool.survey.lostRecords == 2)
    #expect(await station.agents.first?.lostRecords == 2)
    #expect(await station.agents.first?.missing == 0)
    try await spool.close()
    try await station.close()
  }

  @Test func `goes on within a batch of which a crash left a part`() throws {
    var text: [UInt8] = []
    for entry in [0..<5, 5..<5, 5..<9].flatMap({
      ForwardSection.entries(
        Self.batch($0), receivedTime: 0,
        progress: SourceProgress(
          end: SourcePosition(source: "s", state: []),
          before: { _ in SourcePosition(source: "s", state: []) }))
    }) { text += entry.text }
    let head = ForwardHead(
      agent: "a", version: "", stream: 5, first: 11, records: 3, settled: 10, waitingEvents: 0,
      lagMilliseconds: 0, spoolBytes: 0, spoolCapacity: 0, lostRecords: 0)
    let forward = try #require(
      DecodedForward(text, head, listedErrors: 1, now: arrival) {
        var pricer = EventPricer(book: PriceBook(sources: []))
        return pricer.charge($0, source: $1)
      })
    func tokens(_ sequence: Int64, _ lines: Int) -> [Int64] {
      forward.batches(after: ForwardPosition(sequence: sequence, lines: lines, agent: "a"))
        .flatMap { $0.batch.decoded.events.compactMap { $0.integer(.inputTokens) } }
    }
    #expect(tokens(10, 0) == Array(0..<9))
    #expect(tokens(10, 3) == Array(3..<9))
    #expect(tokens(11, 0) == Array(5..<9))
    #expect(tokens(12, 1) == Array(6..<9))
    #expect(tokens(13, 0) == [])
    #expect(tokens(2, 1) == Array(0..<9))
    let progress = try #require(
      forward.batches(after: ForwardPosition(sequence: 10, lines: 3, agent: "a")).first?.progress)
    #expect(ForwardPosition(progress.end.state)?.sequence == 13)
    // The third event that is left is line 0 of record 13.
    let before = ForwardPosition(progress.before(2).state)
    #expect(before == ForwardPosition(sequence: 12, lines: 0, agent: "a"))
    #expect(
      ForwardPosition(progress.before(1).state)
        == ForwardPosition(sequence: 10, lines: 4, agent: "a"))
  }

  @Test func `tells the server of an agent that has nothing to send`() async throws {
    let folder = try TemporaryDirectory()
    let station = try Station(folder.path + "/server")
    let spool = try Self.spool(folder.path + "/agent")
    let line = Line(station, everyLost: .max)
    let bell = Doorbell()
    let forwarder = Self.forwarder(spool, line, bell: bell)
    let run = Task { await forwarder.run() }
    // Two calls of an idle agent; its clock leaps from one to the next.
    while line.heads.withLock({ $0.count }) < 2 { await Task.yield() }
    run.cancel()
    bell.ring()
    await run.value
    let agents = await station.agents
    #expect(agents.map(\.agent) == ["edge 1"])
    #expect(agents.first?.lag(now: arrival) == 0)
    #expect(agents.first?.lag(now: arrival + 120_000_000_000) == 120_000_000_000)
    try await spool.close()
    try await station.close()
  }

  @Test func `passes on what collectors of other formats let pass, under their name`() async throws
  {
    let folder = try TemporaryDirectory()
    let station = try Station(folder.path + "/server")
    let spool = try Self.spool(folder.path + "/agent")
    var builder = EventBatchBuilder(now: arrival)
    builder.begin(.request, line: 1)
    builder.setTime(arrival - 1)
    builder.set(.inputTokens, 5)
    builder.set(.cachedInputTokens, 9)
    builder.finish()
    var pricer = EventPricer(book: PriceBook(sources: []))
    let batch = pricer.charge(builder.take(), source: "litellm")
    try await SpoolSink(spool, site: "fra", bell: Doorbell()).append([(batch, arrival)])
    let forwarder = Self.forwarder(spool, Line(station, everyLost: .max))
    await forwarder.finish(by: .max)
    await forwarder.run()
    #expect(await station.taken == ["litellm fra"])
    try await spool.close()
    try await station.close()
  }

  @Test func `lets only so many batches in at once and spreads the others`() async throws {
    let folder = try TemporaryDirectory()
    let station = try Station(folder.path + "/server")
    let receiver = ForwardReceiver(sink: station, registry: AgentRegistry([]), limit: 8)
    func head(_ stream: UInt64) -> ForwardHead {
      ForwardHead(
        agent: "a", version: "", stream: stream, first: 1, records: 1, settled: 0,
        waitingEvents: 0, lagMilliseconds: 0, spoolBytes: 0, spoolCapacity: 0, lostRecords: 0)
    }
    var random = SplitMix(seed: 3)
    var pauses: [Int: Int] = [:]
    for stream in 1...2_000 {
      let part = Double(random.next() >> 11) / 0x1p53
      let pause = await receiver.begin(head(UInt64(stream)), now: arrival, random: part)
      #expect((pause == nil) == (stream <= 8))
      if let pause { pauses[pause, default: 0] += 1 }
    }
    #expect(pauses.keys.max() ?? 0 > 50)
    #expect(pauses.values.max() ?? 0 < 300)
    await receiver.giveUp(head(1))
    #expect(await receiver.begin(head(2), now: arrival, random: 0) == 1)
    #expect(await receiver.begin(head(9_000), now: arrival, random: 0) == nil)
    try await station.close()
  }

  @Test func `reads its own head fields, whatever the name, and refuses others`() throws {
    let head = ForwardHead(
      agent: "Köln 100 % / a", version: "0.1", stream: 0xFF, first: 3, records: 2, settled: 2,
      waitingEvents: 7, lagMilliseconds: 9, spoolBytes: 1, spoolCapacity: 2, lostRecords: 3)
    let fields = Dictionary(uniqueKeysWithValues: head.fields.map { ($0.name, $0.value) })
    #expect(try ForwardHead.read({ fields[$0] }).get() == head)
    #expect(fields.values.allSatisfy { $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } })
    for (name, wrong) in [
      ("Farthing-Agent", "%"), ("Farthing-Agent", "a%0Ab"), ("Farthing-Spool", "1"),
      ("Farthing-First", "2"), ("Farthing-First", "-1"), ("Farthing-Records", "1e3"),
      ("Farthing-Settled", "99999999999999999999"), ("Farthing-Waiting-Events", ""),
      ("Farthing-Waiting-Events", "1099511627777"), ("Farthing-Lost-Records", "1099511627777"),
      ("Farthing-Lag-Milliseconds", "9223372036855"),
    ] {
      var changed = fields
      changed[name] = wrong
      #expect(throws: ForwardHeadFault(field: name)) {
        try ForwardHead.read({ changed[$0] }).get()
      }
      changed[name] = nil
      #expect(throws: ForwardHeadFault(field: name)) {
        try ForwardHead.read({ changed[$0] }).get()
      }
    }
  }

  @Test func `has a lag whatever an agent and the clock say`() throws {
    var status = AgentStatus(agent: "a", stream: 1)
    #expect(status.lag(now: .max) == nil)
    status.lastContact = 0
    status.waitingEvents = 1
    status.lagMilliseconds = 100 * 366 * 86_400_000
    #expect(status.lag(now: 5) == 3_162_240_000_000_000_005)
    #expect(status.lag(now: .max) == .max)
  }

  @Test func `takes no text for sections that is none`() {
    let good = ForwardSection.head(bytes: 3, lines: 1, source: "events") + Array("{}\n".utf8)
    #expect(ForwardSection.sections(of: good + good)?.count == 2)
    #expect(ForwardSection.sections(of: []) == [])
    for cut in 1..<good.count { #expect(ForwardSection.sections(of: Array(good[..<cut])) == nil) }
    // Another number of lines than the head says, or a last one without its end.
    for text in ["#3 0 events\n{}\n", "#3 2 events\n{}\n", "#2 1 events\n{}", "#2 0 events\n{}"] {
      #expect(ForwardSection.sections(of: Array(text.utf8)) == nil, "\(text)")
    }
    for text in ["#9999999999 1 events\n", "#1 1\n", "#-1 1 e\n", "{}\n", "# 1 1 e\n"] {
      #expect(ForwardSection.sections(of: Array(text.utf8)) == nil, "\(text)")
    }
  }
}
