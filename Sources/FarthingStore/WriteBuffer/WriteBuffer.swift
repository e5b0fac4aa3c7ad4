package import FarthingCore

/// A price that stored rows refer to.
package struct StoredPrice: Sendable, Equatable {
  /// What the rows' `price` column says.
  package var key: String
  /// The price as its room serialised it; empty where there is nothing to keep.
  package var bytes: [UInt8]

  package init(key: String, bytes: [UInt8] = []) {
    self.key = key
    self.bytes = bytes
  }
}

/// A sealed segment that is not published yet.
package struct SealedSegment: Sendable {
  package let id: Int64
  package let kind: EventKind
  package let rowCount: Int
  /// Range of the rows' `time`, Unix nanoseconds.
  package let time: ClosedRange<Int64>
  /// Range of the rows' arrival, Unix nanoseconds.
  package let receivedTime: ClosedRange<Int64>
  package let bytes: [UInt8]
}

/// Rows of one kind of event on their way into a segment, column by column.
///
/// Owned and used by one thread at a time. Rows keep the order in which they come; sealing sorts
/// them by time.
package final class WriteBuffer {
  package let kind: EventKind
  package private(set) var rowCount = 0
  /// Range of the rows' `time`; nil while there is no row.
  package private(set) var time: ClosedRange<Int64>?
  /// Range of the rows' arrival; nil while there is no row.
  package private(set) var receivedTime: ClosedRange<Int64>?

  private var codes: [ColumnName: CodeBuilder] = [:]
  private var texts: [ColumnName: TextBuilder] = [:]
  private var integers: [ColumnName: IntegerBuilder] = [:]
  private var reals: [ColumnName: RealBuilder] = [:]
  private var moneys: [ColumnName: MoneyBuilder] = [:]
  private var prices: [String: [UInt8]] = [:]
  private var totals = SegmentTotals()

  /// An empty buffer for events of one kind.
  package init(kind: EventKind) {
    self.kind = kind
  }

  /// Whether a further row would exceed what one segment holds.
  package var isFull: Bool { rowCount >= SegmentFormat.maximumRows }

  /// About the memory that the rows take.
  package var approximateByteCount: Int {
    var sum = 0
    for builder in codes.values { sum += builder.byteCount }
    for builder in texts.values { sum += builder.byteCount }
    for builder in integers.values { sum += builder.byteCount }
    for builder in reals.values { sum += builder.byteCount }
    for builder in moneys.values { sum += builder.byteCount }
    return sum
  }

  /// Appends the selected events of a batch.
  ///
  /// - Parameters:
  ///   - charges: one for each event of the batch; not looked at for other kinds than requests.
  ///   - prices: what ``Charge/price`` indexes.
  ///   - source: the collector that the batch came through.
  ///   - selection: indices of events; those of another kind than the buffer's are passed over.
  ///   - receivedTime: Unix nanoseconds.
  /// - Returns: how many of the selection, from its front, were taken; fewer than all only where
  ///   the buffer is full then.
  @discardableResult
  package func append(
    _ batch: borrowing DecodedBatch, charges: [Charge], prices: [StoredPrice], source: String,
    selection: some Collection<Int>, receivedTime: Int64
  ) -> Int {
    let sourceBytes = Array(source.utf8)
    var taken = 0
    for index in selection {
      if isFull { return taken }
      taken += 1
      let event = batch.events[index]
      guard event.kind == kind else { continue }
      put(event, batch)
      if kind == .request {
        put(charges[index], prices, event: event, bytes: batch.bytes)
      }
      codes[.source, default: CodeBuilder()].put(sourceBytes[...], row: rowCount)
      integers[.time, default: IntegerBuilder()].put(event.time, row: rowCount)
      integers[.receivedTime, default: IntegerBuilder()].put(receivedTime, row: rowCount)
      widen(time: event.time, receivedTime: receivedTime)
      rowCount += 1
    }
    return taken
  }

  /// The rows so far as a segment. The buffer keeps them.
  ///
  /// - Returns: nil where there is no row.
  package func sealed(id: Int64) -> SealedSegment? {
    guard let time, let receivedTime else { return nil }
    var builder = SegmentBuilder(
      segmentID: id, kind: kind, times: integers[.time]?.values ?? [])
    for (name, content) in contents() { builder.append(name, content) }
    let bytes = builder.finish(
      time: time, receivedTime: receivedTime,
      prices: prices.sorted { $0.key < $1.key }.map(\.value), totals: totals)
    return SealedSegment(
      id: id, kind: kind, rowCount: rowCount, time: time, receivedTime: receivedTime,
      bytes: bytes)
  }

  // MARK: - Rows

  private func put(_ event: DecodedEvent, _ batch: borrowing DecodedBatch) {
    for field in TextField.allCases {
      guard let range = event.range(of: field) else { continue }
      let text = slice(range, batch)
      if EventColumns.isMostlyUnique(field) {
        texts[.field(field), default: TextBuilder()].put(text, row: rowCount)
      } else {
        codes[.field(field), default: CodeBuilder()].put(text, row: rowCount)
      }
    }
    for field in IntegerField.allCases {
      guard let value = event.integer(field) else { continue }
      integers[.field(field), default: IntegerBuilder()].put(value, row: rowCount)
    }
    for field in RealField.allCases {
      guard let value = event.real(field) else { continue }
      reals[.field(field), default: RealBuilder()].put(value, row: rowCount)
      if kind == .request {
        totals.sketches[field, default: QuantileSketch()].add(value)
      }
    }
    for field in MoneyField.allCases {
      guard let amount = event.money(field) else { continue }
      moneys[.field(field), default: MoneyBuilder()].put(amount, row: rowCount)
    }
    for entry in batch.entries[event.tags] {
      codes[.tag(batch.string(entry.name)), default: CodeBuilder()]
        .put(slice(entry.text, batch), row: rowCount)
    }
    for entry in batch.entries[event.units] {
      integers[.unit(batch.string(entry.name)), default: IntegerBuilder()]
        .put(entry.count, row: rowCount)
    }
    if kind == .capacity {
      integers[.until, default: IntegerBuilder()].put(event.until, row: rowCount)
    }
  }

  private func put(
    _ charge: Charge, _ known: [StoredPrice], event: DecodedEvent, bytes: [UInt8]
  ) {
    moneys[.cost, default: MoneyBuilder()].put(charge.cost, row: rowCount)
    moneys[.outputCost, default: MoneyBuilder()].put(charge.outputCost, row: rowCount)
    moneys[.unitsCost, default: MoneyBuilder()].put(charge.unitsCost, row: rowCount)
    moneys[.cacheSavings, default: MoneyBuilder()].put(charge.cacheSavings, row: rowCount)
    codes[.costState, default: CodeBuilder()]
      .put(Array("\(charge.state)".utf8)[...], row: rowCount)
    if charge.price >= 0 {
      let price = known[Int(charge.price)]
      codes[.price, default: CodeBuilder()].put(Array(price.key.utf8)[...], row: rowCount)
      prices[price.key] = price.bytes
    }
    totals.measures.add(MeasuredRow(event: event, charge: charge, bytes: bytes))
  }

  private func widen(time new: Int64, receivedTime arrival: Int64) {
    time = min(time?.lowerBound ?? new, new)...max(time?.upperBound ?? new, new)
    receivedTime =
      min(
        receivedTime?.lowerBound ?? arrival, arrival)...max(
        receivedTime?.upperBound ?? arrival, arrival)
  }

  private func slice(_ range: ByteRange, _ batch: borrowing DecodedBatch) -> ArraySlice<UInt8> {
    let start = Int(range.offset)
    return batch.bytes[start..<start + Int(range.length)]
  }

  /// Every column in the order of storage: the fixed ones, then tags and units by name.
  private func contents() -> [(ColumnName, ColumnContent)] {
    var all: [ColumnName: ColumnContent] = [:]
    for (name, builder) in codes { all[name] = builder.content(rows: rowCount) }
    for (name, builder) in texts { all[name] = builder.content(rows: rowCount) }
    for (name, builder) in integers { all[name] = builder.content(rows: rowCount) }
    for (name, builder) in reals { all[name] = builder.content(rows: rowCount) }
    for (name, builder) in moneys {
      for (part, content) in builder.contents(name, rows: rowCount) { all[part] = content }
    }
    var result: [(ColumnName, ColumnContent)] = []
    for definition in EventColumns.fixed(of: kind) {
      if let content = all.removeValue(forKey: definition.name) {
        result.append((definition.name, content))
      }
    }
    for (name, content) in all.sorted(by: { $0.key < $1.key }) { result.append((name, content)) }
    return result
  }
}
