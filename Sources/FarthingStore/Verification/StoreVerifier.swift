// Reading all of a store, and saying what is wrong with it.
//
// Nothing is written and no lock is taken, so it runs beside a writer. Files come and go meanwhile:
// a segment or log that is gone counts as missing only where a catalogue read after the look still
// lists it, and a file counts as unlisted only where it was there before that catalogue was read and
// is there after.
//
// Memory: one block of one segment, the sums of one segment, one log file.

internal import FarthingCore

/// Reads every byte of every file that a store's catalogue names.
package struct StoreVerifier {
  private let layout: StoreLayout
  private let fileSystem: any FileSystem
  private let onProgress: (VerificationProgress) -> Void
  private let onFault: (StoreFault) -> Void
  private var progress = VerificationProgress()
  private var summary = VerificationSummary()
  private let scratch = ScanScratch()

  /// Verifies the store in a folder.
  ///
  /// - Parameters:
  ///   - onProgress: called before each file.
  ///   - onFault: called with each fault as it is found.
  /// - Throws: `notFound` where there is no store; `accessDenied`, `unsupportedVersion`, `io`.
  /// - Complexity: O(bytes of the store).
  package static func run(
    directory: String, fileSystem: any FileSystem = PosixFileSystem(),
    onProgress: @escaping (VerificationProgress) -> Void = { _ in },
    onFault: @escaping (StoreFault) -> Void
  ) throws(StoreError) -> VerificationSummary {
    var verifier = StoreVerifier(
      layout: StoreLayout(directory: directory), fileSystem: fileSystem, onProgress: onProgress,
      onFault: onFault)
    try verifier.run()
    return verifier.summary
  }

  private init(
    layout: StoreLayout, fileSystem: any FileSystem,
    onProgress: @escaping (VerificationProgress) -> Void, onFault: @escaping (StoreFault) -> Void
  ) {
    self.layout = layout
    self.fileSystem = fileSystem
    self.onProgress = onProgress
    self.onFault = onFault
  }

  private mutating func run() throws(StoreError) {
    guard try verifyCatalogue() else { return }
    let state = try catalogState()
    var logSizes: [Int] = []
    for entry in state.logs {
      let path = layout.path(StoreLayout.logName(entry.id))
      logSizes.append(try fileSystem.size(path) ?? 0)
    }
    progress.bytesTotal = state.segments.reduce(0) { $0 + $1.byteCount } + logSizes.reduce(0, +)
    for entry in state.segments {
      begin(StoreLayout.segmentName(entry.id))
      try verify(entry)
      progress.bytesDone += entry.byteCount
    }
    for (place, entry) in state.logs.enumerated() {
      begin(StoreLayout.logName(entry.id))
      let next = place + 1 < state.logs.count ? state.logs[place + 1].firstSequence : nil
      try verify(entry, nextFirstSequence: next, state)
      progress.bytesDone += logSizes[place]
    }
    summary.files += state.segments.count + state.logs.count
    summary.bytes += progress.bytesDone
    try verifyNames()
    for report in state.damage {
      find(
        StoreFault(
          .recorded, file: report.file, what: report.message, lostRows: report.lostRows,
          remedy: "it is settled: answers say so, and go on without these rows"))
    }
  }

  private mutating func begin(_ file: String) {
    progress.file = file
    onProgress(progress)
  }

  private mutating func find(_ fault: StoreFault) {
    switch fault.severity {
    case .damage: summary.damaged += 1
    case .recorded: summary.recorded += 1
    case .harmless: summary.harmless += 1
    }
    onFault(fault)
  }

  private func catalogState() throws(StoreError) -> CatalogState {
    try CatalogReader.state(layout: layout, fileSystem: fileSystem)
  }

  // MARK: - The catalogue

  /// - Returns: whether the catalogue can be relied on.
  private mutating func verifyCatalogue() throws(StoreError) -> Bool {
    let name = "catalog.sqlite"
    begin(name)
    guard let size = try fileSystem.size(layout.catalogPath) else {
      try StoreRestore.expectFinished(layout, fileSystem)
      let strays = (try fileSystem.list(layout.segmentDirectory) ?? []).filter {
        $0.hasSuffix(".seg")
      }
      guard !strays.isEmpty else {
        throw StoreError(
          .notFound, "\(layout.directory) holds no store: \(layout.catalogPath) does not exist")
      }
      find(
        StoreFault(
          .damage, file: name,
          what: "it is missing beside \(strays.count) segments", lostRows: nil,
          remedy: "restore the store from a backup"))
      return false
    }
    summary.files += 1
    summary.bytes += size
    let faults = try CatalogReader.faults(layout: layout, fileSystem: fileSystem)
    for what in faults {
      find(
        StoreFault(
          .damage, file: name, what: what, lostRows: nil,
          remedy: "restore the store from a backup; without its catalogue no segment is served"))
    }
    return faults.isEmpty
  }

  // MARK: - Segments

  private mutating func verify(_ entry: SegmentEntry) throws(StoreError) {
    do throws(StoreError) {
      let segment = try layout.openSegment(entry, fileSystem)
      try segment.verify(scratch: scratch)
      summary.events += segment.rowCount
      try verifySums(segment, entry)
      var recount = SegmentRecount(segment, scratch: scratch)
      for what in try recount.disagreements(with: entry) {
        find(
          StoreFault(
            .damage, file: StoreLayout.segmentName(entry.id), what: what, lostRows: 0,
            remedy: "its blocks are intact but not what it says of them, so totals may be wrong: "
              + "restore it from a backup, and report this as a bug",
            segment: entry))
      }
    } catch {
      if error.code == .unsupportedVersion {
        // Not one that setting aside would mend: another build reads it.
        find(
          StoreFault(
            .damage, file: StoreLayout.segmentName(entry.id), what: error.description,
            lostRows: entry.rowCount,
            remedy: "if no other build has written this store, its header is damaged: restore it "
              + "from a backup; until then answers go without it and say so"))
        return
      }
      guard error.code == .damaged || error.code == .notFound else { throw error }
      // Merged, repriced or dropped meanwhile.
      if error.code == .notFound, try !catalogState().segments.contains(entry) { return }
      find(
        StoreFault(
          .damage, file: StoreLayout.segmentName(entry.id), what: error.description,
          lostRows: entry.rowCount,
          remedy: "restore it from a backup; until then answers go without it and say so",
          segment: entry))
    }
  }

  /// What a segment knows by the codes of its columns stands apart: rows answer where it is damaged.
  private mutating func verifySums(
    _ segment: SegmentReader, _ entry: SegmentEntry
  ) throws(StoreError) {
    do throws(StoreError) {
      try segment.verifyCodeSums(scratch: scratch)
    } catch {
      guard error.code == .damaged else { throw error }
      find(
        StoreFault(
          .damage, file: StoreLayout.segmentName(entry.id), what: error.description, lostRows: 0,
          remedy: "answers are computed from its rows instead, slower; restore it from a backup",
          segment: entry))
    }
  }

  // MARK: - Logs

  private mutating func verify(
    _ entry: LogEntry, nextFirstSequence: Int64?, _ state: CatalogState
  ) throws(StoreError) {
    var replay = try LogReplay(
      entry: entry, nextFirstSequence: nextFirstSequence, layout: layout, fileSystem: fileSystem,
      store: state.storeID)
    let covered = state.coveredSequence
    var events = 0
    try replay.forEachBatch { (batch, _, sequence) throws(StoreError) in
      for event in batch.decoded.events where covered[Int(event.kind.rawValue)] < sequence {
        events += 1
      }
    }
    let known = try catalogState()
    // Sealed and removed, or settled, meanwhile.
    guard known.logs.contains(entry) else { return }
    summary.events += events
    for report in replay.damage where !known.damage.contains(report) {
      find(
        StoreFault(
          report.lostRows == 0 ? .harmless : .damage, file: report.file, what: report.message,
          lostRows: report.lostRows,
          remedy: "the next command that writes keeps what is readable and sets the file aside; "
            + "send the lost batches again, or restore from a backup"))
    }
  }

  // MARK: - Files that nobody names

  private mutating func verifyNames() throws(StoreError) {
    var there: [String] = []
    for name in try fileSystem.list(layout.directory) ?? [] {
      if !["LOCK", "segments", "log"].contains(name), !name.hasPrefix("catalog.sqlite") {
        there.append(name)
      }
    }
    for folder in ["segments", "log"] {
      there += (try fileSystem.list(layout.path(folder)) ?? []).map { "\(folder)/\($0)" }
    }
    let state = try catalogState()
    let listed = Set(
      state.segments.map { StoreLayout.segmentName($0.id) }
        + state.logs.map { StoreLayout.logName($0.id) })
    for name in there where !listed.contains(name) && !state.removals.contains(name) {
      guard try fileSystem.size(layout.path(name)) != nil else { continue }
      if let fault = unnamed(name, listed: listed) { find(fault) }
    }
  }

  /// What a file is that the catalogue does not name; nil where it is on its way to its name.
  private func unnamed(_ name: String, listed: Set<String>) -> StoreFault? {
    let isSegment = name.hasPrefix("segments/")
    guard isSegment || name.hasPrefix("log/") else {
      // Beside a catalogue the restore is whole, and the next command that writes takes its mark away.
      if name == StoreRestore.mark { return nil }
      return StoreFault(
        .harmless, file: name, what: "it is no file of a store", lostRows: 0,
        remedy: "move it elsewhere if you know it")
    }
    if name.hasSuffix(".bad") {
      return StoreFault(
        .harmless, file: name, what: "it was set aside as damaged", lostRows: 0,
        remedy: "remove it when nobody wants to look into it")
    }
    if name.hasSuffix(".tmp") || name.hasSuffix(".new") {
      if listed.contains(String(name.dropLast(4))) { return nil }
      return StoreFault(
        .harmless, file: name, what: "it is being written, or left over by a step that was cut off",
        lostRows: 0, remedy: "nothing: the next command that writes removes it")
    }
    guard name.hasSuffix(isSegment ? ".seg" : ".log") else {
      return StoreFault(
        .harmless, file: name, what: "it is no file of a store", lostRows: 0,
        remedy: "move it elsewhere if you know it")
    }
    return StoreFault(
      .damage, file: name,
      what:
        "the catalogue does not list it: it lost the transaction that did, or the file was put here",
      lostRows: nil,
      remedy: "restore the store from a backup, or move the file elsewhere if it belongs to another"
    )
  }
}
