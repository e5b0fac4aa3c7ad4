// Copying a store that may be written meanwhile.
//
// 0. What is kept of alerts is copied by SQLite's online backup, before the rest: the place that detection has
//    reached is never beyond the events of the backup.
// 1. The catalogue is copied in the same way: one committed state, whoever writes.
// 2. The log files that this state lists are copied, to their ends. What they hold beyond the state was
//    accepted later; it comes along, as a prefix of what came.
// 3. The segments that it lists are copied, but for those that the backup has already and that still
//    have the checksum of its list: a segment never changes, and its number is never used again.
// 4. Everything is synced; then MANIFEST is renamed into place, the one step that makes it a backup.
// 5. Copies that the manifest does not name any more go.
//
// A file that is gone at 2 or 3 was sealed, merged or dropped since 1: the whole begins anew with a newer
// catalogue, keeping what was copied. So the backup before stays what it was until 4, and is
// complete after it. Nothing is written in the data folder and no lock of it is taken.

internal import FarthingCore

/// What a backup did.
package struct BackupReport: Sendable, Equatable {
  package var manifest: BackupManifest
  /// Files copied by this run, those of the log and the catalogue included.
  package var copiedFiles = 0
  package var copiedBytes = 0
  /// Segments that the backup had before, read again and found whole.
  package var keptFiles = 0
  /// Segments of which the backup had a copy that was damaged or gone, copied anew.
  package var mendedFiles = 0
  package var removedFiles = 0
  /// What is wrong with the originals, a sentence each; empty where the backup is whole.
  package var faults: [String] = []
}

/// Makes and updates a backup of a store.
package struct StoreBackup {
  /// How often a backup starts over; each time a seal or merge must have come between.
  private static let attempts = 16

  private let layout: StoreLayout
  private let target: String
  private let fileSystem: any FileSystem
  private let copier: FileCopier
  private let onProgress: (_ bytesDone: Int, _ bytesTotal: Int) -> Void
  private var report: BackupReport
  /// What this run and the backup before have, by name.
  private var known: [String: BackupManifest.Copy] = [:]
  private var fresh: Set<String> = []
  /// Copies of the backup before that this run has read and found whole, and those it has not.
  private var whole: Set<String> = []
  private var rotted: Set<String> = []

  /// Backs the store in `directory` up into the folder `target`, which is made where missing.
  ///
  /// - Parameters:
  ///   - now: Unix nanoseconds.
  ///   - onProgress: bytes of segments that are done, and of all.
  /// - Throws: `notFound` where there is no store; `invalidArgument` where the target is something
  ///   else than a backup of this store; `locked` where another backup goes there; `damaged` where the
  ///   catalogue or the target's manifest is; `diskFull`, `io`. The backup before stays as it was.
  package static func run(
    directory: String, target: String, now: Int64,
    fileSystem: any FileSystem = PosixFileSystem(),
    onProgress: @escaping (Int, Int) -> Void = { _, _ in }
  ) throws(StoreError) -> BackupReport {
    let layout = StoreLayout(directory: directory)
    let folder = StoreLayout(directory: target).directory
    guard try fileSystem.size(layout.catalogPath) != nil else {
      try StoreRestore.expectFinished(layout, fileSystem)
      throw StoreError(
        .notFound, "\(layout.directory) holds no store: \(layout.catalogPath) does not exist")
    }
    if folder == layout.directory || folder.hasPrefix(layout.directory + "/") {
      throw StoreError(
        .invalidArgument,
        "\(folder) is in the data folder itself; name a folder elsewhere, best on another disk")
    }
    guard !folder.isEmpty else {
      throw StoreError(.invalidArgument, "the folder of the backup has no name; name one")
    }
    try expectBackupFolder(folder, fileSystem)
    try fileSystem.createDirectory("\(folder)/\(BackupManifest.folder)")
    guard let lock = try fileSystem.lock("\(folder)/\(BackupManifest.lockName)") else {
      throw StoreError(.locked, "another backup goes to \(folder) now; wait until it ends")
    }
    defer { lock.release() }
    let before = try BackupManifest.read(folder, fileSystem: fileSystem)
    var backup = StoreBackup(
      layout: layout, target: folder, fileSystem: fileSystem, before: before, now: now,
      onProgress: onProgress)
    return try backup.run(before: before)
  }

  private init(
    layout: StoreLayout, target: String, fileSystem: any FileSystem, before: BackupManifest?,
    now: Int64, onProgress: @escaping (Int, Int) -> Void
  ) {
    self.layout = layout
    self.target = target
    self.fileSystem = fileSystem
    self.onProgress = onProgress
    copier = FileCopier(fileSystem: fileSystem)
    report = BackupReport(
      manifest: BackupManifest(
        store: 0, generation: 0, createdAt: now, rows: [0, 0, 0], missing: [], copies: []))
    for copy in before?.copies ?? [] { known[copy.name] = copy }
  }

  /// A folder that is missing, empty, a backup, or what a first backup left that was cut off.
  private static func expectBackupFolder(
    _ folder: String, _ fileSystem: any FileSystem
  ) throws(StoreError) {
    let own = [
      BackupManifest.fileName, BackupManifest.newName, BackupManifest.lockName,
      BackupManifest.folder,
    ]
    let listed: [String]?
    do throws(StoreError) {
      listed = try fileSystem.list(folder)
    } catch {
      guard error.code == .invalidArgument else { throw error }
      throw StoreError(
        .invalidArgument,
        "\(folder) is no folder; name a folder that is empty, missing, or a backup of this store")
    }
    guard let names = listed else { return }
    if names.contains(BackupManifest.fileName) { return }
    guard let other = names.first(where: { !own.contains($0) }) else { return }
    throw StoreError(
      .invalidArgument,
      "\(folder) is no backup: it holds \(other); name a folder that is empty, missing, or a backup of "
        + "this store")
  }

  private mutating func run(before: BackupManifest?) throws(StoreError) -> BackupReport {
    for attempt in 1...Self.attempts {
      report.manifest.missing = []
      report.faults = []
      let alerts = try copyAlerts()
      let (catalogue, state) = try copyCatalogue(before: before)
      var copies = [catalogue]
      if let alerts { copies.append(alerts) }
      var isComplete = true
      for entry in state.logs where isComplete {
        isComplete = try copyLog(entry, into: &copies)
      }
      let total = state.segments.reduce(0) { $0 + $1.byteCount }
      var done = 0
      for entry in state.segments where isComplete {
        onProgress(done, total)
        isComplete = try copySegment(entry, attempt: attempt, into: &copies)
        done += entry.byteCount
      }
      if isComplete {
        try finish(copies, state)
        return report
      }
    }
    throw StoreError(
      .io, "\(layout.directory) changes faster than it can be copied; try again at a quieter time")
  }

  private func path(_ name: String) -> String {
    "\(target)/\(BackupManifest.folder)/\(name)"
  }

  /// - Returns: the copy of the ledger of alerts; nil where there is none, or none that can be read.
  private mutating func copyAlerts() throws(StoreError) -> BackupManifest.Copy? {
    let draft = path("alerts.tmp")
    for ending in ["", "-journal", "-wal", "-shm"] { try fileSystem.unlink(draft + ending) }
    do throws(StoreError) {
      let copied: Void? = try LedgerReader.reading(
        directory: layout.directory, fileSystem: fileSystem
      ) { (reader) throws(StoreError) in try reader.connection.backUp(to: draft) }
      guard copied != nil else { return nil }
    } catch {
      guard error.code == .damaged || error.code == .unsupportedVersion else { throw error }
      try? fileSystem.unlink(draft)
      report.faults.append("\(error.message); the backup goes without what was kept of alerts")
      return nil
    }
    return try keep(draft, as: "alerts", of: StoreLayout.alertsName)
  }

  /// Syncs a copied database and names it by its bytes.
  private mutating func keep(
    _ draft: String, as prefix: String, of original: String
  ) throws(StoreError) -> BackupManifest.Copy {
    let file = try fileSystem.open(draft, .readWrite)
    defer { file.close() }
    try file.dataSync()
    let result = try copier.checksum(draft)
    let name = prefix + "-\(hex(result.checksum))"
    try fileSystem.rename(draft, to: path(name))
    let copy = BackupManifest.Copy(
      name: name, original: original, byteCount: result.byteCount, checksum: result.checksum)
    note(copy)
    return copy
  }

  /// - Returns: the copy, and the state that it holds.
  private mutating func copyCatalogue(
    before: BackupManifest?
  ) throws(StoreError) -> (BackupManifest.Copy, CatalogState) {
    let draft = path("catalog.tmp")
    for ending in ["", "-journal", "-wal", "-shm"] { try fileSystem.unlink(draft + ending) }
    try CatalogReader.reading(layout: layout, fileSystem: fileSystem) {
      (connection, _) throws(StoreError) in try connection.backUp(to: draft)
    }
    let state = try CatalogReader.copiedState(draft)
    if let before, before.store != state.storeID {
      try? fileSystem.unlink(draft)
      throw StoreError(
        .invalidArgument,
        "\(target) is a backup of another store than \(layout.directory); name another folder")
    }
    // Of one generation there may be two: price lists do not change what a state says of itself.
    return (try keep(draft, as: "\(state.generation).catalog", of: "catalog.sqlite"), state)
  }

  private mutating func note(_ copy: BackupManifest.Copy) {
    fresh.insert(copy.name)
    report.copiedFiles += 1
    report.copiedBytes += copy.byteCount
  }

  /// - Returns: false where the file is gone and everything is to begin anew.
  private mutating func copyLog(
    _ entry: LogEntry, into copies: inout [BackupManifest.Copy]
  ) throws(StoreError) -> Bool {
    let original = StoreLayout.logName(entry.id)
    guard let file = try opened(original) else {
      return try acceptMissing(original)
    }
    defer { file.close() }
    // The file grows: each run has a copy of its own, so that the one before stays whole.
    var number = 1
    while known["\(entry.id).log-\(number)"] != nil { number += 1 }
    let name = "\(entry.id).log-\(number)"
    try fileSystem.unlink(path(name))
    let result = try copier.copy(file, to: path(name))
    let copy = BackupManifest.Copy(
      name: name, original: original, byteCount: result.byteCount, checksum: result.checksum)
    note(copy)
    copies.append(copy)
    return true
  }

  private mutating func copySegment(
    _ entry: SegmentEntry, attempt: Int, into copies: inout [BackupManifest.Copy]
  ) throws(StoreError) -> Bool {
    let original = StoreLayout.segmentName(entry.id)
    let name = String(original.dropFirst("segments/".count))
    if let copy = known[name], !copy.isDamaged, copy.byteCount == entry.byteCount,
      try isWhole(copy)
    {
      if !fresh.contains(name) { report.keptFiles += attempt == 1 ? 1 : 0 }
      copies.append(copy)
      return true
    }
    guard let file = try opened(original) else {
      guard try acceptMissing(original) else { return false }
      // A damaged copy is more than none: most of its blocks may be readable.
      if rotted.contains(name), let rest = try? copier.checksum(path(name)) {
        copies.append(
          BackupManifest.Copy(
            name: name, original: original, byteCount: rest.byteCount, checksum: rest.checksum,
            isDamaged: true))
        report.faults.append("the backup's copy of \(original) is damaged; it stays as it is")
      }
      return true
    }
    defer { file.close() }
    let draft = path(name + ".tmp")
    try fileSystem.unlink(draft)
    let result = try copier.copy(file, to: draft)
    try fileSystem.rename(draft, to: path(name))
    var copy = BackupManifest.Copy(
      name: name, original: original, byteCount: result.byteCount, checksum: result.checksum)
    if let fault = try fault(of: entry, copiedTo: path(name)) {
      copy.isDamaged = true
      report.faults.append(
        "\(fault); its bytes are in the backup as they are, without a copy that is whole")
    }
    if rotted.remove(name) != nil { report.mendedFiles += 1 }
    known[name] = copy
    note(copy)
    copies.append(copy)
    return true
  }

  /// Whether a copy that the backup has still is what its list says; each is read once a run.
  private mutating func isWhole(_ copy: BackupManifest.Copy) throws(StoreError) -> Bool {
    if fresh.contains(copy.name) || whole.contains(copy.name) { return true }
    if rotted.contains(copy.name) { return false }
    if try copier.isWhole(copy, at: path(copy.name)) {
      whole.insert(copy.name)
      return true
    }
    rotted.insert(copy.name)
    return false
  }

  /// What is wrong with a copied segment by its own checksums; nil where nothing is.
  private func fault(
    of entry: SegmentEntry, copiedTo path: String
  ) throws(StoreError) -> String? {
    do throws(StoreError) {
      let source = FileSegmentSource(
        name: StoreLayout.segmentName(entry.id), file: try fileSystem.open(path, .read))
      let segment = try SegmentReader.open(source, expectedID: entry.id)
      guard segment.rowCount == entry.rowCount, segment.byteCount == entry.byteCount else {
        return "\(StoreLayout.segmentName(entry.id)) is not what the catalogue lists"
      }
      try segment.checkParts(scratch: ScanScratch())
      return nil
    } catch {
      guard error.code == .damaged else { throw error }
      return error.description
    }
  }

  private func opened(_ name: String) throws(StoreError) -> (any StoreFile)? {
    do throws(StoreError) {
      return try layout.open(name, .read, fileSystem)
    } catch {
      guard error.code == .notFound else { throw error }
      return nil
    }
  }

  /// A file that stays away although the catalogue lists it is missing for good.
  ///
  /// - Returns: whether to go on without it.
  private mutating func acceptMissing(_ name: String) throws(StoreError) -> Bool {
    // Read after the look: what is listed still was listed then, and should have been there.
    let now = try CatalogReader.state(layout: layout, fileSystem: fileSystem)
    let isListed =
      now.segments.contains { StoreLayout.segmentName($0.id) == name }
      || now.logs.contains { StoreLayout.logName($0.id) == name }
    guard isListed else { return false }
    report.manifest.missing.append(name)
    report.faults.append("\(name) is missing; the backup goes without it")
    return true
  }

  /// Makes the copies the backup.
  private mutating func finish(
    _ copies: [BackupManifest.Copy], _ state: CatalogState
  ) throws(StoreError) {
    report.manifest.store = state.storeID
    report.manifest.generation = state.generation
    report.manifest.rows = EventKind.allCases.map { kind in
      state.segments.filter { $0.kind == kind }.reduce(0) { $0 + $1.rowCount }
    }
    report.manifest.copies = copies.sorted { $0.name < $1.name }
    try fileSystem.syncDirectory("\(target)/\(BackupManifest.folder)")
    let draft = "\(target)/\(BackupManifest.newName)"
    try fileSystem.unlink(draft)
    let file = try fileSystem.open(draft, .create)
    defer { file.close() }
    try file.write(report.manifest.serialised()[...], offset: 0)
    try file.dataSync()
    try fileSystem.rename(draft, to: "\(target)/\(BackupManifest.fileName)")
    try fileSystem.syncDirectory(target)
    // What stays here is found by the next run.
    let named = Set(copies.map(\.name))
    for name in (try? fileSystem.list("\(target)/\(BackupManifest.folder)")) ?? []
    where !named.contains(name) {
      if (try? fileSystem.unlink(path(name))) != nil { report.removedFiles += 1 }
    }
  }
}

extension CatalogReader {
  /// The state in a copy of a catalogue that nobody writes.
  static func copiedState(_ path: String) throws(StoreError) -> CatalogState {
    try state(try SQLiteConnection(path: path, access: .immutable), path: path)
  }
}

extension SegmentReader {
  /// Compares the checksum of every part, decoding none but the sums by code.
  ///
  /// - Throws: `damaged`, naming the first bad place; `io`.
  func checkParts(scratch: ScanScratch) throws(StoreError) {
    for part in sections.keys.sorted(by: { $0.rawValue < $1.rawValue }) where part != .codeSums {
      _ = try section(part)
    }
    try verifyCodeSums(scratch: scratch)
    for (place, column) in columns.enumerated() {
      if let part = column.dictionary {
        try load(part, what: "column \(column.name) dictionary", scratch: scratch)
      }
      for (block, part) in try blocks(ofColumn: place).parts.enumerated() {
        try load(part, what: "column \(column.name) block \(block)", scratch: scratch)
      }
    }
  }
}
