package import FarthingStore
internal import Synchronization

/// A folder of its own for one test, emptied when the last reference goes.
package final class TemporaryDirectory: Sendable {
  private static let counter = Atomic<Int>(0)
  package let path: String

  /// - Throws: where the system's folder for temporary files takes none.
  package init() throws(StoreError) {
    let number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
    // A folder in memory where the system has one: these tests sync thousands of times.
    let memory = (try? PosixFileSystem().list("/dev/shm")) == nil ? nil : "/dev/shm"
    let root = HostProcess.environment("TMPDIR") ?? memory ?? "/tmp"
    path = "\(root)/farthing-test-\(PosixFileSystem.processID)-\(number)"
    Self.remove(path)
    try PosixFileSystem().createDirectory(path)
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) { PosixFileSystem().removeTree(path) }
}
