internal import Glibc

/// Bytes from a file, a pipe, a device or standard input, read once from front to back.
///
/// Unlike ``StoreFile`` it needs neither a size nor an offset, so a named pipe works as well.
/// One object belongs to one reader at a time.
package final class ByteSource {
  private let descriptor: Int32
  private let isOwned: Bool
  private let path: String
  /// The size of a regular file in bytes; nil where it is not known (pipes, terminals).
  package let size: Int?
  /// When a regular file was last written, Unix nanoseconds; nil for what is none.
  package let modificationTime: Int64?

  private init(descriptor: Int32, path: String, isOwned: Bool) {
    self.descriptor = descriptor
    self.path = path
    self.isOwned = isOwned
    var status = stat()
    // `fstat` fills the local structure that it is handed and keeps no reference to it.
    let known = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    size = known ? Int(status.st_size) : nil
    modificationTime =
      known
      ? Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec) : nil
  }

  deinit { if isOwned { _ = Glibc.close(descriptor) } }

  /// The bytes of standard input.
  package static func standardInput() -> ByteSource {
    ByteSource(descriptor: 0, path: "standard input", isOwned: false)
  }

  /// Opens the file, pipe or device at `path`.
  ///
  /// - Parameter regularOnly: refuse what may keep a reader waiting for ever, such as a named pipe.
  /// - Throws: `notFound`, `accessDenied`, `invalidArgument` for a folder, or `io`.
  package static func open(
    _ path: String, regularOnly: Bool = false
  ) throws(StoreError) -> ByteSource {
    // Opening a pipe without a writer would wait for one.
    let waiting = regularOnly ? O_NONBLOCK : 0
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | waiting)
    guard descriptor >= 0 else { throw HostProcess.failure("opening", path, errno) }
    var status = stat()
    if unsafe fstat(descriptor, &status) == 0 {
      let type = status.st_mode & S_IFMT
      if type == S_IFDIR || (regularOnly && type != S_IFREG) {
        _ = Glibc.close(descriptor)
        throw StoreError(
          .invalidArgument,
          "\(path) is \(type == S_IFDIR ? "a folder" : "a pipe or a device"), not a file")
      }
    }
    _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    return ByteSource(descriptor: descriptor, path: path, isOwned: true)
  }

  /// Appends up to `count` bytes to `buffer`; waits for at least one.
  ///
  /// - Returns: the number of bytes appended; 0 only at the end.
  /// - Throws: `io` where the device fails; `closed` where the end of the command was asked for.
  package func read(appendingTo buffer: inout [UInt8], count: Int) throws(StoreError) -> Int {
    // A pipe or a terminal may give nothing for long.
    if size == nil, !Interruption.waitForInput(descriptor) {
      throw StoreError(.closed, "reading \(path) was broken off")
    }
    while true {
      var result = 0
      buffer.append(addingCapacity: count) { (added: inout OutputSpan<UInt8>) in
        // The span has room for `count` bytes; those that were read are said to be there.
        unsafe added.withUnsafeMutableBufferPointer { bytes, initialized in
          result = unsafe Glibc.read(
            descriptor, UnsafeMutableRawPointer(bytes.baseAddress.unsafelyUnwrapped), count)
          initialized = max(0, result)
        }
      }
      if result < 0, errno == EINTR { continue }
      if result < 0 { throw HostProcess.failure("reading", path, errno) }
      return result
    }
  }
}
