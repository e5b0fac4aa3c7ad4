package import FarthingCore
internal import FarthingStore

/// Turns records into events as a mapping says.
///
/// Lines of JSON, logfmt and text stand by themselves; of CSV the header of an input counts for all
/// its batches, so an input's batches go to one collector in order, the first with line 1.
package struct MappingCollector: EventCollector {
  private let mapping: Mapping
  private var record: MappedRecord
  private var ranges: [Range<Int>] = []
  private var logfmt = LogfmtReader()
  private let extracted: Set<Int>
  private let keepsMembers: Bool
  /// Names of the CSV input's columns; nil until its header is read.
  private var columns: [[UInt8]]?
  /// Lines that still stand before a CSV input's header.
  private var linesToSkip = 0
  /// Where each path was seen.
  private var sightings: [Int]
  /// What became of the records so far.
  package private(set) var report = Report()

  /// What a dry run tells of a mapping.
  package struct Report: Sendable, Equatable {
    /// Records that were read, those that `skip_when` left out included.
    package var records = 0
    package var skipped = 0
  }

  package init(_ mapping: Mapping) {
    self.mapping = mapping
    record = MappedRecord(mapping)
    extracted = mapping.extractedPaths
    sightings = Array(repeating: 0, count: mapping.paths.count)
    keepsMembers = mapping.fields.contains {
      if case .members = $0.action { return true }
      return false
    }
  }

  package var name: String { mapping.name }

  /// The paths that no record had a value at, as the mapping writes them.
  package var unseenPaths: [String] {
    sightings.indices.filter { sightings[$0] == 0 }.map { mapping.paths[$0].text }
  }

  package mutating func decode(_ bytes: [UInt8], _ context: CollectionContext) -> DecodedBatch {
    var builder = EventBatchBuilder(now: context.now)
    let start =
      context.firstLine == 1 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    if case .csv(let dialect) = mapping.format {
      decodeCSV(bytes, from: start, dialect, context, &builder)
    } else {
      var line = context.firstLine
      var at = start
      while at < bytes.count {
        let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        let content = end > at && bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
        if bytes[at..<content].contains(where: { $0 > 0x20 }) {
          decodeLine(bytes, at..<content, line: line, context, &builder)
        }
        at = end + 1
        line += 1
      }
    }
    return builder.take()
  }

  // MARK: Records

  private mutating func decodeLine(
    _ bytes: [UInt8], _ range: Range<Int>, line: Int, _ context: CollectionContext,
    _ builder: inout EventBatchBuilder
  ) {
    record.clear()
    report.records += 1
    func refuse(_ expected: String) {
      builder.refuse(
        EventRejection(
          line: line, field: nil, value: excerpt(bytes[range]), expected: expected))
    }
    switch mapping.format {
    case .json:
      do {
        let tree = try JSONTree(bytes, from: range.lowerBound)
        guard tree.end <= range.upperBound,
          !bytes[tree.end..<range.upperBound].contains(where: { $0 > 0x20 })
        else { return refuse("one JSON object a line") }
        guard tree.root.isObject else { return refuse("a JSON object") }
        record.fill(tree, mapping.paths, except: extracted)
      } catch {
        let place = min(error.offset, range.upperBound) - range.lowerBound + 1
        return refuse("\(error.expected) at byte \(place)")
      }
    case .logfmt:
      if let expected = logfmt.read(bytes[range]) { return refuse(expected) }
      for (key, value) in logfmt.pairs {
        record.add(key, value, mapping.paths, except: extracted, keepsMembers: keepsMembers)
      }
    case .text(let pattern):
      switch pattern.match(bytes, range, ranges: &ranges) {
      case .matched: break
      case .unmatched: return refuse("a line that matches the pattern of the mapping")
      case .givenUp: return refuse(Self.tooHard)
      }
      for (name, number) in pattern.groups where ranges[number].lowerBound >= 0 {
        record.add(
          Array(name.utf8)[...], bytes[ranges[number]], mapping.paths, except: extracted,
          keepsMembers: keepsMembers)
      }
    case .csv: return
    }
    addEvent(line: line, &builder)
  }

  private static let tooHard =
    "a text that the pattern settles within \(LinePattern.matchLimit) steps and "
    + "\(LinePattern.subjectLimit >> 10) KiB"

  private mutating func decodeCSV(
    _ bytes: [UInt8], from start: Int, _ dialect: CSVDialect, _ context: CollectionContext,
    _ builder: inout EventBatchBuilder
  ) {
    if context.firstLine == 1 {
      linesToSkip = dialect.skippedLines
      columns = dialect.hasHeader ? nil : dialect.columns.map { Array($0.utf8) }
    }
    var reader = CSVReader(dialect)
    var line = context.firstLine
    var at = start
    while at < bytes.count {
      let first = at
      defer { line += bytes[first..<at].count { $0 == UInt8(ascii: "\n") } }
      let lineEnd = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let isBlank = !bytes[at..<lineEnd].contains { $0 > 0x20 || $0 == dialect.separator }
      if linesToSkip > 0 || isBlank || bytes[at] == dialect.comment {
        linesToSkip = max(0, linesToSkip - 1)
        at = min(lineEnd + 1, bytes.count)
        continue
      }
      at = reader.read(bytes, from: at)
      if let fault = reader.fault {
        report.records += 1
        builder.refuse(
          EventRejection(
            line: line, field: nil, value: fault.value.excerpted, expected: fault.expected))
        continue
      }
      guard let columns else {
        self.columns = reader.fields.map { Self.trimmed($0) }
        continue
      }
      addRow(reader.fields, columns, line: line, &builder)
    }
  }

  private mutating func addRow(
    _ fields: [ArraySlice<UInt8>], _ columns: [[UInt8]], line: Int,
    _ builder: inout EventBatchBuilder
  ) {
    report.records += 1
    guard columns.isEmpty || fields.count == columns.count else {
      builder.refuse(
        EventRejection(
          line: line, field: nil, value: "\(fields.count) columns",
          expected: "\(columns.count) columns, as the header has"))
      return
    }
    record.clear()
    for (place, field) in fields.enumerated() {
      let name = columns.isEmpty ? Array(String(place + 1).utf8) : columns[place]
      record.add(name[...], field, mapping.paths, except: extracted, keepsMembers: keepsMembers)
    }
    addEvent(line: line, &builder)
  }

  private static func trimmed(_ field: ArraySlice<UInt8>) -> [UInt8] {
    var field = field.drop { $0 <= 0x20 }
    while let last = field.last, last <= 0x20 { field = field.dropLast() }
    return Array(field)
  }

  // MARK: Events

  private mutating func addEvent(line: Int, _ builder: inout EventBatchBuilder) {
    extract()
    for place in record.values.indices where record.values[place] != nil { sightings[place] += 1 }
    if mapping.skips.contains(where: { isMet($0) }) {
      report.skipped += 1
      return
    }
    var kind = EventKind.request
    switch mapping.kind {
    case .constant(let constant): kind = constant
    case .rule(let rule):
      let word = (try? value(of: rule))?.map { String(decoding: $0, as: UTF8.self) } ?? "request"
      guard let known = Self.kinds[word] else {
        builder.refuse(
          EventRejection(
            line: line, field: "type", value: word.excerpted,
            expected: "one of request, outcome, capacity"))
        return
      }
      kind = known
    }
    builder.begin(kind, line: line)
    for rule in mapping.fields { apply(rule, kind, &builder) }
    builder.finish()
  }

  static let kinds: [String: EventKind] = [
    "request": .request, "outcome": .outcome, "capacity": .capacity,
  ]

  private mutating func extract() {
    for extraction in mapping.extractions {
      guard let text = record.values[extraction.path]?.bytes else { continue }
      let bytes = Array(text)
      guard
        extraction.pattern.match(bytes, 0..<bytes.count, ranges: &ranges) == .matched
      else { continue }
      for (group, path) in extraction.groups where ranges[group].lowerBound >= 0 {
        record.set(path, bytes[ranges[group]])
      }
    }
  }

  private mutating func isMet(_ condition: SkipCondition) -> Bool {
    switch condition {
    case .isOneOf(let path, let values):
      guard let value = record.values[path]?.bytes else { return false }
      return values.contains { $0.matches(value) }
    case .isNoneOf(let path, let values):
      guard let value = record.values[path]?.bytes else { return true }
      return !values.contains { $0.matches(value) }
    case .matches(let path, let pattern):
      guard let value = record.values[path]?.bytes else { return false }
      let bytes = Array(value)
      return pattern.match(bytes, 0..<bytes.count, ranges: &ranges) == .matched
    case .absent(let path): return record.values[path] == nil
    case .present(let path): return record.values[path] != nil
    case .all(let conditions): return conditions.allSatisfy { isMet($0) }
    }
  }

  // MARK: Values

  /// Why a rule has no value although something stands there.
  struct ValueFault: Error {
    var value: String
    var expected: String
  }

  /// What the rule finds in the record, nil where that is nothing.
  private mutating func value(of rule: ValueRule) throws(ValueFault) -> ArraySlice<UInt8>? {
    var found: ArraySlice<UInt8>?
    switch rule.source {
    case .constant(let text): found = text[...]
    case .paths(let paths):
      for path in paths {
        guard let value = record.values[path] else { continue }
        if value.isComposite {
          throw ValueFault(
            value: mapping.paths[path].text, expected: "one value, not an object or an array")
        }
        found = value.bytes
        break
      }
    case .template(let parts): found = text(of: parts)
    }
    if let text = found, let pattern = rule.pattern {
      let bytes = Array(text)
      switch pattern.match(bytes, 0..<bytes.count, ranges: &ranges) {
      case .matched:
        let range = ranges[rule.group]
        found = range.lowerBound >= 0 ? bytes[range] : nil
      case .unmatched: found = nil
      case .givenUp:
        throw ValueFault(value: excerpt(text), expected: Self.tooHard)
      }
    }
    if let text = found, let map = rule.map { found = map.value(of: text) }
    if found?.isEmpty == true { found = nil }
    return found ?? rule.fallback?[...]
  }

  private func text(of parts: [ValueRule.TemplatePart]) -> ArraySlice<UInt8>? {
    var text: [UInt8] = []
    for part in parts {
      switch part {
      case .text(let constant): text += constant
      case .path(let path):
        guard let value = record.values[path], !value.isComposite else { return nil }
        text += value.bytes
      }
    }
    return text[...]
  }

  private mutating func apply(
    _ rule: FieldRule, _ kind: EventKind, _ builder: inout EventBatchBuilder
  ) {
    switch rule.action {
    case .members(let isTags, let path, let pattern, let prefix):
      addMembers(rule, isTags, path, pattern, prefix, &builder)
    case .value(let target, let source):
      if case .field(let field) = target, !field.belongs(to: kind) { return }
      let text: ArraySlice<UInt8>?
      do {
        text = try value(of: source)
      } catch {
        builder.refuse(field: rule.name, value: error.value, expected: error.expected)
        return
      }
      guard let text else { return }
      if let expected = set(target, text, rule.conversion, &builder) {
        builder.refuse(
          field: rule.name, value: String(decoding: text.prefix(256), as: UTF8.self),
          expected: expected)
      }
    }
  }

  private mutating func addMembers(
    _ rule: FieldRule, _ isTags: Bool, _ path: MemberPath, _ pattern: LinePattern?,
    _ prefix: String, _ builder: inout EventBatchBuilder
  ) {
    for (name, value) in record.members(below: path) {
      if let pattern {
        let bytes = Array(name.utf8)
        guard pattern.match(bytes, 0..<bytes.count, ranges: &ranges) == .matched else { continue }
      }
      if value.isComposite {
        builder.refuse(
          field: (isTags ? "tags." : "units.") + prefix + name, value: path.text,
          expected: "one value, not an object or an array")
      } else if isTags {
        builder.tag(prefix + name, bytes: value.bytes)
      } else if let count = DecimalReading.integer(value.bytes), count >= 0 {
        builder.unit(prefix + name, count)
      } else {
        builder.refuse(
          field: "units." + prefix + name, value: String(decoding: value.bytes, as: UTF8.self),
          expected: "an integer of at least 0")
      }
    }
  }

  /// Sets a value; what was expected of it where it cannot be.
  private func set(
    _ target: FieldRule.Target, _ text: ArraySlice<UInt8>, _ conversion: Conversion,
    _ builder: inout EventBatchBuilder
  ) -> String? {
    switch target {
    case .tag(let name):
      builder.tag(name, bytes: text)
    case .unit(let name):
      guard let count = count(text, conversion), count >= 0 else {
        return "an integer of at least 0"
      }
      builder.unit(name, count)
    case .field(let field): return set(field, text, conversion, &builder)
    }
    return nil
  }

  private func set(
    _ field: ContractField, _ text: ArraySlice<UInt8>, _ conversion: Conversion,
    _ builder: inout EventBatchBuilder
  ) -> String? {
    switch field {
    case .text(let field): builder.set(field, bytes: text)
    case .integer(let integer):
      if integer.isBoolean {
        guard let flag = Self.flags[String(decoding: text, as: UTF8.self).lowercased()] else {
          return "true or false"
        }
        builder.set(integer, flag)
      } else {
        guard let value = count(text, conversion) else { return field.expectation }
        builder.set(integer, value)
      }
    case .real(let real):
      guard let value = number(text, conversion) else { return field.expectation }
      builder.set(real, value)
    case .money(let money):
      return set(money, text, conversion, &builder)
    case .time, .until:
      guard case .time(let pattern, let minus) = conversion else { return field.expectation }
      guard let time = pattern.read(text), let start = begin(time, minus) else {
        return pattern.expectation
      }
      if field == .time { builder.setTime(start) } else { builder.setUntil(start) }
    }
    return nil
  }

  private static let flags: [String: Int64] = [
    "true": 1, "yes": 1, "1": 1, "false": 0, "no": 0, "0": 0,
  ]

  private func count(_ text: ArraySlice<UInt8>, _ conversion: Conversion) -> Int64? {
    guard case .scale(let power, _) = conversion else { return DecimalReading.integer(text) }
    return DecimalReading.integer(text, scale: power)
  }

  private func number(_ text: ArraySlice<UInt8>, _ conversion: Conversion) -> Double? {
    switch conversion {
    case .duration: return MappedUnits.milliseconds(text)
    case .scale(let power, let factor):
      guard let value = DecimalReading.double(text, scale: power) else { return nil }
      let scaled = value * Double(factor)
      return scaled.isFinite ? scaled : nil
    default: return DecimalReading.double(text)
    }
  }

  /// The time less the duration at a path; nil where that is no number. An absent one is nothing.
  private func begin(_ time: Int64, _ minus: DurationSource?) -> Int64? {
    guard let minus, let text = record.values[minus.path]?.bytes else { return time }
    guard let scaled = DecimalReading.rounded(text, scale: minus.power) else { return nil }
    let (length, overflow) = scaled.multipliedReportingOverflow(by: minus.factor)
    let (start, under) = time.subtractingReportingOverflow(length)
    return overflow || under ? nil : start
  }

  private func set(
    _ field: MoneyField, _ text: ArraySlice<UInt8>, _ conversion: Conversion,
    _ builder: inout EventBatchBuilder
  ) -> String? {
    var unit = MoneyUnit()
    if case .money(let named) = conversion { unit = named }
    var times: Int64?
    if let path = unit.times {
      // Without the count the amount is unknown.
      guard let text = record.values[path]?.bytes else { return nil }
      guard let count = DecimalReading.integer(text), count >= 0 else {
        return "a price beside an integer of at least 0 at \(mapping.paths[path].text)"
      }
      times = count
    }
    guard let amount = MappedUnits.picodollars(text, unit, count: times) else {
      return ContractField.money(field).expectation
    }
    builder.set(field, picodollars: amount)
    return nil
  }

  private func excerpt(_ text: ArraySlice<UInt8>) -> String {
    String(decoding: text.prefix(256), as: UTF8.self).excerpted
  }
}

extension String {
  /// At most 64 characters, with what does not print escaped.
  fileprivate var excerpted: String { Excerpt.shortened(self) }
}
