/// Copies files durably, with a checksum of what was copied.
///
/// The checksum is XXH64 in pieces of a mebibyte, each seeded with the sum of the one before, so that
/// no file has to be in memory.
struct FileCopier {
  private static let pieceBytes = 1 << 20

  let fileSystem: any FileSystem

  /// What was copied.
  struct Result: Equatable {
    var byteCount: Int
    var checksum: UInt64
  }

  /// Copies `source` to `destination`, which must not exist, and makes its bytes durable; its name
  /// becomes durable with the folder. What is left of a copy that fails is removed.
  ///
  /// - Throws: `notFound`, `diskFull`, `io`, `accessDenied`.
  func copy(_ source: any StoreFile, to destination: String) throws(StoreError) -> Result {
    let copy = try fileSystem.open(destination, .create)
    defer { copy.close() }
    do throws(StoreError) {
      var bytes: [UInt8] = []
      var result = Result(byteCount: 0, checksum: 0)
      while true {
        let count = try source.read(
          into: &bytes, offset: result.byteCount, count: Self.pieceBytes)
        if count > 0 {
          try copy.write(bytes[..<count], offset: result.byteCount)
          result.checksum = XXH64.hash(
            bytes.span.extracting(0..<count), seed: result.checksum)
          result.byteCount += count
        }
        if count < Self.pieceBytes { break }
      }
      try copy.dataSync()
      return result
    } catch {
      try? fileSystem.unlink(destination)
      throw error
    }
  }

  /// Whether the file at `path` is the copy that a list of a backup means: there, readable, and with its
  /// bytes.
  ///
  /// - Throws: `accessDenied`.
  /// - Complexity: O(bytes).
  func isWhole(_ copy: BackupManifest.Copy, at path: String) throws(StoreError) -> Bool {
    do throws(StoreError) {
      guard try fileSystem.size(path) == copy.byteCount else { return false }
      return try checksum(path) == Result(byteCount: copy.byteCount, checksum: copy.checksum)
    } catch {
      guard error.code == .io || error.code == .notFound else { throw error }
      return false
    }
  }

  /// The checksum of a file as it lies.
  func checksum(_ path: String) throws(StoreError) -> Result {
    let file = try fileSystem.open(path, .read)
    defer { file.close() }
    var bytes: [UInt8] = []
    var result = Result(byteCount: 0, checksum: 0)
    while true {
      let count = try file.read(into: &bytes, offset: result.byteCount, count: Self.pieceBytes)
      if count > 0 {
        result.checksum = XXH64.hash(bytes.span.extracting(0..<count), seed: result.checksum)
        result.byteCount += count
      }
      if count < Self.pieceBytes { return result }
    }
  }
}
