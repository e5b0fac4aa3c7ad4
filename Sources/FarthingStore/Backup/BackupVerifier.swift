// Reading all of a backup, and saying what is wrong with it.
//
// A backup may be brought up to date meanwhile: a copy counts as damaged only where the list that is read
// after the look still names it.

internal import FarthingCore

/// Reads every copy that a backup's list names.
package struct BackupVerifier {
  /// Whether a folder holds a backup and no store.
  package static func isBackup(
    _ directory: String, fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) -> Bool {
    let layout = StoreLayout(directory: directory)
    guard try fileSystem.size(layout.path(BackupManifest.fileName)) != nil else { return false }
    return try fileSystem.size(layout.catalogPath) == nil
  }

  /// Compares each copy of the backup in `directory` with its list. Nothing is written and no lock taken.
  ///
  /// - Parameters:
  ///   - onProgress: called before each copy.
  ///   - onFault: called with each fault as it is found.
  /// - Returns: what was read; its events are those of the segments, without the log's.
  /// - Throws: `notFound` where there is no backup; `damaged` where its list is; `unsupportedVersion`,
  ///   `accessDenied`, `io`.
  /// - Complexity: O(bytes of the backup).
  package static func run(
    directory: String, fileSystem: any FileSystem = PosixFileSystem(),
    onProgress: (VerificationProgress) -> Void = { _ in }, onFault: (StoreFault) -> Void
  ) throws(StoreError) -> VerificationSummary {
    let folder = StoreLayout(directory: directory).directory
    guard let manifest = try BackupManifest.read(folder, fileSystem: fileSystem) else {
      throw StoreError(
        .notFound, "\(folder) holds no backup: \(folder)/\(BackupManifest.fileName) does not exist")
    }
    let copier = FileCopier(fileSystem: fileSystem)
    var summary = VerificationSummary()
    var progress = VerificationProgress()
    progress.bytesTotal = manifest.byteCount
    for copy in manifest.copies {
      let name = "\(BackupManifest.folder)/\(copy.name)"
      progress.file = name
      onProgress(progress)
      summary.files += 1
      summary.bytes += copy.byteCount
      progress.bytesDone += copy.byteCount
      if try !copier.isWhole(copy, at: "\(folder)/\(name)") {
        let now = try BackupManifest.read(folder, fileSystem: fileSystem)
        guard now?.copies.contains(copy) == true else { continue }
        summary.damaged += 1
        onFault(
          StoreFault(
            .damage, file: name,
            what: "the copy of \(copy.original) is not the \(copy.byteCount) bytes with checksum "
              + "\(hex(copy.checksum)) that \(BackupManifest.fileName) lists", lostRows: nil,
            remedy:
              "run farthing store backup to this folder again, which copies it anew, and check "
              + "the disk; where the store is gone, use another backup"))
      } else if copy.isDamaged {
        summary.recorded += 1
        onFault(
          StoreFault(
            .recorded, file: name,
            what: "\(copy.original) was damaged already when the backup was made", lostRows: nil,
            remedy: "farthing store verify says what the store lacks"))
      }
    }
    for name in manifest.missing {
      summary.recorded += 1
      onFault(
        StoreFault(
          .recorded, file: name, what: "it was missing when the backup was made", lostRows: nil,
          remedy: "farthing store verify says what the store lacks"))
    }
    summary.events = manifest.rows.reduce(0, +)
    return summary
  }
}
