package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing store backup`: a consistent copy of the store, beside whoever writes it.
package struct StoreBackupCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy the store as of one moment to a folder, or bring a backup there up to date.",
    discussion: """
      farthing store backup /mnt/backups/farthing

      Runs beside a command that writes. The first run copies everything, later ones what is new, and \
      anew what of the backup is damaged: every copy is read and compared with its checksum. \
      Until its last step the folder stays the backup that it was. "farthing store restore" makes a \
      store of it.
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(help: ArgumentHelp("Folder of the backup: missing, empty or a backup of this store."))
  package var target: String
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    try output.expectNoChart()
    let meter = ByteMeter(isShown: Console.showsProgress)
    defer { meter.clear() }
    let report = try StoreBackup.run(
      directory: settings.dataFolder, target: target, now: HostProcess.now(),
      onProgress: { meter.show($0, of: $1, "copied") })
    meter.clear()
    try output.write(answer(report))
    if report.mendedFiles > 0 {
      Console.note(
        "farthing: warning: \(report.mendedFiles) cop\(report.mendedFiles == 1 ? "y" : "ies") in "
          + "\(target.printable) had been damaged or lost and \(report.mendedFiles == 1 ? "was" : "were") "
          + "made anew; check that disk")
    }
    for fault in report.faults { Console.note("farthing: warning: \(fault.printable)") }
    if !report.faults.isEmpty {
      Console.note(
        "farthing: the store is damaged, and the backup lacks what it lacks; \"farthing store verify\" "
          + "says what to do")
      throw CommandFailure.failed(nil)
    }
  }

  private func answer(_ report: BackupReport) -> Answer {
    let manifest = report.manifest
    let fields: [(String, QueryValue)] = [
      ("target", .text(target)),
      ("generation", .count(Int128(manifest.generation))),
      ("sealed_events", .count(Int128(manifest.rows.reduce(0, +)))),
      ("files", .count(Int128(manifest.copies.count))),
      ("bytes", .count(Int128(manifest.byteCount))),
      ("copied_files", .count(Int128(report.copiedFiles))),
      ("copied_bytes", .count(Int128(report.copiedBytes))),
      ("mended_files", .count(Int128(report.mendedFiles))),
      ("removed_files", .count(Int128(report.removedFiles))),
    ]
    return Answer(
      columns: fields.map { .init($0, $1.isFigure ? .figure : .label) }, rows: [fields.map(\.1)])
  }
}
