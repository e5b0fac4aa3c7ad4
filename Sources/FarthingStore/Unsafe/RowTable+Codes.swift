internal import FarthingCore

// Sums and sketches of numbers by the codes of other columns, for what a segment knows of
// itself. A set of up to four numbers of a row stands in one vector, so that a row costs one
// addition for each column of codes.
//
// Unsafe because: these are some hundred additions a row, and bounds checks on four arrays each
// would double them (`docs/decisions/0008-sums-by-dimension.md`). Loops run below `rowCount`, which
// every slab holds, or over lists of such rows; codes are compared with the number of places before
// each use.

extension RowTable {
  /// A column of codes and how many codes it has, absence among them.
  struct CodeColumn {
    var place: Int
    var codeCount: Int
  }

  /// What one place of a vector takes from a row.
  enum Lane: Equatable {
    case one
    /// Nothing: a measure that is 0 for every row.
    case zero
    /// The number at a place; 0 where it is absent.
    case number(Int)
  }

  /// Some columns of codes as one, whose codes are the combinations of theirs.
  struct JointColumn {
    /// The columns' code counts, the last one's digit the lowest.
    var codeCounts: [Int]
    /// One a row.
    var codes: [UInt32]
    var codeCount: Int { codeCounts.reduce(1, *) }
  }

  static let lanesOfVector = 4
  /// 2,048 vectors are 64 KiB: they stay in the second cache while every column goes over them.
  private static let chunkRows = 2048
  /// 4,096 sums are 128 KiB, for the same reason.
  private static let jointCodes = 4096

  /// Puts as many neighbouring columns into one as keep its codes few. Every row is added up once for
  /// each joint column; the sums of its columns follow from them.
  func joints(of columns: [CodeColumn]) -> [JointColumn] {
    var joints: [JointColumn] = []
    for column in columns {
      if let last = joints.last, last.codeCount * column.codeCount <= Self.jointCodes {
        joints[joints.count - 1].codeCounts.append(column.codeCount)
      } else {
        joints.append(
          JointColumn(
            codeCounts: [column.codeCount], codes: [UInt32](repeating: 0, count: rowCount)))
      }
      fold(column, into: &joints[joints.count - 1].codes)
    }
    return joints
  }

  private func fold(_ column: CodeColumn, into codes: inout [UInt32]) {
    let count = UInt32(column.codeCount)
    unsafe withCodes(at: column.place) { cells in
      guard let cells = unsafe cells else { return }
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        for row in 0..<rowCount {
          let code = unsafe cells[row]
          precondition(code < count, "BUG: code \(code)")
          unsafe codes[row] = codes[row] &* count &+ code
        }
      }
    }
  }

  /// For each column of codes, in the order of ``joints(of:)``, the sums of the lanes by code.
  ///
  /// The sums wrap; the caller has made sure that none can by ``magnitude(at:)``.
  /// - Parameter rows: The rows to go over, ascending; nil for all.
  /// - Complexity: O(rows · (joint columns + lanes)).
  func sums(
    of lanes: [Lane], rows: [UInt32]?, by joints: [JointColumn]
  ) -> [[SIMD4<Int64>]] {
    precondition(lanes.count <= Self.lanesOfVector, "BUG: \(lanes.count) lanes")
    var sums = joints.map { [SIMD4<Int64>](repeating: SIMD4(), count: $0.codeCount) }
    let count = rows?.count ?? rowCount
    var vectors = [SIMD4<Int64>](repeating: SIMD4(), count: min(count, Self.chunkRows))
    var chunkCodes: [UInt32] = []
    var start = 0
    while start < count {
      let chunk = start..<min(start + Self.chunkRows, count)
      let chunkRows = rows.map { Array($0[chunk]) }
      for (lane, source) in lanes.enumerated() {
        fill(&vectors, lane: lane, from: source, rows: chunkRows, chunk)
      }
      for (index, joint) in joints.enumerated() {
        if let chunkRows {
          Self.gather(joint.codes, rows: chunkRows, into: &chunkCodes)
        } else {
          chunkCodes.removeAll(keepingCapacity: true)
          chunkCodes.append(contentsOf: joint.codes[chunk])
        }
        Self.add(vectors, by: chunkCodes, into: &sums[index])
      }
      start = chunk.upperBound
    }
    return zip(joints, sums).flatMap { Self.parts($0, $1) }
  }

  private static func gather(_ codes: [UInt32], rows: [UInt32], into gathered: inout [UInt32]) {
    precondition(WordKernels.greatest(rows) < codes.count || rows.isEmpty, "BUG: a row too far")
    resize(&gathered, to: rows.count)
    unsafe codes.withUnsafeBufferPointer { codes in
      unsafe rows.withUnsafeBufferPointer { rows in
        unsafe gathered.withUnsafeMutableBufferPointer { gathered in
          for index in 0..<rows.count { unsafe gathered[index] = codes[Int(rows[index])] }
        }
      }
    }
  }

  /// The sums of each of the columns that a joint one is made of.
  private static func parts(
    _ joint: JointColumn, _ sums: [SIMD4<Int64>]
  ) -> [[SIMD4<Int64>]] {
    var parts = joint.codeCounts.map { [SIMD4<Int64>](repeating: SIMD4(), count: $0) }
    for (code, sum) in sums.enumerated() where sum != SIMD4() {
      var rest = code
      for column in joint.codeCounts.indices.reversed() {
        let (next, digit) = rest.quotientAndRemainder(dividingBy: joint.codeCounts[column])
        parts[column][digit] &+= sum
        rest = next
      }
    }
    return parts
  }

  /// - Parameter rows: Of the chunk; nil where it is all rows of the range.
  private func fill(
    _ vectors: inout [SIMD4<Int64>], lane: Int, from source: Lane, rows: [UInt32]?,
    _ chunk: Range<Int>
  ) {
    guard case .number(let place) = source else {
      let amount: Int64 = source == .one ? 1 : 0
      for index in 0..<chunk.count { vectors[index][lane] = amount }
      return
    }
    unsafe withNumbers(at: place) { cells in
      guard let cells = unsafe cells else { return }
      unsafe vectors.withUnsafeMutableBytes { target in
        guard let base = target.baseAddress else { return }
        let lanes = unsafe base.assumingMemoryBound(to: Int64.self) + lane
        if let rows {
          for (index, row) in rows.enumerated() {
            let cell = unsafe cells[Int(row)]
            unsafe lanes[index &* Self.lanesOfVector] =
              cell == 0 ? 0 : Int64(bitPattern: cell ^ 1 &<< 63)
          }
        } else {
          for index in 0..<chunk.count {
            let cell = unsafe cells[chunk.lowerBound &+ index]
            unsafe lanes[index &* Self.lanesOfVector] =
              cell == 0 ? 0 : Int64(bitPattern: cell ^ 1 &<< 63)
          }
        }
      }
    }
  }

  private static func add(
    _ vectors: [SIMD4<Int64>], by codes: [UInt32], into sums: inout [SIMD4<Int64>]
  ) {
    precondition(codes.count <= vectors.count, "BUG: \(vectors.count) vectors")
    unsafe codes.withUnsafeBufferPointer { codes in
      unsafe vectors.withUnsafeBufferPointer { vectors in
        unsafe sums.withUnsafeMutableBufferPointer { sums in
          for index in 0..<codes.count {
            let code = unsafe Int(codes[index])
            precondition(code < sums.count, "BUG: code \(code)")
            unsafe sums[code] &+= vectors[index]
          }
        }
      }
    }
  }

  /// The sum of the magnitudes of a column's numbers, or nil where it leaves `Int64`: no sum over
  /// any of its rows does as long as this one does not.
  func magnitude(at place: Int) -> Int64? {
    var sum: UInt64 = 0
    var hasOverflowed = false
    forEachNumber(at: place) { _, value in
      let (next, overflow) = sum.addingReportingOverflow(value.magnitude)
      sum = next
      hasOverflowed = hasOverflowed || overflow
    }
    return hasOverflowed ? nil : Int64(exactly: sum)
  }

  /// Whether every row has a value at a place of codes.
  func isComplete(at place: Int) -> Bool {
    unsafe withCodes(at: place) { cells in
      guard let cells = unsafe cells else { return false }
      for row in 0..<rowCount where unsafe cells[row] == 0 { return false }
      return true
    }
  }

  /// The rows whose mask is `value`, ascending.
  func rows(of mask: [UInt8], where value: UInt8) -> [UInt32] {
    precondition(mask.count == rowCount, "BUG: a mask of \(mask.count) rows")
    // Each row is written to the next free place, of which there is one more than taken rows.
    return unsafe [UInt32](unsafeUninitializedCapacity: rowCount + 1) { rows, count in
      unsafe mask.withUnsafeBufferPointer { mask in
        for row in 0..<mask.count {
          unsafe rows[count] = UInt32(truncatingIfNeeded: row)
          count &+= unsafe mask[row] == value ? 1 : 0
        }
      }
    }
  }

  /// One sketch of a column of reals for each code.
  func sketches(of reals: RealPlaces, by column: CodeColumn) -> [QuantileSketch] {
    let width = reals.bucketCount
    var counts = [UInt32](repeating: 0, count: column.codeCount * width)
    var marks = [RealMarks](repeating: RealMarks(), count: column.codeCount)
    unsafe withCodes(at: column.place) { cells in
      guard let cells = unsafe cells else { return }
      unsafe counts.withUnsafeMutableBufferPointer { counts in
        unsafe marks.withUnsafeMutableBufferPointer { marks in
          for (index, row) in reals.rows.enumerated() {
            let code = unsafe Int(cells[Int(row)])
            precondition(code < column.codeCount, "BUG: code \(code)")
            unsafe counts[code &* width &+ Int(reals.buckets[index])] &+= 1
            unsafe marks[code].add(reals.values[index])
          }
        }
      }
    }
    return marks.enumerated().map { code, mark in
      var sketch = QuantileSketch()
      guard mark.greatest >= 0 else { return sketch }
      let row = counts[code * width..<(code + 1) * width]
      let used = row.dropFirst()
      let first = used.firstIndex { $0 != 0 } ?? used.startIndex
      let last = used.lastIndex { $0 != 0 } ?? first - 1
      sketch.add(
        bucketCounts: Array(row[first..<last + 1]),
        first: first - row.startIndex + reals.firstBucket, scaledSum: mark.scaledSum,
        minimum: mark.least, maximum: mark.greatest)
      sketch.addCount(Int64(row[row.startIndex]), bucket: 0)
      return sketch
    }
  }

  /// The present values of a column of reals and their buckets.
  func reals(at place: Int) -> RealPlaces {
    var reals = RealPlaces()
    var least = Int.max
    var greatest = 0
    reals.rows.reserveCapacity(rowCount)
    reals.values.reserveCapacity(rowCount)
    reals.buckets.reserveCapacity(rowCount)
    forEachNumber(at: place) { row, pattern in
      let value = Double(bitPattern: UInt64(bitPattern: pattern))
      let bucket = QuantileSketch.bucket(of: value)
      if bucket > 0 { least = min(least, bucket) }
      greatest = max(greatest, bucket)
      reals.rows.append(UInt32(truncatingIfNeeded: row))
      reals.values.append(value)
      reals.buckets.append(UInt32(truncatingIfNeeded: bucket))
    }
    if greatest == 0 { return reals }
    reals.firstBucket = least - 1
    reals.bucketCount = greatest - least + 2
    for index in reals.buckets.indices where reals.buckets[index] > 0 {
      reals.buckets[index] -= UInt32(reals.firstBucket)
    }
    return reals
  }
}

/// The present values of a column of reals, by row.
struct RealPlaces {
  var rows: [UInt32] = []
  var values: [Double] = []
  /// 0 for values of bucket 0, else the bucket less ``firstBucket``.
  var buckets: [UInt32] = []
  var firstBucket = 0
  /// ``buckets`` are below this.
  var bucketCount = 1
}

/// What a sketch knows besides its buckets.
private struct RealMarks {
  var scaledSum = 0.0
  var least = Double.infinity
  var greatest = -Double.infinity

  @inline(__always)
  mutating func add(_ value: Double) {
    scaledSum += value * 0x1p-64
    least = min(least, value)
    greatest = max(greatest, value)
  }
}
