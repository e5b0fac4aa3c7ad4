internal import Glibc

/// The operating system's file system.
///
/// Unsafe here are only C strings of paths and the buffers of `pread` and `pwrite`; each lives in
/// an array or string that the surrounding call keeps alive, and its length is the array's own.
package struct PosixFileSystem: FileSystem {
  package init() {}

  /// This process, as the system numbers it.
  package static var processID: Int { Int(getpid()) }

  package func open(_ path: String, _ access: FileAccess) throws(StoreError) -> any StoreFile {
    let flags =
      switch access {
      case .read: O_RDONLY
      case .readWrite: O_RDWR
      case .create: O_RDWR | O_CREAT | O_EXCL
      }
    let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure("opening", path, errno) }
    // From here the file owns the descriptor and closes it.
    let file = PosixFile(descriptor: descriptor, path: path)
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw Self.failure("opening", path, errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError(.invalidArgument, "\(path) is not a regular file")
    }
    return file
  }

  package func availableBytes(_ path: String) throws(StoreError) -> Int? {
    var status = statvfs()
    // `statvfs` fills the local structure that it is handed.
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    return Int(clamping: UInt128(status.f_bavail) * UInt128(status.f_frsize))
  }

  package func rename(_ source: String, to destination: String) throws(StoreError) {
    guard unsafe Glibc.rename(source, destination) == 0 else {
      throw Self.failure("renaming", source, errno)
    }
  }

  package func unlink(_ path: String) throws(StoreError) {
    guard unsafe Glibc.unlink(path) == 0 || errno == ENOENT else {
      throw Self.failure("removing", path, errno)
    }
  }

  package func syncDirectory(_ path: String) throws(StoreError) {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("opening", path, errno) }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Self.failure("syncing", path, errno) }
  }

  package func createDirectory(_ path: String) throws(StoreError) {
    if unsafe mkdir(path, 0o755) == 0 { return }
    switch errno {
    case EEXIST:
      var status = stat()
      guard unsafe stat(path, &status) == 0 else {
        throw Self.failure("examining", path, errno)
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw StoreError(
          .invalidArgument, "\(path) is a file where a folder is needed; name another folder")
      }
    case ENOENT:
      guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
        throw Self.failure("creating", path, ENOENT)
      }
      try createDirectory(String(path[..<slash]))
      guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
        throw Self.failure("creating", path, errno)
      }
    default:
      throw Self.failure("creating", path, errno)
    }
  }

  package func list(_ path: String) throws(StoreError) -> [String]? {
    guard let stream = unsafe opendir(path) else {
      if errno == ENOENT { return nil }
      if errno == ENOTDIR {
        throw StoreError(
          .invalidArgument, "\(path) is not a folder; name the store's folder with --data")
      }
      throw Self.failure("listing", path, errno)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      // `d_name` is a NUL-terminated array inside the entry, valid until the next readdir.
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw Self.failure("listing", path, errno) }
    return names.sorted()
  }

  package func size(_ path: String) throws(StoreError) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw Self.failure("examining", path, errno)
    }
    return Int(status.st_size)
  }

  package func lock(_ path: String) throws(StoreError) -> (any FileLock)? {
    let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure("opening", path, errno) }
    let file = PosixFile(descriptor: descriptor, path: path)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      if errno == EWOULDBLOCK { return nil }
      throw Self.failure("locking", path, errno)
    }
    return PosixLock(file: file)
  }

  /// Removes a folder and all that is in it; what cannot be removed stays.
  package func removeTree(_ path: String) {
    // `list` fails on a file, which then goes by itself. Links are removed, not followed.
    if unsafe Glibc.unlink(path) == 0 { return }
    for name in (try? list(path)) ?? [] { removeTree("\(path)/\(name)") }
    _ = unsafe rmdir(path)
  }

  /// The store's error for the operating system's number, told as "VERB PATH failed".
  static func failure(_ verb: String, _ path: String, _ number: Int32) -> StoreError {
    let cause = unsafe String(cString: strerror(number))
    switch number {
    case ENOENT, ENOTDIR:
      return StoreError(.notFound, "\(path) does not exist", cause: cause)
    case EACCES, EPERM, EROFS:
      return StoreError(
        .accessDenied, "\(verb) \(path) is not allowed; check its owner, mode and mount",
        cause: cause)
    case ENOSPC, EDQUOT:
      return StoreError(
        .diskFull, "\(verb) \(path) failed: no space is left; free some and try again",
        cause: cause)
    case EEXIST:
      return StoreError(.invalidArgument, "\(path) exists already", cause: cause)
    case EISDIR:
      return StoreError(.invalidArgument, "\(path) is a folder, not a file", cause: cause)
    default:
      return StoreError(.io, "\(verb) \(path) failed", cause: cause)
    }
  }
}

/// A `flock` on an open file; the kernel drops it when the process ends.
private final class PosixLock: FileLock {
  private let file: PosixFile

  init(file: PosixFile) { self.file = file }

  func write(_ text: String) throws(StoreError) {
    let bytes = Array(text.utf8)
    try file.truncate(to: 0)
    try file.write(bytes[...], offset: 0)
  }

  // Closing the only descriptor of the open file releases its lock.
  func release() { file.close() }
}
