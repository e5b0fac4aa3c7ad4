internal import FarthingCore

// Finding, at sealing, which columns follow from others.
//
// Everything here runs over the rows in the order of arrival, where a column is one run of memory;
// only where a rule leaves something over are the remainders put into the order of storage.

/// A rule and what it leaves over, by row in the order of arrival.
struct SealedRule<Rule, Remainder> {
  var rule: Rule
  /// nil where nothing is left over in any row.
  var remainders: [Remainder]?
}

/// The rules of a buffer's columns.
struct BufferRules {
  var codes: [ColumnName: SealedRule<CodeRule, UInt32>] = [:]
  var money: [ColumnName: SealedRule<MoneyRule, Int64>] = [:]
}

extension WriteBuffer {
  /// Columns of codes that often follow from others, and from which; the first pair that fits is
  /// taken. Keys must have no rule themselves.
  private static let candidates: [(column: ColumnName, keys: [TextField])] = [
    (.field(.provider), [.model]),
    (.price, [.model]),
    (.price, [.model, .serviceTier]),
    (.field(.endpoint), [.model, .site]),
    (.field(.operation), [.workload]),
    (.field(.dataClass), [.workload]),
    (.field(.error), [.status]),
  ]

  /// One row in so many may be an exception; more cost more than the rule saves.
  private static let exceptionShare = 64

  func rules() -> BufferRules {
    var rules = BufferRules()
    guard kind == .request, rowCount >= leastRuledRows else { return rules }
    for candidate in Self.candidates where rules.codes[candidate.column] == nil {
      guard let place = RowTable.Place.fixed[candidate.column],
        let rule = codeRule(at: place, keys: candidate.keys.map { .field($0) })
      else { continue }
      rules.codes[candidate.column] = rule
    }
    rules.money = moneyRules()
    return rules
  }

  // MARK: - Codes

  /// How many codes a column has, the one for absent included.
  private func limit(at place: Int) -> Int { table.entryCount(at: place) + 1 }

  private func keys(_ names: [ColumnName]) -> (keys: RuleKeys, places: [Int])? {
    let places = names.compactMap { RowTable.Place.fixed[$0] }
    guard places.count == names.count, places.allSatisfy(table.isUsed),
      !places.contains(where: isRenumbered)
    else { return nil }
    let keys = RuleKeys(
      keys: zip(names, places).map { RuleKey(name: $0, limit: limit(at: $1)) })
    let classes = keys.keys.reduce(1.0) { $0 * Double($1.limit) }
    return classes <= Double(RuleKeys.maximumClasses) ? (keys, places) : nil
  }

  /// The codes by class as the rows show them first; nil where too many rows differ.
  private func codeRule(
    at place: Int, keys names: [ColumnName]
  ) -> SealedRule<CodeRule, UInt32>? {
    guard table.isUsed(place), limit(at: place) > 2, !isRenumbered(at: place),
      let (keys, places) = keys(names)
    else { return nil }
    var table = [UInt32](repeating: .max, count: keys.classCount)
    var remainders = [UInt32](repeating: 0, count: rowCount)
    var exceptions = 0
    var classes: [UInt32] = []
    var codes: [UInt32] = []
    for rows in chunks {
      fillClasses(keys, places, rows, into: &classes)
      self.table.copyCodes(at: place, rows: rows, into: &codes)
      for index in codes.indices {
        let entry = Int(classes[index])
        if table[entry] == .max {
          table[entry] = codes[index]
        } else if table[entry] != codes[index] {
          remainders[rows.lowerBound + index] = codes[index] + 1
          exceptions += 1
        }
      }
      if exceptions * Self.exceptionShare > rows.upperBound { return nil }
    }
    for entry in table.indices where table[entry] == .max { table[entry] = 0 }
    // A table as large as the column saves nothing.
    guard table.count <= rowCount else { return nil }
    return SealedRule(
      rule: CodeRule(keys: keys, codes: table), remainders: exceptions == 0 ? nil : remainders)
  }

  private func fillClasses(
    _ keys: RuleKeys, _ places: [Int], _ rows: Range<Int>, into classes: inout [UInt32]
  ) {
    if places.count == 1 { return table.copyCodes(at: places[0], rows: rows, into: &classes) }
    var first: [UInt32] = []
    var second: [UInt32] = []
    table.copyCodes(at: places[0], rows: rows, into: &first)
    table.copyCodes(at: places[1], rows: rows, into: &second)
    _ = RuleKernels.classes(
      first, limit: keys.keys[0].limit, second, limit: keys.keys[1].limit, into: &classes)
  }

  /// The rows in pieces that stay in the processor's cache.
  private var chunks: [Range<Int>] {
    stride(from: 0, to: rowCount, by: SegmentFormat.blockRows).map {
      $0..<min($0 + SegmentFormat.blockRows, rowCount)
    }
  }

  // MARK: - Money

  private func moneyRules() -> [ColumnName: SealedRule<MoneyRule, Int64>] {
    guard let (keys, places) = keys(moneyKeys) else { return [:] }
    let rules = MoneyRuleDraft(keys: keys, prices: linearPrices(), hits: hits()).rules()
    var found: [ColumnName: SealedRule<MoneyRule, Int64>] = [:]
    var remainders: [ColumnName: [Int64]] = [:]
    var left = rules
    var classes: [UInt32] = []
    var amounts: [Int64] = []
    var counts: [ColumnName: Int] = [:]
    for rows in chunks {
      fillClasses(keys, places, rows, into: &classes)
      var values: [ColumnName: IntegerColumn] = [:]
      for (name, rule) in left {
        let inputs = rule.inputs.map { input in
          if let known = values[input] { return known }
          var column = IntegerColumn()
          table.copyNumbers(
            at: RowTable.Place.fixed[input] ?? 0, rows: rows, into: &column.values)
          values[input] = column
          return column
        }
        guard rule.evaluate(classes: classes, values: inputs, into: &amounts),
          let different = table.subtract(
            amounts, at: RowTable.Place.fixed[name] ?? 0, rows: rows,
            into: &remainders[name, default: [Int64](repeating: 0, count: rowCount)])
        else {
          left[name] = nil
          continue
        }
        counts[name, default: 0] += different
        if counts[name, default: 0] * Self.exceptionShare / 4 > rows.upperBound {
          left[name] = nil
        }
      }
    }
    for (name, rule) in left {
      found[name] = SealedRule(
        rule: rule, remainders: counts[name] == 0 ? nil : remainders[name])
    }
    return found
  }

  private var moneyKeys: [ColumnName] {
    let cache = ColumnName.field(.responseCache)
    return table.isUsed(RowTable.Place.fixed[cache] ?? 0) ? [.price, cache] : [.price]
  }

  /// The factors of each price by its code; none for absent ones and those that have no factors.
  private func linearPrices() -> [[LinearRates]] {
    [[]]
      + usedPrices().map { bytes in
        ResolvedPrice.deserialised(bytes.span)?.linearRates ?? []
      }
  }

  /// By code of the response cache: whether it is a hit.
  private func hits() -> [Bool] {
    let texts = table.texts(at: Int(TextField.responseCache.rawValue))
    return [false]
      + (0..<texts.count).map { ["hit", "semantic_hit"].contains(texts.string($0) ?? "") }
  }
}

/// Puts the factors of a buffer's prices into rules.
private struct MoneyRuleDraft {
  let keys: RuleKeys
  /// By price code, by band.
  let prices: [[LinearRates]]
  /// By code of the response cache.
  let hits: [Bool]

  private typealias Factors = LinearRates.Factors

  func rules() -> [ColumnName: MoneyRule] {
    var rules: [ColumnName: MoneyRule] = [:]
    rules[.cost] = rule { rates, isHit in isHit ? Factors.none : rates.cost }
    rules[.outputCost] = rule { rates, isHit in isHit ? Factors.none : rates.outputCost }
    rules[.cacheSavings] = rule { rates, isHit in
      isHit ? rates.hitSavings : rates.cacheSavings
    }
    return rules
  }

  /// nil where it would have too many entries.
  private func rule(_ factors: (LinearRates, Bool) -> Factors) -> MoneyRule? {
    let cacheLimit = keys.keys.count > 1 ? keys.keys[1].limit : 1
    var entries: [Factors] = []
    var divisors: [Int64] = []
    var limits: [Int64] = []
    var next: [Int64] = []
    func append(_ rates: LinearRates?, isHit: Bool) {
      entries.append(rates.map { factors($0, isHit) } ?? Factors.none)
      divisors.append(rates?.divisor ?? 1)
      limits.append(.max)
      next.append(0)
    }
    for code in 0..<keys.classCount {
      let bands = prices[code / cacheLimit]
      append(bands.first, isHit: hits[code % cacheLimit])
    }
    for code in 0..<keys.classCount {
      var entry = code
      for band in prices[code / cacheLimit].dropFirst() {
        limits[entry] = band.above
        next[entry] = Int64(entries.count)
        entry = entries.count
        append(band, isHit: hits[code % cacheLimit])
      }
      if entries.count > RuleKeys.maximumClasses { return nil }
    }
    let hasBands = next.contains { $0 != 0 }
    let used = Factors.fields.filter { field in
      entries.contains { $0[field] != 0 } || (hasBands && field == .inputTokens)
    }
    return MoneyRule(
      keys: keys, inputs: used.map { .field($0) },
      factors: used.map { field in entries.map { $0[field] } }, divisors: divisors,
      limits: limits, next: next)
  }
}
