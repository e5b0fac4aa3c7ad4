extension StoreWriter {
  /// Whether so little space is left that ``probe()`` may fail; false where the system does not say.
  package nonisolated var isLowOnSpace: Bool {
    do throws(StoreError) {
      guard let left = try fileSystem.availableBytes(layout.directory) else { return false }
      return left < 2 * options.groupBytes
    } catch {
      return true
    }
  }

  /// Finds out whether the log could be written, after a failure: writes as much as shares a sync,
  /// syncs it, and removes it again.
  ///
  /// - Throws: as an append would; `closed` once nothing is appended any more.
  package func probe() async throws(StoreError) {
    guard !isClosed else { throw Self.closedError }
    let path = layout.path("probe.tmp")
    do throws(StoreError) {
      let file = try fileSystem.open(path, .create)
      defer { file.close() }
      let piece = [UInt8](repeating: 0xA5, count: 1 << 20)
      for offset in stride(from: 0, to: options.groupBytes, by: piece.count) {
        try file.write(piece[...], offset: offset)
      }
      try file.dataSync()
    } catch {
      try? fileSystem.unlink(path)
      throw error
    }
    try fileSystem.unlink(path)
  }
}
