import FarthingCore
import FarthingStore
import FarthingTestSupport

/// One price for every model: 3.5 dollars for a million input tokens and 15 for a million output.
struct FlatPrices: PriceSource {
  let list = PriceListIdentity(id: "flat#1", name: "flat", format: "yaml", from: nil, importedAt: 0)

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    PriceMatch(card: cards()[0])
  }

  func cards() -> [RateCard] {
    [
      RateCard(
        entry: "any",
        standard: RateTable([
          .input: RateSchedule(base: Rate(decimal: "0.0000035")),
          .output: RateSchedule(base: Rate(decimal: "0.000015")),
        ]))
    ]
  }
}

/// The clock of arrival in these tests: 2026-11-21 00:00 UTC.
let arrival: Int64 = 1_795_219_200_000_000_000

let testKey: [UInt8] = Array(1...16)

/// Batches with ids, so that a test can say which event is where.
enum Batches {
  /// Requests with the given numbers, one in four with an outcome of its task behind it.
  static func make(_ numbers: Range<Int>) -> ChargedBatch {
    var text = ""
    for number in numbers {
      let second = number % 60
      let minute = number / 60 % 60
      text += """
        {"time":"2026-11-20T10:\(two(minute)):\(two(second)).000\(number % 10)Z","id":"r-\(number)",\
        "model":"m-\(number % 3)","provider":"self","site":"s\(number % 5)","task":"t-\(number / 4)",\
        "input_tokens":\(100 + number),"output_tokens":\(number % 977),"latency_ms":\(number % 50).5,\
        "tags":{"team":"a\(number % 7)"},"units":{"web_search":\(number % 2)}}

        """
      if number % 4 == 3 {
        text += """
          {"type":"outcome","time":"2026-11-20T11:00:00Z","id":"o-\(number)","task":"t-\(number / 4)",\
          "outcome":"success","value_usd":"1.25"}

          """
      }
    }
    return charge(text)
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  static func charge(_ text: String) -> ChargedBatch {
    var decoder = EventDecoder(now: arrival)
    let decoded = decoder.decode(Array(text.utf8), firstLine: 1, layout: .lines)
    var pricer = EventPricer(book: PriceBook(sources: [FlatPrices()]))
    return pricer.charge(decoded, source: "events")
  }
}

/// What a store holds, event by event: the other side of the books.
struct Ledger: Equatable {
  struct Entry: Equatable {
    var cost: Int128 = 0
    var inputTokens: Int64 = 0
    var times: Int = 0
  }

  var entries: [String: Entry] = [:]

  var cost: Int128 { entries.values.reduce(0) { $0 + $1.cost } }
  var ids: Set<String> { Set(entries.keys) }
  /// Ids that are there more than once.
  var doubled: [String] { entries.filter { $0.value.times > 1 }.map(\.key).sorted() }

  init() {}

  mutating func add(_ batch: ChargedBatch) {
    for (place, event) in batch.decoded.events.enumerated() {
      guard let id = event.range(of: .id) else { continue }
      entries[batch.decoded.string(id), default: Entry()].add(
        cost: event.kind == .request ? batch.charges[place].cost : 0,
        inputTokens: event.integer(.inputTokens) ?? 0)
    }
  }

  /// Reads ids, costs and tokens of every row back.
  init(_ snapshot: StoreSnapshot) throws(StoreError) {
    let scratch = ScanScratch()
    for segment in snapshot.requests + snapshot.outcomes + snapshot.capacities {
      for block in 0..<segment.blockCount {
        var ids = TextColumn()
        var low = IntegerColumn()
        var high = IntegerColumn()
        var tokens = IntegerColumn()
        try segment.readText(.field(.id), block: block, into: &ids, scratch: scratch)
        try segment.readIntegers(.cost, block: block, into: &low, scratch: scratch)
        try segment.readIntegers(ColumnName.cost.high, block: block, into: &high, scratch: scratch)
        try segment.readIntegers(
          .field(.inputTokens), block: block, into: &tokens, scratch: scratch)
        for row in 0..<ids.count {
          entries[ids.string(row) ?? "", default: Entry()].add(
            cost: Int128(high.values[row]) << 62 + Int128(low.values[row]),
            inputTokens: tokens.values[row])
        }
      }
    }
  }
}

extension Ledger.Entry {
  mutating func add(cost: Int128, inputTokens: Int64) {
    self.cost += cost
    self.inputTokens += inputTokens
    times += 1
  }
}

extension StoreWriter {
  /// A writer with the tests' clock and key.
  static func open(
    _ directory: String, options: StoreOptions = StoreOptions(),
    fileSystem: any FileSystem = PosixFileSystem(), now: Int64 = arrival
  ) throws(StoreError) -> StoreWriter {
    try StoreWriter(
      directory: directory, options: options, fileSystem: fileSystem, now: now,
      randomBytes: testKey)
  }
}
