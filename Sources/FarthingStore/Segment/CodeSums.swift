package import FarthingCore

// What a segment knows of its rows by the codes of one column: the sum of every additive measure, and
// where they are small the sketches of times, both by code and absence (code 0) among them.
//
// Sums of a column are one part of the segment, the sketches of a field by that column another,
// each with a checksum in the footer, so a question reads what it needs. `docs/format/segment.md` has
// the bytes.

/// Sums of additive measures by the codes of one column.
package struct CodeSums: Sendable, Equatable {
  /// How many codes there are, with the one for absence.
  package let codeCount: Int
  /// By code. A measure that is known and not here is 0 for every code.
  var sums: [AdditiveMeasure: [Int128]] = [:]

  init(codeCount: Int) { self.codeCount = codeCount }

  /// The sum of a measure over the rows of one code.
  package func sum(_ measure: AdditiveMeasure, code: Int) -> Int128 { sums[measure]?[code] ?? 0 }
}

extension CodeSums {
  /// How the sums of one measure are stored.
  private enum Form: UInt8 {
    /// Words with the sign in the lowest bit.
    case narrow = 0
    /// Sixteen bytes each.
    case wide = 1
  }

  func serialised(scratch: EncodingScratch) -> [UInt8] {
    var bytes: [UInt8] = []
    let measures = AdditiveMeasure.allCases.filter { measure in
      sums[measure]?.contains { $0 != 0 } ?? false
    }
    bytes.append(variable: UInt64(measures.count))
    for measure in measures {
      guard let amounts = sums[measure] else { continue }
      bytes.append(measure.rawValue)
      var part: [UInt8] = []
      let words = amounts.compactMap { Int64(exactly: $0).map(zigzag) }
      if words.count == amounts.count {
        bytes.append(Form.narrow.rawValue)
        WordStream.encode(words, into: &part, scratch: scratch)
      } else {
        bytes.append(Form.wide.rawValue)
        for amount in amounts { part.append(wide: amount) }
      }
      bytes.append(counted: part)
    }
    return bytes
  }

  /// Reads the sums of `measures`.
  init(
    _ bytes: Span<UInt8>, codeCount: Int, measures: [AdditiveMeasure], scratch: ScanScratch
  ) throws(EncodingFault) {
    self.init(codeCount: codeCount)
    var cursor = ByteCursor(bytes)
    for _ in 0..<(try cursor.count(bytes, upTo: 255)) {
      let number = try cursor.byte(bytes)
      guard let form = Form(rawValue: try cursor.byte(bytes)) else {
        throw EncodingFault("sums have an unknown form")
      }
      let range = try cursor.counted(bytes)
      // A later version may know more measures.
      guard let measure = AdditiveMeasure(rawValue: number), measures.contains(measure) else {
        continue
      }
      var part = ByteCursor(place: range.lowerBound, end: range.upperBound)
      var amounts: [Int128] = []
      amounts.reserveCapacity(codeCount)
      if form == .wide {
        for _ in 0..<codeCount { amounts.append(try part.wide(bytes)) }
      } else if try WordStream.decode(bytes, cursor: &part, count: codeCount, scratch: scratch) {
        for code in 0..<codeCount { amounts.append(Int128(unzigzag(scratch.wideWords[code]))) }
      } else {
        for code in 0..<codeCount {
          amounts.append(Int128(unzigzag(UInt64(scratch.words[code]))))
        }
      }
      sums[measure] = amounts
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
  }
}

/// One sketch for each code, at rest.
enum CodeSketches {
  static func serialise(_ sketches: [QuantileSketch]) -> [UInt8] {
    var bytes: [UInt8] = []
    for sketch in sketches {
      let parts = sketch.parts
      bytes.append(variable: UInt64(parts.zeroCount))
      bytes.append(variable: UInt64(parts.counts.count))
      if sketch.count == 0 { continue }
      for real in [parts.scaledSum, parts.minimum, parts.maximum] {
        bytes.append(word: real.bitPattern, bytes: 8)
      }
      if parts.counts.isEmpty { continue }
      bytes.append(variable: UInt64(parts.firstBucket))
      BucketCounts.append(parts.counts, to: &bytes)
    }
    return bytes
  }

  /// Reads as many sketches as there are codes.
  static func deserialise(
    _ bytes: Span<UInt8>, codeCount: Int
  ) throws(EncodingFault) -> [QuantileSketch] {
    var cursor = ByteCursor(bytes)
    var sketches: [QuantileSketch] = []
    sketches.reserveCapacity(codeCount)
    for _ in 0..<codeCount {
      let zeros = try cursor.count(bytes, upTo: .max)
      let width = try cursor.count(bytes, upTo: QuantileSketch.bucketLimit)
      if zeros == 0, width == 0 {
        sketches.append(QuantileSketch())
        continue
      }
      var parts = QuantileSketch.Parts(
        zeroCount: Int64(zeros), firstBucket: 1, counts: [],
        scaledSum: Double(bitPattern: try cursor.word(bytes, bytes: 8)),
        minimum: Double(bitPattern: try cursor.word(bytes, bytes: 8)),
        maximum: Double(bitPattern: try cursor.word(bytes, bytes: 8)))
      if width > 0 {
        parts.firstBucket = try cursor.count(bytes, upTo: QuantileSketch.bucketLimit)
        parts.counts = try BucketCounts.read(bytes, &cursor, count: width)
      }
      guard let sketch = QuantileSketch(parts) else { throw EncodingFault("a sketch is damaged") }
      sketches.append(sketch)
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
    return sketches
  }
}

/// Counts of neighbouring buckets: sixteen at a time, with as many bits each as the greatest needs.
///
/// Sixteen share a width because of 8, 16, 32 and 64 that takes the fewest bytes on the benchmark's
/// latencies, a tenth fewer than 64.
private enum BucketCounts {
  private static let run = 16
  /// The half byte that stands for counts of 2^15 and more, which take 32 bits.
  private static let wide = 15

  static func append(_ counts: [Int64], to bytes: inout [UInt8]) {
    let runs = stride(from: 0, to: counts.count, by: run).map { start in
      Array(counts[start..<min(start + run, counts.count)])
    }
    let widths = runs.map { run in
      min(BitPacking.width(of: UInt64(run.max() ?? 0)), wide)
    }
    for index in stride(from: 0, to: widths.count, by: 2) {
      let second = index + 1 < widths.count ? widths[index + 1] : 0
      bytes.append(UInt8(widths[index] | second << 4))
    }
    for (values, width) in zip(runs, widths) {
      let bits = width == wide ? 32 : width
      var word: UInt64 = 0
      var filled = 0
      for index in 0..<run {
        word |= UInt64(index < values.count ? values[index] : 0) << UInt64(filled)
        filled += bits
        while filled >= 8 {
          bytes.append(UInt8(truncatingIfNeeded: word))
          word >>= 8
          filled -= 8
        }
      }
    }
  }

  static func read(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int
  ) throws(EncodingFault) -> [Int64] {
    let runCount = (count + run - 1) / run
    let widths = try cursor.take((runCount + 1) / 2)
    var counts: [Int64] = []
    counts.reserveCapacity(runCount * run)
    for index in 0..<runCount {
      let pair = bytes[widths.lowerBound + index / 2]
      let width = Int(index % 2 == 0 ? pair & 15 : pair >> 4)
      let bits = width == wide ? 32 : width
      var place = try cursor.take(bits * run / 8).lowerBound
      if bits == 0 {
        counts.append(contentsOf: repeatElement(0, count: run))
        continue
      }
      let mask = UInt64(1) << UInt64(bits) - 1
      var word: UInt64 = 0
      var filled = 0
      for _ in 0..<run {
        while filled < bits {
          word |= UInt64(bytes[place]) << UInt64(filled)
          place += 1
          filled += 8
        }
        counts.append(Int64(word & mask))
        word >>= UInt64(bits)
        filled -= bits
      }
    }
    counts.removeLast(counts.count - count)
    return counts
  }
}
