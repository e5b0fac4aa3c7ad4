internal import FarthingCore
internal import FarthingStore

/// The conditions of the additive measures of a query over the block at hand, each evaluated once.
final class ConditionMasks {
  private enum Test {
    case text(TextMask)
    case attempt(IntegerMask)
  }

  private struct Entry {
    let condition: AdditiveMeasure.Condition
    let test: Test
    var mask: [UInt8] = []
    var loadedBlock = -1
  }

  private var entries: [Entry] = []

  init(_ conditions: Set<AdditiveMeasure.Condition>, _ reader: BlockReader) {
    for condition in conditions {
      if let test = ConditionMasks.test(condition, reader) {
        entries.append(Entry(condition: condition, test: test))
      }
    }
  }

  private static func test(
    _ condition: AdditiveMeasure.Condition, _ reader: BlockReader
  ) -> Test? {
    func text(_ name: ColumnName, _ values: [String], isNegated: Bool = false) -> Test {
      let texts = Set(values.map { Array($0.utf8) })
      return .text(TextMask(reader.slot(name), TextTest(.oneOf(texts), isNegated: isNegated)))
    }
    func attempt(_ comparison: FilterExpression.Comparison) -> Test {
      let test = IntegerTest(
        comparison, ExactDecimal(1), step: ExactDecimal.picosPerOne, isNegated: false)
      return .attempt(IntegerMask(reader.slot(.field(.attempt)), high: nil, test))
    }
    switch condition {
    case .always: return nil
    case .costState(let state): return text(.costState, ["\(state)"])
    case .failed: return text(.field(.status), ["ok"], isNegated: true)
    case .timedOut: return text(.field(.status), ["timeout"])
    case .responseCacheHit: return text(.field(.responseCache), ["hit", "semantic_hit"])
    case .present(let field):
      return .text(
        TextMask(reader.slot(.field(field), wantsTexts: false), TextTest(.present)))
    case .firstAttempt: return attempt(.equal)
    case .retry: return attempt(.greater)
    }
  }

  func enterSegment() {
    for place in entries.indices {
      entries[place].loadedBlock = -1
      if case .text(let mask) = entries[place].test { mask.enterSegment() }
    }
  }

  /// What is known of a condition over the reader's block.
  func verdict(_ condition: AdditiveMeasure.Condition, _ reader: BlockReader) -> MaskVerdict {
    guard let entry = entries.first(where: { $0.condition == condition }) else { return .all }
    switch entry.test {
    case .text(let mask): return mask.verdict(reader, block: reader.block)
    case .attempt(let mask): return mask.verdict(reader, block: reader.block)
    }
  }

  /// 1 for each row of the reader's block for which the condition holds.
  func mask(
    _ condition: AdditiveMeasure.Condition, _ reader: BlockReader
  ) throws(StoreError) -> [UInt8] {
    guard let place = entries.firstIndex(where: { $0.condition == condition }) else {
      return [UInt8](repeating: 1, count: reader.rowCount)
    }
    if entries[place].loadedBlock != reader.block {
      if entries[place].mask.count < reader.rowCount {
        entries[place].mask = [UInt8](repeating: 0, count: reader.rowCount)
      }
      switch entries[place].test {
      case .text(let mask): try mask.fill(&entries[place].mask, reader)
      case .attempt(let mask): try mask.fill(&entries[place].mask, reader)
      }
      entries[place].loadedBlock = reader.block
    }
    return entries[place].mask
  }
}
