/// Where the bytes of a segment come from. One object serves many threads at once.
package protocol SegmentSource: Sendable {
  /// What messages call the segment.
  var name: String { get }

  /// The size in bytes.
  func size() throws(StoreError) -> Int

  /// Replaces what `buffer` holds by the `count` bytes at `offset`.
  ///
  /// - Throws: `damaged` where the source ends before; `io` where the device fails.
  func read(into buffer: inout [UInt8], offset: Int, count: Int) throws(StoreError)
}

/// A segment in memory, such as the rows that are not sealed to disk yet.
package struct MemorySegmentSource: SegmentSource {
  package let name: String
  package let bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  package func size() throws(StoreError) -> Int { bytes.count }

  package func read(into buffer: inout [UInt8], offset: Int, count: Int) throws(StoreError) {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw StoreError(
        .damaged, "segment \(name): it has \(bytes.count) bytes, \(offset + count) were expected")
    }
    buffer.removeAll(keepingCapacity: true)
    buffer.append(contentsOf: bytes[offset..<offset + count])
  }
}

/// A segment in a file.
package struct FileSegmentSource: SegmentSource {
  package let name: String
  private let file: any StoreFile

  package init(name: String, file: any StoreFile) {
    self.name = name
    self.file = file
  }

  package func size() throws(StoreError) -> Int { try file.size() }

  package func read(into buffer: inout [UInt8], offset: Int, count: Int) throws(StoreError) {
    let read = try file.read(into: &buffer, offset: offset, count: count)
    guard read == count, buffer.count == count else {
      throw StoreError(
        .damaged,
        "segment \(name): it ends at byte \(offset + read), \(offset + count) were expected")
    }
  }
}
