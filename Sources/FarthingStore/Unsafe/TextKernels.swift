// The loops over the bytes of texts.
//
// Unsafe because: each byte of each text is looked at once or twice, and two bounds checks a byte
// would cost as much as the work (measured: an id of 36 bytes is expanded in 46 ns). Every function checks first that the
// offsets of the column ascend and end inside its bytes (`rows`), that chunks and tables have the
// sizes that the loops use, and keeps no pointer.

enum TextKernels {
  /// The present rows' texts, each checked to lie inside the bytes; nil where one has another length
  /// than `length`.
  private static func starts(_ column: TextColumn, length: Int) -> [Int]? {
    var starts: [Int] = []
    starts.reserveCapacity(column.count)
    for row in 0..<column.count {
      if let validity = column.validity, validity[row] == 0 { continue }
      let start = Int(column.offsets[row])
      let end = Int(column.offsets[row + 1])
      guard end - start == length, start >= 0, end <= column.bytes.count else { return nil }
      starts.append(start)
    }
    return starts
  }

  /// For each place the set of bytes that occur, as bits 0…63 and 64…127; nil where the texts have
  /// different lengths or bytes above 127.
  static func symbols(_ column: TextColumn, length: Int) -> [(UInt64, UInt64)]? {
    guard let starts = starts(column, length: length) else { return nil }
    // By place and byte. Marks are only stored, never read and stored again, so no text waits for
    // the one before.
    var seen = [UInt8](repeating: 0, count: length * 256)
    unsafe column.bytes.withUnsafeBufferPointer { bytes in
      unsafe seen.withUnsafeMutableBufferPointer { seen in
        for start in starts {
          for place in 0..<length {
            let byte = unsafe bytes[start &+ place]
            unsafe seen[place &* 256 &+ Int(byte)] = 1
          }
        }
      }
    }
    var sets: [(UInt64, UInt64)] = []
    for place in 0..<length {
      var set: (UInt64, UInt64) = (0, 0)
      for byte in 0..<256 where seen[place * 256 + byte] != 0 {
        if byte > 127 { return nil }
        if byte < 64 { set.0 |= 1 << UInt64(byte) } else { set.1 |= 1 << UInt64(byte - 64) }
      }
      sets.append(set)
    }
    return sets
  }

  /// The words of one chunk, one for each present row.
  ///
  /// - Precondition: every text fits the template.
  static func words(
    _ column: TextColumn, template: TextTemplate, places: Range<Int>
  ) -> [UInt64] {
    guard let starts = starts(column, length: template.length) else { return [] }
    // By place and byte: the symbol, already shifted to its place in the word.
    var table = [UInt64](repeating: 0, count: places.count * 128)
    var active: [Int] = []
    var shift = 0
    for place in places {
      let bits = template.bits(at: place)
      if bits == 0 { continue }
      active.append(place)
      for (symbol, byte) in template.alphabets[place].enumerated() where byte < 128 {
        table[(active.count - 1) * 128 + Int(byte)] = UInt64(symbol) << UInt64(shift)
      }
      shift += bits
    }
    var words = [UInt64](repeating: 0, count: starts.count)
    unsafe column.bytes.withUnsafeBufferPointer { bytes in
      unsafe table.withUnsafeBufferPointer { table in
        unsafe active.withUnsafeBufferPointer { active in
          unsafe words.withUnsafeMutableBufferPointer { words in
            for row in 0..<starts.count {
              let start = starts[row]
              var word: UInt64 = 0
              for index in 0..<active.count {
                let byte = unsafe bytes[start &+ active[index]]
                word |= unsafe table[index &* 128 &+ Int(byte & 127)]
              }
              unsafe words[row] = word
            }
          }
        }
      }
    }
    return words
  }

  /// The 48 bits of time of each present text of a column of UUIDs; nil where one has other bytes
  /// than lower-case hexadecimal digits there.
  static func uuidTimes(_ column: TextColumn) -> [Int64]? {
    guard let starts = starts(column, length: 36) else { return nil }
    var values = [Int64](repeating: 0, count: starts.count)
    let places = TextTemplate.timePlaces
    precondition(places.allSatisfy { $0 < 36 }, "BUG: a time at \(places)")
    // By byte: its digit; 16 where it is none, which then shows in `others`.
    var digits = [UInt8](repeating: 0x10, count: 256)
    for (digit, byte) in TextTemplate.lowerHexadecimal.enumerated() {
      digits[Int(byte)] = UInt8(digit)
    }
    var others: UInt8 = 0
    unsafe column.bytes.withUnsafeBufferPointer { bytes in
      unsafe digits.withUnsafeBufferPointer { digits in
        unsafe values.withUnsafeMutableBufferPointer { values in
          for row in 0..<starts.count {
            let start = starts[row]
            var value: Int64 = 0
            for place in places {
              let digit = unsafe digits[Int(bytes[start &+ place])]
              others |= digit
              value = value &<< 4 | Int64(digit)
            }
            unsafe values[row] = value
          }
        }
      }
    }
    return others & 0x10 == 0 ? values : nil
  }

  /// Writes the texts of `count` rows from the words of the template's chunks, one text after
  /// another.
  ///
  /// - Parameter times: by row, the 48 bits of time, where the template follows it.
  /// - Returns: false where a chunk has too few words or a symbol is not in its alphabet.
  static func expand(
    _ template: TextTemplate, chunks: [[UInt64]], times: [Int64], count: Int,
    into bytes: inout [UInt8]
  ) -> Bool {
    let length = template.length
    let parts = template.chunks
    guard parts.count == chunks.count, chunks.allSatisfy({ $0.count >= count }),
      !template.followsTime || times.count >= count
    else { return false }
    resize(&bytes, to: count * length)
    fillConstants(template, count: count, into: &bytes)
    for (part, words) in zip(parts, chunks) {
      var shift = 0
      for place in part.places {
        let bits = template.bits(at: place)
        if bits == 0 { continue }
        var table = template.alphabets[place]
        let known = table.count
        table.append(contentsOf: repeatElement(0, count: (1 << bits) - known))
        let mask = UInt64(1) << UInt64(bits) - 1
        var greatest: UInt64 = 0
        unsafe words.withUnsafeBufferPointer { words in
          unsafe table.withUnsafeBufferPointer { table in
            unsafe bytes.withUnsafeMutableBufferPointer { bytes in
              for row in 0..<count {
                let symbol = unsafe (words[row] &>> UInt64(shift)) & mask
                greatest = max(greatest, symbol)
                unsafe bytes[row &* length &+ place] = table[Int(symbol)]
              }
            }
          }
        }
        guard greatest < known else { return false }
        shift += bits
      }
    }
    guard template.followsTime else { return true }
    for row in 0..<count {
      var value = times[row]
      for place in TextTemplate.timePlaces.reversed() {
        bytes[row * length + place] = TextTemplate.lowerHexadecimal[Int(value & 15)]
        value >>= 4
      }
    }
    return true
  }

  /// Bytes as a text; what is no UTF-8 is replaced.
  static func string(_ bytes: Span<UInt8>) -> String {
    unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Makes the lower halves of keys out of the words of a chunk.
  ///
  /// - Returns: false where a symbol is not in its alphabet.
  static func keys(_ words: [UInt64], _ pieces: [KeyPiece], into keys: inout [UInt64]) -> Bool {
    keys = [UInt64](repeating: 0, count: words.count)
    for piece in pieces {
      let mask = piece.bits >= 64 ? UInt64.max : UInt64(1) << UInt64(piece.bits) - 1
      let shift = UInt64(piece.shift)
      let position = UInt64(piece.position)
      let known = piece.digits.count
      // Padded, so that no symbol of these bits is beyond the table.
      let table = piece.digits + [UInt64](repeating: 0, count: max(0, 16 - known))
      let isKnown = unsafe words.withUnsafeBufferPointer { words in
        unsafe keys.withUnsafeMutableBufferPointer { keys in
          if known == 0 {
            for row in 0..<words.count {
              unsafe keys[row] |= ((words[row] &>> shift) & mask) &<< position
            }
            return true
          }
          var greatest: UInt64 = 0
          for row in 0..<words.count {
            let symbol = unsafe (words[row] &>> shift) & mask & 15
            greatest = max(greatest, symbol)
            unsafe keys[row] |= table[Int(symbol)] &<< position
          }
          return words.isEmpty || greatest < known
        }
      }
      guard isKnown else { return false }
    }
    return true
  }

  /// Moves the first `present` keys to the rows that are present; the others become 0.
  ///
  /// - Precondition: `validity` has `count` rows, of which `present` are 1.
  static func spread(
    _ keys: inout [UInt64], present: Int, validity: [UInt8], count: Int
  ) {
    guard validity.count >= count, present <= count else { return }
    resize(&keys, to: count)
    unsafe keys.withUnsafeMutableBufferPointer { keys in
      unsafe validity.withUnsafeBufferPointer { validity in
        // From the back, so that no key is overwritten before it has moved. What stands at `from`
        // is read where nothing is left to move too, and masked away.
        var from = present
        var row = count &- 1
        while row >= 0 {
          let isPresent = unsafe Int(validity[row] & 1)
          from = max(0, from &- isPresent)
          unsafe keys[row] = keys[from] & (0 &- UInt64(isPresent))
          row &-= 1
        }
      }
    }
  }

  /// Replaces `target` by the bytes in `range`.
  static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>, into target: inout [UInt8]) {
    target.removeAll(keepingCapacity: true)
    let part = bytes.extracting(range)
    unsafe part.withUnsafeBufferPointer { unsafe target.append(contentsOf: $0) }
  }

  /// Writes the bytes that are the same in every text.
  private static func fillConstants(
    _ template: TextTemplate, count: Int, into bytes: inout [UInt8]
  ) {
    let length = template.length
    for place in 0..<length where template.alphabets[place].count == 1 {
      let byte = template.alphabets[place][0]
      unsafe bytes.withUnsafeMutableBufferPointer { bytes in
        for row in 0..<count { unsafe bytes[row &* length &+ place] = byte }
      }
    }
  }
}
