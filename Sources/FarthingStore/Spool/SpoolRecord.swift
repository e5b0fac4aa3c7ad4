// The payload of a record of the spool: a section of lines, compressed, and what has to be known of it
// without expanding it. docs/format/spool.md describes it byte by byte.

/// Events on their way into the spool: one record of it.
package struct SpoolEntry: Sendable {
  /// When they arrived here, Unix nanoseconds.
  package var receivedTime: Int64
  /// Lines of the section.
  package var events: Int
  /// The section: what the forwarder sends on, byte for byte.
  package var text: [UInt8]
  /// How far the events' sources are read once this is durable.
  package var positions: [SourcePosition]

  package init(
    receivedTime: Int64, events: Int, text: [UInt8], positions: [SourcePosition] = []
  ) {
    self.receivedTime = receivedTime
    self.events = events
    self.text = text
    self.positions = positions
  }
}

/// A record as the spool gives it back.
package struct SpoolRecord: Sendable, Equatable {
  /// Its place in the stream of this spool; ascending, without gaps but where files were damaged.
  package var sequence: Int64
  /// Unix nanoseconds.
  package var receivedTime: Int64
  package var events: Int
  /// Bytes of the section before compression.
  package var textBytes: Int
  /// The section as one zstd frame.
  package var frame: [UInt8]
}

/// The form of a record's payload.
enum SpoolPayload {
  static let version: UInt8 = 1
  /// Measured: lines of events come out no smaller at 3, and take a third longer; see
  /// docs/decisions/0021-agent-spool.md.
  static let compressionLevel: Int32 = 1

  /// - Throws: `limitExceeded` where the compression library has no memory.
  static func encode(
    _ entry: SpoolEntry, _ compressor: ZstdCompressor
  ) throws(StoreError) -> [UInt8] {
    var bytes: [UInt8] = [version]
    bytes.append(signed: entry.receivedTime)
    bytes.append(variable: UInt64(entry.events))
    bytes.append(variable: UInt64(entry.text.count))
    bytes.append(variable: UInt64(entry.positions.count))
    for position in entry.positions {
      bytes.append(counted: position.source.utf8)
      bytes.append(counted: position.state)
    }
    // More than libzstd's own bound, whatever the bytes are.
    let limit = entry.text.count + entry.text.count / 128 + 1024
    guard
      compressor.compress(
        entry.text.span, level: compressionLevel, limit: limit, into: &bytes)
    else {
      throw StoreError(.limitExceeded, "there is no memory to compress events for the spool")
    }
    return bytes
  }

  /// What a payload says of its section, and where the section's frame stands.
  struct Head {
    var receivedTime: Int64
    var events: Int
    var textBytes: Int
    var positions: [SourcePosition]
    var frame: Range<Int>
  }

  /// - Throws: where the bytes are no payload of this version.
  static func head(_ payload: ArraySlice<UInt8>) throws(EncodingFault) -> Head {
    let bytes = Array(payload)
    let span = bytes.span
    var cursor = ByteCursor(span)
    guard try cursor.byte(span) == version else {
      throw EncodingFault("its payload version is unknown")
    }
    let receivedTime = try cursor.signed(span)
    let events = try cursor.count(span, upTo: LogFormat.maximumPayload)
    let textBytes = try cursor.count(span, upTo: LogFormat.maximumPayload)
    var positions: [SourcePosition] = []
    for _ in 0..<(try cursor.count(span, upTo: cursor.remaining)) {
      let source = try cursor.counted(span)
      guard let name = String(validating: bytes[source], as: UTF8.self) else {
        throw EncodingFault("the name of a source in it is not UTF-8")
      }
      positions.append(SourcePosition(source: name, state: Array(bytes[try cursor.counted(span)])))
    }
    return Head(
      receivedTime: receivedTime, events: events, textBytes: textBytes, positions: positions,
      frame: payload.startIndex + cursor.place..<payload.endIndex)
  }
}
