// Reading columns that follow from others by a rule; see `ColumnRule.swift`.

/// The rule of a column.
enum ColumnRule: Sendable, Equatable {
  case codes(CodeRule)
  case money(MoneyRule)
}

/// What reading by a rule needs, kept from block to block. Reading a cost may read its price by a
/// rule too, so each of the two kinds has arrays of its own.
struct RuleScratch {
  var classes: [UInt32] = []
  var first: [UInt32] = []
  var second: [UInt32] = []
  /// The block's own bytes while others are read.
  var own: [UInt8] = []
}

extension SegmentReader {
  /// The rule of the column at a place. Read once, then kept.
  ///
  /// - Throws: `damaged` also where the column has none.
  func rule(ofColumn place: Int) throws(StoreError) -> ColumnRule {
    if let known = knownRule(ofColumn: place) { return known }
    let column = columns[place]
    let what = "column \(column.name) rule"
    guard let part = column.rule else { throw damaged(what, EncodingFault("there is none")) }
    let scratch = ScanScratch()
    try load(part, what: what, scratch: scratch)
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      let rule: ColumnRule =
        column.kind == .codes
        ? .codes(try CodeRule(bytes, limit: UInt32(column.entryCount) + 1, scratch))
        : .money(try MoneyRule(bytes, scratch))
      try check(rule)
      keep(rule, ofColumn: place)
      return rule
    } catch {
      throw damaged(what, error)
    }
  }

  /// Whether a rule names columns that it can be evaluated with. No chain of rules is longer than
  /// two, so evaluating one ends.
  private func check(_ rule: ColumnRule) throws(EncodingFault) {
    let keys: RuleKeys
    switch rule {
    case .codes(let rule):
      keys = rule.keys
      guard keys.keys.allSatisfy({ places[$0.name].map { columns[$0].rule == nil } ?? true })
      else { throw EncodingFault("a key has a rule itself") }
    case .money(let rule):
      keys = rule.keys
      for name in rule.inputs {
        guard let place = places[name] else { continue }
        guard columns[place].kind == .integers, columns[place].rule == nil else {
          throw EncodingFault("an input is no plain column of integers")
        }
      }
    }
    for key in keys.keys {
      guard let place = places[key.name] else { continue }
      guard columns[place].kind == .codes, columns[place].entryCount < key.limit else {
        throw EncodingFault("a key has more codes than the rule")
      }
    }
  }

  /// Reads the classes of a block's rows.
  private func readClasses(
    _ keys: RuleKeys, block: Int, into rules: inout RuleScratch, scratch: ScanScratch
  ) throws(StoreError) {
    if keys.keys.count == 1 {
      return try readCodes(keys.keys[0].name, block: block, into: &rules.classes, scratch: scratch)
    }
    try readCodes(keys.keys[0].name, block: block, into: &rules.first, scratch: scratch)
    try readCodes(keys.keys[1].name, block: block, into: &rules.second, scratch: scratch)
    guard
      RuleKernels.classes(
        rules.first, limit: keys.keys[0].limit, rules.second, limit: keys.keys[1].limit,
        into: &rules.classes)
    else {
      throw damaged("block \(block)", EncodingFault("a code has no class"))
    }
  }

  /// Reads a block of integers whose bytes are in `scratch.block` and say that it follows the
  /// column's rule.
  func readByRule(
    _ place: Int, block: Int, into column: inout IntegerColumn, scratch: ScanScratch
  ) throws(StoreError) {
    guard case .money(let rule) = try rule(ofColumn: place) else {
      throw damaged("column \(columns[place].name) rule", EncodingFault("it is of codes"))
    }
    // What is read in between uses the scratch too.
    var rules = RuleScratch()
    var inputs: [IntegerColumn] = []
    swap(&rules, &scratch.moneyRules)
    swap(&inputs, &scratch.inputs)
    swap(&rules.own, &scratch.block)
    defer {
      swap(&rules, &scratch.moneyRules)
      swap(&inputs, &scratch.inputs)
    }
    try readClasses(rule.keys, block: block, into: &rules, scratch: scratch)
    while inputs.count < rule.inputs.count { inputs.append(IntegerColumn()) }
    for (number, name) in rule.inputs.enumerated() {
      try readIntegers(name, block: block, into: &inputs[number], scratch: scratch)
    }
    column.markAllPresent()
    do throws(EncodingFault) {
      guard rule.evaluate(classes: rules.classes, values: inputs, into: &column.values) else {
        throw EncodingFault("a code has no class")
      }
      let own = rules.own
      let bytes = own.span
      var cursor = ByteCursor(place: 1, end: bytes.count)
      let count = column.values.count
      // Mostly nothing remains: words of no bits.
      guard bytes.count > 1, bytes[1] != 0 else { return }
      let isWide = try WordStream.decode(bytes, cursor: &cursor, count: count, scratch: scratch)
      if isWide {
        RuleKernels.addRemainders(scratch.wideWords, to: &column.values)
      } else {
        RuleKernels.addRemainders(scratch.words, to: &column.values)
      }
    } catch {
      throw damaged("column \(columns[place].name) block \(block)", error)
    }
  }

  /// Reads a block of codes whose bytes are in `scratch.block` and say that it follows the column's
  /// rule.
  func readByRule(
    _ place: Int, block: Int, into codes: inout [UInt32], scratch: ScanScratch
  ) throws(StoreError) {
    guard case .codes(let rule) = try rule(ofColumn: place) else {
      throw damaged("column \(columns[place].name) rule", EncodingFault("it is of money"))
    }
    var rules = RuleScratch()
    swap(&rules, &scratch.codeRules)
    swap(&rules.own, &scratch.block)
    defer { swap(&rules, &scratch.codeRules) }
    try readClasses(rule.keys, block: block, into: &rules, scratch: scratch)
    do throws(EncodingFault) {
      guard Int(WordKernels.greatest(rules.classes)) < rule.codes.count else {
        throw EncodingFault("a code has no class")
      }
      let own = rules.own
      let bytes = own.span
      guard bytes.count > 1, bytes[1] != 0 else {
        return RuleKernels.look(
          up: rules.classes, in: rule.codes, exceptions: nil, into: &codes)
      }
      var cursor = ByteCursor(place: 1, end: bytes.count)
      let isWide = try WordStream.decode(
        bytes, cursor: &cursor, count: rules.classes.count, scratch: scratch)
      guard !isWide,
        Int(WordKernels.greatest(scratch.words)) <= columns[place].entryCount + 1
      else { throw EncodingFault("a code is not in the dictionary") }
      RuleKernels.look(
        up: rules.classes, in: rule.codes, exceptions: scratch.words, into: &codes)
    } catch {
      throw damaged("column \(columns[place].name) block \(block)", error)
    }
  }
}
