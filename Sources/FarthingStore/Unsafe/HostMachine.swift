internal import Glibc

/// What a check of the machine wants to know of disks, clocks and limits.
package enum HostMachine {
  /// A file system as the kernel describes it.
  package struct Volume: Sendable, Equatable {
    /// Bytes that this user may still write.
    package var freeBytes: Int64
    package var totalBytes: Int64
    package var freeFiles: Int64
    /// Whether it is mounted for reading only.
    package var isReadOnly: Bool
    /// Its kind where a store should know it: `tmpfs`, `nfs`, `overlay`…; nil for any other.
    package var kind: String?
  }

  /// The volume that holds a path that exists.
  ///
  /// - Throws: `notFound`, `accessDenied` or `io`.
  package static func volume(of path: String) throws(StoreError) -> Volume {
    var space = statvfs()
    // The call fills the local structure that it is handed.
    guard unsafe statvfs(path, &space) == 0 else {
      throw HostProcess.failure("asking for the space of", path, errno)
    }
    let fragment = Int64(clamping: space.f_frsize)
    func bytes(_ blocks: UInt) -> Int64 {
      Int64(clamping: blocks).multipliedReportingOverflow(by: fragment).partialValue
    }
    return Volume(
      freeBytes: bytes(space.f_bavail), totalBytes: bytes(space.f_blocks),
      freeFiles: Int64(clamping: space.f_favail),
      isReadOnly: space.f_flag & UInt(ST_RDONLY) != 0,
      kind: kind(ofVolumeWith: path))
  }

  /// The kind of the volume that holds a path, as /proc/self/mounts has it; nil where it does not.
  ///
  /// Source: proc(5). Blanks in names stand there as \040, which no data folder should need.
  private static func kind(ofVolumeWith path: String) -> String? {
    guard let resolved = absolute(path), let text = pseudoFile("/proc/self/mounts") else {
      return nil
    }
    var best: (length: Int, kind: String)?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 3 else { continue }
      let place = words[1] == "/" ? "/" : words[1] + "/"
      // Of two mounts on one place the later hides the earlier.
      if (resolved + "/").hasPrefix(place), place.count >= best?.length ?? 0 {
        best = (place.count, String(words[2]))
      }
    }
    return best?.kind
  }

  private static func absolute(_ path: String) -> String? {
    // `realpath` allocates the text that it answers with; it is freed once it is copied.
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Lets this process open as many files as its user may, and says how many that is.
  ///
  /// The usual 1,024 are kept for programs that call `select`, which this one does not.
  package static func raiseOpenFileLimit() -> Int {
    var limit = rlimit()
    let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    if unsafe getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = min(limit.rlim_max, 1 << 20)
      _ = unsafe setrlimit(files, &limit)
    }
    return openFileLimit()
  }

  /// Bytes of this process that are in memory; nil where /proc does not say.
  package static func residentBytes() -> Int? {
    guard let words = pseudoFile("/proc/self/statm")?.split(separator: " "), words.count > 1,
      let pages = Int(words[1])
    else { return nil }
    return pages.multipliedReportingOverflow(by: Int(sysconf(Int32(_SC_PAGESIZE)))).partialValue
  }

  /// Files that this process may have open at once.
  package static func openFileLimit() -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return .max
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// Bytes of memory that this process may come to hold: of the machine, or of its control group
  /// where that allows less. nil where neither is told.
  package static func memoryLimit() -> Int? {
    let pages = Int(sysconf(Int32(_SC_PHYS_PAGES)))
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let machine = pages > 0 && page > 0 ? pages.multipliedReportingOverflow(by: page).0 : nil
    let groups = [
      "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ].compactMap { path -> Int? in
      pseudoFile(path).flatMap { Int($0.prefix { $0 != "\n" }) }
    }
    return ([machine].compactMap { $0 } + groups).min()
  }

  /// The permission bits of a file, as chmod takes them.
  ///
  /// - Throws: `notFound`, `accessDenied` or `io`.
  package static func fileMode(of path: String) throws(StoreError) -> UInt32 {
    var entry = stat()
    // The call fills the local structure that it is handed.
    guard unsafe stat(path, &entry) == 0 else {
      throw HostProcess.failure("asking for the mode of", path, errno)
    }
    return entry.st_mode & 0o7777
  }

  /// Whether this process may run the file at `path`.
  package static func mayExecute(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

  /// Whether this process may write into a folder that exists.
  package static func mayWrite(_ folder: String) -> Bool { unsafe access(folder, W_OK | X_OK) == 0 }

  /// Whether a process of that id is there, of whomever.
  package static func isRunning(_ process: Int32) -> Bool {
    process > 0 && (kill(process, 0) == 0 || errno == EPERM)
  }

  /// The text of a file whose size the kernel does not tell, at most 1 MiB of it.
  private static func pseudoFile(_ path: String) -> String? {
    guard let source = try? ByteSource.open(path) else { return nil }
    var bytes: [UInt8] = []
    while bytes.count < 1 << 20,
      let count = try? source.read(appendingTo: &bytes, count: 1 << 16), count > 0
    {}
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }
}
