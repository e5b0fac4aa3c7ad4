// Columns that follow from other columns of the same rows.
//
// A rule stands in the segment once for a column; the column's blocks then keep only how far a row
// is from what the rule gives, which mostly is nothing. A rule is verified row by row when a segment
// is sealed, and both sides evaluate it with the same code, so what is read is what was stored:
//
// - Codes: a table by the codes of one or two other columns (a provider by its model).
// - Money: sums of products of token counts, with factors by the codes of one or two other columns
//   (a cost by its price and the state of the response cache).
//
// The codes that choose a row's entry are its *class*: code of the first key × limit of the second
// key + code of the second key.

/// A column of codes that classes are made of.
struct RuleKey: Sendable, Equatable {
  var name: ColumnName
  /// Its codes are below this: the entries of its dictionary and 1.
  var limit: Int
}

/// The part of a rule that says which class a row has.
struct RuleKeys: Sendable, Equatable {
  /// One or two.
  var keys: [RuleKey]

  /// More classes than this take more bytes than they save.
  static let maximumClasses = 1 << 16

  /// How many classes there are.
  var classCount: Int { keys.reduce(1) { $0 * $1.limit } }

  func serialise(into bytes: inout [UInt8]) {
    bytes.append(UInt8(keys.count))
    for key in keys {
      bytes.append(counted: key.name.rawValue.utf8)
      bytes.append(variable: UInt64(key.limit))
    }
  }

  static func read(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(EncodingFault) -> RuleKeys {
    let count = try cursor.byte(bytes)
    guard count == 1 || count == 2 else { throw EncodingFault("a rule has \(count) keys") }
    var keys: [RuleKey] = []
    var classes = 1
    for _ in 0..<count {
      let name = bytes.extracting(try cursor.counted(bytes))
      let limit = try cursor.count(bytes, upTo: maximumClasses)
      classes *= limit
      guard limit > 0, classes <= maximumClasses else {
        throw EncodingFault("a rule has too many classes")
      }
      keys.append(RuleKey(name: ColumnName(TextKernels.string(name)), limit: limit))
    }
    return RuleKeys(keys: keys)
  }
}

/// Codes by class.
struct CodeRule: Sendable, Equatable {
  var keys: RuleKeys
  /// By class.
  var codes: [UInt32]

  func serialised(_ scratch: EncodingScratch) -> [UInt8] {
    var bytes: [UInt8] = []
    keys.serialise(into: &bytes)
    WordStream.encode(codes.map { UInt64($0) }, into: &bytes, scratch: scratch)
    return bytes
  }

  /// - Parameter limit: codes of the column are below this.
  init(_ bytes: Span<UInt8>, limit: UInt32, _ scratch: ScanScratch) throws(EncodingFault) {
    var cursor = ByteCursor(bytes)
    keys = try RuleKeys.read(bytes, &cursor)
    let isWide = try WordStream.decode(
      bytes, cursor: &cursor, count: keys.classCount, scratch: scratch)
    guard !isWide, WordKernels.greatest(scratch.words) < limit, cursor.remaining == 0 else {
      throw EncodingFault("its rule has a code outside of the dictionary")
    }
    codes = scratch.words
  }

  init(keys: RuleKeys, codes: [UInt32]) {
    self.keys = keys
    self.codes = codes
  }
}

/// Amounts of money as sums of products, by class.
///
/// An entry is a set of factors. The first entries are those of the classes; an entry may name a
/// later one that holds where the first input is above a limit (long-context prices). The sum is
/// divided by the entry's divisor, half to even. All arithmetic wraps at 64 bits: the remainder that
/// a block keeps is what is missing, modulo 2^64, so a sum that wraps is exact too.
struct MoneyRule: Sendable, Equatable {
  var keys: RuleKeys
  /// Columns of integers; an absent row counts as 0. At most ``maximumInputs``.
  var inputs: [ColumnName]
  /// By input, then by entry.
  var factors: [[Int64]]
  /// By entry, at least 1.
  var divisors: [Int64]
  /// By entry: where the first input is above it, ``next`` holds. `Int64.max` where nothing follows.
  var limits: [Int64]
  /// By entry; a later one, or 0 where nothing follows.
  var next: [Int64]
  /// Whether every entry has the divisor 1 and no entry that follows.
  private(set) var isPlain = false

  static let maximumInputs = 8

  init(
    keys: RuleKeys, inputs: [ColumnName], factors: [[Int64]], divisors: [Int64], limits: [Int64],
    next: [Int64]
  ) {
    self.keys = keys
    self.inputs = inputs
    self.factors = factors
    self.divisors = divisors
    self.limits = limits
    self.next = next
    isPlain = divisors.allSatisfy { $0 == 1 } && next.allSatisfy { $0 == 0 }
  }

  func serialised(_ scratch: EncodingScratch) -> [UInt8] {
    var bytes: [UInt8] = []
    keys.serialise(into: &bytes)
    bytes.append(variable: UInt64(divisors.count))
    bytes.append(UInt8(inputs.count))
    for (name, factors) in zip(inputs, factors) {
      bytes.append(counted: name.rawValue.utf8)
      IntegerBlock.encode(factors, into: &bytes, scratch: scratch)
    }
    for column in [divisors, limits, next] {
      IntegerBlock.encode(column, into: &bytes, scratch: scratch)
    }
    return bytes
  }

  init(_ bytes: Span<UInt8>, _ scratch: ScanScratch) throws(EncodingFault) {
    var cursor = ByteCursor(bytes)
    let keys = try RuleKeys.read(bytes, &cursor)
    let count = try cursor.count(bytes, upTo: RuleKeys.maximumClasses)
    guard count >= keys.classCount else { throw EncodingFault("its rule lacks entries") }
    let inputCount = Int(try cursor.byte(bytes))
    guard inputCount <= Self.maximumInputs else {
      throw EncodingFault("its rule has \(inputCount) inputs")
    }
    var inputs: [ColumnName] = []
    var factors: [[Int64]] = []
    for _ in 0..<inputCount {
      let name = bytes.extracting(try cursor.counted(bytes))
      inputs.append(ColumnName(TextKernels.string(name)))
      factors.append(try Self.integers(bytes, &cursor, count: count, scratch))
    }
    self.init(
      keys: keys, inputs: inputs, factors: factors,
      divisors: try Self.integers(bytes, &cursor, count: count, scratch),
      limits: try Self.integers(bytes, &cursor, count: count, scratch),
      next: try Self.integers(bytes, &cursor, count: count, scratch))
    guard divisors.allSatisfy({ $0 > 0 }), cursor.remaining == 0,
      next.indices.allSatisfy({ next[$0] == 0 || (next[$0] > $0 && next[$0] < count) }),
      inputCount > 0 || next.allSatisfy({ $0 == 0 })
    else { throw EncodingFault("its rule is malformed") }
  }

  private static func integers(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, _ scratch: ScanScratch
  ) throws(EncodingFault) -> [Int64] {
    var column = IntegerColumn()
    try IntegerBlock.decode(bytes, cursor: &cursor, count: count, into: &column, scratch: scratch)
    return column.values
  }

  /// Replaces `target` by what the rule gives for rows with these classes.
  ///
  /// - Parameter values: by input, one a row.
  /// - Returns: false, with `target` unspecified, where a class has no entry or an input has another
  ///   number of rows.
  /// - Complexity: O(rows × inputs), about a nanosecond a row for four inputs; without
  ///   ``isPlain`` some five.
  func evaluate(
    classes: [UInt32], values: borrowing [IntegerColumn], into target: inout [Int64]
  ) -> Bool {
    let count = classes.count
    guard count == 0 || WordKernels.greatest(classes) < divisors.count,
      inputs.indices.allSatisfy({ values[$0].values.count == count })
    else { return false }
    resize(&target, to: count)
    if isPlain {
      RuleKernels.sum(factors, classes: classes, values: values, into: &target)
      return true
    }
    for row in 0..<count {
      var entry = Int(classes[row])
      while next[entry] != 0, values[0].values[row] > limits[entry] { entry = Int(next[entry]) }
      var sum: Int64 = 0
      for input in inputs.indices {
        sum &+= factors[input][entry] &* values[input].values[row]
      }
      target[row] = Self.quotient(sum, divisors[entry])
    }
    return true
  }

  /// The quotient, rounded half to even.
  private static func quotient(_ sum: Int64, _ divisor: Int64) -> Int64 {
    if divisor == 1 { return sum }
    let (quotient, remainder) = sum.magnitude.quotientAndRemainder(dividingBy: divisor.magnitude)
    let rest = divisor.magnitude - remainder
    let isUp = remainder > rest || (remainder == rest && quotient & 1 == 1)
    let magnitude = Int64(bitPattern: quotient &+ (isUp ? 1 : 0))
    return sum < 0 ? 0 &- magnitude : magnitude
  }
}
