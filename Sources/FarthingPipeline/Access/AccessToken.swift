package import FarthingStore

/// A token as the configuration knows it: who it is of and what it may, never the token itself.
package struct AccessToken: Sendable, Equatable {
  /// What messages, metrics and logs call its holder; unique among the tokens.
  package var name: String
  /// The digest of the token's text.
  package var digest: SHA256Digest
  package var scopes: AccessScopes
  package var allowance: AccessAllowance
  /// Unix nanoseconds from which it admits nothing any more; nil for a token without an end.
  package var expires: Int64?

  package init(
    name: String, digest: SHA256Digest, scopes: AccessScopes,
    allowance: AccessAllowance = AccessAllowance(), expires: Int64? = nil
  ) {
    self.name = name
    self.digest = digest
    self.scopes = scopes
    self.allowance = allowance
    self.expires = expires
  }
}

/// How much the holder of one token may ask for.
package struct AccessAllowance: Sendable, Equatable {
  /// Most of `requestsPerSecond` and `eventsPerSecond`.
  package static let greatestRate = 10_000_000
  /// Most of `burstSeconds`.
  package static let greatestBurst = 600

  /// Calls a second in the long run; nil for any number.
  package var requestsPerSecond: Int?
  /// Events a second in the long run; nil for any number.
  package var eventsPerSecond: Int?
  /// For how many seconds of the rates a caller that was quiet may ask at once.
  package var burstSeconds = 10
  /// Events from one midnight UTC to the next; nil for any number.
  package var eventsPerDay: Int?

  package init(
    requestsPerSecond: Int? = nil, eventsPerSecond: Int? = nil, burstSeconds: Int = 10,
    eventsPerDay: Int? = nil
  ) {
    self.requestsPerSecond = requestsPerSecond
    self.eventsPerSecond = eventsPerSecond
    self.burstSeconds = burstSeconds
    self.eventsPerDay = eventsPerDay
  }
}

/// The texts of tokens.
package enum TokenText {
  /// How a token of ours begins, so that scanners for leaked secrets know it.
  package static let prefix = "frt_"
  /// Least bytes of a token that somebody chose: a digest without a salt does not protect a short one.
  package static let leastLength = 20
  /// Most bytes of a token; a longer one is refused before it is hashed.
  package static let greatestLength = 512

  /// A new token: the prefix and 32 random bytes in base64url, 47 characters.
  ///
  /// - Parameter generator: Has to be one that cannot be foretold, such as the system's.
  package static func make(using generator: inout some RandomNumberGenerator) -> String {
    let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
    return prefix + base64url(bytes)
  }

  /// The digest that a configuration holds of a token.
  package static func digest(of token: some StringProtocol) -> SHA256Digest {
    SHA256Digest(hashing: Array(token.utf8).span)
  }

  /// Whether the text can be sent as a bearer token: `b64token` of RFC 6750, §2.1.
  package static func isWellFormed(_ token: some StringProtocol) -> Bool {
    let bytes = token.utf8
    guard (1...greatestLength).contains(bytes.count) else { return false }
    return bytes.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
        UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
        true
      default: false
      }
    }
  }

  /// Base64 with `-` and `_`, without padding. Source: RFC 4648, §5.
  static func base64url(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var result: [UInt8] = []
    var held: UInt32 = 0
    var bits: UInt32 = 0
    for byte in bytes {
      held = held << 8 | UInt32(byte)
      bits += 8
      while bits >= 6 {
        bits -= 6
        result.append(alphabet[Int(held >> bits & 63)])
      }
      held &= (1 << bits) - 1
    }
    if bits > 0 { result.append(alphabet[Int(held << (6 - bits) & 63)]) }
    return String(decoding: result, as: UTF8.self)
  }
}
