internal import Glibc
internal import Synchronization

/// What tells a file from all others on this machine while it exists.
package struct FileIdentity: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64

  /// `DEVICE:INODE`, as positions are kept under.
  package var text: String { "\(device):\(inode)" }

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// A regular file that another process appends to, open for reading.
///
/// Unsafe are the status structures that the system fills and the buffer of `pread`, which is the
/// array's own and as long as the call is told. Closed with its last reference.
package final class GrowingFile: Sendable {
  private let descriptor: Int32
  package let path: String
  package let identity: FileIdentity

  private init(descriptor: Int32, path: String, identity: FileIdentity) {
    self.descriptor = descriptor
    self.path = path
    self.identity = identity
  }

  deinit { _ = Glibc.close(descriptor) }

  /// Opens the file at `path`; nil where none is, or where it is no regular file.
  ///
  /// - Throws: `accessDenied` or `io`.
  package static func open(_ path: String) throws(StoreError) -> GrowingFile? {
    // A pipe at that path must not block the opening.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw HostProcess.failure("opening", path, errno)
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      _ = Glibc.close(descriptor)
      return nil
    }
    return GrowingFile(
      descriptor: descriptor, path: path,
      identity: FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)))
  }

  /// The identity and size of the regular file at `path` now; nil where there is none.
  package static func look(at path: String) -> (identity: FileIdentity, size: Int)? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return (
      FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
      Int(status.st_size)
    )
  }

  /// Whether a folder is at `path`.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The size now and whether the file still has a name.
  package func status() throws(StoreError) -> (size: Int, hasName: Bool) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw HostProcess.failure("examining", path, errno)
    }
    return (Int(status.st_size), status.st_nlink > 0)
  }

  /// When it was last written, in Unix seconds.
  package func writtenAt() throws(StoreError) -> Int64 {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw HostProcess.failure("examining", path, errno)
    }
    return Int64(status.st_mtim.tv_sec)
  }

  /// Up to `count` bytes at `offset`; fewer only where the file ends.
  package func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      // The buffer holds `count` bytes, so `count − done` at `done` stay inside it.
      let result = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(
          descriptor, bytes.baseAddress.unsafelyUnwrapped + done, count - done,
          off_t(offset + done))
      }
      if result == 0 { break }
      if result < 0 {
        if errno == EINTR { continue }
        throw HostProcess.failure("reading", path, errno)
      }
      done += result
    }
    buffer.removeLast(count - done)
    return buffer
  }
}

/// Asks to stop: the first SIGINT or SIGTERM is noted, a second one ends the process at once.
package enum StopSignal {
  private static let wasReceived = Atomic<Bool>(false)

  /// Begins to note the signals.
  package static func install() {
    // The flag is made before a handler can need it: making it is not allowed inside one.
    _ = isReceived
    var action = sigaction()
    // The handler touches nothing but an atomic flag, which signal handlers may.
    unsafe action.__sigaction_handler.sa_handler = { _ in
      StopSignal.wasReceived.store(true, ordering: .relaxed)
    }
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_RESTART)
    _ = unsafe sigaction(SIGINT, &action, nil)
    _ = unsafe sigaction(SIGTERM, &action, nil)
  }

  /// Whether one came.
  package static var isReceived: Bool { wasReceived.load(ordering: .relaxed) }
}

extension ByteSource {
  /// Whether standard input has bytes to be read, or has ended, within a time.
  package static func standardInputIsReady(milliseconds: Int32) -> Bool {
    var request = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    // `poll` fills the one structure that it is told of.
    return unsafe poll(&request, 1, milliseconds) > 0
  }
}

extension HostProcess {
  /// The path from the root; one that is there already stays as it is.
  package static func absolutePath(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    var buffer = [CChar](repeating: 0, count: 4096)
    // `getcwd` writes at most as many bytes as it is told, which the array has.
    let folder = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe getcwd(bytes.baseAddress, bytes.count).map { unsafe String(cString: $0) }
    }
    guard let folder else { return path }
    var rest = path[...]
    while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
    if rest.isEmpty || rest == "." { return folder }
    return (folder == "/" ? "" : folder) + "/" + rest
  }
}
