internal import FarthingCore

/// A column of a record that holds its rows column by column: its number at rest, and where a table
/// keeps it. docs/format/log.md lists them; new columns take numbers that are free.
struct RecordColumn {
  let number: UInt8
  let place: Int
  let kind: CellKind

  static let costState: UInt8 = 22
  static let price: UInt8 = 23
  static let integers: UInt8 = 32
  static let time: UInt8 = 56
  static let until: UInt8 = 57
  /// Amounts of money: the three fields, then cost, output, units and savings.
  static let moneyLow: UInt8 = 64
  static let moneyHigh: UInt8 = 72
  static let reals: UInt8 = 80
  /// A name follows.
  static let tag: UInt8 = 96
  static let unit: UInt8 = 97
  /// Entries whose names have no column, row by row.
  static let overflowTags: UInt8 = 98
  static let overflowUnits: UInt8 = 99

  /// How the texts of a column stand: each once with codes by row, or row by row.
  static let coded: UInt8 = 0
  static let plain: UInt8 = 1

  /// Bits of the lower part of an amount that has an upper one.
  static let lowBits = 62

  /// Greatest number of rows of one kind in a record; bounds what a few bytes can stand for.
  static let maximumRows = 16_384

  /// All but tags and units, in the order in which they are written. The upper parts of amounts come
  /// after the lower ones.
  static let fixed: [RecordColumn] = {
    var columns: [RecordColumn] = []
    for (number, field) in BatchRecord.texts.enumerated() {
      columns.append(
        RecordColumn(
          number: UInt8(number), place: Int(field.rawValue),
          kind: EventColumns.isMostlyUnique(field) ? .text : .code))
    }
    columns += [
      RecordColumn(number: costState, place: RowTable.Place.costState, kind: .code),
      RecordColumn(number: price, place: RowTable.Place.price, kind: .code),
    ]
    for (number, field) in BatchRecord.integers.enumerated() {
      columns.append(
        RecordColumn(
          number: integers + UInt8(number), place: RowTable.Place.integers + Int(field.rawValue),
          kind: .number))
    }
    columns += [
      RecordColumn(number: time, place: RowTable.Place.time, kind: .number),
      RecordColumn(number: until, place: RowTable.Place.until, kind: .number),
    ]
    let moneys = BatchRecord.moneys.map { Int($0.rawValue) } + [3, 4, 5, 6]
    for (first, place) in [
      (moneyLow, RowTable.Place.moneyLow), (moneyHigh, RowTable.Place.moneyHigh),
    ] {
      for (number, index) in moneys.enumerated() {
        columns.append(
          RecordColumn(number: first + UInt8(number), place: place + index, kind: .number))
      }
    }
    for (number, field) in BatchRecord.reals.enumerated() {
      columns.append(
        RecordColumn(
          number: reals + UInt8(number), place: RowTable.Place.reals + Int(field.rawValue),
          kind: .number))
    }
    return columns + [
      RecordColumn(number: overflowTags, place: RowTable.Place.overflowTags, kind: .text),
      RecordColumn(number: overflowUnits, place: RowTable.Place.overflowUnits, kind: .text),
    ]
  }()
}

extension BatchRecord {
  /// As version 2, with the rows column by column behind the source and the prices.
  static let columnVersion: UInt8 = 3

  /// What of a payload depends on when and how it is stored.
  ///
  /// - Parameter receivedTime: Unix nanoseconds.
  static func columnHead(
    receivedTime: Int64, positions: [SourcePosition] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = [columnVersion]
    bytes.append(variable: UInt64(positions.count))
    for position in positions {
      bytes.append(counted: position.source.utf8)
      bytes.append(counted: position.state)
    }
    bytes.append(signed: receivedTime)
    return bytes
  }

  /// The rest of it, which workers make.
  ///
  /// - Complexity: O(values), some 0.1 µs a row.
  static func columnBody(
    _ rows: [PreparedBatch.Rows], source: [UInt8], prices: [ResolvedPrice]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(rows.reduce(0) { $0 + $1.table.rowCount } * 208 + 4096)
    bytes.append(counted: source)
    bytes.append(variable: UInt64(prices.count))
    for price in prices { bytes.append(counted: price.serialised()) }
    bytes.append(variable: UInt64(rows.count))
    for part in rows {
      bytes.append(part.kind.rawValue)
      part.table.append(recordTo: &bytes)
    }
    return bytes
  }
}
