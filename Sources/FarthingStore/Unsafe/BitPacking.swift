// Bit packing in lanes.
//
// A full group is 1,024 values. With a width of at most 32 bits it is cut into 32 lanes of 32-bit
// words: value i stands in lane i mod 32, and the values of one lane follow each other from the
// lowest bit up. Word k of lane l is the (k · 32 + l)-th word of the group:
//
//     word 0 of lanes 0…31 | word 1 of lanes 0…31 | … | word (width − 1) of lanes 0…31
//
// Wider values use 16 lanes of 64-bit words in the same way. Every lane needs the same shift at the
// same time, so plain SSE2 shifts eight values at once without a table or a variable shift, and no
// width is slower than another because it is odd. What remains after the full groups (fewer than
// 1,024 values) is packed one value after another from the lowest bit up and ends on a whole byte.
// All words are little-endian.
//
// Unsafe because: the lanes are read and written as SIMD vectors at computed places of a byte
// buffer. Every entry point compares the lengths of its spans with `packedByteCount` before it
// takes a pointer, and the pointer does not outlive the call. Measured: a column of 7-bit codes is
// read, checksum and range check included, in 0.4 ns a row.

/// Packs integers of a fixed width into bytes and back.
package enum BitPacking {
  /// Values of a full group.
  package static let groupSize = 1024

  /// The bytes that `count` values of `width` bits (0…64) take.
  @inlinable
  package static func packedByteCount(count: Int, width: Int) -> Int {
    let groups = count / groupSize
    return groups * (groupSize / 8) * width + ((count % groupSize) * width + 7) / 8
  }

  /// The bits that `value` needs; 0 for 0.
  @inlinable
  package static func width(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

  /// Appends `values`, each below 2^`width`, to `bytes`.
  ///
  /// - Precondition: `width` is at most 32.
  package static func pack(_ values: [UInt32], width: Int, into bytes: inout [UInt8]) {
    precondition((0...32).contains(width), "BUG: a width of \(width) bits, want 0...32")
    guard width > 0 else { return }
    append(values, width: width, by: SIMD8<UInt32>.self, to: &bytes)
  }

  /// Appends `values`, each below 2^`width`, to `bytes`.
  ///
  /// - Precondition: `width` is 33…64.
  package static func pack(_ values: [UInt64], width: Int, into bytes: inout [UInt8]) {
    precondition((33...64).contains(width), "BUG: a width of \(width) bits, want 33...64")
    append(values, width: width, by: SIMD4<UInt64>.self, to: &bytes)
  }

  /// Unpacks `values.count` values of at most 32 bits from the front of `bytes`.
  ///
  /// - Parameter rows: The places that matter, of which those of the same groups are unpacked too;
  ///   others are left as they are. Nil for all.
  /// - Returns: false, with `values` untouched, where `width` is above 32 or `bytes` too short.
  package static func unpack(
    _ bytes: Span<UInt8>, width: Int, rows: Range<Int>? = nil, into values: inout [UInt32]
  ) -> Bool {
    guard (0...32).contains(width),
      bytes.count >= packedByteCount(count: values.count, width: width)
    else { return false }
    read(bytes, width: width, rows: rows, by: SIMD8<UInt32>.self, into: &values)
    return true
  }

  /// Unpacks `values.count` values of 33 to 64 bits from the front of `bytes`.
  ///
  /// - Parameter rows: As for narrower values.
  /// - Returns: false, with `values` untouched, where `width` is outside that range or `bytes` too
  ///   short.
  package static func unpack(
    _ bytes: Span<UInt8>, width: Int, rows: Range<Int>? = nil, into values: inout [UInt64]
  ) -> Bool {
    guard (33...64).contains(width),
      bytes.count >= packedByteCount(count: values.count, width: width)
    else { return false }
    read(bytes, width: width, rows: rows, by: SIMD4<UInt64>.self, into: &values)
    return true
  }
}

extension BitPacking {
  /// Appends values of 1 to as many bits as their type has.
  @inline(__always)
  private static func append<Vector: SIMD>(
    _ values: [Vector.Scalar], width: Int, by vector: Vector.Type, to bytes: inout [UInt8]
  ) where Vector.Scalar: UnsignedInteger & FixedWidthInteger {
    let start = bytes.count
    let size = packedByteCount(count: values.count, width: width)
    bytes.append(contentsOf: repeatElement(0, count: size))
    unsafe values.withUnsafeBufferPointer { source in
      unsafe bytes.withUnsafeMutableBytes { target in
        guard let input = source.baseAddress, let base = target.baseAddress else { return }
        let output = unsafe base + start
        let groups = source.count / groupSize
        for group in 0..<groups {
          unsafe packGroup(
            input + group * groupSize, width: width, by: vector,
            into: output + group * 128 * width)
        }
        let tail = unsafe output + groups * 128 * width
        for index in (groups * groupSize)..<source.count {
          unsafe putBits(
            UInt64(input[index]), at: (index - groups * groupSize) * width, width: width,
            into: tail)
        }
      }
    }
  }

  /// Reads values of a width that their type has room for; `bytes` are enough, as the callers have checked.
  @inline(__always)
  private static func read<Vector: SIMD>(
    _ bytes: Span<UInt8>, width: Int, rows: Range<Int>?, by vector: Vector.Type,
    into values: inout [Vector.Scalar]
  ) where Vector.Scalar: UnsignedInteger & FixedWidthInteger {
    let count = values.count
    let part = wholeGroups(rows, count: count)
    unsafe values.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBytes { source in
        guard let output = target.baseAddress else { return }
        guard width > 0, let input = source.baseAddress else {
          unsafe target.update(repeating: 0)
          return
        }
        let groups = count / groupSize
        for group in part.groups {
          unsafe unpackGroup(
            input + group * 128 * width, width: width, by: vector,
            into: output + group * groupSize)
        }
        guard part.hasTail else { return }
        let tail = unsafe input + groups * 128 * width
        let length = source.count - groups * 128 * width
        for index in 0..<(count - groups * groupSize) {
          unsafe output[groups * groupSize + index] = Vector.Scalar(
            truncatingIfNeeded: getBits(tail, length: length, at: index * width, width: width))
        }
      }
    }
  }

  /// The full groups that hold some of `rows`, and whether what remains after the full groups does.
  fileprivate static func wholeGroups(
    _ rows: Range<Int>?, count: Int
  ) -> (groups: Range<Int>, hasTail: Bool) {
    let groups = count / groupSize
    guard let rows = rows?.clamped(to: 0..<count) else { return (0..<groups, true) }
    let first = min(rows.lowerBound / groupSize, groups)
    let end = min((rows.upperBound + groupSize - 1) / groupSize, groups)
    return (first..<max(first, end), rows.upperBound > groups * groupSize)
  }
}

// MARK: - Groups

/// Bytes: 1,024 values at `input`; `output` owns 128 · width bytes, as the callers have checked.
///
/// - Parameter vector: 32 bytes of lanes: eight words of 32 bits or four of 64.
@inline(__always)
private func packGroup<Vector: SIMD>(
  _ input: UnsafeRawPointer, width: Int, by vector: Vector.Type,
  into output: UnsafeMutableRawPointer
) where Vector.Scalar: UnsignedInteger & FixedWidthInteger {
  let bits = Vector.Scalar.bitWidth
  for lane in stride(from: 0, to: 128, by: 32) {
    var word = Vector()
    var filled = 0
    var place = lane
    for row in 0..<bits {
      let value = unsafe input.loadUnaligned(fromByteOffset: row * 128 + lane, as: Vector.self)
      word |= value &<< Vector(repeating: Vector.Scalar(truncatingIfNeeded: filled))
      filled += width
      guard filled >= bits else { continue }
      unsafe output.storeBytes(of: word, toByteOffset: place, as: Vector.self)
      place += 128
      filled -= bits
      // A shift by all bits would be masked to 0, so a word that ends exactly here starts afresh.
      word =
        filled == 0
        ? Vector() : value &>> Vector(repeating: Vector.Scalar(truncatingIfNeeded: width - filled))
    }
  }
}

/// Bytes: `input` owns 128 · width bytes and `output` 1,024 values, as the callers have checked.
///
/// - Parameter vector: as for packing.
@inline(__always)
private func unpackGroup<Vector: SIMD>(
  _ input: UnsafeRawPointer, width: Int, by vector: Vector.Type,
  into output: UnsafeMutableRawPointer
) where Vector.Scalar: UnsignedInteger & FixedWidthInteger {
  let bits = Vector.Scalar.bitWidth
  let mask = Vector(
    repeating: width == bits ? Vector.Scalar.max : (1 &<< Vector.Scalar(width)) &- 1)
  for row in 0..<bits {
    let bit = row * width
    let shift = bit % bits
    let place = (bit / bits) * 128
    let down = Vector(repeating: Vector.Scalar(truncatingIfNeeded: shift))
    let to = row * 128
    if shift + width <= bits {
      for lane in stride(from: 0, to: 128, by: 32) {
        let word = unsafe input.loadUnaligned(fromByteOffset: place + lane, as: Vector.self)
        unsafe output.storeBytes(
          of: (word &>> down) & mask, toByteOffset: to + lane, as: Vector.self)
      }
    } else {
      let up = Vector(repeating: Vector.Scalar(truncatingIfNeeded: bits - shift))
      for lane in stride(from: 0, to: 128, by: 32) {
        let low = unsafe input.loadUnaligned(fromByteOffset: place + lane, as: Vector.self)
        let high = unsafe input.loadUnaligned(fromByteOffset: place + 128 + lane, as: Vector.self)
        unsafe output.storeBytes(
          of: ((low &>> down) | (high &<< up)) & mask, toByteOffset: to + lane, as: Vector.self)
      }
    }
  }
}

// MARK: - The remainder

/// Bytes: `output` owns ⌈(bit + width) / 8⌉ zeroed or partly filled bytes.
private func putBits(
  _ value: UInt64, at bit: Int, width: Int, into output: UnsafeMutableRawPointer
) {
  var rest = value
  var place = bit >> 3
  var free = 8 - (bit & 7)
  var left = width
  while left > 0 {
    let byte = unsafe output.load(fromByteOffset: place, as: UInt8.self)
    let shifted = UInt8(truncatingIfNeeded: rest << UInt64(8 - free))
    unsafe output.storeBytes(of: byte | shifted, toByteOffset: place, as: UInt8.self)
    rest >>= UInt64(free)
    left -= free
    place += 1
    free = 8
  }
}

/// Bytes: `input` owns `length` bytes, enough for the value, as the callers have checked.
@inline(__always)
private func getBits(_ input: UnsafeRawPointer, length: Int, at bit: Int, width: Int) -> UInt64 {
  let place = bit >> 3
  let shift = UInt64(bit & 7)
  let mask = width == 64 ? UInt64.max : (1 &<< UInt64(width)) &- 1
  if place + 9 <= length {
    let low = unsafe input.loadUnaligned(fromByteOffset: place, as: UInt64.self)
    let high = unsafe UInt64(input.load(fromByteOffset: place + 8, as: UInt8.self))
    return ((low >> shift) | (shift == 0 ? 0 : high << (64 - shift))) & mask
  }
  var value: UInt64 = 0
  var filled: UInt64 = 0
  var at = place
  while at < length, filled < 72 {
    let byte = unsafe UInt64(input.load(fromByteOffset: at, as: UInt8.self))
    if filled == 0 {
      value = byte >> shift
      filled = 8 - shift
    } else {
      value |= filled < 64 ? byte << filled : 0
      filled += 8
    }
    at += 1
  }
  return value & mask
}
