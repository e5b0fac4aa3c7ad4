/// A block of dictionary codes at rest. Code 0 is an absent row.
///
/// Where a dictionary is large (tasks), its entries are numbered in the order in which the sealed
/// rows show them. Most runs of a block then begin with the next new code, which costs about a bit.
enum CodeBlock {
  enum Tag: UInt8 {
    /// The codes as words.
    case words = 0
    /// Runs of equal codes: 0 absent, 1 the next new code, else how far back of it.
    case appearance = 1
    /// The column's rule and the rows that differ from it; see `ColumnRule.swift`.
    case rule = 2
  }

  /// - Parameter seen: greatest code of the blocks before, where the entries are numbered by
  ///   appearance; nil where they are not.
  static func encode(
    _ codes: [UInt32], seen: UInt32?, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    if let seen {
      encodeAppearance(codes, seen: seen, into: &bytes, scratch: scratch)
      return
    }
    bytes.append(Tag.words.rawValue)
    WordKernels.widen(codes, into: &scratch.wideWords)
    WordStream.encode(scratch.wideWords, into: &bytes, scratch: scratch)
  }

  /// Appends a block that follows the column's rule but where a word is not 0; nil for none.
  static func encodeByRule(
    exceptions words: [UInt32]?, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    bytes.append(Tag.rule.rawValue)
    guard let words else { return bytes.append(0) }
    WordKernels.widen(words, into: &scratch.wideWords)
    WordStream.encode(scratch.wideWords, into: &bytes, scratch: scratch)
  }

  private static func encodeAppearance(
    _ codes: [UInt32], seen: UInt32, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    var lengths: [UInt64] = []
    var words: [UInt64] = []
    WordKernels.widen(codes, into: &scratch.wideWords)
    WordKernels.runs(scratch.wideWords, values: &words, lengths: &lengths)
    var greatest = UInt64(seen)
    for run in words.indices {
      let code = words[run]
      if code == 0 { continue }
      if code > greatest {
        // Numbered by appearance, so it is the next one.
        words[run] = 1
        greatest = code
      } else {
        words[run] = greatest - code + 2
      }
    }
    bytes.append(Tag.appearance.rawValue)
    bytes.append(variable: UInt64(seen))
    bytes.append(variable: UInt64(words.count))
    WordStream.encodeSimple(lengths, into: &bytes, scratch: scratch)
    WordStream.encodeSimple(words, allowsRuns: true, into: &bytes, scratch: scratch)
  }

  /// Reads a block of `count` rows.
  ///
  /// - Parameter limit: the number of entries of the dictionary, the one for absent included; a
  ///   code at or above it is damage.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, limit: UInt32,
    into codes: inout [UInt32], scratch: ScanScratch
  ) throws(EncodingFault) {
    guard let tag = Tag(rawValue: try cursor.byte(bytes)) else {
      throw EncodingFault("it has an unknown code encoding")
    }
    switch tag {
    case .words:
      // The words are unpacked straight into the caller's array.
      swap(&codes, &scratch.words)
      defer { swap(&codes, &scratch.words) }
      let isWide = try WordStream.decode(bytes, cursor: &cursor, count: count, scratch: scratch)
      guard !isWide else { throw EncodingFault("a code has more than 32 bits") }
    case .appearance:
      try decodeAppearance(bytes, &cursor, count: count, into: &codes, scratch)
    case .rule:
      throw EncodingFault("it follows a rule where there is none")
    }
    guard count == 0 || WordKernels.greatest(codes) < limit else {
      throw EncodingFault("a code is not below the dictionary's \(limit)")
    }
  }

  /// Reads a block of codes that is stored as runs, without writing the runs out.
  ///
  /// - Returns: false where it is stored otherwise.
  static func decodeRuns(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, limit: UInt32,
    into runs: inout CodeRuns, scratch: ScanScratch
  ) throws(EncodingFault) -> Bool {
    guard try cursor.byte(bytes) == Tag.words.rawValue,
      try WordStream.decodeRunParts(
        bytes, cursor: &cursor, count: count, into: &runs, scratch: scratch)
    else { return false }
    guard WordKernels.greatest(runs.codes) < limit else {
      throw EncodingFault("a code is not below the dictionary's \(limit)")
    }
    return true
  }

  private static func decodeAppearance(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, into codes: inout [UInt32],
    _ scratch: ScanScratch
  ) throws(EncodingFault) {
    let seen = UInt32(try cursor.count(bytes, upTo: SegmentFormat.maximumRows))
    let runCount = try cursor.count(bytes, upTo: count)
    let areWide = try WordStream.decode(
      bytes, cursor: &cursor, count: runCount, scratch: scratch)
    guard !areWide else { throw EncodingFault("a run is longer than its block") }
    var lengths: [UInt32] = []
    swap(&lengths, &scratch.words)
    swap(&scratch.words, &scratch.spareWords)
    let isWide = try WordStream.decode(bytes, cursor: &cursor, count: runCount, scratch: scratch)
    guard !isWide else { throw EncodingFault("a code has more than 32 bits") }
    // A local array: a class's property would be checked for overlapping access at every run.
    var words: [UInt32] = []
    swap(&words, &scratch.words)
    defer { swap(&words, &scratch.words) }
    guard WordKernels.countAppearances(&words, count: runCount, from: seen) else {
      throw EncodingFault("a code is before the first")
    }
    resize(&codes, to: count)
    guard WordKernels.expandRuns(words, lengths: lengths, into: &codes) else {
      throw EncodingFault("its runs do not fill the block")
    }
    swap(&lengths, &scratch.spareWords)
  }
}
