/// A block of texts at rest.
enum TextBlock {
  enum Tag: UInt8 {
    /// Lengths, then the bytes one after another.
    case raw = 0
    /// A template and the packed symbols of the present rows.
    case template = 1
    /// A raw block under zstd.
    case compressed = 2
  }

  /// Nanoseconds of a millisecond, which is what a UUID's time counts.
  private static let millisecond: Int64 = 1_000_000
  /// Differences between a UUID's time and the row's that need more bits than this are not worth
  /// the second column that a reader then needs.
  private static let maximumTimeBits = 20

  /// Appends `column` to `bytes`.
  ///
  /// - Parameter times: of the rows, Unix nanoseconds; nil where the texts have no rows' times.
  static func encode(
    _ column: TextColumn, times: [Int64]?, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    if let template = TextTemplate(column) {
      encode(column, template, times: times, into: &bytes, scratch: scratch)
      return
    }
    var plain: [UInt8] = [Tag.raw.rawValue]
    resize(&scratch.lengths, to: column.count)
    for row in 0..<column.count {
      scratch.lengths[row] = column.range(row).map { Int64($0.count) } ?? .min
    }
    IntegerBlock.encode(scratch.lengths, into: &plain, scratch: scratch)
    plain.append(contentsOf: column.bytes)
    // Expanding costs more than the few bytes of a small gain are worth.
    var smaller: [UInt8] = []
    if scratch.compressor.compress(
      plain.span, limit: plain.count * 85 / 100, into: &smaller)
    {
      bytes.append(Tag.compressed.rawValue)
      bytes.append(variable: UInt64(plain.count))
      bytes.append(contentsOf: smaller)
    } else {
      bytes.append(contentsOf: plain)
    }
  }

  private static func encode(
    _ column: TextColumn, _ shape: TextTemplate, times: [Int64]?, into bytes: inout [UInt8],
    scratch: EncodingScratch
  ) {
    var template = shape
    let differences = times.flatMap { timeDifferences(column, template, times: $0) }
    template.followsTime = differences != nil
    bytes.append(Tag.template.rawValue)
    template.serialise(into: &bytes)
    let presence = column.validity ?? []
    bytes.append(column.validity == nil ? 0 : 1)
    if column.validity != nil {
      WordStream.encode(presence.map { UInt64($0) }, into: &bytes, scratch: scratch)
    }
    if let differences {
      IntegerBlock.encode(differences, into: &bytes, scratch: scratch)
    }
    for chunk in template.chunks {
      let words = TextKernels.words(column, template: template, places: chunk.places)
      if chunk.bits > 32 {
        BitPacking.pack(words, width: chunk.bits, into: &bytes)
      } else {
        WordKernels.narrow(words, into: &scratch.words)
        BitPacking.pack(scratch.words, width: chunk.bits, into: &bytes)
      }
    }
  }

  /// What each present UUID's time is ahead of its row's, in milliseconds; nil where the texts are
  /// no such UUIDs or the two have little to do with each other.
  private static func timeDifferences(
    _ column: TextColumn, _ template: TextTemplate, times: [Int64]
  ) -> [Int64]? {
    guard template.length == 36, template.alphabets[8] == [UInt8(ascii: "-")],
      var differences = TextKernels.uuidTimes(column)
    else { return nil }
    var place = 0
    for row in 0..<column.count where column.range(row) != nil {
      differences[place] -= floorDivide(times[row], millisecond)
      place += 1
    }
    let (least, greatest) = WordKernels.range(differences)
    guard least <= greatest,
      BitPacking.width(of: UInt64(bitPattern: greatest &- least)) <= maximumTimeBits
    else { return nil }
    return differences
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  /// Whether reading this block needs the rows' times.
  static func followsTime(_ bytes: Span<UInt8>) -> Bool {
    bytes.count > 2 && bytes[0] == Tag.template.rawValue && bytes[2] == 1
  }

  /// Reads a block of `count` rows.
  ///
  /// - Parameter times: of the rows; needed where ``followsTime(_:)`` says so.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, times: [Int64],
    into column: inout TextColumn, scratch: ScanScratch
  ) throws(EncodingFault) {
    switch Tag(rawValue: try cursor.byte(bytes)) {
    case .raw:
      try decodeRaw(bytes, &cursor, count: count, into: &column, scratch)
    case .template:
      try decodeTemplate(bytes, &cursor, count: count, times: times, into: &column, scratch)
    case .compressed:
      let size = try cursor.count(bytes, upTo: SegmentFormat.maximumPartSize)
      let rest = try cursor.take(cursor.remaining)
      guard scratch.expander.expand(bytes.extracting(rest), count: size, into: &scratch.expanded)
      else { throw EncodingFault("it does not expand to \(size) bytes") }
      let expanded = scratch.expanded
      let plain = expanded.span
      var inner = ByteCursor(plain)
      guard try inner.byte(plain) == Tag.raw.rawValue else {
        throw EncodingFault("what it expands to is not raw")
      }
      try decodeRaw(plain, &inner, count: count, into: &column, scratch)
    case nil:
      throw EncodingFault("it has an unknown text encoding")
    }
  }

  private static func decodeRaw(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, into column: inout TextColumn,
    _ scratch: ScanScratch
  ) throws(EncodingFault) {
    var lengths = IntegerColumn()
    swap(&lengths, &scratch.integers)
    defer { swap(&lengths, &scratch.integers) }
    try IntegerBlock.decode(
      bytes, cursor: &cursor, count: count, into: &lengths, scratch: scratch)
    resize(&column.offsets, to: count + 1)
    column.offsets[0] = 0
    var total = 0
    for row in 0..<count {
      let length = lengths.values[row]
      guard length >= 0, length <= Int64(cursor.remaining - total) else {
        throw EncodingFault("a text is longer than what is left")
      }
      total += Int(length)
      column.offsets[row + 1] = UInt32(truncatingIfNeeded: total)
    }
    guard total <= Int(UInt32.max) else { throw EncodingFault("its texts exceed 4 GiB") }
    let range = try cursor.take(total)
    column.validity = lengths.validity
    TextKernels.copy(bytes, range, into: &column.bytes)
  }

  private static func decodeTemplate(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, times: [Int64],
    into column: inout TextColumn, _ scratch: ScanScratch
  ) throws(EncodingFault) {
    let template = try TextTemplate.read(bytes, &cursor)
    let present = try decodePresence(bytes, &cursor, count: count, &column.validity, scratch)
    var prefixes: [Int64] = []
    if template.followsTime {
      prefixes = try decodePrefixes(
        bytes, &cursor, count: present, validity: column.validity, times: times, scratch)
    }
    var chunks: [[UInt64]] = []
    for chunk in template.chunks {
      chunks.append(try decodeChunk(bytes, &cursor, bits: chunk.bits, count: present, scratch))
    }
    guard
      TextKernels.expand(
        template, chunks: chunks, times: prefixes, count: present, into: &column.bytes)
    else { throw EncodingFault("a symbol is not in its alphabet") }
    resize(&column.offsets, to: count + 1)
    var end: UInt32 = 0
    let length = UInt32(template.length)
    column.offsets[0] = 0
    for row in 0..<count {
      if column.validity.map({ $0[row] != 0 }) ?? true { end += length }
      column.offsets[row + 1] = end
    }
  }

  /// The validity of the rows, and how many are present.
  static func decodePresence(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, _ validity: inout [UInt8]?,
    _ scratch: ScanScratch
  ) throws(EncodingFault) -> Int {
    guard try cursor.byte(bytes) == 1 else {
      validity = nil
      return count
    }
    let isWide = try WordStream.decode(bytes, cursor: &cursor, count: count, scratch: scratch)
    guard !isWide else { throw EncodingFault("its presence is not of bits") }
    var bits = validity ?? []
    validity = nil
    resize(&bits, to: count)
    let present = WordKernels.presence(scratch.words, into: &bits)
    validity = bits
    return present
  }

  static func decodePrefixes(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, validity: [UInt8]?,
    times: [Int64], _ scratch: ScanScratch
  ) throws(EncodingFault) -> [Int64] {
    var differences = IntegerColumn()
    try IntegerBlock.decode(
      bytes, cursor: &cursor, count: count, into: &differences, scratch: scratch)
    var prefixes = differences.values
    var place = 0
    for row in times.indices where validity.map({ $0[row] != 0 }) ?? true {
      guard place < count else { break }
      prefixes[place] &+= floorDivide(times[row], millisecond)
      place += 1
    }
    guard place == count else { throw EncodingFault("the rows' times are missing") }
    return prefixes
  }

  static func decodeChunk(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, bits: Int, count: Int,
    _ scratch: ScanScratch
  ) throws(EncodingFault) -> [UInt64] {
    let range = try cursor.take(BitPacking.packedByteCount(count: count, width: bits))
    if bits > 32 {
      var words = [UInt64](repeating: 0, count: count)
      guard BitPacking.unpack(bytes.extracting(range), width: bits, into: &words) else {
        throw EncodingFault("its symbols are cut short")
      }
      return words
    }
    resize(&scratch.words, to: count)
    guard BitPacking.unpack(bytes.extracting(range), width: bits, into: &scratch.words) else {
      throw EncodingFault("its symbols are cut short")
    }
    return scratch.words.map { UInt64($0) }
  }

  /// Reads a block of `count` rows as keys; false where its texts have none.
  static func decodeKeys(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, into column: inout KeyColumn,
    scratch: ScanScratch
  ) throws(EncodingFault) -> Bool {
    guard try cursor.byte(bytes) == Tag.template.rawValue else { return false }
    let template = try TextTemplate.read(bytes, &cursor)
    guard let pieces = template.keyPieces, let prefix = template.keyPrefix,
      let upperHalf = TextKey.upperHalf(prefix: prefix)
    else { return false }
    let present = try decodePresence(bytes, &cursor, count: count, &column.validity, scratch)
    column.upperHalf = upperHalf
    if template.keyIsWord {
      let range = try cursor.take(BitPacking.packedByteCount(count: present, width: 64))
      resize(&column.keys, to: present)
      guard BitPacking.unpack(bytes.extracting(range), width: 64, into: &column.keys) else {
        throw EncodingFault("its symbols are cut short")
      }
    } else {
      let bits = template.chunks[0].bits
      let words = try decodeChunk(bytes, &cursor, bits: bits, count: present, scratch)
      guard TextKernels.keys(words, pieces, into: &column.keys) else {
        throw EncodingFault("a symbol is not in its alphabet")
      }
    }
    if let validity = column.validity {
      TextKernels.spread(&column.keys, present: present, validity: validity, count: count)
    }
    return true
  }
}
