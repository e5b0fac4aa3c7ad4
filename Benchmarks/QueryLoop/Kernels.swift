internal import FarthingApp
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore
internal import FarthingTestSupport
internal import Foundation

/// The steps of an event's way in and of an answer's way out, one at a time and without a disk: what
/// `make thresholds` counts the instructions of, beside whole questions.
///
/// Their input is a file of events in the contract's notation; one flat price is in force, so that a new
/// price list changes no figure.
final class Kernels {
  /// What a step is called, in the order in which each needs those before it.
  enum Step: String, CaseIterable {
    /// Text to events.
    case decode
    /// Events to charges.
    case price
    /// Charged events to rows of a write buffer.
    case layout
    /// A write buffer to the bytes of a segment.
    case seal
    /// The bytes of a segment to one that can be asked.
    case open
    /// Every block of every column of numbers and codes.
    case blocks
    /// Every text of every column of texts.
    case texts
    /// Distributions of times by group.
    case sketch
    /// Rows of each type of value to JSON.
    case json
    /// A trace request of OTLP to events.
    case otlp
  }

  private let text: [UInt8]
  private var decoded = DecodedBatch()
  private var charged: ChargedBatch?
  private var buffer = WriteBuffer(kind: .request)
  private var sealed: [UInt8] = []
  private var segment: SegmentReader?
  private let spans = SpanBody.make(spans: 500, time: UInt64(arrival))
  private var collector = OTLPCollector()

  /// - Parameter path: Of the file of events; so many lines of it are used as make about two mebibytes.
  init(path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)).prefix(2 << 20))
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
    text = Array(bytes[..<end])
  }

  /// Does a step, and those before it where that has not been done.
  ///
  /// - Returns: What it gave, in a few words, so that a step that did nothing shows.
  func run(_ step: Step) throws -> String {
    switch step {
    case .decode:
      // The clock of the synthetic events: a later time would be refused.
      var decoder = EventDecoder(now: arrival)
      decoded = decoder.decode(text)
      return "\(decoded.events.count) events, \(decoded.rejections.count) refused"
    case .price:
      var pricer = EventPricer(book: PriceBook(sources: [FlatPrices()]))
      let batch = pricer.charge(decoded, source: "events")
      charged = batch
      return "\(batch.charges.count) charges"
    case .layout:
      guard let charged else { return "nothing" }
      buffer = WriteBuffer(kind: .request)
      let count = buffer.append(
        charged.decoded, charges: charged.charges,
        prices: charged.prices.map { StoredPrice(key: $0.key, bytes: $0.serialised()) },
        source: "events", selection: charged.decoded.events.indices, receivedTime: arrival)
      return "\(count) rows"
    case .seal:
      sealed = buffer.sealed(id: 1)?.bytes ?? []
      return "\(sealed.count) bytes"
    case .open:
      let reader = try SegmentReader.open(
        MemorySegmentSource(name: "1", bytes: sealed), expectedID: 1)
      segment = reader
      return "\(reader.rowCount) rows"
    case .blocks: return try read { $0 != .text }
    case .texts: return try read { $0 == .text }
    case .sketch:
      var sketch = QuantileSketch()
      for number in 0..<50_000 { sketch.add(Double(number * 7919 % 50_021) / 8) }
      return "\(sketch.quantile(permille: 990) ?? 0) ms"
    case .json: return "\(Self.json().count) bytes"
    case .otlp:
      var events = 0
      for _ in 0..<20 {
        let collected = collector.collect(
          spans, signal: .traces, encoding: .protobuf, CollectionContext(now: arrival))
        collector.confirm(collected)
        events += collected.batch.events.count
      }
      return "\(events) events of \(spans.count) bytes"
    }
  }

  private func read(_ isWanted: (ColumnKind) -> Bool) throws(StoreError) -> String {
    guard let segment else { return "nothing" }
    let scratch = ScanScratch()
    var codes: [UInt32] = []
    var integers = IntegerColumn()
    var reals = RealColumn()
    var texts = TextColumn()
    var values = 0
    for name in segment.columnNames {
      guard let kind = segment.kind(of: name), isWanted(kind) else { continue }
      for block in 0..<segment.blockCount {
        switch kind {
        case .codes: try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
        case .integers:
          try segment.readIntegers(name, block: block, into: &integers, scratch: scratch)
        case .reals: try segment.readReals(name, block: block, into: &reals, scratch: scratch)
        case .text: try segment.readText(name, block: block, into: &texts, scratch: scratch)
        }
        values += segment.rows(inBlock: block).count
      }
    }
    return "\(values) values"
  }

  /// Ten thousand rows with a value of each common type.
  private static func json() -> [UInt8] {
    let columns =
      [("time", ResultColumn.Kind.bucket)]
      + ["model", "cost", "requests", "share"].map {
        ($0, .bucket)
      }
    let rows: [[QueryValue]] = (0..<10_000).map { row in
      [
        .time(arrival + Int64(row / 8) * 60_000_000_000), .text("model-\(row % 40)-instruct-large"),
        .money(Int128(row) * 123_456_789), .count(Int128(row) * 77), .ratio(Double(row) / 9999),
      ]
    }
    let result = QueryResult(
      columns: columns.map { ResultColumn(name: $0.0, kind: $0.1) }, rows: rows)
    var bytes: [UInt8] = []
    Renderer(format: .json, page: Page()).render(Answer(result)) { bytes += $0 }
    return bytes
  }
}
