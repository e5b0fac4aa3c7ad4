internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore
internal import Yams

// The part of a mapping file that names fields, and the conditions for leaving a record out.

extension MappingFile {
  /// Keys of every rule that ends in a value.
  static let valueKeys = ["path", "value", "template", "pattern", "map", "default"]

  // MARK: Conditions

  mutating func skipCondition(_ node: Node) -> SkipCondition? {
    guard
      let members = members(
        of: node, "a condition",
        allowed: ["path", "is", "is_not", "matches", "absent", "present", "all"])
    else { return nil }
    if let all = members["all"] {
      if members.count > 1 { fault(node, "all stands alone: a list of conditions") }
      return .all(elements(all).compactMap { skipCondition($0) })
    }
    guard let pathNode = members["path"], let path = path(pathNode) else {
      if members["path"] == nil { fault(node, "a condition needs \"path\"") }
      return nil
    }
    var conditions: [SkipCondition] = []
    func values(_ node: Node) -> [ValuePattern] {
      elements(node).compactMap { $0.scalar.map { ValuePattern($0.string) } }
    }
    if let node = members["is"] { conditions.append(.isOneOf(path: path, values: values(node))) }
    if let node = members["is_not"] {
      conditions.append(.isNoneOf(path: path, values: values(node)))
    }
    if let node = members["matches"], let pattern = pattern(node, "matches") {
      conditions.append(.matches(path: path, pattern))
    }
    for (key, condition) in [
      ("absent", SkipCondition.absent(path: path)), ("present", .present(path: path)),
    ] {
      guard let node = members[key] else { continue }
      if node.bool == true { conditions.append(condition) } else { fault(node, "\(key) is true") }
    }
    if conditions.isEmpty, node.mapping?.count == 1 {
      fault(node, "a condition needs one of is, is_not, matches, absent, present beside its path")
    }
    return conditions.count == 1 ? conditions[0] : .all(conditions)
  }

  // MARK: Fields

  mutating func readFields(_ node: Node) {
    guard let mapping = node.mapping else {
      fault(node, "fields: expected a mapping of fields to paths")
      return
    }
    var names: Set<String> = []
    for (key, value) in mapping {
      let name = key.string ?? ""
      names.insert(name)
      if name == "tags.*" || name == "units.*" {
        readMembers(value, name, isTags: name == "tags.*")
      } else if let target = target(name, key) {
        readField(name, target, key, value)
      }
    }
    checkRequired(names, node)
  }

  private mutating func target(_ name: String, _ node: Node) -> FieldRule.Target? {
    if name.hasPrefix("tags."), name.count > 5 { return .tag(String(name.dropFirst(5))) }
    if name.hasPrefix("units."), name.count > 6 { return .unit(String(name.dropFirst(6))) }
    if let field = ContractField(name: name) {
      if case .constant(let kind) = mapping.kind, !field.belongs(to: kind) {
        fault(node, "\(name) is no field of \(kind) events")
      }
      return .field(field)
    }
    if name == "type" {
      fault(node, "type stands beside fields, not among them")
    } else {
      unknown(
        "field", name, node, among: ContractField.names + ["tags.NAME", "units.NAME", "tags.*"])
    }
    return nil
  }

  private mutating func checkRequired(_ names: Set<String>, _ node: Node) {
    guard case .constant(let kind) = mapping.kind else {
      if !names.contains("time") { fault(node, "\"time\" is missing, which every event needs") }
      return
    }
    for name in ContractField.required(of: kind) where !names.contains(name) {
      fault(node, "\"\(name)\" is missing, which every \(kind) event needs")
    }
  }

  private mutating func readField(
    _ name: String, _ target: FieldRule.Target, _ key: Node, _ node: Node
  ) {
    let line = key.mark?.line ?? 0
    var conversionKeys: [String] = []
    switch target {
    case .field(.time), .field(.until): conversionKeys = ["time", "zone", "minus"]
    case .field(.money): conversionKeys = ["unit", "times"]
    case .field(.real): conversionKeys = ["unit"]
    case .field(.integer(let field)) where !field.isBoolean: conversionKeys = ["unit"]
    case .unit: conversionKeys = ["unit"]
    default: break
    }
    var rule: ValueRule?
    var members: [String: Node] = [:]
    if node.mapping != nil {
      guard
        let found = self.members(of: node, name, allowed: Self.valueKeys + conversionKeys)
      else { return }
      members = found
      rule = valueRule(node, found, name)
    } else {
      // The short form: a path, or several of which the first that is there counts.
      let paths = elements(node).compactMap { path($0) }
      if paths.isEmpty { fault(node, "\(name): expected a path") }
      rule = ValueRule(source: .paths(paths))
    }
    guard let rule else { return }
    let conversion = self.conversion(target, members, name)
    checkConstants(rule, target, name, node)
    mapping.fields.append(
      FieldRule(action: .value(target, rule), conversion: conversion, line: line))
  }

  /// Constants, map results and defaults of fields with a closed set of values.
  private mutating func checkConstants(
    _ rule: ValueRule, _ target: FieldRule.Target, _ name: String, _ node: Node
  ) {
    guard case .field(let field) = target, let values = field.values else { return }
    var words: [[UInt8]] = []
    if case .constant(let word) = rule.source, rule.map == nil { words.append(word) }
    if let map = rule.map {
      words += map.exact.values
      words += map.patterns.map(\.1)
      if let others = map.others { words.append(others) }
    }
    if let fallback = rule.fallback { words.append(fallback) }
    for word in Set(words.map { String(decoding: $0, as: UTF8.self) }).sorted()
    where !word.isEmpty && !values.contains(word) {
      unknown("value of \(name)", word, node, among: values)
    }
  }

  mutating func valueRule(
    _ node: Node, _ members: [String: Node], _ name: String
  ) -> ValueRule? {
    let sources = ["path", "value", "template"].filter { members[$0] != nil }
    guard sources.count == 1 else {
      fault(node, "\(name) needs one of path, value, template")
      return nil
    }
    var rule: ValueRule
    if let node = members["path"] {
      let paths = elements(node).compactMap { path($0) }
      guard !paths.isEmpty else { return nil }
      rule = ValueRule(source: .paths(paths))
    } else if let node = members["value"] {
      rule = ValueRule(source: .constant(Array((text(node, "value") ?? "").utf8)))
    } else if let node = members["template"], let parts = template(node) {
      rule = ValueRule(source: .template(parts))
    } else {
      return nil
    }
    if let node = members["pattern"], let pattern = pattern(node, "pattern") {
      rule.pattern = pattern
      // The group called `value`, else the first, else all that matched.
      rule.group =
        pattern.groups.first { $0.name == "value" }?.number ?? min(1, pattern.groupCount)
    }
    if let node = members["map"] { rule.map = valueMap(node) }
    if let node = members["default"] {
      rule.fallback = text(node, "default").map { Array($0.utf8) }
    }
    return rule
  }

  private mutating func valueMap(_ node: Node) -> ValueMap? {
    guard let entries = node.mapping else {
      fault(node, "map: expected a mapping of values to values")
      return nil
    }
    var map = ValueMap()
    for (key, value) in entries {
      guard let from = text(key, "map"), let to = text(value, "map") else { continue }
      let result = isNull(value) ? [] : Array(to.utf8)
      if from == "default" {
        map.others = result
        continue
      }
      switch ValuePattern(from) {
      case .text(let bytes): map.exact[bytes] = result
      case let pattern: map.patterns.append((pattern, result))
      }
    }
    return map
  }

  /// `${path}` among texts; `$$` is a dollar sign.
  private mutating func template(_ node: Node) -> [ValueRule.TemplatePart]? {
    guard let text = text(node, "template") else { return nil }
    var parts: [ValueRule.TemplatePart] = []
    var literal: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "$") else {
        literal.append(byte)
        continue
      }
      if rest.first == UInt8(ascii: "$") {
        literal.append(rest.removeFirst())
        continue
      }
      guard rest.first == UInt8(ascii: "{"), let close = rest.firstIndex(of: UInt8(ascii: "}")),
        let number = number(
          of: String(decoding: rest[(rest.startIndex + 1)..<close], as: UTF8.self))
      else {
        fault(node, "template: after $ expected {path}, or $ for a dollar sign")
        return nil
      }
      if !literal.isEmpty { parts.append(.text(literal)) }
      literal = []
      parts.append(.path(number))
      rest = rest[(close + 1)...]
    }
    if !literal.isEmpty { parts.append(.text(literal)) }
    return parts
  }

  // MARK: Members

  private mutating func readMembers(_ node: Node, _ name: String, isTags: Bool) {
    var pathNode = node
    var pattern: LinePattern?
    var prefix = ""
    if node.mapping != nil {
      guard let members = members(of: node, name, allowed: ["path", "matches", "prefix"]) else {
        return
      }
      guard let found = members["path"] else {
        fault(node, "\(name) needs \"path\", such as labels.*")
        return
      }
      pathNode = found
      if let node = members["matches"] { pattern = self.pattern(node, "matches") }
      if let node = members["prefix"] { prefix = text(node, "prefix") ?? "" }
    }
    guard let text = text(pathNode, "path"), let path = memberPath(text, pathNode) else { return }
    mapping.fields.append(
      FieldRule(
        action: .members(isTags: isTags, path: path, matching: pattern, prefix: prefix),
        line: node.mark?.line ?? 0))
  }

  private mutating func memberPath(_ text: String, _ node: Node) -> MemberPath? {
    let parts = text.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      fault(node, "path \"\(text.printable)\" needs one star for the members, such as labels.*")
      return nil
    }
    var path = MemberPath(
      text: text, object: nil, prefix: Array(parts[0].utf8), suffix: Array(parts[1].utf8))
    guard case .json = mapping.format else { return path }
    if parts[0].isEmpty, parts[1].isEmpty { return path }
    guard parts[0].hasSuffix("."), parts[1].isEmpty,
      let object = MappedPath(String(parts[0].dropLast()))
    else {
      fault(
        node,
        "path \"\(text.printable)\": in JSON the star stands for the members of an object, such as labels.*"
      )
      return nil
    }
    path.object = object
    return path
  }

  // MARK: Conversions

  private mutating func conversion(
    _ target: FieldRule.Target, _ members: [String: Node], _ name: String
  ) -> Conversion {
    switch target {
    case .field(.time), .field(.until): return timeConversion(members)
    case .field(.money(let field)): return moneyConversion(field, members)
    case .field(.real(.tokensPerSecond)), .field(.integer), .unit:
      guard let node = members["unit"], let word = text(node, "unit") else { return .none }
      guard let unit = MappedUnits.counts.first(where: { $0.name == word.lowercased() }) else {
        unknown("unit of \(name)", word, node, among: MappedUnits.counts.map(\.name))
        return .none
      }
      return .scale(power: unit.power, factor: 1)
    case .field(.real):
      guard let node = members["unit"], let word = text(node, "unit") else { return .none }
      if word == MappedUnits.duration { return .duration }
      guard let unit = MappedUnits.durations.first(where: { $0.name == word }) else {
        unknown(
          "unit of \(name)", word, node,
          among: MappedUnits.durations.map(\.name) + [MappedUnits.duration])
        return .none
      }
      return .scale(power: unit.power, factor: unit.factor)
    default: return .none
    }
  }

  private mutating func moneyConversion(
    _ field: MoneyField, _ members: [String: Node]
  ) -> Conversion {
    let isRate = field == .usdPerAcceleratorHour
    let units = isRate ? MappedUnits.rates : MappedUnits.money + MappedUnits.prices
    var unit = MoneyUnit()
    var word = ""
    if let node = members["unit"] {
      word = text(node, "unit") ?? ""
      guard let known = units.first(where: { $0.name == word }) else {
        unknown("unit of \(field.contractName)", word, node, among: units.map(\.name))
        return .none
      }
      unit = known.unit
    }
    let isPrice = MappedUnits.prices.contains { $0.name == word }
    if let node = members["times"] {
      if isPrice {
        unit.times = path(node)
      } else {
        fault(node, "times counts what a price is for; it goes with a unit such as usd_per_1m")
      }
    } else if isPrice {
      fault(members["unit"], "a price needs \"times\": the path of the number of units")
    }
    return .money(unit)
  }

  private mutating func timeConversion(_ members: [String: Node]) -> Conversion {
    var minus: DurationSource?
    if let node = members["minus"] { minus = durationSource(node) }
    var zone: TimeZoneRules?
    if let node = members["zone"], let word = text(node, "zone") {
      zone = timeZone(word)
      if zone == nil {
        fault(
          node,
          "zone \"\(word.printable)\" is no time zone of this machine; write UTC, +02:00 or a name "
            + "as in Europe/Berlin")
        zone = .utc
      }
    }
    guard let node = members["time"], let word = text(node, "time") else {
      if let node = members["zone"] { fault(node, "zone goes with a pattern of time") }
      return .time(.contract, minus: minus)
    }
    if let known = TimePattern.names.first(where: { $0.0 == word }) {
      if let node = members["zone"] { fault(node, "\(word) needs no zone") }
      return .time(known.1, minus: minus)
    }
    let text = word == "nginx" ? TimePattern.nginx : word
    guard text.contains("%") else {
      unknown("time", word, node, among: TimePattern.names.map(\.0) + ["nginx"])
      return .none
    }
    let (directives, problem) = TimeDirective.parse(text)
    if let problem { fault(node, problem) }
    let isPlaced = TimeDirective.namesZone(directives)
    if !isPlaced, zone == nil {
      fault(node, "\"\(text.printable)\" has no zone: add %z, or the key zone")
    } else if isPlaced, members["zone"] != nil {
      fault(members["zone"], "the pattern says the zone itself")
    }
    return .time(.pattern(directives, zone: zone), minus: minus)
  }

  private mutating func timeZone(_ word: String) -> TimeZoneRules? {
    if word == "UTC" { return .utc }
    let text = Array(word.utf8)
    if let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      return TimeZoneRules(offset: word)
    }
    return zone(word)
  }

  private mutating func durationSource(_ node: Node) -> DurationSource? {
    guard let members = members(of: node, "minus", allowed: ["path", "unit"]),
      let pathNode = members["path"], let path = path(pathNode)
    else {
      if node.mapping?["path"] == nil { fault(node, "minus needs \"path\"") }
      return nil
    }
    let word = members["unit"].flatMap { text($0, "unit") } ?? "ms"
    guard let unit = MappedUnits.durations.first(where: { $0.name == word }) else {
      unknown("unit of minus", word, members["unit"], among: MappedUnits.durations.map(\.name))
      return nil
    }
    // Milliseconds to nanoseconds are six powers more.
    return DurationSource(path: path, power: unit.power + 6, factor: unit.factor)
  }
}
