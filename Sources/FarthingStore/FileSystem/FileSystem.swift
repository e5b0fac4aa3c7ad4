// The seam between the store and the disk.
//
// Everything that the store writes, except the catalogue, passes through these two protocols, so a
// test can fail the n-th call, tear a write, or cut the power and keep only what was synced. What a
// call promises is what POSIX promises, no more: bytes are durable after ``StoreFile/dataSync()``,
// a name is durable after ``FileSystem/syncDirectory(_:)`` of its folder, and neither implies the
// other. SQLite does its own input and output; it announces each commit through the two catalogue
// calls so that the same tests can stop a process before or after one.

/// How a file is opened.
package enum FileAccess: Sendable, Equatable {
  /// An existing file, for reading.
  case read
  /// An existing file, for reading and writing.
  case readWrite
  /// A file that must not exist yet, for reading and writing.
  case create
}

/// An open file. Closed when the last reference goes, or by ``close()``.
///
/// One object may be used from several threads at once: every call names its own offset.
package protocol StoreFile: AnyObject, Sendable {
  /// Reads up to `count` bytes at `offset`, replacing what `buffer` holds.
  ///
  /// - Returns: the number of bytes read; less than `count` only where the file ends.
  /// - Throws: `io` where the device fails.
  func read(into buffer: inout [UInt8], offset: Int, count: Int) throws(StoreError) -> Int

  /// Writes all of `bytes` at `offset`; the file grows as needed.
  ///
  /// - Throws: `diskFull` or `io`. A prefix of the bytes may have been written then.
  func write(_ bytes: ArraySlice<UInt8>, offset: Int) throws(StoreError)

  /// Makes the file's bytes and its size durable (fdatasync).
  ///
  /// - Throws: `io` or `diskFull`. Afterwards nothing is known of unsynced bytes, and a later
  ///   success on the same file does not make them durable: give the file up.
  func dataSync() throws(StoreError)

  /// Cuts or extends the file with zeros to `size` bytes.
  func truncate(to size: Int) throws(StoreError)

  /// The file's size in bytes.
  func size() throws(StoreError) -> Int

  /// Releases the file. Calls after it throw `closed`.
  func close()
}

/// A lock on a file that lasts until it is released or its process ends, however it ends.
package protocol FileLock: AnyObject, Sendable {
  /// Replaces the text of the locked file, for whoever is refused the lock.
  func write(_ text: String) throws(StoreError)
  func release()
}

/// A file system as the store needs it. Paths are absolute or relative to the working folder.
package protocol FileSystem: Sendable {
  /// - Throws: `notFound`, `accessDenied`, `diskFull`, `invalidArgument` (it exists already, or is
  ///   a folder) or `io`.
  func open(_ path: String, _ access: FileAccess) throws(StoreError) -> any StoreFile

  /// Gives `source` the name `destination`, replacing what had it, in one step.
  func rename(_ source: String, to destination: String) throws(StoreError)

  /// Removes a name. A name that is not there is no error.
  func unlink(_ path: String) throws(StoreError)

  /// Makes the names in a folder durable: creations, renames and removals before this call.
  func syncDirectory(_ path: String) throws(StoreError)

  /// Creates a folder and those above it where missing.
  func createDirectory(_ path: String) throws(StoreError)

  /// The names in a folder in byte order, without `.` and `..`; nil where there is no such folder.
  func list(_ path: String) throws(StoreError) -> [String]?

  /// The size in bytes of the file at `path`; nil where there is none.
  func size(_ path: String) throws(StoreError) -> Int?

  /// The bytes that this user may still write in the folder's file system; nil where that is not known.
  func availableBytes(_ path: String) throws(StoreError) -> Int?

  /// Takes the exclusive lock on the file at `path`, created where missing.
  ///
  /// - Returns: nil where another process, or another lock object of this one, holds it.
  func lock(_ path: String) throws(StoreError) -> (any FileLock)?

  /// Called before the catalogue at `path` commits a transaction; an error stops it.
  func catalogWillCommit(_ path: String) throws(StoreError)

  /// Called after the catalogue at `path` committed; an error means that the caller never learns
  /// of the commit.
  func catalogDidCommit(_ path: String) throws(StoreError)
}

extension FileSystem {
  package func catalogWillCommit(_ path: String) throws(StoreError) {}
  package func catalogDidCommit(_ path: String) throws(StoreError) {}
  package func availableBytes(_ path: String) throws(StoreError) -> Int? { nil }

  /// The whole of a file.
  ///
  /// - Throws: as ``open(_:_:)`` and reading do.
  package func contents(of path: String) throws(StoreError) -> [UInt8] {
    let file = try open(path, .read)
    defer { file.close() }
    var bytes: [UInt8] = []
    _ = try file.read(into: &bytes, offset: 0, count: try file.size())
    return bytes
  }
}
