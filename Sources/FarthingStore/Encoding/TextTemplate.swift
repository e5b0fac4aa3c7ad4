// The shape that the texts of a block share, where they share one.
//
// Ids and hashes have one length, and at each place few different bytes: always a dash, always a
// hexadecimal digit. A template says for each place which bytes occur; a text is then a number of
// bits at each place, 0 where the byte is always the same. The bits of a text are cut into chunks of
// at most 64, and each chunk is packed over all rows. A UUID takes 15¼ bytes instead of 36. A UUID
// of version 7 begins with its time in milliseconds: where that is near the row's own time, only the
// difference is kept, which leaves 9¼ bytes.

/// A part of a chunk's word that gives one digit or more of a key.
struct KeyPiece {
  /// Where it stands in the word.
  let shift: Int
  var bits: Int
  /// Where it goes in the key.
  let position: Int
  /// The digit of each symbol; empty where symbols are digits.
  let digits: [UInt64]
}

/// The shape of the texts of a block.
struct TextTemplate: Equatable {
  /// Longer texts have no template.
  static let maximumLength = 128
  /// A place with more different bytes than this makes a template impossible.
  static let maximumSymbols = 64

  /// The bytes that occur at each place, ascending; the index is the symbol.
  var alphabets: [[UInt8]]
  /// Whether the places of a UUID's time hold the milliseconds of the row's time plus a difference.
  var followsTime = false

  static let lowerHexadecimal = Array("0123456789abcdef".utf8)
  static let upperHexadecimal = Array("0123456789ABCDEF".utf8)
  /// The places of the 48 bits of time in the text form of a UUID.
  static let timePlaces = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]

  var length: Int { alphabets.count }

  /// Bits of the symbol at a place.
  func bits(at place: Int) -> Int {
    if followsTime, Self.timePlaces.contains(place) { return 0 }
    return BitPacking.width(of: UInt64(alphabets[place].count - 1))
  }

  /// The places of each chunk and the bits that it takes.
  var chunks: [(places: Range<Int>, bits: Int)] {
    var chunks: [(places: Range<Int>, bits: Int)] = []
    var start = 0
    var sum = 0
    for place in 0..<length {
      let bits = bits(at: place)
      if sum + bits > 64 {
        chunks.append((start..<place, sum))
        start = place
        sum = 0
      }
      sum += bits
    }
    if sum > 0 { chunks.append((start..<length, sum)) }
    return chunks
  }

  var bitsPerText: Int { (0..<length).reduce(0) { $0 + bits(at: $1) } }

  /// The template of all present texts of a column; nil where there is none that saves anything.
  init?(_ column: TextColumn) {
    guard let row = (0..<column.count).first(where: { column.range($0) != nil }),
      let length = column.range(row)?.count, length > 0, length <= Self.maximumLength,
      let symbols = TextKernels.symbols(column, length: length)
    else { return nil }
    alphabets = []
    for (low, high) in symbols {
      var alphabet: [UInt8] = []
      for byte in 0..<128 where (byte < 64 ? low >> byte : high >> (byte - 64)) & 1 == 1 {
        alphabet.append(UInt8(byte))
      }
      guard alphabet.count <= Self.maximumSymbols else { return nil }
      alphabets.append(Self.widened(alphabet))
    }
    guard bitsPerText <= length * 7 else { return nil }
  }

  /// A whole hexadecimal alphabet where most of one occurs, so that blocks have equal templates.
  private static func widened(_ alphabet: [UInt8]) -> [UInt8] {
    guard alphabet.count > 8 else { return alphabet }
    for whole in [lowerHexadecimal, upperHexadecimal] where alphabet.allSatisfy(whole.contains) {
      return whole
    }
    return alphabet
  }

  // MARK: - At rest

  private init() { alphabets = [] }

  /// Appends the length, then for each place the number of its bytes and the bytes; a number of 100
  /// or 101 stands for all lower or upper hexadecimal digits.
  func serialise(into bytes: inout [UInt8]) {
    bytes.append(UInt8(length))
    bytes.append(followsTime ? 1 : 0)
    for alphabet in alphabets {
      if alphabet == Self.lowerHexadecimal {
        bytes.append(100)
      } else if alphabet == Self.upperHexadecimal {
        bytes.append(101)
      } else {
        bytes.append(UInt8(alphabet.count))
        bytes.append(contentsOf: alphabet)
      }
    }
  }

  static func read(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(EncodingFault) -> TextTemplate {
    var template = TextTemplate()
    let length = Int(try cursor.byte(bytes))
    guard (1...maximumLength).contains(length) else {
      throw EncodingFault("a template has \(length) places")
    }
    template.followsTime = try cursor.byte(bytes) == 1
    if template.followsTime, length != 36 {
      throw EncodingFault("a template of \(length) places follows the time")
    }
    for _ in 0..<length {
      let count = Int(try cursor.byte(bytes))
      switch count {
      case 100: template.alphabets.append(lowerHexadecimal)
      case 101: template.alphabets.append(upperHexadecimal)
      case 1...maximumSymbols:
        var alphabet: [UInt8] = []
        for place in try cursor.take(count) { alphabet.append(bytes[place]) }
        template.alphabets.append(alphabet)
      default:
        throw EncodingFault("a place of a template has \(count) bytes")
      }
    }
    return template
  }

  /// Where all texts end in 16 lower-case hexadecimal digits after bytes that are always the same:
  /// those bytes.
  var keyPrefix: [UInt8]? {
    guard length >= 16, !followsTime else { return nil }
    let first = length - 16
    guard alphabets[first...].allSatisfy({ $0.allSatisfy(Self.lowerHexadecimal.contains) }),
      alphabets[..<first].allSatisfy({ $0.count == 1 })
    else { return nil }
    return alphabets[..<first].map { $0[0] }
  }

  /// How a chunk's word becomes the digits of a key; nil where ``keyPrefix`` is, or where the texts
  /// are all the same.
  var keyPieces: [KeyPiece]? {
    guard keyPrefix != nil, chunks.count == 1 else { return nil }
    var pieces: [KeyPiece] = []
    var shift = 0
    for (digit, alphabet) in alphabets.suffix(16).enumerated() {
      let bits = BitPacking.width(of: UInt64(alphabet.count - 1))
      let values = alphabet.map { UInt64($0 & 15) + UInt64($0 >> 6) * 9 }
      let isPlain = bits > 0 && values.elementsEqual(0..<(UInt64(1) << UInt64(bits)))
      if isPlain, let last = pieces.last, last.digits.isEmpty, last.bits % 4 == 0 {
        pieces[pieces.count - 1].bits += bits
      } else {
        pieces.append(
          KeyPiece(
            shift: shift, bits: bits, position: digit * 4, digits: isPlain ? [] : values))
      }
      shift += bits
    }
    return pieces
  }

  /// Whether a chunk's word is the key: all sixteen digits have four bits.
  var keyIsWord: Bool {
    keyPrefix != nil && alphabets.suffix(16).allSatisfy { $0 == Self.lowerHexadecimal }
  }
}
