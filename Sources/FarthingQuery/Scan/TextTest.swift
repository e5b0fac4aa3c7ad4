internal import FarthingStore

/// A test of a text value that an absent value never passes, except ``absent`` itself.
struct TextTest: Sendable {
  enum Rule: Sendable {
    case oneOf(Set<[UInt8]>)
    /// Bytes compare as unsigned numbers, which is the order of the code points.
    case ordered(FilterExpression.Comparison, [UInt8])
    case like(LikePattern)
    case present
    case absent
  }

  let rule: Rule
  /// Whether present values pass where the rule fails, and the other way round.
  let isNegated: Bool

  init(_ rule: Rule, isNegated: Bool = false) {
    self.rule = rule
    self.isNegated = isNegated
  }

  func passes(_ bytes: Span<UInt8>, _ range: Range<Int>, isPresent: Bool) -> Bool {
    if case .absent = rule { return isPresent == isNegated }
    guard isPresent else { return false }
    switch rule {
    case .present, .absent: return !isNegated
    case .oneOf(let texts):
      return texts.contains(TextTest.copy(bytes, range)) != isNegated
    case .ordered(let comparison, let text):
      return TextTest.holds(comparison, TextTest.copy(bytes, range), text) != isNegated
    case .like(let pattern):
      let text = String(decoding: TextTest.copy(bytes, range), as: UTF8.self)
      return pattern.matches(text) != isNegated
    }
  }

  private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(range.count)
    for index in range { copy.append(bytes[index]) }
    return copy
  }

  private static func holds(
    _ comparison: FilterExpression.Comparison, _ left: [UInt8], _ right: [UInt8]
  ) -> Bool {
    switch comparison {
    case .equal: left == right
    case .notEqual: left != right
    case .less: left.lexicographicallyPrecedes(right)
    case .lessOrEqual: !right.lexicographicallyPrecedes(left)
    case .greater: right.lexicographicallyPrecedes(left)
    case .greaterOrEqual: !left.lexicographicallyPrecedes(right)
    }
  }
}

/// A text test on a column, with what is known of it in the segment at hand.
final class TextMask {
  private let slot: ColumnSlot
  private let test: TextTest
  /// 1 for each code that passes.
  private(set) var passing: [UInt8] = []
  /// How many codes below each pass: tells for a range of codes whether none or all do.
  private var passingBelow: [UInt32] = []

  init(_ slot: ColumnSlot, _ test: TextTest) {
    self.slot = slot
    self.test = test
  }

  /// The column that it tests.
  var name: ColumnName { slot.name }

  /// Prepares for the reader's segment.
  func enterSegment() {
    passing.removeAll(keepingCapacity: true)
    passingBelow.removeAll(keepingCapacity: true)
    passingBelow.append(0)
    var count: UInt32 = 0
    if fillNamed() {
      for passes in passing {
        count += UInt32(passes)
        passingBelow.append(count)
      }
      return
    }
    slot.forEachCode { _, bytes, range, isPresent in
      let passes = test.passes(bytes, range, isPresent: isPresent)
      count += passes ? 1 : 0
      passing.append(passes ? 1 : 0)
      passingBelow.append(count)
    }
  }

  /// Fills ``passing`` by looking the few texts of a rule up in the dictionary; false where another
  /// rule, or another kind of column, has to test every text.
  private func fillNamed() -> Bool {
    guard slot.kind == .codes, slot.defaultText == nil, !slot.isUsage else { return false }
    switch test.rule {
    case .present, .absent:
      // Code 0 is absent, all others are present; an absent value passes only where absence does.
      var isPresent = true
      if case .absent = test.rule { isPresent = false }
      let passes: UInt8 = isPresent != test.isNegated ? 1 : 0
      passing.append(contentsOf: repeatElement(passes, count: slot.codeCount))
      passing[0] = !isPresent && !test.isNegated ? 1 : 0
      return true
    default: break
    }
    guard case .oneOf(let texts) = test.rule, texts.count <= 8, let dictionary = slot.dictionary
    else { return false }
    passing.append(contentsOf: repeatElement(test.isNegated ? 1 : 0, count: dictionary.count))
    passing[0] = 0
    for text in texts {
      if let code = dictionary.code(for: text) { passing[Int(code)] = test.isNegated ? 0 : 1 }
    }
    return true
  }

  /// What is known of a block without reading it.
  func verdict(_ reader: BlockReader, block: Int) -> MaskVerdict {
    if slot.kind == .text { return .mixed }
    var range = 0...max(0, passing.count - 1)
    if slot.kind == nil {
      range = 0...0
    } else if !slot.isUsage, let zone = reader.segment.zone(slot.name, block: block) {
      range = Int(zone.minimum)...Int(zone.maximum)
    }
    let count = Int(passingBelow[range.upperBound + 1] - passingBelow[range.lowerBound])
    return count == 0 ? .none : count == range.count ? .all : .mixed
  }

  /// Whether code 0 passes; for segments without the column.
  var passesAbsent: Bool { passing[0] != 0 }

  /// Writes 1 or 0 for each row.
  func fill(_ mask: inout [UInt8], _ reader: BlockReader) throws(StoreError) {
    if slot.kind == .text {
      try reader.loadText(slot)
      let bytes = slot.text.bytes
      let fallback = slot.defaultText ?? []
      for row in 0..<reader.rowCount {
        if let range = slot.text.range(row) {
          mask[row] = test.passes(bytes.span, range, isPresent: true) ? 1 : 0
        } else {
          let passes = test.passes(
            fallback.span, 0..<fallback.count, isPresent: slot.defaultText != nil)
          mask[row] = passes ? 1 : 0
        }
      }
      return
    }
    if try reader.lookUpRuns(slot, passing, into: &mask) { return }
    try reader.loadCodes(slot)
    Kernels.lookUp(slot.codes, passing, rows: reader.rowCount, into: &mask)
  }
}

/// What is known of a condition over a block.
enum MaskVerdict {
  case none
  case all
  case mixed
}
