import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

/// What was sent to a store, and what it acknowledged.
private struct Books {
  static let batchEvents = 8

  /// Every event that may have been sent, once.
  var sent = Ledger()
  var acknowledged: Set<String> = []
  /// Ids by first event, of the batches that went by the log only and are not acknowledged.
  var unsettled: [Int: [String]] = [:]
  /// First events of all batches that were sent.
  private var ids: [Int: [String]] = [:]

  mutating func send(_ first: Int, isLogged: Bool) {
    guard ids[first] == nil else {
      if !isLogged { unsettled[first] = nil }
      return
    }
    var batch = Ledger()
    batch.add(Batches.make(first..<first + Self.batchEvents))
    sent.entries.merge(batch.entries) { first, _ in first }
    ids[first] = batch.entries.keys.sorted()
    if isLogged { unsettled[first] = ids[first] }
  }

  mutating func acknowledge(_ first: Int) {
    acknowledged.formUnion(ids[first] ?? [])
    unsettled[first] = nil
  }

  /// Holds a store against the books.
  func audit(_ directory: String, _ when: String) throws {
    let snapshot = try StoreReader.snapshot(directory: directory)
    #expect(snapshot.damage.isEmpty, "\(when)")
    let stored = try Ledger(snapshot)
    #expect(stored.doubled.isEmpty, "\(when)")
    #expect(acknowledged.subtracting(stored.ids).isEmpty, "\(when): acknowledged and lost")
    var expectedCost: Int128 = 0
    for (id, entry) in stored.entries {
      let expected = sent.entries[id]
      if entry != expected { Issue.record("\(when): \(id) is \(entry)") }
      expectedCost += expected?.cost ?? 0
    }
    #expect(stored.cost == expectedCost, "\(when)")
    for (first, ids) in unsettled {
      let there = ids.count { stored.entries[$0] != nil }
      #expect(there == 0 || there == ids.count, "\(when): batch \(first) is there in part")
    }
  }
}

@Suite struct `A killed writer` {
  /// 50, or what `FARTHING_KILL_ROUNDS` says.
  private let rounds = HostProcess.environment("FARTHING_KILL_ROUNDS").flatMap { Int($0) } ?? 50

  /// Odd rounds go by the log, with eight appends at once; even ones by segments.
  @Test func `loses nothing acknowledged and doubles nothing however often it is killed`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let directory = folder.path + "/store"
    var random = SplitMix(seed: 20_261_121)
    var books = Books()
    var roundsWithAcks = 0
    var previous = 0
    var next = 0
    for round in 0..<rounds {
      let isLogged = round % 2 == 1
      // Every third round sends again what the one before it sent, acknowledged or not.
      let start = round % 3 == 2 ? previous : next
      let writer = try FaultWriterProcess(
        directory, path: isLogged ? "log" : "segment", first: start)
      let acks = run(writer, until: point(round, &random))
      let complaint = writer.complaint()
      #expect(complaint.isEmpty, "round \(round): \(complaint)")
      // Eight tasks: so many batches may have been on their way.
      let end = start + (acks.count + 8) * Books.batchEvents
      for first in stride(from: start, to: end, by: Books.batchEvents) {
        books.send(first, isLogged: isLogged)
      }
      for first in acks { books.acknowledge(first) }
      if !acks.isEmpty { roundsWithAcks += 1 }
      previous = start
      next = max(next, end)
      try books.audit(directory, "round \(round)")
    }
    #expect(roundsWithAcks >= rounds * 4 / 5, "\(roundsWithAcks)")
    try await sendAgain(0..<next, directory, &books)
  }

  /// When to kill: after so many acknowledgements, or in the opening, or just after it.
  private func point(_ round: Int, _ random: inout SplitMix) -> Int {
    switch round % 10 {
    case 4: -1
    case 9: 0
    default: 1 + Int(random.next() % 24)
    }
  }

  /// - Returns: the first events of the batches that it acknowledged, those that it said while it
  ///   was dying among them.
  private func run(_ writer: FaultWriterProcess, until point: Int) -> [Int] {
    var acks: [Int] = []
    var isKilled = false
    while let line = writer.line() {
      let words = line.split(separator: " ")
      if words.first == "ack", let first = words.last.flatMap({ Int($0) }) { acks.append(first) }
      let progress = line == "opening" ? -1 : acks.count
      if !isKilled, progress >= point {
        writer.kill()
        isKilled = true
      }
    }
    if !isKilled { Issue.record("it ended after \(acks.count) acknowledgements") }
    return acks
  }

  /// Everything once more: what is there is a duplicate, what is not comes in.
  private func sendAgain(_ numbers: Range<Int>, _ directory: String, _ books: inout Books)
    async throws
  {
    let stored = try Ledger(StoreReader.snapshot(directory: directory))
    let writer = try StoreWriter.open(directory)
    var accepted = 0
    for first in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Books.batchEvents) {
      books.send(first, isLogged: true)
      let result = try await writer.append(
        Batches.make(first..<first + Books.batchEvents), receivedTime: arrival, durability: .log)
      accepted += result.accepted
      books.acknowledge(first)
    }
    try await writer.close()
    #expect(accepted == books.sent.entries.count - stored.entries.count)
    try books.audit(directory, "at the end")
    #expect(try Ledger(StoreReader.snapshot(directory: directory)) == books.sent)
  }
}
