// Loops over whole blocks that the bounds check of each element would slow down.
//
// Unsafe because: `withUnsafe…BufferPointer` lets the compiler vectorise them. Every function
// compares the counts of its arrays once, before the loop, and indexes below that count. Measured:
// a column of integers is read in about 1.1 ns a row.

enum WordKernels {
  /// values[i] = base + words[i] · scale for the places `rows`, wrapping: damaged words give wrong
  /// numbers that the checksum has ruled out, never a trap.
  static func widen(
    _ words: [UInt32], base: Int64, scale: Int64, rows: Range<Int>, into values: inout [Int64]
  ) {
    let rows = rows.clamped(to: 0..<min(words.count, values.count))
    unsafe words.withUnsafeBufferPointer { words in
      unsafe values.withUnsafeMutableBufferPointer { values in
        if scale == 1 {
          for index in rows {
            unsafe values[index] = base &+ Int64(words[index])
          }
        } else {
          for index in rows {
            unsafe values[index] = base &+ Int64(words[index]) &* scale
          }
        }
      }
    }
  }

  /// As ``widen(_:base:scale:rows:into:)`` for words of 64 bits.
  static func widen(
    _ words: [UInt64], base: Int64, scale: Int64, rows: Range<Int>, into values: inout [Int64]
  ) {
    let rows = rows.clamped(to: 0..<min(words.count, values.count))
    unsafe words.withUnsafeBufferPointer { words in
      unsafe values.withUnsafeMutableBufferPointer { values in
        for index in rows {
          unsafe values[index] = base &+ Int64(bitPattern: words[index]) &* scale
        }
      }
    }
  }

  /// Copies each word into one of 64 bits.
  static func widen(_ words: [UInt32], into wide: inout [UInt64]) {
    resize(&wide, to: words.count)
    let count = words.count
    unsafe words.withUnsafeBufferPointer { words in
      unsafe wide.withUnsafeMutableBufferPointer { wide in
        for index in 0..<count { unsafe wide[index] = UInt64(words[index]) }
      }
    }
  }

  /// A word 0 is absent (value 0, validity 0); a word w > 0 is base + (w − 1) · scale.
  static func widenPresent(
    _ words: [UInt32], base: Int64, scale: Int64, into values: inout [Int64],
    validity: inout [UInt8]
  ) {
    let count = min(words.count, values.count, validity.count)
    let first = base &- scale
    unsafe words.withUnsafeBufferPointer { words in
      unsafe values.withUnsafeMutableBufferPointer { values in
        for index in 0..<count {
          let word = unsafe words[index]
          // All ones where present.
          let mask = Int64(word == 0 ? 0 : -1)
          unsafe values[index] = (first &+ Int64(word) &* scale) & mask
        }
      }
      unsafe validity.withUnsafeMutableBufferPointer { validity in
        for index in 0..<count {
          unsafe validity[index] = words[index] == 0 ? 0 : 1
        }
      }
    }
  }

  /// As ``widenPresent(_:base:scale:into:validity:)`` for words of 64 bits.
  static func widenPresent(
    _ words: [UInt64], base: Int64, scale: Int64, into values: inout [Int64],
    validity: inout [UInt8]
  ) {
    let count = min(words.count, values.count, validity.count)
    for index in 0..<count {
      let word = words[index]
      values[index] = word == 0 ? 0 : base &+ Int64(bitPattern: word &- 1) &* scale
      validity[index] = word == 0 ? 0 : 1
    }
  }

  /// values[i] = values[i − 1] + step + words[i − 1] · scale from `first` on.
  static func accumulate(
    _ words: [UInt32], first: Int64, step: Int64, scale: Int64, into values: inout [Int64]
  ) {
    guard words.count + 1 == values.count else { return }
    unsafe words.withUnsafeBufferPointer { words in
      unsafe values.withUnsafeMutableBufferPointer { values in
        var value = first
        unsafe values[0] = value
        for index in 0..<words.count {
          value = unsafe value &+ step &+ Int64(words[index]) &* scale
          unsafe values[index &+ 1] = value
        }
      }
    }
  }

  /// Writes each value as often as its length says.
  ///
  /// Most runs are shorter than eight rows, so eight values are written at once and the next run
  /// overwrites what is too many; only where that would pass the end are rows written one by one.
  ///
  /// - Returns: false where the lengths do not add up to `target.count`.
  static func expandRuns<Word: FixedWidthInteger & SIMDScalar>(
    _ values: [Word], lengths: [UInt32], into target: inout [Word]
  ) -> Bool {
    expandRuns(values, lengths: lengths, rows: target.count, into: &target)
  }

  /// As ``expandRuns(_:lengths:into:)`` for the first `rows` places of the target.
  static func expandRuns<Word: FixedWidthInteger & SIMDScalar>(
    _ values: [Word], lengths: [UInt32], rows count: Int, into target: inout [Word]
  ) -> Bool {
    guard values.count == lengths.count, count <= target.count else { return false }
    return unsafe target.withUnsafeMutableBufferPointer { target in
      guard let base = target.baseAddress else { return values.isEmpty }
      return unsafe values.withUnsafeBufferPointer { values in
        unsafe lengths.withUnsafeBufferPointer { lengths in
          var place = 0
          for run in 0..<values.count {
            let length = unsafe Int(lengths[run])
            let value = unsafe values[run]
            guard length <= count &- place else { return false }
            let end = place &+ length
            if end &+ 8 <= count {
              let eight = SIMD8(repeating: value)
              repeat {
                unsafe UnsafeMutableRawPointer(base + place).storeBytes(
                  of: eight, as: SIMD8<Word>.self)
                place &+= 8
              } while place < end
            } else {
              unsafe (base + place).update(repeating: value, count: length)
            }
            place = end
          }
          return place == count
        }
      }
    }
  }

  /// Writes `table[code]` of each run as often as its length says to the first `rows` places.
  ///
  /// Thirty-two rows are written at once and the next run overwrites what is too many: few runs are
  /// longer, and a loop whose end the processor has to guess costs more than the bytes.
  ///
  /// - Returns: false where a code is not in the table or the lengths do not add up to `rows`.
  static func expandMask(
    _ codes: [UInt32], lengths: [UInt32], by table: [UInt8], rows count: Int,
    into target: inout [UInt8]
  ) -> Bool {
    guard codes.count == lengths.count, count <= target.count, greatest(codes) < table.count
    else { return codes.isEmpty && count == 0 }
    return unsafe target.withUnsafeMutableBufferPointer { target in
      guard let base = target.baseAddress else { return codes.isEmpty }
      return unsafe codes.withUnsafeBufferPointer { codes in
        unsafe lengths.withUnsafeBufferPointer { lengths in
          unsafe table.withUnsafeBufferPointer { table in
            var place = 0
            for run in 0..<codes.count {
              let length = unsafe Int(lengths[run])
              // No code is beyond the table: the greatest is not.
              let value = unsafe table[Int(codes[run])]
              guard length <= count &- place else { return false }
              if place &+ 32 <= count, length <= 32 {
                unsafe UnsafeMutableRawPointer(base + place).storeBytes(
                  of: SIMD32(repeating: value), as: SIMD32<UInt8>.self)
              } else {
                unsafe (base + place).update(repeating: value, count: length)
              }
              place &+= length
            }
            return place == count
          }
        }
      }
    }
  }

  /// Turns the words of runs by appearance into codes: 0 stays, 1 is the code after the greatest so
  /// far, k ≥ 2 the one k − 2 below it.
  ///
  /// - Parameter seen: the greatest code of the blocks before.
  /// - Returns: false where a code would be before the first.
  static func countAppearances(_ words: inout [UInt32], count: Int, from seen: UInt32) -> Bool {
    guard words.count >= count else { return false }
    return unsafe words.withUnsafeMutableBufferPointer { words in
      var greatest = seen
      var isOff = false
      for run in 0..<count {
        let word = unsafe words[run]
        greatest &+= word == 1 ? 1 : 0
        let back = word < 2 ? 0 : word &- 2
        isOff = isOff || back >= greatest && word != 0
        unsafe words[run] = word == 0 ? 0 : greatest &- back
      }
      return !isOff
    }
  }

  /// 1 for each word that is not 0.
  ///
  /// - Returns: how many there are.
  static func presence(_ words: [UInt32], into bits: inout [UInt8]) -> Int {
    let count = min(words.count, bits.count)
    return unsafe words.withUnsafeBufferPointer { words in
      unsafe bits.withUnsafeMutableBufferPointer { bits in
        var present = 0
        for index in 0..<count {
          let bit: UInt8 = unsafe words[index] == 0 ? 0 : 1
          unsafe bits[index] = bit
          present &+= Int(bit)
        }
        return present
      }
    }
  }

  /// The greatest word; 0 for none.
  static func greatest(_ words: [UInt32]) -> UInt32 {
    unsafe words.withUnsafeBufferPointer { words in
      var greatest: UInt32 = 0
      for index in 0..<words.count { greatest = unsafe max(greatest, words[index]) }
      return greatest
    }
  }

  /// Least and greatest of the words; 0 and 0 for none.
  static func range(_ words: [UInt32]) -> (least: UInt32, greatest: UInt32) {
    guard let first = words.first else { return (0, 0) }
    return unsafe words.withUnsafeBufferPointer { words in
      var least = first
      var greatest = first
      for index in 0..<words.count {
        least = unsafe min(least, words[index])
        greatest = unsafe max(greatest, words[index])
      }
      return (least, greatest)
    }
  }

  /// Sorts rows by eleven bits of their keys from `shift` on; stable.
  ///
  /// - Parameter other: working memory of as many rows; changes places with `order`.
  static func sort(
    _ order: inout [UInt32], keys: [UInt64], shift: UInt64, through other: inout [UInt32]
  ) {
    let count = order.count
    precondition(
      other.count == count && (count == 0 || greatest(order) < keys.count),
      "BUG: \(count) rows, \(other.count) places, \(keys.count) keys")
    var starts = [Int](repeating: 0, count: 2049)
    unsafe keys.withUnsafeBufferPointer { keys in
      unsafe order.withUnsafeBufferPointer { order in
        unsafe starts.withUnsafeMutableBufferPointer { starts in
          unsafe other.withUnsafeMutableBufferPointer { other in
            for index in 0..<count {
              unsafe starts[Int((keys[Int(order[index])] &>> shift) & 2047) &+ 1] &+= 1
            }
            for digit in 1...2048 { unsafe starts[digit] &+= starts[digit - 1] }
            for index in 0..<count {
              let row = unsafe order[index]
              let digit = unsafe Int((keys[Int(row)] &>> shift) & 2047)
              unsafe other[starts[digit]] = row
              unsafe starts[digit] &+= 1
            }
          }
        }
      }
    }
    swap(&order, &other)
  }

  /// Replaces each code by `table[code]`.
  ///
  /// - Returns: false where a code is not in the table.
  static func translate(_ codes: inout [UInt32], by table: [UInt32]) -> Bool {
    guard greatest(codes) < table.count else { return false }
    unsafe table.withUnsafeBufferPointer { table in
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        for index in 0..<codes.count {
          unsafe codes[index] = table[Int(codes[index])]
        }
      }
    }
    return true
  }

  /// values[i] = numbers[i] ÷ power, rounded once.
  static func divide(_ numbers: [Int64], by power: Double, into values: inout [Double]) {
    let count = min(numbers.count, values.count)
    unsafe numbers.withUnsafeBufferPointer { numbers in
      unsafe values.withUnsafeMutableBufferPointer { values in
        for index in 0..<count {
          unsafe values[index] = Double(numbers[index]) / power
        }
      }
    }
  }

  /// The values of the patterns times `power`, which is a power of ten; `Int64.min` stays.
  ///
  /// - Returns: false where one is no such integer, or would not come back bit for bit.
  static func decimals(_ patterns: [Int64], power: Double, into decimals: inout [Int64]) -> Bool {
    resize(&decimals, to: patterns.count)
    return unsafe patterns.withUnsafeBufferPointer { patterns in
      unsafe decimals.withUnsafeMutableBufferPointer { decimals in
        for index in 0..<patterns.count {
          let pattern = unsafe patterns[index]
          if pattern == .min {
            unsafe decimals[index] = .min
            continue
          }
          let value = Double(bitPattern: UInt64(bitPattern: pattern))
          // Adding and taking away 1.5 · 2^52 rounds to a whole number below 2^51.
          let product = value * power
          guard product.magnitude < 0x1p51 else { return false }
          let whole = (product + 0x1.8p52) - 0x1.8p52
          guard (whole / power).bitPattern == value.bitPattern else { return false }
          unsafe decimals[index] = Int64(whole)
        }
        return true
      }
    }
  }

  /// The numbers' bits as binary64.
  static func reinterpret(_ numbers: [Int64], into values: inout [Double]) {
    for index in 0..<min(numbers.count, values.count) {
      values[index] = Double(bitPattern: UInt64(bitPattern: numbers[index]))
    }
  }

  /// What choosing an encoding needs to know of words.
  struct Profile {
    /// By bits needed, 0…64: how many words.
    var widths = InlineArray<65, Int>(repeating: 0)
    var greatest: UInt64 = 0
    /// How many runs of equal words.
    var runs = 0
  }

  static func profile(_ words: [UInt64]) -> Profile {
    var profile = Profile()
    guard let first = words.first else { return profile }
    profile.runs = 1
    var before = first
    // Neighbours are counted apart: most need as many bits, and each count would wait for the last.
    var others = InlineArray<65, Int>(repeating: 0)
    unsafe words.withUnsafeBufferPointer { words in
      var greatest: UInt64 = 0
      var changes = 0
      var index = 0
      while index &+ 1 < words.count {
        let word = unsafe words[index]
        let next = unsafe words[index &+ 1]
        profile.widths[64 &- word.leadingZeroBitCount] &+= 1
        others[64 &- next.leadingZeroBitCount] &+= 1
        greatest = max(greatest, word, next)
        changes &+= (word == before ? 0 : 1) &+ (next == word ? 0 : 1)
        before = next
        index &+= 2
      }
      if index < words.count {
        let word = unsafe words[index]
        profile.widths[64 &- word.leadingZeroBitCount] &+= 1
        greatest = max(greatest, word)
        changes &+= word == before ? 0 : 1
      }
      profile.greatest = greatest
      profile.runs &+= changes
    }
    for width in 0...64 { profile.widths[width] &+= others[width] }
    return profile
  }

  /// Appends the value and the length of each run of equal words.
  static func runs(_ words: [UInt64], values: inout [UInt64], lengths: inout [UInt64]) {
    guard let first = words.first else { return }
    unsafe words.withUnsafeBufferPointer { words in
      var value = first
      var start = 0
      for index in 0..<words.count {
        let word = unsafe words[index]
        if word == value { continue }
        values.append(value)
        lengths.append(UInt64(index &- start))
        value = word
        start = index
      }
      values.append(value)
      lengths.append(UInt64(words.count &- start))
    }
  }

  /// Of words with more than `low` bits, appends how many words lie before it since the last such,
  /// and its further bits.
  static func split(
    _ words: [UInt64], low: Int, gaps: inout [UInt64], uppers: inout [UInt64]
  ) {
    let mask = (UInt64(1) << UInt64(low)) - 1
    unsafe words.withUnsafeBufferPointer { words in
      var next = 0
      for index in 0..<words.count {
        let word = unsafe words[index]
        if word <= mask { continue }
        gaps.append(UInt64(index &- next))
        uppers.append(word &>> UInt64(low))
        next = index &+ 1
      }
    }
  }

  /// The low half of each word, of that the `low` lowest bits.
  static func narrow(_ words: [UInt64], low: Int = 32, into narrow: inout [UInt32]) {
    resize(&narrow, to: words.count)
    let mask = (UInt64(1) << UInt64(low)) - 1
    unsafe words.withUnsafeBufferPointer { words in
      unsafe narrow.withUnsafeMutableBufferPointer { narrow in
        for index in 0..<words.count {
          unsafe narrow[index] = UInt32(truncatingIfNeeded: words[index] & mask)
        }
      }
    }
  }

  /// Least and greatest of the values that are not `Int64.min`; least > greatest where none is.
  static func range(_ values: [Int64]) -> (least: Int64, greatest: Int64) {
    unsafe values.withUnsafeBufferPointer { values in
      var least = Int64.max
      var greatest = Int64.min
      for index in 0..<values.count {
        let value = unsafe values[index]
        least = min(least, value == .min ? .max : value)
        greatest = max(greatest, value)
      }
      return (least, greatest)
    }
  }

  /// (value − base) ÷ scale + shift, and 0 for values that are `Int64.min` where shift is 1.
  static func distances(
    _ values: [Int64], base: Int64, scale: UInt64, shift: UInt64, into words: inout [UInt64]
  ) {
    resize(&words, to: values.count)
    unsafe values.withUnsafeBufferPointer { values in
      unsafe words.withUnsafeMutableBufferPointer { words in
        if scale == 1 {
          for index in 0..<values.count {
            let value = unsafe values[index]
            let word = UInt64(bitPattern: value &- base) &+ shift
            unsafe words[index] = value == .min ? 0 : word
          }
        } else if scale & (scale &- 1) == 0 {
          let down = UInt64(scale.trailingZeroBitCount)
          for index in 0..<values.count {
            let value = unsafe values[index]
            let word = (UInt64(bitPattern: value &- base) &>> down) &+ shift
            unsafe words[index] = value == .min ? 0 : word
          }
        } else {
          for index in 0..<values.count {
            let value = unsafe values[index]
            let word = UInt64(bitPattern: value &- base) / scale &+ shift
            unsafe words[index] = value == .min ? 0 : word
          }
        }
      }
    }
  }

  /// What each value is above the one before it.
  ///
  /// - Returns: false where a difference leaves 64 bits.
  static func steps(_ values: [Int64], into steps: inout [Int64]) -> Bool {
    resize(&steps, to: max(0, values.count - 1))
    return unsafe values.withUnsafeBufferPointer { values in
      unsafe steps.withUnsafeMutableBufferPointer { steps in
        var hasOverflowed = false
        for index in 0..<steps.count {
          let (step, overflow) = unsafe values[index &+ 1].subtractingReportingOverflow(
            values[index])
          unsafe steps[index] = step
          hasOverflowed = hasOverflowed || overflow
        }
        return !hasOverflowed
      }
    }
  }

  /// The greatest number that divides the distance to `base` of every value that is not
  /// `Int64.min`; at least 1.
  static func divisor(_ values: [Int64], base: Int64) -> UInt64 {
    var divisor: UInt64 = 0
    unsafe values.withUnsafeBufferPointer { values in
      for index in 0..<values.count {
        let value = unsafe values[index]
        if value == .min { continue }
        let distance = UInt64(bitPattern: value &- base)
        if divisor != 0 {
          if divisor & (divisor &- 1) == 0 {
            if distance & (divisor &- 1) == 0 { continue }
          } else if distance % divisor == 0 {
            continue
          }
        }
        var (a, b) = (divisor, distance)
        while b != 0 { (a, b) = (b, a % b) }
        divisor = a
        if divisor == 1 { return }
      }
    }
    return max(divisor, 1)
  }
}
