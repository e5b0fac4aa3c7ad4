internal import FarthingCore
package import FarthingQuery
internal import FarthingStore
internal import Yams

// Reads a mapping file. Reading goes on after a fault: all of them are reported at once, each with
// its line.

/// One thing wrong with a mapping file.
package struct MappingFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file's name.
  package let file: String
  /// 1-based; nil where the fault has no line.
  package let line: Int?
  /// A sentence without its place and without a full stop.
  package let message: String

  package var description: String {
    line.map { "\(file) line \($0): \(message)" } ?? "\(file): \(message)"
  }
}

/// All faults of a mapping file that was refused.
package struct MappingRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one, by line.
  package let faults: [MappingFault]

  package var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// Reads mapping files.
package struct MappingFile {
  /// Most bytes of a mapping file.
  package static let limit = 1 << 20
  /// Nodes beyond which a file is refused: aliases can make a small file a large tree.
  static let nodeLimit = 20_000

  let file: String
  let zone: (String) -> TimeZoneRules?
  var mapping: Mapping
  private(set) var faults: [MappingFault] = []
  var pathNumbers: [String: Int] = [:]

  /// Reads and checks a whole file.
  ///
  /// - Parameters:
  ///   - file: what messages call it.
  ///   - zone: the rules of a time zone by its name; nil where there is none of that name.
  /// - Throws: `MappingRefusal` with every fault.
  package static func parse(
    _ bytes: [UInt8], file: String, zone: @escaping (String) -> TimeZoneRules? = { _ in nil }
  ) throws(MappingRefusal) -> Mapping {
    var reader = MappingFile(file: file, zone: zone)
    reader.read(bytes)
    guard reader.faults.isEmpty else {
      throw MappingRefusal(faults: reader.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
    }
    return reader.mapping
  }

  private init(file: String, zone: @escaping (String) -> TimeZoneRules?) {
    self.file = file
    self.zone = zone
    var stem = file[...]
    if let slash = stem.lastIndex(of: "/") { stem = stem[stem.index(after: slash)...] }
    if let dot = stem.firstIndex(of: "."), dot > stem.startIndex { stem = stem[..<dot] }
    mapping = Mapping(name: String(stem), format: .json)
  }

  mutating func fault(_ node: Node?, _ message: String) {
    faults.append(MappingFault(file: file, line: node?.mark?.line, message: message))
  }

  private static let keys = [
    "name", "format", "pattern", "csv", "absent", "extract", "skip_when", "type", "fields",
  ]

  private mutating func read(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self), bytes.count <= Self.limit else {
      fault(nil, "expected UTF-8 text of at most 1 MiB")
      return
    }
    let root: Node
    do {
      guard let composed = try Yams.compose(yaml: text) else {
        fault(nil, "nothing is in it; expected a mapping with \"fields\", see docs/mappings.md")
        return
      }
      root = composed
    } catch {
      faults.append(syntaxFault(error))
      return
    }
    guard Self.size(root, limit: Self.nodeLimit) < Self.nodeLimit else {
      fault(nil, "it has more than \(Self.nodeLimit) values; a mapping needs some dozens")
      return
    }
    guard let members = members(of: root, "the file", allowed: Self.keys) else { return }
    readHead(members)
    // Extractions make paths, which the conditions and fields then name.
    if let node = members["extract"] { readExtractions(node) }
    if let node = members["skip_when"] {
      for condition in elements(node) {
        if let skip = skipCondition(condition) { mapping.skips.append(skip) }
      }
    }
    if let node = members["type"] { readKind(node) }
    if let node = members["fields"] {
      readFields(node)
    } else {
      fault(root, "\"fields\" is missing: which path fills which field")
    }
    checkPaths(members["fields"] ?? root)
  }

  private static func size(_ node: Node, limit: Int) -> Int {
    var count = 1
    switch node {
    case .mapping(let mapping):
      for (key, value) in mapping where count < limit {
        count += size(key, limit: limit - count) + size(value, limit: limit - count)
      }
    case .sequence(let sequence):
      for value in sequence where count < limit { count += size(value, limit: limit - count) }
    default: break
    }
    return count
  }

  private func syntaxFault(_ error: any Error) -> MappingFault {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      MappingFault(file: file, line: mark.line, message: "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      MappingFault(
        file: file, line: context.mark.line,
        message:
          "\(duplicates.map { "\"\($0)\"" }.joined(separator: ", ")) is given twice; keep one")
    default:
      MappingFault(file: file, line: nil, message: "not YAML")
    }
  }

  // MARK: The head

  private mutating func readHead(_ members: [String: Node]) {
    if let node = members["name"], let name = text(node, "name") {
      if name.utf8.count > 64 || name.unicodeScalars.contains(where: EventLimits.forbids) {
        fault(node, "name is to have at most 64 bytes and no control characters")
      } else {
        mapping.name = name
      }
    }
    let formats = ["json", "logfmt", "csv", "text"]
    let word = members["format"].flatMap { text($0, "format") } ?? "json"
    if !formats.contains(word) { unknown("format", word, members["format"], among: formats) }
    if word == "text" {
      // A line that a log format fills with `-` where it knows nothing is the rule there.
      mapping.absent = [[], [UInt8(ascii: "-")]]
      if let node = members["pattern"] {
        if let pattern = pattern(node, "pattern") {
          if pattern.groups.isEmpty {
            fault(node, "the pattern has no named group; write (?<name>…) for what fields use")
          }
          mapping.format = .text(pattern)
        }
      } else {
        fault(
          members["format"], "format text needs \"pattern\", a regular expression over the line")
      }
    } else if let node = members["pattern"] {
      fault(node, "pattern belongs to format text; this one is \(word)")
    }
    if word == "csv" {
      mapping.format = .csv(dialect(members["csv"]))
    } else if let node = members["csv"] {
      fault(node, "csv belongs to format csv; this one is \(word)")
    }
    if word == "logfmt" { mapping.format = .logfmt }
    if let node = members["absent"] {
      mapping.absent =
        [[]] + elements(node).compactMap { text($0, "absent").map { Array($0.utf8) } }
    }
  }

  private mutating func dialect(_ node: Node?) -> CSVDialect {
    var dialect = CSVDialect()
    guard let node,
      let members = members(
        of: node, "csv",
        allowed: ["separator", "quote", "header", "columns", "skip_lines", "comment"])
    else { return dialect }
    if let node = members["separator"] { dialect.separator = byte(node, "separator") ?? 0x2C }
    if let node = members["quote"] {
      dialect.quote = isNull(node) || node.string == "none" ? nil : byte(node, "quote")
    }
    if let node = members["comment"] { dialect.comment = byte(node, "comment") }
    if let node = members["header"] {
      if let flag = node.bool {
        dialect.hasHeader = flag
      } else {
        fault(node, "header is true or false: whether the first record names the columns")
      }
    }
    if let node = members["columns"] {
      dialect.columns = elements(node).compactMap { text($0, "columns") }
      if members["header"] == nil { dialect.hasHeader = false }
      if dialect.hasHeader {
        fault(node, "columns are named by the header; give one of the two, or header: false")
      }
    }
    if let node = members["skip_lines"] {
      guard let count = node.int, (0...10_000).contains(count) else {
        fault(node, "skip_lines is a whole number from 0 to 10000")
        return dialect
      }
      dialect.skippedLines = count
    }
    if dialect.separator == dialect.quote {
      fault(node, "separator and quote are the same character")
    }
    return dialect
  }

  private mutating func byte(_ node: Node, _ key: String) -> UInt8? {
    guard let text = text(node, key) else { return nil }
    let words: [String: UInt8] = ["tab": 0x09, "\\t": 0x09, "space": 0x20]
    if let byte = words[text] { return byte }
    guard text.utf8.count == 1, let byte = text.utf8.first, byte != 0x0A, byte != 0x0D else {
      fault(node, "\(key) is one character of ASCII, or tab; not \"\(text.printable)\"")
      return nil
    }
    return byte
  }

  private mutating func readExtractions(_ node: Node) {
    for element in elements(node) {
      guard
        let members = members(of: element, "an extraction", allowed: ["path", "pattern"])
      else { continue }
      guard let pathNode = members["path"], let patternNode = members["pattern"] else {
        fault(element, "an extraction needs \"path\" and \"pattern\"")
        continue
      }
      guard let path = path(pathNode), let pattern = pattern(patternNode, "pattern") else {
        continue
      }
      if pattern.groups.isEmpty {
        fault(patternNode, "the pattern has no named group; write (?<name>…) for each new path")
      }
      let groups = pattern.groups.compactMap { name, number -> (group: Int, path: Int)? in
        self.number(of: name).map { (number, $0) }
      }
      mapping.extractions.append(
        Mapping.Extraction(path: path, pattern: pattern, groups: groups))
    }
  }

  private mutating func readKind(_ node: Node) {
    if let word = node.string, node.mapping == nil {
      guard let kind = MappingCollector.kinds[word] else {
        unknown("type", word, node, among: MappingCollector.kinds.keys.sorted())
        return
      }
      mapping.kind = .constant(kind)
    } else if let members = members(of: node, "type", allowed: Self.valueKeys),
      let rule = valueRule(node, members, "type")
    {
      mapping.kind = .rule(rule)
    }
  }

  /// Text has only the groups of its pattern, and CSV without a header only numbered columns.
  private mutating func checkPaths(_ node: Node) {
    let extracted = mapping.extractedPaths
    let known: [String]
    switch mapping.format {
    case .text(let pattern): known = pattern.groups.map(\.name)
    case .csv(let dialect) where !dialect.hasHeader && !dialect.columns.isEmpty:
      known = dialect.columns
    case .csv(let dialect) where !dialect.hasHeader:
      for (place, path) in mapping.paths.enumerated() where !extracted.contains(place) {
        guard let number = Int(path.text), number >= 1 else {
          fault(
            node, "path \"\(path.text.printable)\": columns without names are numbered from 1")
          continue
        }
      }
      return
    default: return
    }
    for (place, path) in mapping.paths.enumerated()
    where !extracted.contains(place) && !known.contains(path.text) {
      let hint =
        Suggestion.nearest(to: path.text, among: known).map { "did you mean \"\($0)\"?" }
        ?? "there are \(known.joined(separator: ", "))"
      fault(node, "path \"\(path.text.printable)\" is no group or column of this format; \(hint)")
    }
  }

  // MARK: Nodes

  mutating func members(
    of node: Node, _ what: String, allowed: [String]?
  ) -> [String: Node]? {
    guard let mapping = node.mapping else {
      fault(node, "\(what): expected a mapping of keys to values")
      return nil
    }
    var result: [String: Node] = [:]
    for (key, value) in mapping {
      let name = key.string ?? ""
      if let allowed, !allowed.contains(name) {
        unknown("key", name, key, among: allowed)
      } else {
        result[name] = value
      }
    }
    return result
  }

  mutating func unknown(_ what: String, _ word: String, _ node: Node?, among known: [String]) {
    let hint =
      Suggestion.nearest(to: word, among: known).map { "did you mean \"\($0)\"?" }
      ?? "expected one of \(known.joined(separator: ", "))"
    fault(node, "unknown \(what) \"\(word.printable)\"; \(hint)")
  }

  /// The elements of a list, or the one value that stands where a list may.
  func elements(_ node: Node) -> [Node] { node.sequence.map(Array.init) ?? [node] }

  func isNull(_ node: Node) -> Bool { node.scalar != nil && node.null != nil }

  /// The text of a scalar; numbers and words such as `true` as they are written.
  mutating func text(_ node: Node, _ key: String) -> String? {
    guard let scalar = node.scalar else {
      fault(node, "\(key): expected one value")
      return nil
    }
    return scalar.string
  }

  mutating func pattern(_ node: Node, _ key: String) -> LinePattern? {
    guard let text = text(node, key) else { return nil }
    do {
      return try LinePattern(text)
    } catch {
      fault(node, "\(key): \(error.message) at character \(error.offset + 1) of the expression")
      return nil
    }
  }

  /// The number of the path that a node names.
  mutating func path(_ node: Node) -> Int? {
    guard let text = text(node, "path") else { return nil }
    guard let number = number(of: text) else {
      fault(
        node,
        "path \"\(text.printable)\" is not of the form a.b[0].c; a backslash takes a dot as it is")
      return nil
    }
    return number
  }

  mutating func number(of text: String) -> Int? {
    if let number = pathNumbers[text] { return number }
    guard let path = MappedPath(text) else { return nil }
    pathNumbers[text] = mapping.paths.count
    mapping.paths.append(path)
    return mapping.paths.count - 1
  }
}

extension String {
  /// The text with what does not print escaped, at most 64 characters of it.
  var printable: String { Excerpt.shortened(self) }
}
