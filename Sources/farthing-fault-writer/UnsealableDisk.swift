internal import FarthingStore

/// The real disk, but for segments, for which it has no space.
struct UnsealableDisk: FileSystem {
  private let base = PosixFileSystem()

  func open(_ path: String, _ access: FileAccess) throws(StoreError) -> any StoreFile {
    if access == .create, path.contains("/segments/") {
      throw StoreError(.diskFull, "\(path): this disk takes no segment")
    }
    return try base.open(path, access)
  }

  func rename(_ source: String, to destination: String) throws(StoreError) {
    try base.rename(source, to: destination)
  }

  func unlink(_ path: String) throws(StoreError) { try base.unlink(path) }

  func syncDirectory(_ path: String) throws(StoreError) { try base.syncDirectory(path) }

  func createDirectory(_ path: String) throws(StoreError) { try base.createDirectory(path) }

  func list(_ path: String) throws(StoreError) -> [String]? { try base.list(path) }

  func size(_ path: String) throws(StoreError) -> Int? { try base.size(path) }

  func lock(_ path: String) throws(StoreError) -> (any FileLock)? { try base.lock(path) }
}
