internal import FarthingPipeline
internal import FarthingStore

/// Secrets that stand in files: read, never shown.
package enum SecretText {
  /// Most bytes of such a file.
  static let limit = 1 << 16

  /// The token that a file holds, without the line end behind it.
  ///
  /// - Throws: ``CommandFailure`` with status 2 where the file cannot be read or holds no token. Nothing
  ///   of its contents is in the message.
  package static func token(file: String) throws(CommandFailure) -> String {
    let bytes: [UInt8]
    do {
      bytes = try WholeInput.bytes(of: file, limit: limit)
    } catch {
      throw .usage("the token file: \(error.message)")
    }
    return try token(of: bytes, place: file)
  }

  static func token(of bytes: [UInt8], place: String) throws(CommandFailure) -> String {
    var token = bytes[...]
    while let last = token.last, [0x0A, 0x0D, 0x20].contains(last) { token.removeLast() }
    let text = String(decoding: token, as: UTF8.self)
    guard TokenText.isWellFormed(text) else {
      throw .usage(
        "\(place) holds no token (withheld): expected 1 to \(TokenText.greatestLength) letters, "
          + "digits and -._~+/= on one line and nothing else")
    }
    return text
  }
}
