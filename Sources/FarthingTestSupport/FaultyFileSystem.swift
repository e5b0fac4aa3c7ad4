// A file system that fails on demand.
//
// It passes every call to the operating system and counts it. One call, chosen by its number, can
// fail, be torn, or be the last that the process makes. Beside the files it keeps what a power cut
// would leave of them: the bytes of the last successful sync of each file, the names of the last
// sync of each folder, and the writes and renames since then, of which any subset may survive.
//
// Folders count as durable when made. The catalogue is SQLite's own business: a power cut leaves
// it as of its last commit, which is what its write-ahead log with synchronous=FULL promises, and
// which is not tested here.

package import FarthingStore
internal import Synchronization

/// What happens to the chosen call.
package enum FileFault: Sendable, Equatable, CaseIterable {
  /// It fails, and the next ones work. A failed sync drops what it should have made durable.
  case ioError
  /// It fails for want of space after half of its bytes, and the next ones work.
  case diskFull
  /// Half of it reaches the disk and the process dies.
  case torn
  /// The process dies before it.
  case crashBefore
  /// It is done, but the process dies before it learns of it.
  case crashAfter
  /// It and all later calls fail; the process lives.
  case failsForGood
}

/// The real disk, on which a test fails the n-th call, or cuts the power.
package final class FaultyFileSystem: FileSystem {
  private struct State {
    var callCount = 0
    var faultAt: Int?
    var fault = FileFault.ioError
    var isDead = false
    var failsForGood = false
    var isFull = false
    var availableBytes: Int?
    var disk = DiskModel()
    var locks: [any FileLock] = []
    var catalogCopies: [String: [UInt8]] = [:]
    var calls: [String] = []
  }

  private let base = PosixFileSystem()
  /// Guards everything; calls of several threads are taken one by one.
  private let state = Mutex(State())

  package init() {}

  /// Lets the n-th call from now on, counted from 1, go wrong.
  package func plan(_ fault: FileFault, atCall number: Int) {
    state.withLock { state in
      state.faultAt = state.callCount + number
      state.fault = fault
    }
  }

  /// While true, whatever would take space fails with `diskFull`.
  package func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

  /// What the file system says of its free space; nil, as at first, for nothing.
  package func setAvailableBytes(_ bytes: Int?) { state.withLock { $0.availableBytes = bytes } }

  /// Calls so far.
  package var callCount: Int { state.withLock { $0.callCount } }

  /// The calls so far, for messages.
  package var calls: [String] { state.withLock { $0.calls } }

  /// Whether the planned fault came.
  package var didFault: Bool {
    state.withLock { state in state.faultAt.map { state.callCount >= $0 } ?? false }
  }

  /// Lets the process die: every later call fails, and its locks are free.
  package func kill() {
    state.withLock { state in
      state.isDead = true
      for lock in state.locks { lock.release() }
      state.locks = []
    }
  }

  // MARK: - One call

  private enum Verdict {
    case pass
    case halfThenFail(StoreError)
    case fail(StoreError)
    case passThenFail(StoreError)
  }

  private static let dead = StoreError(.io, "the process is dead")

  private func judge(_ call: String, takesSpace: Bool) -> Verdict {
    state.withLock { state in
      if state.isDead { return .fail(Self.dead) }
      state.callCount += 1
      state.calls.append(call)
      if state.failsForGood { return .fail(StoreError(.io, "\(call) failed for good")) }
      if state.isFull, takesSpace {
        return .halfThenFail(StoreError(.diskFull, "\(call) failed: no space is left"))
      }
      guard state.callCount == state.faultAt else { return .pass }
      switch state.fault {
      case .ioError: return .fail(StoreError(.io, "\(call) failed"))
      case .diskFull:
        return .halfThenFail(StoreError(.diskFull, "\(call) failed: no space is left"))
      case .failsForGood:
        state.failsForGood = true
        return .fail(StoreError(.io, "\(call) failed for good"))
      case .torn, .crashBefore, .crashAfter:
        state.isDead = true
        for lock in state.locks { lock.release() }
        state.locks = []
        switch state.fault {
        case .torn: return .halfThenFail(Self.dead)
        case .crashAfter: return .passThenFail(Self.dead)
        default: return .fail(Self.dead)
        }
      }
    }
  }

  /// Runs one call under its verdict.
  fileprivate func perform<Result>(
    _ call: String, takesSpace: Bool = false,
    half: () -> Void = {}, dropped: (inout DiskModel) -> Void = { _ in },
    body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    switch judge(call, takesSpace: takesSpace) {
    case .pass: return try body()
    case .fail(let error):
      state.withLock { dropped(&$0.disk) }
      throw error
    case .halfThenFail(let error):
      half()
      state.withLock { dropped(&$0.disk) }
      throw error
    case .passThenFail(let error):
      _ = try body()
      throw error
    }
  }

  fileprivate func record(_ change: (inout DiskModel) -> Void) {
    state.withLock { change(&$0.disk) }
  }

  // MARK: - FileSystem

  package func open(_ path: String, _ access: FileAccess) throws(StoreError) -> any StoreFile {
    // Reading is not part of the write path; the process must be alive for it, no more.
    if access == .read {
      if state.withLock({ $0.isDead }) { throw Self.dead }
      return try base.open(path, access)
    }
    return try perform("open \(Self.last(path))", takesSpace: access == .create) {
      () throws(StoreError) in
      let file = try base.open(path, access)
      if access == .create { record { $0.create(path) } }
      return FaultyFile(file, path: path, owner: self)
    }
  }

  package func rename(_ source: String, to destination: String) throws(StoreError) {
    try perform("rename \(Self.last(source))") { () throws(StoreError) in
      try base.rename(source, to: destination)
      record { $0.rename(source, to: destination) }
    }
  }

  package func unlink(_ path: String) throws(StoreError) {
    guard try base.size(path) != nil else {
      if state.withLock({ $0.isDead }) { throw Self.dead }
      return
    }
    try perform("unlink \(Self.last(path))") { () throws(StoreError) in
      try base.unlink(path)
      record { $0.unlink(path) }
    }
  }

  package func syncDirectory(_ path: String) throws(StoreError) {
    try perform("sync folder \(Self.last(path))") { () throws(StoreError) in
      try base.syncDirectory(path)
      record { $0.syncDirectory(path) }
    }
  }

  package func createDirectory(_ path: String) throws(StoreError) {
    try perform("mkdir \(Self.last(path))", takesSpace: true) { () throws(StoreError) in
      try base.createDirectory(path)
    }
  }

  package func list(_ path: String) throws(StoreError) -> [String]? { try base.list(path) }

  package func size(_ path: String) throws(StoreError) -> Int? { try base.size(path) }

  package func availableBytes(_ path: String) throws(StoreError) -> Int? {
    state.withLock { $0.availableBytes }
  }

  package func lock(_ path: String) throws(StoreError) -> (any FileLock)? {
    guard let lock = try base.lock(path) else { return nil }
    state.withLock { $0.locks.append(lock) }
    return lock
  }

  package func catalogWillCommit(_ path: String) throws(StoreError) {
    try perform("commit catalogue", takesSpace: true) { () throws(StoreError) in }
  }

  package func catalogDidCommit(_ path: String) throws(StoreError) {
    let copy = path + ".power-cut"
    do throws(StoreError) {
      try base.unlink(copy)
      try CatalogReader.backUp(path, to: copy)
      let bytes = try base.contents(of: copy)
      state.withLock { $0.catalogCopies[path] = bytes }
      try base.unlink(copy)
    } catch {}
    try perform("committed catalogue") { () throws(StoreError) in }
  }

  private static func last(_ path: String) -> String {
    path.split(separator: "/").suffix(2).joined(separator: "/")
  }

  // MARK: - Power cut

  /// Builds in `destination` what a power cut would leave of `directory` now.
  ///
  /// - Parameter seed: which of the unsynced writes and names survive.
  package func powerCut(
    of directory: String, into destination: String, seed: UInt64
  ) throws(StoreError) {
    let (disk, catalogs) = state.withLock { ($0.disk, $0.catalogCopies) }
    var random = SplitMix(seed: seed)
    try base.createDirectory(destination)
    for folder in ["segments", "log"] where try base.list("\(directory)/\(folder)") != nil {
      try base.createDirectory("\(destination)/\(folder)")
    }
    var files = disk.survivors(&random)
    for (path, bytes) in catalogs { files[path] = bytes }
    for (path, bytes) in files.sorted(by: { $0.key < $1.key })
    where path.hasPrefix(directory + "/") {
      let file = try base.open(destination + path.dropFirst(directory.count), .create)
      try file.write(bytes[...], offset: 0)
    }
  }
}

/// An open file of a ``FaultyFileSystem``.
private final class FaultyFile: StoreFile {
  private let base: any StoreFile
  private let path: String
  private let name: String
  private let owner: FaultyFileSystem

  init(_ base: any StoreFile, path: String, owner: FaultyFileSystem) {
    self.base = base
    self.path = path
    self.owner = owner
    name = path.split(separator: "/").suffix(2).joined(separator: "/")
  }

  func read(into buffer: inout [UInt8], offset: Int, count: Int) throws(StoreError) -> Int {
    try base.read(into: &buffer, offset: offset, count: count)
  }

  func write(_ bytes: ArraySlice<UInt8>, offset: Int) throws(StoreError) {
    func put(_ bytes: ArraySlice<UInt8>) throws(StoreError) {
      try base.write(bytes, offset: offset)
      owner.record { $0.write(bytes, to: path, offset: offset) }
    }
    try owner.perform(
      "write \(name)", takesSpace: true,
      half: { try? put(bytes.prefix(bytes.count / 2)) },
      body: { () throws(StoreError) in try put(bytes) })
  }

  func dataSync() throws(StoreError) {
    try owner.perform(
      "sync \(name)", dropped: { $0.dropUnsynced(path) },
      body: { () throws(StoreError) in
        try base.dataSync()
        owner.record { $0.sync(path) }
      })
  }

  func truncate(to size: Int) throws(StoreError) {
    try owner.perform("truncate \(name)") { () throws(StoreError) in
      try base.truncate(to: size)
      owner.record { $0.truncate(path, to: size) }
    }
  }

  func size() throws(StoreError) -> Int { try base.size() }
  func close() { base.close() }
}

extension FileFault {
  /// Every how many-th call of a path of writing a fault is put, in suites whose round costs much.
  ///
  /// 5, or 1 where `FARTHING_FAULT_STRIDE=1` asks for all. Begun at ``firstCall``, the kinds of fault
  /// together meet every call.
  package static let stride = ProcessEnvironment.integer("FARTHING_FAULT_STRIDE") ?? 5

  /// The first call that a suite with ``stride`` puts the fault at.
  package var firstCall: Int {
    1 + (FileFault.allCases.firstIndex(of: self) ?? 0) % FileFault.stride
  }
}

/// Numbers that whoever runs the tests may set.
package enum ProcessEnvironment {
  /// nil where the variable is not set, or no number of at least 1.
  package static func integer(_ name: String) -> Int? {
    guard let text = HostProcess.environment(name), let number = Int(text), number > 0 else {
      return nil
    }
    return number
  }
}
