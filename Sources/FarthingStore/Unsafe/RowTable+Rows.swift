internal import FarthingCore

// Cells of rows that are there already: what a copy of stored rows knows of each row by itself, where an
// append knows it of all its rows together. Unsafe as in `RowTable.swift`: a slab has `maximumRows` cells, and
// every row is checked to be below `rowCount`.

extension RowTable {
  /// - Precondition: `row` is below ``rowCount``.
  private func set(_ value: Int64, at place: Int, row: Int) {
    precondition(row >= 0 && row < rowCount, "BUG: row \(row) of \(rowCount)")
    unsafe cells(place, stride: 8).storeBytes(
      of: UInt64(bitPattern: value) ^ 1 &<< 63, toByteOffset: row &* 8, as: UInt64.self)
  }

  /// - Precondition: `row` is below ``rowCount``.
  private func set(code: UInt32, at place: Int, row: Int) {
    precondition(row >= 0 && row < rowCount, "BUG: row \(row) of \(rowCount)")
    unsafe cells(place, stride: 4).storeBytes(
      of: code, toByteOffset: row &* 4, as: UInt32.self)
  }

  /// Says when a row arrived, in Unix nanoseconds, and the code of its collector.
  func setArrival(row: Int, receivedTime: Int64, source: UInt32) {
    set(receivedTime, at: Place.receivedTime, row: row)
    set(code: source, at: Place.source, row: row)
  }

  /// Says what a row was booked at when it arrived.
  func setBooking(row: Int, _ booking: Booking) {
    let amounts = [
      booking.charge.cost, booking.charge.outputCost, booking.charge.unitsCost,
      booking.charge.cacheSavings,
    ]
    for (index, amount) in amounts.enumerated() {
      let isNarrow = amount >= -(1 << 62) && amount < 1 << 62
      let low = isNarrow ? amount : amount & ((1 << 62) - 1)
      set(Int64(truncatingIfNeeded: low), at: Place.bookedLow + index, row: row)
      guard !isNarrow else { continue }
      // As in an append, `Int64.min` stands for absent.
      let high = max(Int64(clamping: amount >> 62), .min + 1)
      set(high, at: Place.bookedHigh + index, row: row)
    }
    let state = code(of: Array("\(booking.charge.state)".utf8), at: Place.bookedState)
    set(code: state, at: Place.bookedState, row: row)
    guard !booking.priceKey.isEmpty else { return }
    set(
      code: code(of: booking.priceKey, at: Place.bookedPrice), at: Place.bookedPrice, row: row)
  }
}
