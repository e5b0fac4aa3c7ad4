internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// What the machine has to offer a store: findings from figures, so that every verdict has a test.
enum MachineCheckup {
  /// Below this much space, or a tenth of the store, a seal or compaction may not find room.
  static let leastFreeBytes: Int64 = 1 << 30
  /// No disk or flash answers sooner; what does has not stored anything that outlives the power.
  /// Measured: 4 KiB took 85 to 209 µs on a virtual disk, below 5 µs in memory.
  static let leastSyncNanoseconds: Int64 = 15_000
  /// Group commit answers within two of these; above it a caller notices.
  static let slowSyncNanoseconds: Int64 = 20_000_000

  /// - Parameter storeBytes: What the store holds today.
  static func disk(_ volume: HostMachine.Volume, storeBytes: Int64) -> [Finding] {
    var findings: [Finding] = []
    let free = ByteCountText.text(Int(clamping: volume.freeBytes))
    let share = volume.totalBytes > 0 ? volume.freeBytes * 100 / volume.totalBytes : 0
    let text =
      "\(free) free, \(share) % of the volume; the store has "
      + ByteCountText.text(Int(clamping: storeBytes))
    if volume.isReadOnly {
      findings.append(
        .fault("disk", "the volume is mounted for reading only", "mount it for writing"))
    } else if volume.freeBytes < 64 << 20 {
      findings.append(
        .fault("disk", text, "free some space: an ingest stops where none is left"))
    } else if volume.freeBytes < max(leastFreeBytes, storeBytes / 10) {
      findings.append(
        .warning("disk", text, "free some space, or set a retention in the configuration"))
    } else {
      findings.append(.ok("disk", text))
    }
    if volume.freeFiles > 0, volume.freeFiles < 1000 {
      findings.append(
        .warning("disk", "\(volume.freeFiles) more files fit on the volume", "remove some files"))
    }
    switch volume.kind {
    case "tmpfs", "ramfs":
      findings.append(
        .warning(
          "disk", "the folder is in memory (\(volume.kind ?? "")): nothing outlives the machine",
          "name a folder on a disk with --data"))
    case "nfs", "nfs4", "cifs", "smb3", "9p":
      findings.append(
        .warning(
          "disk",
          "the folder is on \(volume.kind ?? "a network"), whose locks and syncs may "
            + "promise less than a disk's", "name a folder on a local disk with --data"))
    default: break
    }
    return findings
  }

  /// - Parameter nanoseconds: What writing 4 KiB and waiting for the disk took, the middle of some.
  static func sync(_ nanoseconds: Int64, isInMemory: Bool) -> Finding {
    let micros = "\(max(1, nanoseconds / 1000)) µs"
    if nanoseconds < leastSyncNanoseconds, !isInMemory {
      return .warning(
        "sync", "a synced write took \(micros), sooner than a disk can",
        "make sure that the disk does not acknowledge what it has not stored")
    }
    if nanoseconds > slowSyncNanoseconds {
      return .warning(
        "sync", "a synced write took \(micros)",
        "use a faster disk, or send events in larger batches")
    }
    return .ok("sync", "a synced write took \(micros)")
  }

  /// - Parameters:
  ///   - now: Unix nanoseconds.
  ///   - newest: The newest time of a stored event; nil where there is none.
  static func clock(now: Int64, newest: Int64?) -> Finding {
    let day: Int64 = 86_400_000_000_000
    let firstOf2026: Int64 = 1_767_225_600_000_000_000
    let text = TimeText.rfc3339(now / 1_000_000_000 * 1_000_000_000)
    if now < firstOf2026 {
      return .fault(
        "clock", "the clock says \(text)", "set it: events are refused as days ahead of it")
    }
    if let newest, newest > now, newest.subtractingReportingOverflow(now).0 > day {
      return .fault(
        "clock", "the clock says \(text), and events of \(TimeText.rfc3339(newest)) are stored",
        "set the clock: it, or that of a source, is wrong by more than a day")
    }
    return .ok("clock", text)
  }

  /// - Parameters:
  ///   - openFiles: Files that a process may have open.
  ///   - segments: Segments that a query opens.
  ///   - memory: Bytes of memory that there are; nil where unknown.
  ///   - queryBytes: Bytes that one query may hold.
  static func limits(openFiles: Int, segments: Int, memory: Int?, queryBytes: Int) -> [Finding] {
    var findings: [Finding] = []
    if openFiles < segments + 64 {
      findings.append(
        .fault(
          "limits", "\(openFiles) files may be open, and a query opens \(segments) segments",
          "raise the limit with ulimit -n, or merge segments with farthing store compact"))
    }
    if let memory, memory / 2 < queryBytes {
      findings.append(
        .warning(
          "limits",
          "\(ByteCountText.text(memory)) of memory, and a query may hold "
            + ByteCountText.text(queryBytes), "lower query_memory_mib in the configuration"))
    }
    if findings.isEmpty {
      let memoryText = memory.map { ", \(ByteCountText.text($0)) of memory" } ?? ""
      let files = openFiles == .max ? "any number of files" : "\(openFiles) files"
      findings.append(.ok("limits", "\(files) may be open\(memoryText)"))
    }
    return findings
  }
}
