// Repricing: stored requests priced anew by today's price book.
//
// A request is priced as if it arrived now: by the price that the book has for its own time, through the same pricer
// as an ingest. It changes where its cost, a part of it or its state comes out different; a price under another key
// that comes to the same figures changes nothing. What a request was booked at on arrival stays with it, over any
// number of repricings.

internal import FarthingCore

/// Which requests are repriced.
package protocol RequestSelection: Sendable {
  /// The requests of one segment; nil where none can be meant.
  func requests(of segment: SegmentReader) throws(StoreError) -> (any SegmentSelection)?
}

/// Which requests of one segment are repriced. One thread uses it.
package protocol SegmentSelection: AnyObject {
  /// One byte a row of a block: 1 where the request is meant. nil where all are.
  func mask(block: Int) throws(StoreError) -> [UInt8]?
}

/// All requests.
package struct EveryRequest: RequestSelection {
  private final class EveryRow: SegmentSelection {
    func mask(block: Int) throws(StoreError) -> [UInt8]? { nil }
  }

  package init() {}

  package func requests(
    of segment: SegmentReader
  ) throws(StoreError) -> (any SegmentSelection)? { EveryRow() }
}

/// Prices the requests of segments anew, one block at a time.
struct SegmentRepricer {
  private var pricer: EventPricer
  private let selection: any RequestSelection
  private let scratch = ScanScratch()
  private(set) var tally = RepricingTally()
  /// The pricer's prices in their stored form, by their index there.
  private var stored: [StoredPrice] = []

  init(book: PriceBook, selection: any RequestSelection) {
    pricer = EventPricer(book: book)
    self.selection = selection
  }

  /// Adds what would change in a segment to ``tally``.
  ///
  /// - Returns: how many requests would change.
  /// - Complexity: O(rows); reads the columns that a price depends on and those of the charge.
  mutating func survey(_ segment: SegmentReader) throws(StoreError) -> Int {
    guard let selected = try selection.requests(of: segment) else { return 0 }
    let prices = try SegmentPrices(segment)
    var count = 0
    for block in 0..<segment.blockCount {
      let mask = try selected.mask(block: block)
      if let mask, !mask.contains(1) { continue }
      let rows = try BlockRows(
        segment, block: block, prices: prices, isWhole: false, scratch: scratch)
      count += try survey(rows, mask, prices)
    }
    return count
  }

  private mutating func survey(
    _ rows: BlockRows, _ mask: [UInt8]?, _ prices: SegmentPrices
  ) throws(StoreError) -> Int {
    let charges = pricer.charges(of: rows.batch)
    var models: [UInt32: [Int64: Int]] = [:]
    var noted: Set<NotedPrices> = []
    var count = 0
    for row in charges.indices where mask.map({ $0[row] == 1 }) ?? true {
      let old = rows.charges[row]
      let isChanged = !old.hasSameFigures(as: charges[row])
      let day = Self.day(of: rows.batch.events[row].time)
      // Rows of a block with one model share the text's place in the batch.
      let range = rows.batch.events[row].range(of: .model)
      let place: Int
      if let known = models[range?.offset ?? .max]?[day] {
        place = known
      } else {
        place = tally.place(day: day, model: range.map { rows.batch.string($0) })
        models[range?.offset ?? .max, default: [:]][day] = place
      }
      try tally.add(old, charges[row], isChanged: isChanged, at: place)
      guard isChanged else { continue }
      count += 1
      let keys = NotedPrices(place: place, before: old.price, after: charges[row].price)
      guard noted.insert(keys).inserted else { continue }
      tally.note(
        before: old.price < 0 ? nil : prices.stored[Int(old.price)].key,
        after: keys.after < 0 ? nil : pricer.prices[Int(keys.after)].key, at: place)
    }
    return count
  }

  private struct NotedPrices: Hashable {
    var place: Int
    var before: Int32
    var after: Int32
  }

  /// The 00:00 UTC of a time's day.
  private static func day(of time: Int64) -> Int64 {
    let rest = time % CivilTime.day
    return time - (rest < 0 ? rest + CivilTime.day : rest)
  }

  /// The rows of a segment with the charges of the selected ones as they are now.
  mutating func rewritten(_ segment: SegmentReader) throws(StoreError) -> WriteBuffer {
    let buffer = WriteBuffer(kind: .request)
    let selected = try selection.requests(of: segment)
    var prices = try SegmentPrices(segment)
    for block in 0..<segment.blockCount {
      // Before the charges change: the selection may ask for them.
      let mask = try selected.map { (rows) throws(StoreError) in try rows.mask(block: block) }
      var rows = try BlockRows(segment, block: block, prices: prices, scratch: scratch)
      if let mask { apply(to: &rows, mask, &prices) }
      try rows.copy(to: buffer, prices: prices.stored)
    }
    return buffer
  }

  private mutating func apply(
    to rows: inout BlockRows, _ mask: [UInt8]?, _ prices: inout SegmentPrices
  ) {
    let charges = pricer.charges(of: rows.batch)
    for price in pricer.prices[stored.count...] {
      stored.append(StoredPrice(key: price.key, bytes: price.serialised()))
    }
    for row in charges.indices where mask.map({ $0[row] == 1 }) ?? true {
      let old = rows.charges[row]
      var new = charges[row]
      guard !old.hasSameFigures(as: new) else { continue }
      if rows.bookings.isEmpty {
        rows.bookings = Array(repeating: nil, count: rows.charges.count)
      }
      let key = new.price < 0 ? "" : stored[Int(new.price)].key
      if new.price >= 0 { new.price = prices.add(stored[Int(new.price)]) }
      let booking =
        rows.bookings[row]
        ?? Booking(
          charge: old,
          priceKey: old.price < 0 ? [] : Array(prices.stored[Int(old.price)].key.utf8))
      let isAsBooked =
        booking.charge.hasSameFigures(as: new) && booking.priceKey.elementsEqual(key.utf8)
      rows.bookings[row] = isAsBooked ? nil : booking
      rows.charges[row] = new
    }
  }
}
