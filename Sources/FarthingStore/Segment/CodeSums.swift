package import FarthingCore

// What a segment knows of its rows by the codes of one column: the sum of every additive measure, and
// where they are small the distributions of times, both by code and absence (code 0) among them.
//
// Sums of a column are one part of the segment, the distributions of a field by that column another,
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

/// One distribution for each code, at rest.
enum CodeSketches {
  /// Counts of so many neighbouring buckets share a width: an octave.
  private static let bucketsOfRun = 64

  static func serialise(
    _ sketches: [QuantileSketch], scratch: EncodingScratch
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    for sketch in sketches {
      let parts = sketch.parts
      bytes.append(variable: UInt64(parts.counts.count))
      if parts.counts.isEmpty { continue }
      bytes.append(variable: UInt64(parts.firstBucket))
      for real in [parts.scaledSum, parts.minimum, parts.maximum] {
        bytes.append(word: real.bitPattern, bytes: 8)
      }
      var start = 0
      while start < parts.counts.count {
        let end = min(start + bucketsOfRun, parts.counts.count)
        WordStream.encodeSimple(
          parts.counts[start..<end].map { UInt64($0) }, into: &bytes, scratch: scratch)
        start = end
      }
    }
    return bytes
  }

  /// Reads as many distributions as there are codes.
  static func deserialise(
    _ bytes: Span<UInt8>, codeCount: Int, scratch: ScanScratch
  ) throws(EncodingFault) -> [QuantileSketch] {
    var cursor = ByteCursor(bytes)
    var sketches: [QuantileSketch] = []
    sketches.reserveCapacity(codeCount)
    for _ in 0..<codeCount {
      let width = try cursor.count(bytes, upTo: QuantileSketch.bucketLimit)
      if width == 0 {
        sketches.append(QuantileSketch())
        continue
      }
      let first = try cursor.count(bytes, upTo: QuantileSketch.bucketLimit)
      let sum = Double(bitPattern: try cursor.word(bytes, bytes: 8))
      let least = Double(bitPattern: try cursor.word(bytes, bytes: 8))
      let greatest = Double(bitPattern: try cursor.word(bytes, bytes: 8))
      let counts = try counts(bytes, &cursor, width: width, scratch)
      let parts = QuantileSketch.Parts(
        firstBucket: first, counts: counts, scaledSum: sum, minimum: least, maximum: greatest)
      guard let sketch = QuantileSketch(parts) else { throw EncodingFault("a sketch is damaged") }
      sketches.append(sketch)
    }
    guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
    return sketches
  }

  private static func counts(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, width: Int, _ scratch: ScanScratch
  ) throws(EncodingFault) -> [Int64] {
    var counts: [Int64] = []
    counts.reserveCapacity(width)
    while counts.count < width {
      let count = min(bucketsOfRun, width - counts.count)
      let isWide = try WordStream.decode(bytes, cursor: &cursor, count: count, scratch: scratch)
      for index in 0..<count {
        if isWide {
          counts.append(Int64(truncatingIfNeeded: scratch.wideWords[index] & (.max >> 1)))
        } else {
          counts.append(Int64(scratch.words[index]))
        }
      }
    }
    return counts
  }
}
