// HMAC-SHA256 of OpenSSL's libcrypto, by which receivers know that a notification is ours.
//
// Unsafe because: the call takes pointers and counts for the key and for what it reads, and a pointer
// to where it puts 32 bytes. All come from arrays that live through the call, their counts are told
// with them, and no pointer outlives it.

internal import CCrypto

/// HMAC with SHA-256 (RFC 2104, FIPS 198-1).
package enum MessageAuthentication {
  /// The 32 bytes of the code; nil where the library refuses, which it does for want of memory only.
  ///
  /// - Complexity: O(n).
  package static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: 32)
    var written: UInt32 = 0
    // An empty array has no address, and the library takes a null key for "the key of before".
    let padded = key.isEmpty ? [0] : key
    let isDone = unsafe padded.withUnsafeBufferPointer { keyBytes in
      unsafe message.withUnsafeBufferPointer { bytes in
        unsafe output.withUnsafeMutableBufferPointer { place in
          unsafe CCrypto.HMAC(
            EVP_sha256(), keyBytes.baseAddress, Int32(clamping: key.count), bytes.baseAddress,
            bytes.count, place.baseAddress, &written) != nil
        }
      }
    }
    return isDone && written == 32 ? output : nil
  }
}
