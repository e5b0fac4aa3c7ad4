internal import FarthingCore
internal import FarthingStore

/// A small table whose rows are made when a statement first reads it.
final class ListTable: SQLTable {
  let name: String
  let columns: [SQLColumn]
  private let make: () throws -> [[SQLValue]]
  private var rows: [[SQLValue]]?

  init(_ name: String, _ columns: [SQLColumn], _ make: @escaping () throws -> [[SQLValue]]) {
    self.name = name
    self.columns = columns
    self.make = make
  }

  func scan() -> any SQLScan { Scan(self) }

  func access(_ constraints: [SQLConstraint]) -> SQLAccess {
    SQLAccess(used: constraints.map { _ in false }, effort: 1_000, rowCount: 100)
  }

  private final class Scan: SQLScan {
    private let table: ListTable
    private var rows: [[SQLValue]] = []
    private var isDone = false

    init(_ table: ListTable) { self.table = table }

    func begin(_ conditions: [SQLCondition], columns: [Bool]) throws {
      rows = try table.rows ?? table.make()
      table.rows = rows
      isDone = false
    }

    func nextBatch() throws -> Int {
      if isDone { return 0 }
      isDone = true
      return rows.count
    }

    func fill(_ target: SQLColumnBuffer, column: Int) throws {
      target.setMixed(rows.map { $0[column] })
    }

    func rowID(_ place: Int) -> Int64 { Int64(place) }
  }
}

extension ListTable {
  /// The table `segments`: the files and the rows in memory that the store consists of.
  static func segments(_ segments: [SegmentReader]) -> ListTable {
    ListTable(
      "segments",
      [
        SQLColumn("segment", .text), SQLColumn("kind", .text), SQLColumn("rows", .integer),
        SQLColumn("bytes", .integer),
        SQLColumn("first_time", .text, collation: TextOrders.instant),
        SQLColumn("last_time", .text, collation: TextOrders.instant),
        SQLColumn("first_received_time", .text, collation: TextOrders.instant),
        SQLColumn("last_received_time", .text, collation: TextOrders.instant),
      ]
    ) {
      segments.map { segment in
        [
          .text(segment.name), .text("\(segment.kind)"), .integer(Int64(segment.rowCount)),
          .integer(Int64(segment.byteCount)),
          .text(SQLColumnBuffer.timeText(segment.minimumTime)),
          .text(SQLColumnBuffer.timeText(segment.maximumTime)),
          .text(SQLColumnBuffer.timeText(segment.minimumReceivedTime)),
          .text(SQLColumnBuffer.timeText(segment.maximumReceivedTime)),
        ]
      }
    }
  }

  /// The table `prices`: each price that a stored request was charged by.
  static func prices(_ requests: [SegmentReader]) -> ListTable {
    ListTable(
      "prices",
      [
        SQLColumn("price", .text),
        SQLColumn("valid_from", .text, collation: TextOrders.instant),
        SQLColumn("valid_until", .text, collation: TextOrders.instant),
        SQLColumn("approximate", .integer), SQLColumn("above_input_tokens", .integer),
        SQLColumn("part", .text),
        SQLColumn("usd_per_unit", .text, collation: TextOrders.decimal),
      ]
    ) {
      var seen: Set<String> = []
      var rows: [[SQLValue]] = []
      for segment in requests {
        for stored in try segment.storedPrices() where seen.insert(stored.key).inserted {
          guard let price = ResolvedPrice.deserialised(stored.bytes.span) else { continue }
          rows += ListTable.rows(of: price)
        }
      }
      return rows
    }
  }

  /// By the raw value of ``PricePart``: the field whose units the rate is for.
  private static let partNames = [
    "input_tokens", "cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "output_tokens", "reasoning_tokens", "input_audio_tokens", "output_audio_tokens",
    "input_image_tokens",
  ]

  private static func rows(of price: ResolvedPrice) -> [[SQLValue]] {
    let from =
      price.validFrom == .min ? SQLValue.null : .text(SQLColumnBuffer.timeText(price.validFrom))
    let until =
      price.validUntil == .max ? SQLValue.null : .text(SQLColumnBuffer.timeText(price.validUntil))
    func row(_ above: SQLValue, _ part: String, _ rate: Rate) -> [SQLValue] {
      [
        .text(price.key), from, until, .integer(price.isApproximate ? 1 : 0), above, .text(part),
        .text(rate.decimalText()),
      ]
    }
    var rows: [[SQLValue]] = []
    for band in price.bands {
      let above = band.above < 0 ? SQLValue.null : .integer(band.above)
      for (place, rate) in band.rates.prefix(partNames.count).enumerated() {
        if let rate { rows.append(row(above, ListTable.partNames[place], rate)) }
      }
    }
    for unit in price.units { rows.append(row(.null, "units.\(unit.name)", unit.rate)) }
    if price.requestFee != .zero { rows.append(row(.null, "request", price.requestFee)) }
    return rows
  }
}
