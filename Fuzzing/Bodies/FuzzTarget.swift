/// A parser of bytes from outside and what must hold of it for every input.
///
/// The same body runs under the fuzzer, which searches for bytes that break it, and in the tests,
/// which replay the corpus of each target.
enum FuzzTarget: String, CaseIterable, Sendable {
  /// Events as NDJSON and as one document.
  case events
  /// The cutting of an input into pieces of whole events.
  case pieces
  /// JSON of unknown shape.
  case json
  /// The texts of numbers, amounts and times.
  case scalars
  /// Filter expressions, evaluated over a fixed segment.
  case expressions
  /// All words of a query together.
  case words
  /// The patterns of `like`.
  case patterns
  /// Time-zone files and the buckets of time cut by them.
  case zones
  /// Segments, as they are and with their checksums made to hold.
  case segments
  /// The blocks of a segment, without a segment around them.
  case blocks
  /// Log files, as they are and with their checksums made to hold.
  case log
  /// The payload of a log record, without a log around it.
  case batches
  /// Price lists of all formats, and charging by what they say.
  case prices
  /// Files of all formats that events are collected from.
  case collectors
  /// OTLP requests of all signals in both encodings.
  case otlp
  /// Mapping files, and lines that become events by them.
  case mapping
  /// Gzip and zstd streams.
  case compressed

  /// Runs the body.
  ///
  /// - Throws: ``BrokenProperty`` where something that must hold does not. A trap, a hang and memory
  ///   without bound are the fuzzer's to notice.
  func run(_ bytes: [UInt8]) throws(BrokenProperty) {
    switch self {
    case .events: try EventBodies.events(bytes)
    case .pieces: try EventBodies.pieces(bytes)
    case .json: try EventBodies.json(bytes)
    case .scalars: try EventBodies.scalars(bytes)
    case .expressions: try QueryBodies.expressions(bytes)
    case .words: try QueryBodies.words(bytes)
    case .patterns: try QueryBodies.patterns(bytes)
    case .zones: try QueryBodies.zones(bytes)
    case .segments: try SegmentBodies.segments(bytes)
    case .blocks: try SegmentBodies.blocks(bytes)
    case .log: try LogBodies.log(bytes)
    case .batches: try LogBodies.batches(bytes)
    case .prices: try InputBodies.prices(bytes)
    case .collectors: try InputBodies.collectors(bytes)
    case .otlp: try OTLPBodies.otlp(bytes)
    case .mapping: try InputBodies.mapping(bytes)
    case .compressed: try InputBodies.compressed(bytes)
    }
  }

  /// Inputs to begin with that a program has to write, since they change with the formats at rest.
  /// The corpus holds the others.
  var seeds: [[UInt8]] {
    switch self {
    case .segments: SegmentBodies.seeds
    case .log: LogBodies.logSeeds
    case .batches: LogBodies.batchSeeds
    default: []
    }
  }
}

/// Something that must hold for every input and did not.
struct BrokenProperty: Error, CustomStringConvertible {
  let description: String
}

/// Ends a body where `condition` does not hold.
func require(
  _ condition: Bool, _ what: @autoclosure () -> String
) throws(BrokenProperty) {
  if !condition { throw BrokenProperty(description: what()) }
}

/// The clock of all bodies: 2026-11-21 00:00 UTC in Unix nanoseconds.
let fuzzClock: Int64 = 1_795_219_200_000_000_000

/// Takes the parameters of a body from the front of its input.
struct InputReader {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// The next byte; 0 at the end.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// The next eight bytes as an integer; zeros stand for those beyond the end.
  mutating func integer() -> Int64 {
    var word: UInt64 = 0
    for place in 0..<8 { word |= UInt64(byte()) << UInt64(place * 8) }
    return Int64(bitPattern: word)
  }

  /// All that is left.
  var bytes: [UInt8] { Array(rest) }
}
