package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing store verify`: every byte read, every fault named.
package struct StoreVerifyCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read every byte of the store, and name each fault, what it costs and what to do.",
    discussion: """
      farthing store verify
      farthing store verify --output json
      farthing store verify --set-aside
      farthing store verify --data /mnt/backups/farthing

      Checks the catalogue, the checksum of every block and section, the log, and that sums, \
      distributions and ranges are those of the rows. Ends with 1 where something is damaged. Changes \
      nothing and runs beside a command that writes, unless --set-aside takes damaged segments out of \
      service: they become NAME.bad, and answers say what they lack. In the folder of a backup each copy \
      is compared with the checksum of the backup's list.
      """)

  @OptionGroup package var global: GlobalOptions
  @Flag(help: "Take damaged segments out of service; nothing may write meanwhile.")
  package var setAside = false
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    try output.expectNoChart()
    let isTable = output.output == .table
    let meter = ByteMeter(isShown: Console.showsProgress)
    var faults: [StoreFault] = []
    let isBackup = try BackupVerifier.isBackup(settings.dataFolder)
    guard !(isBackup && setAside) else {
      throw CommandFailure.usage(
        "\(settings.dataFolder.printable) is a backup; --set-aside takes segments of a store out of "
          + "service. Run farthing store backup to mend the backup")
    }
    let onProgress = { (progress: VerificationProgress) in
      meter.show(progress.bytesDone, of: progress.bytesTotal, "\(progress.file)")
    }
    let onFault = { (fault: StoreFault) in
      faults.append(fault)
      guard isTable else { return }
      meter.clear()
      // A pipe that nobody reads any more must not stop the verification.
      try? Console.result(Self.line(fault))
    }
    let folder = settings.dataFolder
    let summary =
      try isBackup
      ? BackupVerifier.run(directory: folder, onProgress: onProgress, onFault: onFault)
      : StoreVerifier.run(directory: folder, onProgress: onProgress, onFault: onFault)
    meter.clear()
    let subject = isBackup ? "backup" : "store"
    if !isTable { try output.write(Self.answer(faults)) }
    let read =
      "\(Self.count(summary.files, "file")) of \(ByteCountText.text(summary.bytes)), "
      + "\(Self.count(summary.events, "event"))"
    if summary.damaged == 0 {
      Console.note("farthing: the \(subject) is intact: \(read)\(Self.others(summary))")
      return
    }
    Console.note(
      "farthing: the \(subject) is damaged: \(Self.count(summary.damaged, "fault")) in \(read)"
        + Self.others(summary))
    if setAside { try await takeOut(faults, settings) }
    throw CommandFailure.failed(nil)
  }

  private func takeOut(_ faults: [StoreFault], _ settings: Settings) async throws {
    let store = try await StoreAccess.writer(settings)
    let today = TimeText.bucket(HostProcess.now(), width: TimeText.nanosecondsPerDay).prefix(10)
    for fault in faults where fault.severity == .damage && fault.lostRows != 0 {
      guard let segment = fault.segment else { continue }
      let report = try await store.writer.setAside(segment, what: fault.what, date: String(today))
      if let report { Console.note("farthing: \(report.message.printable)") }
    }
    try await store.close()
  }

  private static func line(_ fault: StoreFault) -> String {
    let lost =
      switch (fault.severity, fault.lostRows) {
      case (.harmless, _), (_, 0): "no row is lost"
      case (_, let rows?): "\(count(rows, "row")) lost"
      case (_, nil): "it is not known how many rows are lost"
      }
    let name = fault.severity == .recorded ? "\(fault.file) (recorded)" : fault.file
    return "\(name): \(fault.what); \(lost); \(fault.remedy)".printable
  }

  private static func answer(_ faults: [StoreFault]) -> Answer {
    Answer(
      columns: [
        .init("severity"), .init("file"), .init("what"), .init("lost_rows", .figure),
        .init("remedy"),
      ],
      rows: faults.map { fault in
        [
          .text(fault.severity.rawValue), .text(fault.file), .text(fault.what),
          fault.lostRows.map { .count(Int128($0)) } ?? .null, .text(fault.remedy),
        ]
      })
  }

  private static func others(_ summary: VerificationSummary) -> String {
    var parts: [String] = []
    if summary.recorded > 0 { parts.append("\(summary.recorded) recorded before") }
    if summary.harmless > 0 { parts.append("\(summary.harmless) harmless") }
    return parts.isEmpty ? "" : " (" + parts.joined(separator: ", ") + ")"
  }

  private static func count(_ number: Int, _ word: String) -> String {
    "\(AmountText.readable(count: Int128(number))) \(word)\(number == 1 ? "" : "s")"
  }
}

/// One redrawn line that says how many bytes of how many are done; silent for the first half second.
final class ByteMeter {
  private let isShown: Bool
  private var lastShown: Int64
  private var isDrawn = false

  init(isShown: Bool) {
    self.isShown = isShown
    lastShown = HostProcess.now() + 400_000_000
  }

  func show(_ done: Int, of total: Int, _ what: String) {
    guard isShown else { return }
    let now = HostProcess.now()
    guard now - lastShown >= 100_000_000 else { return }
    lastShown = now
    isDrawn = true
    let share = total > 0 ? Int(Double(min(done, total)) / Double(total) * 100) : 0
    let columns = HostProcess.terminalColumns(.error) ?? 80
    let line = "\(share)% of \(ByteCountText.text(total))  \(what.printable)"
    Console.raw("\r\u{1B}[K" + line.truncated(to: columns - 1))
  }

  /// Takes the line away.
  func clear() {
    if isDrawn { Console.raw("\r\u{1B}[K") }
    isDrawn = false
  }
}
