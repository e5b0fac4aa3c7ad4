internal import FarthingCore
internal import FarthingStore

/// A filter expression bound to the columns of one worker.
///
/// `not` is pushed down to the tests: in three-valued logic a whole expression is true exactly
/// where its negation-free form is true with every test counted as true only if it is known to be.
/// So one bit a row is enough, and an unknown test is a 0.
final class RowFilter {
  private indirect enum Node {
    case constant(Bool)
    case text(TextMask)
    case integer(IntegerMask)
    case real(ColumnSlot, RealTest)
    case presence(ColumnSlot, Bool)
    case and([Node])
    case or([Node])
  }

  private var root = Node.constant(true)
  private var textMasks: [TextMask] = []
  private var spares: [[UInt8]] = []

  init(_ expression: FilterExpression, _ reader: BlockReader) {
    root = node(expression, isNegated: false, reader)
  }

  /// Prepares for the reader's segment.
  func enterSegment() { for mask in textMasks { mask.enterSegment() } }

  /// What is known of a block without reading it.
  func verdict(_ reader: BlockReader, block: Int) -> MaskVerdict {
    verdict(root, reader, block)
  }

  /// Writes 1 for each row of the reader's block that is kept, 0 for the others.
  func fill(_ mask: inout [UInt8], _ reader: BlockReader) throws(StoreError) {
    try fill(root, &mask, reader)
  }

  /// The columns of texts that it tests.
  var columns: Set<ColumnName> { Set(textMasks.map(\.name)) }

  /// Whether it holds for the rows of one code of the one column of texts that it tests; false where
  /// it tests anything else.
  func passes(code: Int) -> Bool { passes(root, code: code) }

  private func passes(_ node: Node, code: Int) -> Bool {
    switch node {
    case .constant(let value): value
    case .text(let mask): mask.passing[code] != 0
    case .integer, .real, .presence: false
    case .and(let parts): parts.allSatisfy { passes($0, code: code) }
    case .or(let parts): parts.contains { passes($0, code: code) }
    }
  }

  // MARK: - Binding

  private func node(
    _ expression: FilterExpression, isNegated: Bool, _ reader: BlockReader
  ) -> Node {
    switch expression {
    case .not(let inner): return node(inner, isNegated: !isNegated, reader)
    case .and(let parts):
      let nodes = parts.map { node($0, isNegated: isNegated, reader) }
      return isNegated ? .or(nodes) : .and(nodes)
    case .or(let parts):
      let nodes = parts.map { node($0, isNegated: isNegated, reader) }
      return isNegated ? .and(nodes) : .or(nodes)
    case .isNull(let field): return presence(field, isPresent: isNegated, reader)
    case .like(let field, let pattern):
      return text(ColumnName(field.name), TextTest(.like(pattern), isNegated: isNegated), reader)
    case .membership(let field, let literals):
      return membership(field, literals, isNegated: isNegated, reader)
    case .comparison(let field, let comparison, let literal):
      return self.comparison(field, comparison, literal, isNegated: isNegated, reader)
    }
  }

  private func text(_ name: ColumnName, _ test: TextTest, _ reader: BlockReader) -> Node {
    let mask = TextMask(reader.slot(name), test)
    textMasks.append(mask)
    return .text(mask)
  }

  private func presence(
    _ field: RequestField, isPresent: Bool, _ reader: BlockReader
  ) -> Node {
    switch FieldSource(field) {
    case .text(let name): return text(name, TextTest(.absent, isNegated: isPresent), reader)
    case .money(_, let state?): return priced(isPresent, state, reader)
    case .money(let name, _), .integer(let name), .boolean(let name), .real(let name),
      .time(let name):
      if name.rawValue == "attempt" { return .constant(isPresent) }
      return .presence(reader.slot(name), isPresent)
    case .object(let isTags):
      // Present is: one of its entries is; absent is: every one of them is.
      let parts = reader.objectNames(isTags: isTags).map { name -> Node in
        isTags
          ? text(name, TextTest(.absent, isNegated: isPresent), reader)
          : .presence(reader.slot(name), isPresent)
      }
      return isPresent ? .or(parts) : .and(parts)
    }
  }

  /// - Parameter state: The column of states of the charge that is meant.
  private func priced(
    _ isPriced: Bool, _ state: ColumnName, _ reader: BlockReader
  ) -> Node {
    text(
      state, TextTest(.oneOf([Array("unpriced".utf8)]), isNegated: isPriced), reader)
  }

  private func comparison(
    _ field: RequestField, _ comparison: FilterExpression.Comparison,
    _ literal: FilterExpression.Literal, isNegated: Bool, _ reader: BlockReader
  ) -> Node {
    switch literal {
    case .text(let value):
      let bytes = Array(value.utf8)
      let name = ColumnName(field.name)
      switch comparison {
      case .equal: return text(name, TextTest(.oneOf([bytes]), isNegated: isNegated), reader)
      case .notEqual: return text(name, TextTest(.oneOf([bytes]), isNegated: !isNegated), reader)
      default:
        return text(name, TextTest(.ordered(comparison, bytes), isNegated: isNegated), reader)
      }
    case .time(let time):
      let number = ExactDecimal(time)
      return integer(field, reader) { step in
        IntegerTest(comparison, number, step: step, isNegated: isNegated)
      }
    case .number(let number):
      if case .real(let name) = FieldSource(field) {
        let rule = RealTest.Rule.comparison(comparison, number.real)
        return .real(reader.slot(name), RealTest(rule: rule, isNegated: isNegated))
      }
      return integer(field, reader) { step in
        IntegerTest(comparison, number, step: step, isNegated: isNegated)
      }
    }
  }

  private func membership(
    _ field: RequestField, _ literals: [FilterExpression.Literal], isNegated: Bool,
    _ reader: BlockReader
  ) -> Node {
    var texts: Set<[UInt8]> = []
    var numbers: [ExactDecimal] = []
    for literal in literals {
      switch literal {
      case .text(let text): texts.insert(Array(text.utf8))
      case .number(let number): numbers.append(number)
      case .time(let time): numbers.append(ExactDecimal(time))
      }
    }
    switch FieldSource(field) {
    case .text(let name):
      return text(name, TextTest(.oneOf(texts), isNegated: isNegated), reader)
    case .real(let name):
      let rule = RealTest.Rule.oneOf(Set(numbers.map(\.real)))
      return .real(reader.slot(name), RealTest(rule: rule, isNegated: isNegated))
    default:
      return integer(field, reader) { step in
        IntegerTest(oneOf: numbers, step: step, isNegated: isNegated)
      }
    }
  }

  private func integer(
    _ field: RequestField, _ reader: BlockReader, _ test: (Int128) -> IntegerTest
  ) -> Node {
    switch FieldSource(field) {
    case .money(let name, let state):
      // Money is compared in dollars, the whole picodollars of `cost_picodollars` as such.
      let step = field.kind == .money ? 1 : ExactDecimal.picosPerOne
      let mask = IntegerMask(reader.slot(name), high: reader.slot(name.high), test(step))
      return state.map { .and([priced(true, $0, reader), .integer(mask)]) } ?? .integer(mask)
    case .integer(let name), .boolean(let name), .time(let name):
      return .integer(
        IntegerMask(reader.slot(name), high: nil, test(ExactDecimal.picosPerOne)))
    case .text, .real, .object: return .constant(false)
    }
  }

  // MARK: - Evaluation

  private func verdict(_ node: Node, _ reader: BlockReader, _ block: Int) -> MaskVerdict {
    switch node {
    case .constant(let value): return value ? .all : .none
    case .text(let mask): return mask.verdict(reader, block: block)
    case .integer(let mask): return mask.verdict(reader, block: block)
    case .real(let slot, _): return slot.kind == nil ? .none : .mixed
    case .presence(let slot, let isPresent):
      return slot.kind != nil ? .mixed : isPresent ? .none : .all
    case .and(let parts):
      var result = MaskVerdict.all
      for part in parts {
        let verdict = verdict(part, reader, block)
        if verdict == .none { return .none }
        if verdict == .mixed { result = .mixed }
      }
      return result
    case .or(let parts):
      var result = MaskVerdict.none
      for part in parts {
        let verdict = verdict(part, reader, block)
        if verdict == .all { return .all }
        if verdict == .mixed { result = .mixed }
      }
      return result
    }
  }

  private func fill(
    _ node: Node, _ mask: inout [UInt8], _ reader: BlockReader
  ) throws(StoreError) {
    switch verdict(node, reader, reader.block) {
    case .none: return Kernels.set(&mask, 0, rows: reader.rowCount)
    case .all: return Kernels.set(&mask, 1, rows: reader.rowCount)
    case .mixed: break
    }
    switch node {
    case .constant: break
    case .text(let text): try text.fill(&mask, reader)
    case .integer(let integer): try integer.fill(&mask, reader)
    case .presence(let slot, let isPresent):
      try PresenceMask.fill(&mask, slot, isPresent: isPresent, reader)
    case .real(let slot, let test):
      try reader.loadReals(slot)
      for row in 0..<reader.rowCount { mask[row] = test.passes(slot.reals.values[row]) ? 1 : 0 }
      if let validity = slot.reals.validity {
        Kernels.and(&mask, validity, rows: reader.rowCount)
      }
    case .and(let parts): try combine(parts, &mask, reader, Kernels.and)
    case .or(let parts): try combine(parts, &mask, reader, Kernels.or)
    }
  }

  private func combine(
    _ parts: [Node], _ mask: inout [UInt8], _ reader: BlockReader,
    _ join: (inout [UInt8], [UInt8], Int) -> Void
  ) throws(StoreError) {
    var other = spares.popLast() ?? []
    if other.count < reader.rowCount { other = [UInt8](repeating: 0, count: reader.rowCount) }
    for (index, part) in parts.enumerated() {
      if index == 0 {
        try fill(part, &mask, reader)
      } else {
        try fill(part, &other, reader)
        join(&mask, other, reader.rowCount)
      }
    }
    spares.append(other)
  }
}
