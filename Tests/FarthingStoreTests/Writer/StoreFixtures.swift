import FarthingStore
import FarthingTestSupport

extension StoreWriter {
  /// A writer with the tests' clock and key.
  static func open(
    _ directory: String, options: StoreOptions = StoreOptions(),
    fileSystem: any FileSystem = PosixFileSystem(), now: Int64 = arrival
  ) throws(StoreError) -> StoreWriter {
    try StoreWriter(
      directory: directory, options: options, fileSystem: fileSystem, now: now,
      randomBytes: testKey)
  }
}
