import FarthingCore

@testable import FarthingStore

/// Events in the contract's own notation as a sealed segment.
enum SegmentFixtures {
  static let now: Int64 = 1_790_000_000_000_000_000

  static func batch(_ lines: String) -> DecodedBatch {
    var decoder = EventDecoder(now: now)
    return decoder.decode(Array(lines.utf8))
  }

  /// A charge that differs from row to row.
  static func charge(_ index: Int) -> Charge {
    Charge(
      state: index % 9 == 8 ? .unpriced : index % 7 == 6 ? .estimated : .priced,
      cost: Int128(index) * 2_500_000, outputCost: Int128(index) * 500_000,
      unitsCost: index % 5 == 0 ? 7 : 0, cacheSavings: Int128(index % 3) * -40,
      price: index % 9 == 8 ? -1 : Int32(index % 2))
  }

  static let prices = [
    StoredPrice(key: "atlas@list#1", bytes: [1, 2, 3]), StoredPrice(key: "dorado@list#1"),
  ]

  static func buffer(
    _ batch: DecodedBatch, kind: EventKind = .request, charge: (Int) -> Charge = charge
  ) -> WriteBuffer {
    let buffer = WriteBuffer(kind: kind)
    buffer.append(
      batch, charges: batch.events.indices.map(charge), prices: prices, source: "events",
      selection: batch.events.indices, receivedTime: 1_780_000_000_000_000_000)
    return buffer
  }

  static func reader(_ buffer: WriteBuffer, id: Int64 = 1) throws -> SegmentReader {
    guard let sealed = buffer.sealed(id: id) else {
      throw StoreError(.invalidArgument, "the buffer is empty")
    }
    return try SegmentReader.open(
      MemorySegmentSource(name: "\(id)", bytes: sealed.bytes), expectedID: id)
  }

  /// Requests with every kind of column.
  static func lines(_ count: Int) -> String {
    (0..<count).map { index in
      let time = 1_772_000_000_000_000 + (index * 7919) % 1000 * 1_000_003
      var line = #"{"time":\#(time)000,"model":"model-\#(index % 4)","tenant":"t\#(index % 3)""#
      line += #","task":"task-\#(index / 3)","input_tokens":\#(100 + index * 13 % 997)"#
      line += #","output_tokens":\#(index % 11),"latency_ms":\#(index).\#(index % 10)"#
      if index % 2 == 0 { line += #","id":"id-\#(index)","ttft_ms":0.125"# }
      if index % 3 == 0 {
        let digits = hex(UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        line += #","prompt_hash":"\#(digits)""#
      }
      if index % 4 == 0 { line += #","tags":{"team":"a\#(index % 5)","env":"prod"}"# }
      if index % 10 == 0 { line += #","units":{"web_search":\#(index)}"# }
      if index % 6 == 0 { line += #","status":"error","attempt":2,"reported_cost_usd":"0.25""# }
      return line + "}"
    }.joined(separator: "\n")
  }

  /// Every value of a segment as text: what a damaged one must not change.
  static func dump(_ reader: SegmentReader) throws -> [String] {
    var lines = [
      "\(reader.kind) \(reader.segmentID) \(reader.rowCount) \(reader.minimumTime)",
      "\(reader.maximumTime) \(reader.minimumReceivedTime) \(reader.maximumReceivedTime)",
      "\(try reader.totals()) \(reader.columnNames)", "\(try reader.priceBytes())",
    ]
    let scratch = ScanScratch()
    for name in reader.columnNames {
      for block in 0..<reader.blockCount {
        lines.append("\(name) \(String(describing: reader.zone(name, block: block)))")
        lines += try values(of: name, block: block, reader, scratch).map { $0 ?? "–" }
      }
    }
    return lines
  }

  /// One text a row; nil where absent.
  static func values(
    of name: ColumnName, block: Int, _ reader: SegmentReader, _ scratch: ScanScratch
  ) throws -> [String?] {
    let rows = reader.rows(inBlock: block).count
    switch reader.kind(of: name) {
    case .codes:
      var codes: [UInt32] = []
      try reader.readCodes(name, block: block, into: &codes, scratch: scratch)
      let dictionary = try reader.dictionary(name)
      return codes.map { dictionary.string(of: $0) }
    case .text:
      var column = TextColumn()
      try reader.readText(name, block: block, into: &column, scratch: scratch)
      return (0..<rows).map { column.string($0) }
    case .integers:
      var column = IntegerColumn()
      try reader.readIntegers(name, block: block, into: &column, scratch: scratch)
      return (0..<rows).map { row in
        column.validity.map { $0[row] != 0 } ?? true ? "\(column.values[row])" : nil
      }
    case .reals:
      var column = RealColumn()
      try reader.readReals(name, block: block, into: &column, scratch: scratch)
      return (0..<rows).map { row in
        column.validity.map { $0[row] != 0 } ?? true ? "\(column.values[row])" : nil
      }
    case nil:
      return [String?](repeating: nil, count: rows)
    }
  }
}
