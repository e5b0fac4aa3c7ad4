// SHA-256 of OpenSSL's libcrypto, for what has to be known again without being kept: tokens.
//
// Unsafe because: the call takes a pointer and a count for what it reads, and a pointer to where it
// puts 32 bytes ("at md, which must have space for SHA256_DIGEST_LENGTH == 32 bytes of output",
// SHA256(3)). Both come from a span and an array that live through the call, and no pointer
// outlives it.

internal import CCrypto

/// A SHA-256 digest, 32 bytes.
///
/// Comparing two takes the same time whatever they are.
package struct SHA256Digest: Sendable, Equatable {
  /// The bytes, eight in each word, the first in its highest bits.
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// The digest of the bytes.
  /// - Complexity: O(n); 47 bytes take well below a microsecond.
  package init(hashing bytes: Span<UInt8>) {
    var output = [UInt8](repeating: 0, count: 32)
    unsafe bytes.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { place in
        _ = unsafe CCrypto.SHA256(input.baseAddress, input.count, place.baseAddress)
      }
    }
    self.init(bytes: output)
  }

  /// Reads 64 hexadecimal digits of either case; nil for anything else.
  package init?(hexadecimal text: some StringProtocol) {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
      let digit: UInt8
      switch character {
      case 0x30...0x39: digit = character - 0x30
      case 0x41...0x46: digit = character - 0x41 + 10
      case 0x61...0x66: digit = character - 0x61 + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
      if bytes.count > 32 { return nil }
    }
    guard bytes.count == 32, high == nil else { return nil }
    self.init(bytes: bytes)
  }

  private init(bytes: [UInt8]) {
    func word(_ start: Int) -> UInt64 {
      bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    words = (word(0), word(8), word(16), word(24))
  }

  /// The first eight bytes, for a table of digests.
  package var prefix: UInt64 { words.0 }

  /// Whether both are the same; all 32 bytes are looked at, whatever they are.
  package static func == (left: SHA256Digest, right: SHA256Digest) -> Bool {
    let difference =
      (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1)
      | (left.words.2 ^ right.words.2) | (left.words.3 ^ right.words.3)
    return difference == 0
  }

  /// 64 hexadecimal digits, lower case.
  package var hexadecimal: String {
    [words.0, words.1, words.2, words.3].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
