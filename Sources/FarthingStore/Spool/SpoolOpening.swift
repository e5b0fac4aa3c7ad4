// What a start does with the files that earlier runs left.
//
// 1. Clear the remains of unfinished steps: `.new` and `.tmp`.
// 2. Read `state`. Where it is lost, the files' own headers tell the identity, and everything that is
//    there counts as not acknowledged: the server knows what of it it has.
// 3. Scan the files in order, one in memory at a time. What is there of the newest one beyond its last
//    acknowledged sync is synced now, since it will be sent.
// 4. Files that are acknowledged as a whole are left to the first acknowledgement to come.

/// A spool as its files are found.
struct SpoolOpening {
  private(set) var state: SpoolState
  private(set) var files: [SpoolFile] = []
  private(set) var nextNumber: Int64 = 1
  private(set) var lastSequence: Int64 = 0
  private(set) var sources = SourcePositions()
  private(set) var damage: [DamageReport] = []
  private(set) var losses: [ClosedRange<Int64>] = []
  var lostRecords: Int64 { losses.reduce(0) { $0 + Int64($1.count) } }

  private let directory: String
  private let fileSystem: any FileSystem

  init(
    _ directory: String, _ fileSystem: any FileSystem, random: UInt64
  ) throws(StoreError) {
    self.directory = directory
    self.fileSystem = fileSystem
    state = SpoolState(identity: random, stream: random, acknowledged: 0)
    var found: [SpoolFile] = []
    for name in try fileSystem.list(directory) ?? [] {
      if name.hasSuffix(".new") || name.hasSuffix(".tmp") {
        try fileSystem.unlink("\(directory)/\(name)")
      } else if let file = SpoolFile(name: name) {
        found.append(file)
      } else if name.hasSuffix(SpoolFile.suffix + ".bad"),
        let file = SpoolFile(name: String(name.dropLast(4)))
      {
        nextNumber = max(nextNumber, file.number + 1)
      }
    }
    found.sort { $0.number < $1.number }
    nextNumber = max(nextNumber, (found.last?.number ?? 0) + 1)
    try settleState(found)
    lastSequence = state.acknowledged
    for place in found.indices {
      let next = place + 1 < found.count ? found[place + 1].firstSequence : nil
      try scan(found[place], nextFirstSequence: next)
    }
  }

  private mutating func settleState(_ found: [SpoolFile]) throws(StoreError) {
    let isThere = try fileSystem.size("\(directory)/\(SpoolState.name)") != nil
    if let known = try SpoolState.read(directory, fileSystem) {
      state = known
      return
    }
    if isThere {
      damage.append(
        DamageReport(
          file: SpoolState.name,
          message:
            "\(SpoolState.name) of the spool is damaged; what is there is sent again, and the "
            + "server leaves out what it has", lostRows: 0))
    }
    for file in found {
      guard let identity = try identity(of: file) else { continue }
      state.identity = identity
      state.stream = identity
      state.acknowledged = (found.first?.firstSequence ?? 1) - 1
      break
    }
    try state.write(directory, fileSystem)
  }

  /// Whose a file is, as its header says; nil where that is damaged.
  private func identity(of file: SpoolFile) throws(StoreError) -> UInt64? {
    let handle = try fileSystem.open("\(directory)/\(file.name)", .read)
    defer { handle.close() }
    var bytes: [UInt8] = []
    _ = try handle.read(into: &bytes, offset: 0, count: 44)
    var cursor = ByteCursor(bytes.span)
    guard bytes.count == 44, (try? cursor.take(16)) != nil,
      let identity = try? cursor.word(bytes.span, bytes: 8)
    else { return nil }
    let expected = LogFormat.preamble(
      store: identity, file: file.number, firstSequence: file.firstSequence)
    return bytes.elementsEqual(expected[..<44]) ? identity : nil
  }

  private mutating func scan(
    _ file: SpoolFile, nextFirstSequence: Int64?
  ) throws(StoreError) {
    var file = file
    let path = "\(directory)/\(file.name)"
    let bytes = try fileSystem.contents(of: path)
    let scan = try LogScan(
      bytes, identity: LogIdentity(store: state.identity, file: file.number),
      firstSequence: file.firstSequence, nextFirstSequence: nextFirstSequence, name: file.name)
    if nextFirstSequence == nil, !scan.records.isEmpty {
      let handle = try fileSystem.open(path, .readWrite)
      defer { handle.close() }
      try handle.dataSync()
    }
    if file.firstSequence > lastSequence + 1 {
      lose((lastSequence + 1)...(file.firstSequence - 1), "the file before \(file.name)", &file)
    }
    for record in scan.records {
      guard let head = try? SpoolPayload.head(bytes[record.payload]) else {
        lose(record.sequence...record.sequence, file.name, &file)
        continue
      }
      sources.take(head.positions, sequence: record.sequence)
      file.carriesPositions = true
      if record.sequence > state.acknowledged {
        file.waitingEvents += head.events
        file.oldestTime = file.oldestTime ?? head.receivedTime
      }
    }
    for gap in scan.gaps { lose(gap.sequences, file.name, &file) }
    if scan.isCut, scan.gaps.isEmpty, nextFirstSequence == nil {
      damage.append(
        DamageReport(
          file: file.name,
          message: "\(file.name) of the spool was cut to \(bytes.count) bytes; what it held is lost"
        ))
      file.isDamaged = true
    }
    file.lastSequence = scan.lastSequence
    file.end = min(bytes.count, max(scan.end, LogFormat.recordsOffset))
    lastSequence = max(lastSequence, scan.lastSequence)
    files.append(file)
  }

  private mutating func lose(
    _ sequences: ClosedRange<Int64>, _ what: String, _ file: inout SpoolFile
  ) {
    file.isDamaged = true
    // What the server has is no loss.
    guard sequences.upperBound > state.acknowledged else { return }
    let lost = max(sequences.lowerBound, state.acknowledged + 1)...sequences.upperBound
    losses.append(lost)
    damage.append(Self.report(what, lost))
  }

  static func report(_ file: String, _ sequences: ClosedRange<Int64>) -> DamageReport {
    DamageReport(
      file: file,
      message: "\(file) of the spool is damaged: \(sequences.count) records of events, "
        + "\(sequences.lowerBound) to \(sequences.upperBound), are lost; the others are sent, and the "
        + "file is kept as \(file).bad")
  }
}
