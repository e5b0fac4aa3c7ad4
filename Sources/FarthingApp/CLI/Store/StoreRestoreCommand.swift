package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing store restore`: a store out of a backup.
package struct StoreRestoreCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Make a store of a backup, in an empty folder.",
    discussion: """
      farthing store restore /mnt/backups/farthing --data /var/lib/farthing

      Every copy is compared with the backup's list as it is read. The store answers as the one that \
      was backed up did, and remembers the same ids. Until the last step the folder holds no store; a \
      restore that was cut off can be run again.
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(help: ArgumentHelp("Folder of the backup."))
  package var source: String
  @Flag(
    help: "Go on without copies that fail their checksum; the store then says what it lacks.")
  package var skipDamaged = false
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    try output.expectNoChart()
    let meter = ByteMeter(isShown: Console.showsProgress)
    defer { meter.clear() }
    let report = try StoreRestore.run(
      source: source, directory: settings.dataFolder, skipsDamaged: skipDamaged,
      onProgress: { meter.show($0, of: $1, "restored") })
    meter.clear()
    let survey = try StoreSurvey(directory: settings.dataFolder, now: HostProcess.now())
    let fields: [(String, QueryValue)] = [
      ("folder", .text(settings.dataFolder)),
      ("backup_of", .time(report.manifest.createdAt - report.manifest.createdAt % 1_000_000_000)),
      ("files", .count(Int128(report.files))),
      ("bytes", .count(Int128(report.bytes))),
      ("events", .count(Int128(survey.rows))),
      ("oldest", survey.events.compactMap { $0.time?.lowerBound }.min().map { .time($0) } ?? .null),
      ("newest", survey.events.compactMap { $0.time?.upperBound }.max().map { .time($0) } ?? .null),
    ]
    try output.write(
      Answer(
        columns: fields.map { .init($0, $1.isFigure ? .figure : .label) }, rows: [fields.map(\.1)]))
    for fault in report.faults { Console.note("farthing: warning: \(fault.printable)") }
    if !report.faults.isEmpty { throw CommandFailure.failed(nil) }
  }
}
