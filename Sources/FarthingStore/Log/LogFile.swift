/// An open log file that records are appended to.
///
/// Given up for good at the first failure: after a failed sync nothing is known of what was written
/// before it, so the records go to a new file.
struct LogFile: Sendable {
  let identity: LogIdentity
  let file: any StoreFile
  /// Where the next record goes.
  var end: Int

  /// Creates and syncs the file under its `.new` name; the catalogue lists it next.
  static func create(
    layout: StoreLayout, fileSystem: any FileSystem, identity: LogIdentity, firstSequence: Int64
  ) throws(StoreError) -> LogFile {
    try create(
      path: layout.path(StoreLayout.logName(identity.file)) + ".new", folder: layout.logDirectory,
      fileSystem: fileSystem, identity: identity, firstSequence: firstSequence)
  }

  /// Creates and syncs the file with no record in it, and its name.
  static func create(
    path: String, folder: String, fileSystem: any FileSystem, identity: LogIdentity,
    firstSequence: Int64
  ) throws(StoreError) -> LogFile {
    do throws(StoreError) {
      let file = try fileSystem.open(path, .create)
      let preamble = LogFormat.preamble(
        store: identity.store, file: identity.file, firstSequence: firstSequence)
      try file.write(preamble[...], offset: 0)
      try file.dataSync()
      try fileSystem.syncDirectory(folder)
      return LogFile(identity: identity, file: file, end: LogFormat.recordsOffset)
    } catch {
      try? fileSystem.unlink(path)
      throw error
    }
  }
}

/// The payload of a record, in the parts in which it was made.
struct LogPayload: Sendable {
  var head: [UInt8]
  var body: [UInt8] = []

  var count: Int { head.count + body.count }
}

/// Writes and syncs on a thread of its own, so that further appends gather meanwhile.
actor LogDevice {
  private let executor: ThreadExecutor
  private var buffer: [UInt8] = []
  /// Most memory that is kept for the next group.
  private static let keptBytes = 16 << 20

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  init() throws(StoreError) { executor = try ThreadExecutor() }

  /// Appends records with one sync; they are durable when this returns.
  ///
  /// - Returns: the file's new end.
  func append(
    _ payloads: [LogPayload], firstSequence: Int64, durableSequence: Int64, to log: LogFile
  ) throws(StoreError) -> Int {
    // Its memory is used again: fresh memory would cost a page fault for each 4 KiB.
    var bytes: [UInt8] = []
    swap(&bytes, &buffer)
    defer { if bytes.capacity <= Self.keptBytes { swap(&bytes, &buffer) } }
    bytes.removeAll(keepingCapacity: true)
    bytes.reserveCapacity(payloads.reduce(0) { $0 + $1.count + 64 })
    var sequence = firstSequence
    for payload in payloads {
      LogRecordHeader.append(
        payload, type: LogFormat.batchType, sequence: sequence, durableSequence: durableSequence,
        identity: log.identity, to: &bytes)
      sequence += 1
    }
    try log.file.write(bytes[...], offset: log.end)
    try log.file.dataSync()
    let end = log.end + bytes.count
    // The mark is not synced itself: it tells what is durable to whoever finds it, and one that
    // a power cut takes away is not missed. Its failure fails the file like any other.
    let mark = DurableMark(sequence: sequence - 1, end: end).bytes(log.identity)
    let slot = Int((sequence - 1) & 1)
    try log.file.write(mark[...], offset: LogFormat.markOffset + slot * LogFormat.markStride)
    return end
  }
}
