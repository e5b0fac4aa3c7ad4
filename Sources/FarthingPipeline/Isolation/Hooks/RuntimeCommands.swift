/// The commands of HAProxy's runtime interface by which a target is entered into a map, taken out of it and
/// looked up, or a server is put into maintenance; and what its answers mean.
///
/// Source: HAProxy 2.6, Management Guide, 9.3. A command is a line; blanks, semicolons, backslashes and quotes
/// have a meaning in it, `#` names an entry by its address, `<<` begins a block. A word that has any of them is
/// refused rather than escaped: releases differ in what they escape.
package struct RuntimeCommands: Sendable, Equatable {
  /// What is changed for a target.
  package enum Place: Sendable, Equatable {
    /// An entry of a map whose value says what is done.
    case entry(map: String, key: String, value: String)
    /// A server of a backend, by its name.
    case server(backend: String, name: String)
  }

  /// Where a hook's settings put an action on a dimension: map DIMENSION for isolation, DIMENSION_degrade and
  /// DIMENSION_throttle for these, and for endpoints that are servers the backend that endpoint_server names.
  package static func setting(
    of action: IsolationAction, on dimension: IsolationTarget.Dimension
  ) -> [String] {
    switch action {
    case .observe: []
    case .isolate: [dimension.rawValue, dimension.rawValue + "_server"]
    case .degrade, .throttle: ["\(dimension.rawValue)_\(action.word)"]
    }
  }

  /// - Throws: ``HookObjection`` where the target cannot be written as a word, or no map is configured for it.
  package static func place(
    of order: IsolationOrder, maps: [String: String]
  ) throws(HookObjection) -> Place {
    let target = order.target
    let names = setting(of: order.action, on: target.dimension)
    guard let name = names.first(where: { maps[$0] != nil }), let place = maps[name] else {
      throw HookObjection(
        "no map is configured for \(order.action.word) on \(target.dimension.rawValue)")
    }
    try check(place, "the map's name", allowsReference: true)
    try check(target.value, "the \(target.dimension.rawValue)")
    if name.hasSuffix("_server") {
      guard target.tenant == nil else {
        throw HookObjection("a server has no tenants, and only one tenant's calls are meant")
      }
      guard !target.value.contains("/") else {
        throw HookObjection("the endpoint is no name of a server")
      }
      return .server(backend: place, name: target.value)
    }
    var key = target.value
    if let tenant = target.tenant {
      try check(tenant, "the tenant")
      guard !tenant.contains("|") else { throw HookObjection("the tenant has a vertical bar") }
      key = "\(tenant)|\(target.value)"
    } else if key.contains("|") {
      throw HookObjection(
        "the \(target.dimension.rawValue) has a vertical bar, as entries of one tenant have")
    }
    let value: String
    switch order.action {
    case .degrade(let model?):
      try check(model, "the model")
      value = model
    case .throttle(let calls): value = "\(calls)"
    default: value = order.action.word
    }
    return .entry(map: place, key: key, value: value)
  }

  private static func check(
    _ word: String, _ what: String, allowsReference: Bool = false
  ) throws(HookObjection) {
    guard (1...512).contains(word.utf8.count) else {
      throw HookObjection("\(what) has not 1 to 512 bytes")
    }
    for byte in word.utf8 {
      switch byte {
      case 0...0x20, 0x7F, UInt8(ascii: ";"), UInt8(ascii: "\\"), UInt8(ascii: "\""),
        UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"):
        throw HookObjection(
          "\(what) has a blank, a control character or one of ; \\ \" ' < >, which mean something to HAProxy"
        )
      default: break
      }
    }
    let isReference = word.hasPrefix("#") && !allowsReference
    if isReference || word.hasPrefix("@") {
      throw HookObjection("\(what) begins with # or @, which mean something to HAProxy")
    }
  }

  // MARK: Maps

  package static func change(_ map: String, _ key: String, to value: String) -> String {
    "set map \(map) \(key) \(value)"
  }

  package static func add(_ map: String, _ key: String, _ value: String) -> String {
    "add map \(map) \(key) \(value)"
  }

  package static func remove(_ map: String, _ key: String) -> String { "del map \(map) \(key)" }

  package static func lookUp(_ map: String, _ key: String) -> String { "get map \(map) \(key)" }

  /// Whether an answer to ``change(_:_:to:)`` or ``remove(_:_:)`` says that there is no such entry.
  package static func saysNotFound(_ answer: String) -> Bool {
    let said = answer.lowercased()
    return said.hasPrefix("entry not found") || said.hasPrefix("key not found")
  }

  /// Whether an answer to ``lookUp(_:_:)`` names this very entry; nil where it is none of both.
  package static func holds(_ answer: String, _ key: String, _ value: String) -> Bool? {
    if answer.contains("found=no") { return false }
    guard answer.contains("found=yes") else { return nil }
    return answer.contains("key=\"\(key)\", value=\"\(value)\"")
  }

  // MARK: Servers

  package static func servers(_ backend: String) -> String { "show servers state \(backend)" }

  package static func disable(_ backend: String, _ name: String) -> String {
    "disable server \(backend)/\(name)"
  }

  package static func enable(_ backend: String, _ name: String) -> String {
    "enable server \(backend)/\(name)"
  }

  /// The servers of an answer to ``servers(_:)`` and whether each takes calls.
  ///
  /// - Returns: nil for an answer that is no such list.
  package static func takesCalls(_ answer: String) -> [String: Bool]? {
    var servers: [String: Bool] = [:]
    var columns: [Substring] = []
    for line in answer.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      if words.first == "#" {
        columns = Array(words.dropFirst())
        continue
      }
      guard let name = columns.firstIndex(of: "srv_name"),
        let operation = columns.firstIndex(of: "srv_op_state"),
        let administration = columns.firstIndex(of: "srv_admin_state"),
        words.count > max(name, operation, administration),
        let forced = Int(words[administration])
      else { continue }
      // Bits 0 and 5: maintenance by hand, or of the resolver; 2 is a running server.
      servers[String(words[name])] = words[operation] == "2" && forced & 0x21 == 0
    }
    return columns.isEmpty ? nil : servers
  }
}
