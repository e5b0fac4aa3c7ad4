internal import FarthingStore

/// The keys by which a receiver knows that a notification is ours, and that it is new.
///
/// Source: Standard Webhooks, specification 1.0, "Signature scheme": HMAC-SHA256 over the id, the time
/// of the attempt and the body, with dots between them. Several keys give several signatures, so that
/// a key can be exchanged while the receiver still knows the old one.
package struct WebhookKeys: Sendable {
  private let keys: [[UInt8]]

  package static let expectation =
    "whsec_ and the key in base64, 16 to 64 bytes of it, as "
    + "\"echo whsec_$(openssl rand -base64 32)\" makes it; several keys stand on lines of their own"

  /// Reads a secret's text: one key a line, the first the newest.
  ///
  /// - Returns: nil where a line is no key, or none is there.
  package init?(_ text: some StringProtocol) {
    var keys: [[UInt8]] = []
    for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }) {
      let word = String(line.filter { $0 != " " && $0 != "\t" })
      if word.isEmpty { continue }
      guard word.hasPrefix("whsec_"), let key = Base64.bytes(word.dropFirst(6)),
        (16...64).contains(key.count)
      else { return nil }
      keys.append(key)
    }
    guard (1...4).contains(keys.count) else { return nil }
    self.keys = keys
  }

  /// The header fields of one attempt.
  ///
  /// - Parameters:
  ///   - id: the same for all attempts.
  ///   - time: Unix seconds of this attempt.
  /// - Returns: nil where there is no memory for it.
  package func fields(id: String, time: Int64, body: [UInt8]) -> [(name: String, value: String)]? {
    let signed = Array("\(id).\(time).".utf8) + body
    var signatures: [String] = []
    for key in keys {
      guard let code = MessageAuthentication.sha256(signed, key: key) else { return nil }
      signatures.append("v1," + Base64.text(code))
    }
    return [
      ("webhook-id", id), ("webhook-timestamp", "\(time)"),
      ("webhook-signature", signatures.joined(separator: " ")),
    ]
  }
}
