import FarthingCore
import FarthingQuery
import FarthingStore

// A scenario is a text file that a reader of bills can write (see Scenarios/README.md):
//
//     # what it shows
//     price MODEL PART=DOLLARS…        per million tokens; units, such as web_search, each
//     {"time": …}                      an event of the contract, one a line
//     segment                          what follows is stored apart, as after a restart
//     query METRICS [by DIMS] [every WIDTH] [since T] [until T] [order M] [limit N] [cohort]
//     where EXPRESSION                 belongs to the query above it
//     A | B | C                        an expected row; – is no value, ~ before a number allows 1 %
//
// Empty lines and lines that begin with # mean nothing.

/// A scenario that cannot be read.
struct ScenarioFault: Error, CustomStringConvertible {
  let description: String
}

/// One question of a scenario and the rows that it expects.
struct ScenarioQuestion {
  var line: Int
  var words: QueryWords
  var rows: [[String]]
}

/// A scenario: the segments of its events, and its questions.
struct Scenario {
  private(set) var requests: [SegmentReader] = []
  private(set) var outcomes: [SegmentReader] = []
  private(set) var questions: [ScenarioQuestion] = []
  private var cards: [RateCard] = []
  private var pending: [String] = []

  init(_ text: String) throws {
    for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = String(raw).trimmed()
      if line.isEmpty || line.hasPrefix("#") { continue }
      let word = line.prefix { $0 != " " }
      let rest = String(line.dropFirst(word.count)).trimmed()
      switch word {
      case "price": try price(rest)
      case "segment": try store()
      case "query":
        try store()
        questions.append(
          ScenarioQuestion(line: index + 1, words: try Scenario.words(rest), rows: []))
      case "where": questions[questions.count - 1].words.filter = rest
      default:
        if line.hasPrefix("{") {
          pending.append(line)
        } else {
          guard !questions.isEmpty else {
            throw ScenarioFault(description: "line \(index + 1): a row before any query")
          }
          questions[questions.count - 1].rows.append(
            line.split(separator: "|", omittingEmptySubsequences: false).map {
              String($0).trimmed()
            })
        }
      }
    }
  }

  private mutating func price(_ text: String) throws {
    let parts = text.split(separator: " ").map(String.init)
    var card = RateCard(entry: parts[0], models: [parts[0]])
    for part in parts.dropFirst() {
      let halves = part.split(separator: "=").map(String.init)
      let name = halves[0]
      if name == "approximate" {
        card.isApproximate = true
      } else if let token = Scenario.parts[name], let rate = Rate(decimal: halves[1], shift: 6) {
        card.standard[token] = RateSchedule(base: rate)
      } else if let rate = Rate(decimal: halves[1]) {
        card.units.append(UnitPrice(name: name, rate: rate))
      } else {
        throw ScenarioFault(description: "price \(parts[0]): \(part) is no rate")
      }
    }
    cards.append(card)
  }

  private static let parts: [String: PricePart] = [
    "input": .input, "cached": .cachedInput, "written": .cacheWrite, "written_1h": .cacheWrite1h,
    "output": .output, "reasoning": .reasoning,
  ]

  /// Stores the events since the last call as segments of their own.
  private mutating func store() throws {
    if pending.isEmpty { return }
    var decoder = EventDecoder(now: 4_000_000_000_000_000_000)
    let batch = decoder.decode(Array(pending.joined(separator: "\n").utf8), layout: .lines)
    pending = []
    if let refused = batch.rejections.first {
      throw ScenarioFault(description: "event \(refused.line): expected \(refused.expected)")
    }
    var pricer = EventPricer(book: PriceBook(sources: [ScenarioPrices(all: cards)]))
    let charges = pricer.charges(of: batch)
    let prices = pricer.prices.map { StoredPrice(key: $0.key, bytes: $0.serialised()) }
    let arrival = Int64(1 + requests.count + outcomes.count)
    for kind in [EventKind.request, .outcome] {
      let buffer = WriteBuffer(kind: kind)
      buffer.append(
        batch, charges: charges, prices: prices, source: "events",
        selection: Array(batch.events.indices), receivedTime: arrival)
      guard let sealed = buffer.sealed(id: arrival * 2 + Int64(kind.rawValue)) else { continue }
      let reader = try SegmentReader.open(
        MemorySegmentSource(name: "scenario", bytes: sealed.bytes))
      if kind == .request { requests.append(reader) } else { outcomes.append(reader) }
    }
  }

  private static func words(_ text: String) throws -> QueryWords {
    var parts = text.split(separator: " ").map(String.init)[...]
    guard let metrics = parts.popFirst() else {
      throw ScenarioFault(description: "a query without metrics")
    }
    var words = QueryWords(metrics: metrics)
    while let flag = parts.popFirst() {
      if flag == "cohort" {
        words.closedCohort = true
        continue
      }
      guard let value = parts.popFirst() else {
        throw ScenarioFault(description: "\(flag) without a value")
      }
      switch flag {
      case "by": words.by = value
      case "every": words.every = value
      case "since": words.since = value
      case "until": words.until = value
      case "order": words.order = value
      case "limit": words.limit = value
      default: throw ScenarioFault(description: "\(flag) is no flag of a scenario's query")
      }
    }
    return words
  }
}

/// The price lines of a scenario as a list.
private struct ScenarioPrices: PriceSource {
  let all: [RateCard]

  var list: PriceListIdentity {
    PriceListIdentity(id: "scenario", name: "scenario", format: "yaml", from: nil, importedAt: nil)
  }

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    all.first { $0.entry == request.model }.map { PriceMatch(card: $0) }
  }

  func cards() -> [RateCard] { all }
}

extension String {
  fileprivate func trimmed() -> String {
    var slice = self[...]
    while slice.first?.isWhitespace == true { slice = slice.dropFirst() }
    while slice.last?.isWhitespace == true { slice = slice.dropLast() }
    return String(slice)
  }
}
