internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore
internal import Yams

/// The elements of `access.tokens`.
enum TokenSettings {
  /// A token while it is read.
  struct Draft: Sendable {
    var name: String?
    var digest: SHA256Digest?
    var scopes: AccessScopes?
    var allowance = AccessAllowance()
    var expires: Int64?
  }

  static let hashExpectation =
    "sha256: and 64 hexadecimal digits, as farthing token create or farthing token hash prints; "
    + "never the token itself"

  static let all: [Setting<Draft>] = [
    .value(
      "name", \.name, expected: "1 to 64 letters, digits, dots, dashes and underscores",
      parse: { name($0).map { .some($0) } }),
    .value(
      "hash", \.digest, expected: hashExpectation, isSecret: true,
      parse: { digest($0).map { .some($0) } }),
    .node("scopes", \.scopes, read: { scopes(&$0, $1) }),
    .optionalWhole("requests_per_second", \.allowance.requestsPerSecond, 1...greatestRate),
    .optionalWhole("events_per_second", \.allowance.eventsPerSecond, 1...greatestRate),
    .whole("burst_s", \.allowance.burstSeconds, 1...AccessAllowance.greatestBurst),
    .optionalWhole("events_per_day", \.allowance.eventsPerDay, 1...1_000_000_000_000),
    .value(
      "expires", \.expires, expected: "a date or an RFC 3339 time, such as 2027-01-31",
      parse: { CivilTime.parse($0).map { .some($0) } }),
  ]

  private static let greatestRate = AccessAllowance.greatestRate

  /// `name` is what metrics and logs say, so it is plain.
  static func name(_ text: String) -> String? {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
      case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    }
    return isPlain && (1...64).contains(text.utf8.count) && !text.hasPrefix("frt_") ? text : nil
  }

  static func digest(_ text: String) -> SHA256Digest? {
    text.hasPrefix("sha256:") ? SHA256Digest(hexadecimal: text.dropFirst(7)) : nil
  }

  /// One scope or a list of them.
  static func scopes(_ reader: inout SettingReader, _ node: Node) -> AccessScopes? {
    var scopes: [AccessScope] = []
    for element in reader.elements(node) {
      guard let word = reader.text(element) else { continue }
      guard let scope = AccessScope(rawValue: word) else {
        let names = AccessScope.allCases.map(\.rawValue)
        let near = Suggestion.nearest(to: word, among: names).map { "; did you mean \($0)?" } ?? ""
        reader.fault(
          element,
          "\(reader.path) \(word.shownValue): expected one of \(names.joined(separator: ", "))\(near)"
        )
        return nil
      }
      scopes.append(scope)
    }
    return AccessScopes(scopes)
  }

  static func tokens(_ reader: inout SettingReader, _ node: Node) -> [AccessToken]? {
    guard let sequence = node.sequence else {
      if node.scalar?.string.isEmpty == true { return [] }
      reader.fault(
        node, "\(reader.path): expected a list, each with name, hash and scopes behind a dash")
      return nil
    }
    guard sequence.count <= AccessPolicy.tokenLimit else {
      reader.fault(node, "\(reader.path): more than \(AccessPolicy.tokenLimit) tokens")
      return nil
    }
    var tokens: [AccessToken] = []
    var names: Set<String> = []
    var digests: Set<String> = []
    let outer = reader.path
    defer { reader.path = outer }
    for (index, element) in sequence.enumerated() {
      reader.path = "\(outer)[\(index + 1)]"
      let before = reader.faults.count
      var draft = Draft()
      reader.read(element, all, into: &draft)
      guard reader.faults.count == before else { continue }
      guard let name = draft.name, let digest = draft.digest, let scopes = draft.scopes,
        scopes != []
      else {
        reader.fault(element, "\(reader.path): expected name, hash and at least one of scopes")
        continue
      }
      if !names.insert(name).inserted {
        reader.fault(element, "\(reader.path): the name \"\(name)\" is given twice; keep one")
      }
      if !digests.insert(digest.hexadecimal).inserted {
        reader.fault(
          element, "\(reader.path): the hash of \"\(name)\" is that of another token too")
      }
      tokens.append(
        AccessToken(
          name: name, digest: digest, scopes: scopes, allowance: draft.allowance,
          expires: draft.expires))
    }
    return tokens
  }
}

/// Registries that stand in the configuration or in a file of their own.
enum RegistrySetting {
  static func sites(_ reader: inout SettingReader, _ node: Node) -> Listing<SiteRegistry>? {
    guard let list = list(&reader, node, keys: SiteRegistry.keys) else {
      return file(&reader, node)
    }
    var registry = SiteRegistry()
    for element in list {
      let entry = entry(&reader, element) { SiteRegistry.entry($0, fault: $1) }
      if let entry, !registry.add(entry) {
        reader.fault(
          element, "\(reader.path): \(entry.site.shownValue) is given twice, or one site too many")
      }
    }
    return .given(registry)
  }

  static func calendar(_ reader: inout SettingReader, _ node: Node) -> Listing<EventCalendar>? {
    guard let list = list(&reader, node, keys: EventCalendar.keys) else {
      return file(&reader, node)
    }
    return .given(
      EventCalendar(
        list.compactMap { element in
          entry(&reader, element) { EventCalendar.entry($0, fault: $1) }
        }))
  }

  static func texts(_ reader: inout SettingReader, _ node: Node) -> [String]? {
    reader.elements(node).compactMap { reader.text($0) }
  }

  private static func file<Value>(
    _ reader: inout SettingReader, _ node: Node
  ) -> Listing<Value>? {
    if node.mapping != nil {
      reader.fault(node, "\(reader.path): expected a file's name or a list")
      return nil
    }
    return reader.text(node).map { .file($0) }
  }

  /// The mappings of a list whose keys are known; nil where the node is no list.
  private static func list(
    _ reader: inout SettingReader, _ node: Node, keys: [String]
  ) -> [Node]? {
    guard let sequence = node.sequence else { return nil }
    var result: [Node] = []
    for element in sequence {
      guard let mapping = element.mapping else {
        reader.fault(
          element,
          "\(reader.path): expected a mapping with \(keys.prefix(4).joined(separator: ", "))")
        continue
      }
      var isSound = true
      for (key, value) in mapping {
        let word = key.scalar?.string ?? ""
        reader.seen.insert("\(reader.path).\(word)")
        if !keys.contains(word) {
          let near = Suggestion.nearest(to: word, among: keys).map { reader.name(of: $0) }
          let hint =
            near.map { "did you mean \"\($0)\"?" } ?? "docs/farthing.yaml lists all settings"
          reader.fault(key, "unknown setting \(reader.name(of: word).shownValue); \(hint)")
          isSound = false
        } else if value.scalar == nil {
          reader.fault(value, "\(reader.name(of: word)): expected one value")
          isSound = false
        }
      }
      if isSound { result.append(element) }
    }
    return result
  }

  private static func entry<Entry>(
    _ reader: inout SettingReader, _ element: Node,
    _ parse: ((String) -> String?, (String) -> Void) -> Entry?
  ) -> Entry? {
    var messages: [String] = []
    let entry = parse(
      { key in
        let text = element.mapping?.first { $0.key.scalar?.string == key }?.value.scalar?.string
        return text.flatMap { $0.isEmpty ? nil : $0 }
      }, { messages.append($0) })
    for message in messages { reader.fault(element, "\(reader.path): \(message)") }
    return entry
  }
}
