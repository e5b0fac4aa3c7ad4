/// A 128-bit hash of bytes under a secret 128-bit key: SipHash with one compression and three
/// finalisation rounds.
///
/// Whoever does not know the key cannot choose ids that collide or crowd one place, whatever ids
/// a client sends. Not a signature: truncated outputs are kept in memory only.
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), with its 128-bit
/// output; the reduced rounds are the variant that language runtimes use for hash tables.
@frozen
package struct KeyedHash: Sendable {
  @usableFromInline let key0: UInt64
  @usableFromInline let key1: UInt64

  @inlinable
  package init(key0: UInt64, key1: UInt64) {
    self.key0 = key0
    self.key1 = key1
  }

  /// - Parameter seed: the key; its first 16 bytes count, missing ones are zero.
  package init(seed: [UInt8]) {
    var words: (UInt64, UInt64) = (0, 0)
    for (index, byte) in seed.prefix(16).enumerated() {
      if index < 8 {
        words.0 |= UInt64(byte) << (8 * UInt64(index))
      } else {
        words.1 |= UInt64(byte) << (8 * UInt64(index - 8))
      }
    }
    self.init(key0: words.0, key1: words.1)
  }

  /// The hash of a whole array.
  package func hash(_ bytes: [UInt8]) -> (high: UInt64, low: UInt64) {
    hash(bytes.span)
  }

  /// The hash of a run of bytes.
  @inlinable
  package func hash(_ bytes: Span<UInt8>) -> (high: UInt64, low: UInt64) {
    unsafe hash(bytes.bytes)
  }

  /// - Complexity: O(n); about 20 ns for an id of 36 bytes.
  @inlinable
  package func hash(_ span: RawSpan) -> (high: UInt64, low: UInt64) {
    var v0 = key0 ^ 0x736f_6d65_7073_6575
    var v1 = key1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
    var v2 = key0 ^ 0x6c79_6765_6e65_7261
    var v3 = key1 ^ 0x7465_6462_7974_6573
    let count = span.byteCount
    let whole = count & ~7
    var offset = 0
    while offset < whole {
      // `whole` is at most the count, so eight bytes follow `offset`.
      let word = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      v3 ^= word
      Self.round(&v0, &v1, &v2, &v3)
      v0 ^= word
      offset &+= 8
    }
    var last = UInt64(truncatingIfNeeded: count) << 56
    var shift: UInt64 = 0
    while offset < count {
      last |= UInt64(unsafe span.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) << shift
      shift &+= 8
      offset &+= 1
    }
    v3 ^= last
    Self.round(&v0, &v1, &v2, &v3)
    v0 ^= last
    v2 ^= 0xee
    for _ in 0..<3 { Self.round(&v0, &v1, &v2, &v3) }
    let low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<3 { Self.round(&v0, &v1, &v2, &v3) }
    return (v0 ^ v1 ^ v2 ^ v3, low)
  }

  // Additions wrap by definition of the algorithm.
  @inlinable @inline(__always)
  static func round(
    _ v0: inout UInt64, _ v1: inout UInt64, _ v2: inout UInt64, _ v3: inout UInt64
  ) {
    v0 = v0 &+ v1
    v1 = (v1 &<< 13 | v1 &>> 51) ^ v0
    v0 = v0 &<< 32 | v0 &>> 32
    v2 = v2 &+ v3
    v3 = (v3 &<< 16 | v3 &>> 48) ^ v2
    v0 = v0 &+ v3
    v3 = (v3 &<< 21 | v3 &>> 43) ^ v0
    v2 = v2 &+ v1
    v1 = (v1 &<< 17 | v1 &>> 47) ^ v2
    v2 = v2 &<< 32 | v2 &>> 32
  }
}
