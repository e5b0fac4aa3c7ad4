// Unsigned words at rest. The first byte says how:
//
//     0…64         that many bits a word, packed
//     0x41         runs: count, lengths, values
//     0x42         distinct values: count, the values, places among them
//     0x43         the bytes of one of the others under zstd
//     0x80 | w     patched: the low w bits of all words packed, and for the few words that need
//                  more their places and their upper bits
//
// The choice follows one pass over the words that counts their widths and their runs; the sizes of
// the forms follow from these counts. zstd is tried only where the packed bytes are likely uneven.

enum WordStream {
  static let runs: UInt8 = 0x41
  static let distinct: UInt8 = 0x42
  static let compressed: UInt8 = 0x43
  static let patched: UInt8 = 0x80

  /// Appends `words`.
  static func encode(_ words: [UInt64], into bytes: inout [UInt8], scratch: EncodingScratch) {
    let profile = WordKernels.profile(words)
    let width = BitPacking.width(of: profile.greatest)
    let count = words.count
    let packedBits = count * width
    let patch = bestPatch(profile, count: count, width: width)
    var best = min(packedBits, patch.bits)
    // A run takes its value and, mostly, less than a byte of length.
    let runBits = profile.runs * (min(width, patch.width + 6) + 8) + 64
    if runBits < best {
      encodeRuns(words, profile.runs, into: &bytes, scratch: scratch)
      return
    }
    if width > 8, let values = distinctValues(words, upTo: 256) {
      let bits =
        values.count * width + count * BitPacking.width(of: UInt64(values.count - 1)) + 128
      if bits < best - best / 8 {
        best = bits
        encodeDistinct(words, values, into: &bytes, scratch: scratch)
        return
      }
    }
    if patch.bits < packedBits - packedBits / 32, patch.width < width {
      encodePatched(words, width: width, low: patch.width, into: &bytes, scratch: scratch)
    } else {
      encodePacked(words, width: width, into: &bytes, scratch: scratch)
    }
  }

  private static func encodePacked(
    _ words: [UInt64], width: Int, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    bytes.append(UInt8(width))
    pack(words, width: width, into: &bytes, scratch: scratch)
  }

  private static func pack(
    _ words: [UInt64], width: Int, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    if width > 32 {
      BitPacking.pack(words, width: width, into: &bytes)
    } else {
      WordKernels.narrow(words, into: &scratch.words)
      BitPacking.pack(scratch.words, width: width, into: &bytes)
    }
  }

  /// The width below which patching all wider words takes the fewest bits.
  private static func bestPatch(
    _ profile: WordKernels.Profile, count: Int, width: Int
  ) -> (width: Int, bits: Int) {
    var best = (width: width, bits: count * width)
    var above = 0
    var low = width
    while low > 0 {
      above += profile.widths[low]
      low -= 1
      // An exception's place takes about the logarithm of the gap, and some.
      let gap = BitPacking.width(of: UInt64(count / max(above, 1))) + 2
      let bits = count * low + above * (width - low + gap) + 64
      if bits < best.bits { best = (low, bits) }
    }
    return best
  }

  private static func encodePatched(
    _ words: [UInt64], width: Int, low: Int, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    var gaps: [UInt64] = []
    var uppers: [UInt64] = []
    WordKernels.split(words, low: low, gaps: &gaps, uppers: &uppers)
    bytes.append(patched | UInt8(low))
    bytes.append(UInt8(width))
    bytes.append(variable: UInt64(gaps.count))
    if low > 32 {
      let mask = (UInt64(1) << UInt64(low)) - 1
      BitPacking.pack(words.map { $0 & mask }, width: low, into: &bytes)
    } else {
      WordKernels.narrow(words, low: low, into: &scratch.words)
      BitPacking.pack(scratch.words, width: low, into: &bytes)
    }
    encodePacked(
      gaps, width: BitPacking.width(of: gaps.max() ?? 0), into: &bytes, scratch: scratch)
    pack(uppers, width: width - low, into: &bytes, scratch: scratch)
  }

  private static func encodeRuns(
    _ words: [UInt64], _ count: Int, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    var values: [UInt64] = []
    var lengths: [UInt64] = []
    values.reserveCapacity(count)
    lengths.reserveCapacity(count)
    WordKernels.runs(words, values: &values, lengths: &lengths)
    bytes.append(runs)
    bytes.append(variable: UInt64(values.count))
    encodeSimple(lengths, into: &bytes, scratch: scratch)
    encodeSimple(values, into: &bytes, scratch: scratch)
  }

  private static func encodeDistinct(
    _ words: [UInt64], _ values: [UInt64], into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    bytes.append(distinct)
    bytes.append(variable: UInt64(values.count))
    encodeSimple(values, into: &bytes, scratch: scratch)
    let places = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, UInt64($0)) })
    var before = words.first ?? 0
    var place: UInt64 = places[before] ?? 0
    let codes = words.map { word in
      if word != before {
        before = word
        place = places[word] ?? 0
      }
      return place
    }
    encodeSimple(codes, allowsRuns: true, into: &bytes, scratch: scratch)
  }

  /// Packed or patched; with `allowsRuns` also runs. The forms that others are made of.
  static func encodeSimple(
    _ words: [UInt64], allowsRuns: Bool = false, into bytes: inout [UInt8],
    scratch: EncodingScratch
  ) {
    let profile = WordKernels.profile(words)
    let width = BitPacking.width(of: profile.greatest)
    let patch = bestPatch(profile, count: words.count, width: width)
    if allowsRuns, profile.runs * (width + 10) + 64 < patch.bits {
      encodeRuns(words, profile.runs, into: &bytes, scratch: scratch)
    } else if patch.width < width {
      encodePatched(words, width: width, low: patch.width, into: &bytes, scratch: scratch)
    } else {
      encodePacked(words, width: width, into: &bytes, scratch: scratch)
    }
  }

  /// The different words in ascending order, or nil where they are more than `limit`.
  private static func distinctValues(_ words: [UInt64], upTo limit: Int) -> [UInt64]? {
    var seen = Set<UInt64>()
    // Sampling first rules out most columns for the cost of some hundred look-ups.
    for row in stride(from: 0, to: words.count, by: max(1, words.count / (limit * 2))) {
      seen.insert(words[row])
    }
    guard seen.count <= limit, seen.count * 4 < words.count else { return nil }
    var before = words.first
    for word in words where word != before {
      before = word
      if seen.insert(word).inserted, seen.count > limit { return nil }
    }
    return seen.sorted()
  }
}

// MARK: - Reading

extension WordStream {
  /// Reads `count` words into `scratch.words` where all have at most 32 bits, else into
  /// `scratch.wideWords`.
  ///
  /// - Parameter rows: The places that matter: others may hold any word. Nil for all.
  /// - Returns: whether the words are in `wideWords`.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, rows: Range<Int>? = nil,
    scratch: ScanScratch, depth: Int = 0
  ) throws(EncodingFault) -> Bool {
    let form = try cursor.byte(bytes)
    if form <= 64 {
      return try unpack(bytes, &cursor, width: Int(form), count: count, rows: rows, scratch)
    }
    if form & patched != 0 {
      return try decodePatched(
        bytes, &cursor, low: Int(form & 0x7F), count: count, rows: rows, scratch)
    }
    guard depth < 2 else { throw EncodingFault("its words are nested too deeply") }
    switch form {
    case runs: return try decodeRuns(bytes, &cursor, count: count, scratch, depth)
    case distinct: return try decodeDistinct(bytes, &cursor, count: count, scratch, depth)
    default: throw EncodingFault("its words have an unknown form")
    }
  }

  private static func unpack(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, width: Int, count: Int,
    rows: Range<Int>? = nil, _ scratch: ScanScratch
  ) throws(EncodingFault) -> Bool {
    let range = try cursor.take(BitPacking.packedByteCount(count: count, width: width))
    let isWhole: Bool
    if width > 32 {
      resize(&scratch.wideWords, to: count)
      isWhole = BitPacking.unpack(
        bytes.extracting(range), width: width, rows: rows, into: &scratch.wideWords)
    } else {
      resize(&scratch.words, to: count)
      isWhole = BitPacking.unpack(
        bytes.extracting(range), width: width, rows: rows, into: &scratch.words)
    }
    guard isWhole else { throw EncodingFault("its words are cut short") }
    return width > 32
  }

  private static func decodePatched(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, low: Int, count: Int, rows: Range<Int>?,
    _ scratch: ScanScratch
  ) throws(EncodingFault) -> Bool {
    let width = Int(try cursor.byte(bytes))
    guard low < width, width <= 64 else {
      throw EncodingFault("a patch is \(low) to \(width) bits")
    }
    let exceptions = try cursor.count(bytes, upTo: count)
    let lowIsWide = try unpack(bytes, &cursor, width: low, count: count, rows: rows, scratch)
    if width > 32, !lowIsWide {
      resize(&scratch.wideWords, to: count)
      WordKernels.widen(scratch.words, into: &scratch.wideWords)
    }
    // The exceptions come through scratch too, so the words at hand step aside.
    var words: [UInt32] = []
    var wide: [UInt64] = []
    swap(&words, &scratch.words)
    swap(&wide, &scratch.wideWords)
    let gapWidth = Int(try cursor.byte(bytes))
    guard gapWidth <= 32 else { throw EncodingFault("a gap has \(gapWidth) bits") }
    _ = try unpack(bytes, &cursor, width: gapWidth, count: exceptions, scratch)
    var places: [UInt32] = []
    swap(&places, &scratch.words)
    let upperIsWide = try unpack(
      bytes, &cursor, width: width - low, count: exceptions, scratch)
    // Local arrays: a class's property would be checked for overlapping access at every exception.
    let wideUppers = scratch.wideWords
    let uppers = scratch.words
    var row = -1
    for exception in 0..<exceptions {
      row += Int(places[exception]) + 1
      guard row < count else { throw EncodingFault("a patch is beyond the last row") }
      let upper = upperIsWide ? wideUppers[exception] : UInt64(uppers[exception])
      if width > 32 {
        wide[row] |= upper << UInt64(low)
      } else {
        words[row] |= UInt32(truncatingIfNeeded: upper << UInt64(low))
      }
    }
    swap(&words, &scratch.words)
    swap(&wide, &scratch.wideWords)
    return width > 32
  }

  private static func decodeRuns(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, _ scratch: ScanScratch,
    _ depth: Int
  ) throws(EncodingFault) -> Bool {
    let runCount = try cursor.count(bytes, upTo: count)
    let areWide = try decode(
      bytes, cursor: &cursor, count: runCount, scratch: scratch, depth: depth + 2)
    guard !areWide else { throw EncodingFault("a run is longer than its block") }
    var lengths: [UInt32] = []
    swap(&lengths, &scratch.words)
    let isWide = try decode(
      bytes, cursor: &cursor, count: runCount, scratch: scratch, depth: depth + 2)
    let fits: Bool
    if isWide {
      let values = scratch.wideWords
      resize(&scratch.wideWords, to: count)
      fits = WordKernels.expandRuns(values, lengths: lengths, into: &scratch.wideWords)
    } else {
      var values: [UInt32] = []
      swap(&values, &scratch.words)
      swap(&scratch.words, &scratch.spareWords)
      resize(&scratch.words, to: count)
      fits = WordKernels.expandRuns(values, lengths: lengths, into: &scratch.words)
      swap(&values, &scratch.spareWords)
    }
    guard fits else { throw EncodingFault("its runs do not fill the block") }
    return isWide
  }

  /// Reads words that are stored as runs without writing them out.
  ///
  /// - Returns: false, with the cursor where it was, where they are stored otherwise.
  static func decodeRunParts(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, into parts: inout CodeRuns,
    scratch: ScanScratch
  ) throws(EncodingFault) -> Bool {
    var ahead = cursor
    guard try ahead.byte(bytes) == runs else { return false }
    let runCount = try ahead.count(bytes, upTo: count)
    let areWide = try decode(
      bytes, cursor: &ahead, count: runCount, scratch: scratch, depth: 2)
    guard !areWide else { throw EncodingFault("a run is longer than its block") }
    swap(&parts.lengths, &scratch.words)
    let isWide = try decode(
      bytes, cursor: &ahead, count: runCount, scratch: scratch, depth: 2)
    guard !isWide else { throw EncodingFault("a code has more than 32 bits") }
    swap(&parts.codes, &scratch.words)
    cursor = ahead
    return true
  }

  private static func decodeDistinct(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, _ scratch: ScanScratch,
    _ depth: Int
  ) throws(EncodingFault) -> Bool {
    let valueCount = try cursor.count(bytes, upTo: count)
    let isWide = try decode(
      bytes, cursor: &cursor, count: valueCount, scratch: scratch, depth: depth + 2)
    let values = isWide ? scratch.wideWords : scratch.words.map { UInt64($0) }
    let placesAreWide = try decode(
      bytes, cursor: &cursor, count: count, scratch: scratch, depth: depth + 1)
    guard !placesAreWide, count == 0 || WordKernels.greatest(scratch.words) < valueCount else {
      throw EncodingFault("a value is not among the distinct ones")
    }
    if isWide {
      resize(&scratch.wideWords, to: count)
      let places = scratch.words
      var words: [UInt64] = []
      swap(&words, &scratch.wideWords)
      for row in 0..<count { words[row] = values[Int(places[row])] }
      swap(&words, &scratch.wideWords)
    } else {
      guard
        count == 0
          || WordKernels.translate(
            &scratch.words, by: values.map { UInt32(truncatingIfNeeded: $0) })
      else { throw EncodingFault("a value is not among the distinct ones") }
    }
    return isWide
  }
}
