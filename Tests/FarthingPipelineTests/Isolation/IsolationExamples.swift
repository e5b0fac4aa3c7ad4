import FarthingCore
import FarthingDetection
import FarthingStore
import FarthingTestSupport

@testable import FarthingPipeline

/// Incidents, populations and times to test isolations with.
enum IsolationExamples {
  static let second: Int64 = 1_000_000_000
  static let start: Int64 = 1_795_000_000 * second

  static func time(_ seconds: Int64) -> IsolationTime {
    IsolationTime(wall: start + seconds * second, monotonic: 1000 * second + seconds * second)
  }

  static func incident(
    _ id: String, kind: AlertKind = .denialOfWallet, identity: String? = "svc-7",
    endpoint: String? = nil, tenant: String? = nil, rate: Double? = 120,
    isContainable: Bool = true, detected: Int64 = 0
  ) -> Incident {
    var dimensions: [DimensionValue] = []
    if let identity { dimensions.append(.init(dimension: "identity", value: identity)) }
    if let endpoint { dimensions.append(.init(dimension: "endpoint", value: endpoint)) }
    if let tenant { dimensions.append(.init(dimension: "tenant", value: tenant)) }
    return Incident(
      id: id, kind: kind, severity: .critical, metric: "cost", dimensions: dimensions,
      startedAt: start + detected * second, detectedAt: start + detected * second, expected: 0.5,
      actual: 13, excess: Picodollars(3_250_000_000_000), usdPerHour: rate,
      summary: "\(identity ?? endpoint ?? "something") spends 26 times what it does",
      explanation: ["statistic 9.1, threshold 4.5"], isContainable: isContainable)
  }

  /// Events of the contract, as a batch.
  static func batch(_ lines: [String]) -> ChargedBatch {
    let now = start + 1_000_000 * second
    guard
      let book = try? PriceBook(lists: []),
      let batch = BodyDecoder(book: book, listedErrors: 10, now: now)
        .decode(Array(lines.joined(separator: "\n").utf8), now: now).batches.first
    else { preconditionFailure("BUG: the example events are none") }
    return batch
  }

  static func call(
    at seconds: Int64, identity: String = "svc-7", endpoint: String = "e0",
    model: String = "gpt-4o", tenant: String? = nil, status: String = "ok"
  ) -> String {
    let tenant = tenant.map { "\"tenant\":\"\($0)\"," } ?? ""
    return """
      {"time":\(start + seconds * second),"identity":"\(identity)","endpoint":"\(endpoint)",\
      "model":"\(model)",\(tenant)"status":"\(status)","input_tokens":10}
      """
  }

  /// Identities `svc-0` and on, each of which called just now.
  static func population(_ count: Int, tenant: (Int) -> String? = { _ in nil }) -> ActivePopulation
  {
    var population = ActivePopulation(window: .seconds(3600))
    let batch = batch((0..<count).map { call(at: 0, identity: "svc-\($0)", tenant: tenant($0)) })
    population.observe(batch, Array(batch.decoded.events.indices), now: start + second)
    return population
  }

  static func observe(_ population: inout ActivePopulation, _ lines: [String], now: Int64) {
    let batch = batch(lines)
    population.observe(
      batch, Array(batch.decoded.events.indices), now: start + now * second)
  }

  /// A call of `svc-7` that costs so many cents.
  static func spend(_ cents: Int64, at seconds: Int64, _ population: inout ActivePopulation) {
    let time = start + seconds * second
    population.newest = max(population.newest, time)
    let call = ActivePopulation.Call(
      time: time, now: time, isGood: true, isPassed: true, cost: cents * 10_000_000_000)
    _ = population.note(.identity, hash: StableHash.of("svc-7"), call) { "svc-7" }
  }

  static func enforced(hooks: [String] = []) -> IsolationSettings {
    var settings = IsolationSettings()
    settings.mode = .enforced
    settings.hooks = hooks.map { HookSettings(name: $0, kind: .exec) }
    return settings
  }
}

/// A book with the disk beneath it.
final class KeptIsolations {
  let folder: TemporaryDirectory
  private(set) var ledger: IsolationLedger
  private(set) var book: IsolationBook
  var population: ActivePopulation
  private(set) var alerts: [Incident] = []

  init(_ settings: IsolationSettings, _ population: ActivePopulation) throws {
    folder = try TemporaryDirectory()
    ledger = try IsolationLedger(directory: folder.path)
    book = IsolationBook(settings)
    self.population = population
  }

  /// Forgets what is in memory, as a kill does.
  func restart(_ now: IsolationTime) throws {
    book = try IsolationBook(book.settings, kept: ledger.reader, now: now)
  }

  func keep(_ outcome: IsolationBook.Outcome) throws {
    try ledger.commit(outcome.change)
    for case .fired(let incident) in outcome.alerts { alerts.append(incident) }
  }

  func take(_ changes: [IncidentChange], _ now: IsolationTime) throws {
    let reader = ledger.reader
    try keep(
      book.take(changes, population: population, now: now) {
        ((try? reader.isolations(of: $0)) ?? []).compactMap { Isolation($0) }
      })
  }

  func advance(_ now: IsolationTime) throws {
    try keep(book.advance(population: population, now: now))
  }

  func settle(_ id: String, hook: String, _ answer: HookAnswer, _ now: IsolationTime) throws {
    try keep(book.settle(id, hook: hook, answer, now: now))
  }

  func change(_ body: (inout IsolationBook) throws -> IsolationBook.Outcome) throws {
    try keep(try body(&book))
  }

  func due(_ now: IsolationTime) -> [(hook: String, order: IsolationOrder)] {
    book.takeDue(now: now)
  }

  func all() throws -> [Isolation] {
    try ledger.reader.isolations().compactMap { Isolation($0) }
  }

  func statuses() throws -> [IsolationStatus] { try all().map(\.status) }
}
