// A few texts of a block: an answer of some hundred rows needs as many ids, not 16,384.

extension TextBlock {
  /// Reads the texts of chosen rows of a block of `count` rows; the column then has one text for
  /// each of `rows`.
  ///
  /// - Parameters:
  ///   - rows: each below `count`.
  ///   - times: of all rows; needed where ``followsTime(_:)`` says so.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, rows: [UInt32], times: [Int64],
    into column: inout TextColumn, scratch: ScanScratch
  ) throws(EncodingFault) {
    guard rows.allSatisfy({ $0 < count }) else {
      throw EncodingFault("a chosen row is beyond the last")
    }
    guard bytes.count > 0, bytes[0] == Tag.template.rawValue else {
      var whole = TextColumn()
      try decode(
        bytes, cursor: &cursor, count: count, times: times, into: &whole, scratch: scratch)
      column.removeAll()
      for row in rows { column.append(whole.range(Int(row)).map { whole.bytes[$0] } ?? []) }
      if let validity = whole.validity { column.validity = rows.map { validity[Int($0)] } }
      return
    }
    _ = try cursor.byte(bytes)
    let template = try TextTemplate.read(bytes, &cursor)
    var validity: [UInt8]?
    let present = try decodePresence(bytes, &cursor, count: count, &validity, scratch)
    let chosen = places(of: rows, validity)
    var prefixes: [Int64] = []
    if template.followsTime {
      let all = try decodePrefixes(
        bytes, &cursor, count: present, validity: validity, times: times, scratch)
      prefixes = chosen.map { all[$0] }
    }
    var chunks: [[UInt64]] = []
    for chunk in template.chunks {
      let all = try decodeChunk(bytes, &cursor, bits: chunk.bits, count: present, scratch)
      chunks.append(chosen.map { all[$0] })
    }
    guard
      TextKernels.expand(
        template, chunks: chunks, times: prefixes, count: chosen.count, into: &column.bytes)
    else { throw EncodingFault("a symbol is not in its alphabet") }
    column.validity = validity.map { validity in rows.map { validity[Int($0)] } }
    column.offsets.removeAll(keepingCapacity: true)
    column.offsets.append(0)
    var end: UInt32 = 0
    for row in rows {
      if validity.map({ $0[Int(row)] != 0 }) ?? true { end += UInt32(template.length) }
      column.offsets.append(end)
    }
  }

  /// Where the chosen rows that are present stand among all that are.
  private static func places(of rows: [UInt32], _ validity: [UInt8]?) -> [Int] {
    guard let validity else { return rows.map { Int($0) } }
    var before: [Int] = []
    before.reserveCapacity(validity.count)
    var present = 0
    for isPresent in validity {
      before.append(present)
      present += Int(isPresent)
    }
    return rows.compactMap { validity[Int($0)] != 0 ? before[Int($0)] : nil }
  }
}
