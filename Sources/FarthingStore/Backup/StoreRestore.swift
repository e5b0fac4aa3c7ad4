// Making a store of a backup.
//
// The catalogue comes last and by a rename: until then the folder holds no store, and a start says
// so. A file RESTORING lies there from the first step to the last, so that a restore that was cut off can be
// begun anew over its own remains, and over nothing else.

internal import FarthingCore

/// Restores a backup into an empty folder.
package struct StoreRestore {
  /// Lies in a folder from the first step of a restore to the last.
  static let mark = "RESTORING"

  private let source: String
  private let manifest: BackupManifest
  private let layout: StoreLayout
  private let fileSystem: any FileSystem
  private let copier: FileCopier

  /// What a restore left out.
  package struct Report: Sendable, Equatable {
    package var manifest: BackupManifest
    package var files = 0
    package var bytes = 0
    /// A sentence for each file that is not there as it should be.
    package var faults: [String] = []
  }

  /// Restores the backup in `source` into `directory`.
  ///
  /// - Parameters:
  ///   - skipsDamaged: whether to go on without copies that fail their checksum; the store then names
  ///     them as missing.
  ///   - onProgress: bytes that are done, and of all.
  /// - Throws: `notFound` where there is no backup; `invalidArgument` where the folder is not empty,
  ///   naming what is in it; `damaged` where a copy fails its checksum; `locked`, `diskFull`, `io`. The
  ///   folder holds no store then.
  package static func run(
    source: String, directory: String, skipsDamaged: Bool = false,
    fileSystem: any FileSystem = PosixFileSystem(),
    onProgress: @escaping (Int, Int) -> Void = { _, _ in }
  ) throws(StoreError) -> Report {
    let source = StoreLayout(directory: source).directory
    let layout = StoreLayout(directory: directory)
    guard !source.isEmpty, !layout.directory.isEmpty else {
      throw StoreError(
        .invalidArgument, "a folder without a name is none; name the backup's and --data")
    }
    guard let manifest = try BackupManifest.read(source, fileSystem: fileSystem) else {
      throw StoreError(
        .notFound,
        "\(source) holds no backup: \(source)/\(BackupManifest.fileName) does not exist")
    }
    try expectEmpty(layout, fileSystem)
    try fileSystem.createDirectory(layout.directory)
    let holder = LockHolder(processID: PosixFileSystem.processID)
    let lock = try LockHolder.take(layout: layout, fileSystem: fileSystem, holder: holder)
    defer { lock.release() }
    let restore = StoreRestore(
      source: source, manifest: manifest, layout: layout, fileSystem: fileSystem,
      copier: FileCopier(fileSystem: fileSystem))
    return try restore.run(skipsDamaged: skipsDamaged, onProgress: onProgress)
  }

  /// Refuses a folder whose restore has not come to its catalogue, the last file: it is neither a store
  /// nor the place for one.
  ///
  /// With the catalogue in place the store is whole, and a mark beside it only left over.
  /// - Throws: `damaged`, naming what to do; `io`.
  package static func expectFinished(
    _ layout: StoreLayout, _ fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) {
    guard try fileSystem.size(layout.path(mark)) != nil,
      try fileSystem.size(layout.catalogPath) == nil
    else { return }
    throw StoreError(
      .damaged,
      "\(layout.directory) holds no store yet: the restore into it was not finished "
        + "(\(layout.path(mark)) is there, \(layout.catalogPath) is not); run farthing store restore "
        + "again, or remove the folder")
  }

  private static func expectEmpty(
    _ layout: StoreLayout, _ fileSystem: any FileSystem
  ) throws(StoreError) {
    var names = try fileSystem.list(layout.directory) ?? []
    if names.contains(mark), !names.contains("catalog.sqlite") { return }
    names.removeAll { $0 == "LOCK" }
    guard !names.isEmpty else { return }
    let some = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    throw StoreError(
      .invalidArgument,
      "\(layout.directory) is not empty: it holds \(some); a restore needs an empty or missing folder"
    )
  }

  private func run(
    skipsDamaged: Bool, onProgress: (Int, Int) -> Void
  ) throws(StoreError) -> Report {
    let markPath = layout.path(Self.mark)
    if try fileSystem.size(markPath) == nil {
      try fileSystem.open(markPath, .create).close()
    }
    try fileSystem.syncDirectory(layout.directory)
    try fileSystem.createDirectory(layout.segmentDirectory)
    try fileSystem.createDirectory(layout.logDirectory)
    try clearRemains()
    var report = Report(manifest: manifest)
    for name in manifest.missing {
      report.faults.append("\(name) was missing when the backup was made")
    }
    var catalogue: BackupManifest.Copy?
    for copy in manifest.copies {
      onProgress(report.bytes, manifest.byteCount)
      if copy.original == "catalog.sqlite" {
        catalogue = copy
        continue
      }
      if copy.isDamaged {
        report.faults.append("\(copy.original) was damaged already when the backup was made")
      }
      do throws(StoreError) {
        try restore(copy, to: copy.original)
        report.files += 1
        report.bytes += copy.byteCount
      } catch {
        guard skipsDamaged, error.code == .damaged else { throw error }
        report.faults.append("\(error.message); left out")
      }
    }
    guard let catalogue else {
      throw StoreError(.damaged, "\(source) names no catalogue; use another backup")
    }
    let draft = "catalog.sqlite.restoring"
    try restore(catalogue, to: draft)
    report.files += 1
    report.bytes += catalogue.byteCount
    for folder in [layout.segmentDirectory, layout.logDirectory] {
      try fileSystem.syncDirectory(folder)
    }
    try fileSystem.rename(layout.path(draft), to: layout.catalogPath)
    try fileSystem.syncDirectory(layout.directory)
    try fileSystem.unlink(markPath)
    try fileSystem.syncDirectory(layout.directory)
    return report
  }

  /// Removes what a restore before this one left.
  private func clearRemains() throws(StoreError) {
    for folder in ["segments", "log"] {
      for name in try fileSystem.list(layout.path(folder)) ?? [] {
        try fileSystem.unlink(layout.path("\(folder)/\(name)"))
      }
    }
    for name in ["catalog.sqlite.restoring", StoreLayout.alertsName] {
      try fileSystem.unlink(layout.path(name))
    }
  }

  private func restore(
    _ copy: BackupManifest.Copy, to name: String
  ) throws(StoreError) {
    let path = "\(source)/\(BackupManifest.folder)/\(copy.name)"
    let result: FileCopier.Result
    do throws(StoreError) {
      let file = try fileSystem.open(path, .read)
      defer { file.close() }
      result = try copier.copy(file, to: layout.path(name))
    } catch {
      guard error.code == .notFound else { throw error }
      throw StoreError(
        .damaged, "\(path), the copy of \(copy.original), is missing; use another backup")
    }
    guard result.byteCount == copy.byteCount, result.checksum == copy.checksum else {
      try? fileSystem.unlink(layout.path(name))
      throw StoreError(
        .damaged,
        "\(path), the copy of \(copy.original), has \(result.byteCount) bytes and checksum "
          + "\(hex(result.checksum)), expected \(copy.byteCount) and \(hex(copy.checksum)); use another "
          + "backup")
    }
  }
}
