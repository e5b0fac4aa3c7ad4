internal import FarthingCore
internal import FarthingStore

/// The calls of LiteLLM's proxy by which keys are found, blocked, unblocked and asked after.
///
/// Source: `litellm/proxy/management_endpoints/key_management_endpoints.py` of LiteLLM 1.106. Keys are known
/// there by the SHA-256 of their text, so that no key stands in a URL; an alias is looked up first.
package enum LiteLLMKeys {
  /// One call of the proxy.
  package struct Call: Sendable, Equatable {
    /// Behind the proxy's own address.
    package var path: String
    /// `name=value`, escaped; empty for none.
    package var query = ""
    /// JSON of a POST; nil for a GET.
    package var body: [UInt8]?
  }

  /// How an identity names a key.
  package enum Name: Sendable, Equatable {
    /// By the hash that the proxy keeps of it, in hexadecimal.
    case hash(String)
    case alias(String)
  }

  /// An identity is a key's hash, a key itself, whose hash is taken, or else an alias.
  package static func name(of identity: String) -> Name {
    let bytes = Array(identity.utf8)
    if bytes.count == 64, bytes.allSatisfy(isHexadecimal) { return .hash(identity.lowercased()) }
    if identity.hasPrefix("sk-") {
      return .hash(SHA256Digest(hashing: bytes.span).hexadecimal)
    }
    return .alias(identity)
  }

  /// Looks an alias up. Older versions of the proxy take it for a part of one, so ``hash(in:of:)`` compares.
  package static func lookUp(_ alias: String) -> Call {
    Call(
      path: "/key/list", query: "return_full_object=true&size=100&key_alias=\(escaped(alias))")
  }

  /// The hash of the one key that has the target's alias.
  ///
  /// - Throws: ``HookObjection`` where none has it, several have, or the key is nobody's whom a tenant could
  ///   be told by: it may serve other tenants too.
  package static func hash(
    in answer: [UInt8], of target: IsolationTarget
  ) throws(HookObjection) -> String {
    guard let tree = try? JSONTree(answer), let keys = tree.root["keys"], keys.isArray else {
      throw HookObjection("its answer to /key/list is no list of keys")
    }
    let found = keys.elements.filter { $0["key_alias"]?.text == target.value }
    if found.isEmpty, let pages = tree.root["total_pages"]?.integer, pages > 1 {
      throw HookObjection("more keys than one page holds have such an alias")
    }
    guard let key = found.first else { throw HookObjection("no key has this alias") }
    guard found.count == 1 else { throw HookObjection("\(found.count) keys have this alias") }
    guard let hash = key["token"]?.text, case .hash(let known) = name(of: hash) else {
      throw HookObjection("its answer to /key/list has no hash of the key")
    }
    if target.tenant != nil, key["team_id"]?.text == nil, key["organization_id"]?.text == nil {
      throw HookObjection(
        "the key belongs to no team and no organization, so it may serve other tenants than the one meant"
      )
    }
    return known
  }

  package static func change(_ hash: String, blocks: Bool) -> Call {
    var writer = JSONWriter()
    writer.object { $0.member("key", hash) }
    return Call(path: blocks ? "/key/block" : "/key/unblock", body: writer.bytes)
  }

  package static func state(of hash: String) -> Call {
    Call(path: "/key/info", query: "key=\(hash)")
  }

  /// Whether a key is blocked, by the answer to ``state(of:)``; nil where it does not say.
  package static func isBlocked(_ answer: [UInt8]) -> Bool? {
    guard let info = (try? JSONTree(answer))?.root["info"], info.isObject else { return nil }
    // A key that was never blocked has none.
    return info["blocked"]?.boolean ?? false
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }

  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var escaped = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
        escaped.unicodeScalars.append(Unicode.Scalar(byte))
      default: escaped += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
    return escaped
  }
}
