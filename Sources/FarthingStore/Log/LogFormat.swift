// A log file, byte by byte: docs/format/log.md.
//
//     0      header: mark, version, store, file, first sequence, checksum
//     4096   two slots of the durable mark: how far the file is known to be synced
//     8192   records, each at a multiple of 8, until the first place where none is valid
//
// All numbers are little-endian. A record's checksum covers the store, the file's number and its
// own sequence number, so a block that belongs to another file, or to another life of this one,
// is not valid here.

enum LogFormat {
  static let mark: [UInt8] = Array("FARTHLOG".utf8)
  static let version: UInt64 = 1
  static let markOffset = 4096
  /// The distance of the two mark slots: one disk sector, so that a torn write spoils one only.
  static let markStride = 512
  static let recordsOffset = 8192
  static let recordHeaderSize = 40
  /// Greatest payload of one record. An append of more is cut into several.
  static let maximumPayload = 48 << 20
  static let batchType: UInt8 = 1

  static func padded(_ count: Int) -> Int { (count + 7) & ~7 }

  /// The bytes of a new file before its first record.
  static func preamble(store: UInt64, file: Int64, firstSequence: Int64) -> [UInt8] {
    var bytes = mark
    bytes.append(word: version, bytes: 8)
    bytes.append(word: store, bytes: 8)
    bytes.append(word: UInt64(bitPattern: file), bytes: 8)
    bytes.append(word: UInt64(bitPattern: firstSequence), bytes: 8)
    bytes.append(word: UInt64(CRC32C.checksum(bytes.span)), bytes: 4)
    bytes.append(contentsOf: repeatElement(0, count: recordsOffset - bytes.count))
    return bytes
  }
}

/// Who a log file is: what every checksum in it includes.
struct LogIdentity: Sendable, Equatable {
  let store: UInt64
  let file: Int64

  /// The checksum of the identity alone, which those of records and marks continue.
  var checksum: UInt32 {
    var bytes: [UInt8] = []
    bytes.append(word: store, bytes: 8)
    bytes.append(word: UInt64(bitPattern: file), bytes: 8)
    return CRC32C.checksum(bytes.span)
  }
}

/// How far a log file was known to be synced when the mark was written.
struct DurableMark: Sendable, Equatable {
  /// The last sequence number that was durable.
  var sequence: Int64
  /// The end of its record.
  var end: Int

  static let size = 20

  func bytes(_ identity: LogIdentity) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(word: UInt64(bitPattern: sequence), bytes: 8)
    bytes.append(word: UInt64(end), bytes: 8)
    bytes.append(
      word: UInt64(CRC32C.checksum(bytes.span, previous: identity.checksum)), bytes: 4)
    return bytes
  }

  /// The newer of the two valid slots; nil where neither is valid.
  static func read(_ file: [UInt8], _ identity: LogIdentity) -> DurableMark? {
    var newest: DurableMark?
    for slot in 0..<2 {
      let place = LogFormat.markOffset + slot * LogFormat.markStride
      guard file.count >= place + size else { continue }
      var cursor = ByteCursor(place: place, end: place + size)
      guard let sequence = try? cursor.word(file.span, bytes: 8),
        let end = try? cursor.word(file.span, bytes: 8),
        let checksum = try? cursor.word(file.span, bytes: 4),
        checksum
          == UInt64(
            CRC32C.checksum(
              file.span.extracting(place..<place + 16), previous: identity.checksum)),
        end <= UInt64(Int.max)
      else { continue }
      let mark = DurableMark(sequence: Int64(bitPattern: sequence), end: Int(end))
      if newest.map({ mark.sequence > $0.sequence }) ?? true { newest = mark }
    }
    return newest
  }
}

/// The fixed part of a record.
struct LogRecordHeader: Sendable, Equatable {
  /// Bytes of the payload.
  var length: Int
  var type: UInt8
  var sequence: Int64
  /// The last sequence number that was durable when this record was written.
  var durableSequence: Int64

  /// Appends header, payload and padding.
  static func append(
    _ payload: LogPayload, type: UInt8, sequence: Int64, durableSequence: Int64,
    identity: LogIdentity, to bytes: inout [UInt8]
  ) {
    let start = bytes.count
    bytes.append(word: UInt64(payload.count), bytes: 4)
    bytes.append(word: UInt64(type), bytes: 4)
    bytes.append(word: UInt64(bitPattern: sequence), bytes: 8)
    bytes.append(word: UInt64(bitPattern: durableSequence), bytes: 8)
    let head = CRC32C.checksum(
      bytes.span.extracting(start..<bytes.count), previous: identity.checksum)
    bytes.append(word: UInt64(head), bytes: 8)
    let whole = CRC32C.checksum(
      payload.body.span, previous: CRC32C.checksum(payload.head.span, previous: head))
    bytes.append(word: UInt64(whole), bytes: 8)
    bytes.append(contentsOf: payload.head)
    bytes.append(contentsOf: payload.body)
    bytes.append(
      contentsOf: repeatElement(0, count: LogFormat.padded(payload.count) - payload.count))
  }

  /// The header at `place`; nil where its own checksum does not hold.
  static func read(_ file: [UInt8], at place: Int, _ identity: LogIdentity) -> LogRecordHeader? {
    guard file.count - place >= LogFormat.recordHeaderSize else { return nil }
    let span = file.span
    var cursor = ByteCursor(place: place, end: place + LogFormat.recordHeaderSize)
    guard let length = try? cursor.word(span, bytes: 4),
      let type = try? cursor.word(span, bytes: 4),
      let sequence = try? cursor.word(span, bytes: 8),
      let durable = try? cursor.word(span, bytes: 8), let head = try? cursor.word(span, bytes: 8),
      length <= UInt64(LogFormat.maximumPayload), type > 0, type < 256, head >> 32 == 0,
      UInt32(head)
        == CRC32C.checksum(span.extracting(place..<place + 24), previous: identity.checksum)
    else { return nil }
    return LogRecordHeader(
      length: Int(length), type: UInt8(type), sequence: Int64(bitPattern: sequence),
      durableSequence: Int64(bitPattern: durable))
  }

  /// Where the payload of the record at `place` stands; nil where it fails its checksum.
  func payload(_ file: [UInt8], at place: Int, _ identity: LogIdentity) -> Range<Int>? {
    let start = place + LogFormat.recordHeaderSize
    guard file.count - start >= length else { return nil }
    let span = file.span
    let head = CRC32C.checksum(span.extracting(place..<place + 24), previous: identity.checksum)
    var cursor = ByteCursor(place: place + 32, end: start)
    let expected = try? cursor.word(span, bytes: 8)
    let found = CRC32C.checksum(span.extracting(start..<start + length), previous: head)
    return expected == UInt64(found) ? start..<start + length : nil
  }

  /// The bytes that the record takes in its file.
  var size: Int { LogFormat.recordHeaderSize + LogFormat.padded(length) }
}
