// The two checksums of the store.
//
// XXH64 guards the blocks of a segment: 64 bits, four independent lanes, about memory speed.
// Source: the xxHash specification, "XXH64 algorithm description", version 0.1.1.
// CRC-32C guards the records of the log: it finds every burst of up to 32 bits, which fits records
// that are short and torn rather than rotten. Source: RFC 3720, section 12.1 (polynomial 1EDC6F41,
// reflected 82F63B78).
//
// Unsafe because: both read whole words at byte offsets of a span. Each loop condition compares the
// offset with the span's count before it reads, and no pointer outlives the call. A load of eight
// bytes at once is what both algorithms are made for.

/// The XXH64 checksum.
package enum XXH64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// The checksum of `bytes`. All arithmetic wraps, as the specification asks.
  package static func hash(_ bytes: Span<UInt8>, seed: UInt64 = 0) -> UInt64 {
    unsafe bytes.withUnsafeBytes { unsafe hash($0, seed: seed) }
  }

  private static func hash(_ buffer: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    let count = buffer.count
    guard count > 0, let base = buffer.baseAddress else {
      return avalanche(seed &+ prime5)
    }
    var place = 0
    var state: UInt64
    if count >= 32 {
      var lane1 = seed &+ prime1 &+ prime2
      var lane2 = seed &+ prime2
      var lane3 = seed
      var lane4 = seed &- prime1
      while place &+ 32 <= count {
        lane1 = round(lane1, unsafe base.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        lane2 = round(
          lane2, unsafe base.loadUnaligned(fromByteOffset: place &+ 8, as: UInt64.self))
        lane3 = round(
          lane3, unsafe base.loadUnaligned(fromByteOffset: place &+ 16, as: UInt64.self))
        lane4 = round(
          lane4, unsafe base.loadUnaligned(fromByteOffset: place &+ 24, as: UInt64.self))
        place &+= 32
      }
      state =
        rotate(lane1, 1) &+ rotate(lane2, 7) &+ rotate(lane3, 12) &+ rotate(lane4, 18)
      state = merge(state, lane1)
      state = merge(state, lane2)
      state = merge(state, lane3)
      state = merge(state, lane4)
    } else {
      state = seed &+ prime5
    }
    state &+= UInt64(count)
    while place &+ 8 <= count {
      let word = unsafe base.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      state = rotate(state ^ round(0, word), 27) &* prime1 &+ prime4
      place &+= 8
    }
    if place &+ 4 <= count {
      let word = unsafe base.loadUnaligned(fromByteOffset: place, as: UInt32.self)
      state = rotate(state ^ (UInt64(word) &* prime1), 23) &* prime2 &+ prime3
      place &+= 4
    }
    while place < count {
      let byte = unsafe base.load(fromByteOffset: place, as: UInt8.self)
      state = rotate(state ^ (UInt64(byte) &* prime5), 11) &* prime1
      place &+= 1
    }
    return avalanche(state)
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 &- bits)
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func merge(_ state: UInt64, _ lane: UInt64) -> UInt64 {
    (state ^ round(0, lane)) &* prime1 &+ prime4
  }

  private static func avalanche(_ value: UInt64) -> UInt64 {
    var state = value
    state = (state ^ (state >> 33)) &* prime2
    state = (state ^ (state >> 29)) &* prime3
    return state ^ (state >> 32)
  }
}

/// The CRC-32C (Castagnoli) checksum.
package enum CRC32C {
  /// Eight tables of 256 words: table k is the effect of a byte that k further bytes follow.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 {
        remainder = remainder & 1 == 0 ? remainder >> 1 : (remainder >> 1) ^ 0x82F6_3B78
      }
      tables[byte] = remainder
    }
    for byte in 0..<256 {
      for table in 1..<8 {
        let before = tables[(table - 1) * 256 + byte]
        tables[table * 256 + byte] = (before >> 8) ^ tables[Int(before & 0xFF)]
      }
    }
    return tables
  }()

  /// The checksum of `bytes`; of a whole cut into pieces, with `previous` the checksum of those
  /// before.
  package static func checksum(_ bytes: Span<UInt8>, previous: UInt32 = 0) -> UInt32 {
    let tables = Self.tables
    return unsafe tables.withUnsafeBufferPointer { table in
      unsafe bytes.withUnsafeBytes { buffer in
        var remainder = ~previous
        guard let base = buffer.baseAddress, let t = table.baseAddress else { return previous }
        let count = buffer.count
        var place = 0
        while place &+ 8 <= count {
          let word =
            unsafe base.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            ^ UInt64(remainder)
          // Every index is below 8 · 256: a table's number plus one byte.
          let a = unsafe t[Int(7 * 256 &+ (word & 0xFF))]
          let b = unsafe t[Int(6 * 256 &+ ((word &>> 8) & 0xFF))]
          let c = unsafe t[Int(5 * 256 &+ ((word &>> 16) & 0xFF))]
          let d = unsafe t[Int(4 * 256 &+ ((word &>> 24) & 0xFF))]
          let e = unsafe t[Int(3 * 256 &+ ((word &>> 32) & 0xFF))]
          let f = unsafe t[Int(2 * 256 &+ ((word &>> 40) & 0xFF))]
          let g = unsafe t[Int(256 &+ ((word &>> 48) & 0xFF))]
          let h = unsafe t[Int(word &>> 56)]
          remainder = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h
          place &+= 8
        }
        while place < count {
          let byte = unsafe UInt32(base.load(fromByteOffset: place, as: UInt8.self))
          remainder = unsafe (remainder &>> 8) ^ t[Int((remainder ^ byte) & 0xFF)]
          place &+= 1
        }
        return ~remainder
      }
    }
  }
}
