package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing doctor`: whether everything that Farthing needs is in order, and how to mend what is not.
package struct DoctorCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check configuration, store, prices, clock, disk and limits; say how to mend them.",
    discussion: """
      farthing doctor
      farthing doctor --config /etc/farthing.yaml --data /var/lib/farthing --output json

      Changes nothing; it writes and removes one small file to time the disk. Exit status: 0 where nothing is at fault (warnings may be), 1 \
      where something is, 2 where it is the configuration.
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(
    help: ArgumentHelp(
      "File with rules and budgets to check, beside the configuration's.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  package var rules: String?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    guard output.output != .chart else {
      throw CommandFailure.usage("findings are words; use --output table, json or csv")
    }
    var findings: [Finding] = []
    var settings = configuration(&findings)
    if let file = rules { readRules(file, &settings, &findings) }
    if let settings { examine(settings, &findings) }
    if output.output == .table {
      for line in Finding.lines(findings) { try Console.result(line) }
    } else {
      try output.write(Answer(findings))
    }
    if settings == nil { throw CommandFailure(status: 2, message: nil) }
    if findings.contains(where: { $0.state == .fault }) { throw CommandFailure.failed(nil) }
  }

  /// - Returns: nil where the configuration is wrong, which a finding tells.
  private func configuration(_ findings: inout [Finding]) -> Settings? {
    let file = global.config ?? EnvironmentVariables.value(of: "FARTHING_CONFIG")
    do throws(CommandFailure) {
      let settings = try Settings.resolved(
        data: global.data, config: global.config,
        environment: { EnvironmentVariables.value(of: $0) })
      findings.append(
        .ok("configuration", file.map { "\($0): every key is known" } ?? "none; defaults hold"))
      return settings
    } catch {
      for line in (error.message ?? "").split(separator: "\n") {
        findings.append(
          .fault(
            "configuration", line.drop { $0 == " " }.description,
            "docs/farthing.yaml lists all settings with their defaults"))
      }
      return nil
    }
  }

  /// Adds the rules and budgets of a file of their own to the settings.
  private func readRules(
    _ file: String, _ settings: inout Settings?, _ findings: inout [Finding]
  ) {
    do throws(CommandFailure) {
      let watched = try WatchFile.read(file)
      settings?.configuration.rules += watched.rules
      settings?.configuration.budgets += watched.budgets
      findings.append(
        .ok(
          "rules", "\(file): \(watched.rules.count) rules and \(watched.budgets.count) budgets"))
    } catch {
      for line in (error.message ?? "").split(separator: "\n") {
        findings.append(
          .fault(
            "rules", line.drop { $0 == " " }.description,
            "docs/budgets.md says how they are written"))
      }
      settings = nil
    }
  }

  private func examine(_ settings: Settings, _ findings: inout [Finding]) {
    let now = HostProcess.now()
    let folder = settings.dataFolder
    let exists = (try? PosixFileSystem().size(folder + "/catalog.sqlite")) ?? nil != nil
    let holder = LockHolder.current(directory: folder)
    findings.append(
      StoreCheckup.folder(
        folder, exists: exists, isWritable: HostMachine.mayWrite(folder), holder: holder,
        holderRuns: holder.map { HostMachine.isRunning(Int32(clamping: $0.processID)) } ?? false))
    findings += ConfigurationCheckup.findings(
      settings, now: now, memory: HostMachine.memoryLimit(),
      openFiles: HostMachine.openFileLimit())
    findings += AlertingCheckup.findings(settings.configuration.alerting) {
      EnvironmentVariables.value(of: $0)
    }
    let store = examineStore(settings, now, &findings)
    examineDisk(folder, storeBytes: store.bytes, &findings)
    findings.append(
      MachineCheckup.clock(now: now, newest: store.newest))
    findings += MachineCheckup.limits(
      openFiles: HostMachine.openFileLimit(), segments: store.segments,
      memory: HostMachine.memoryLimit(), queryBytes: settings.queryBytes)
    if !isFolder("/usr/share/zoneinfo") {
      findings.append(
        .warning(
          "zones", "this machine has no time zones in /usr/share/zoneinfo; --tz knows UTC only",
          "install tzdata"))
    }
  }

  /// What the other checks need to know of the store.
  private struct StoreFigures {
    var bytes: Int64 = 0
    var segments = 0
    var newest: Int64?
  }

  private func examineStore(
    _ settings: Settings, _ now: Int64, _ findings: inout [Finding]
  ) -> StoreFigures {
    var figures = StoreFigures()
    do {
      let snapshot = try StoreReader.snapshot(directory: settings.dataFolder)
      let segments = snapshot.requests + snapshot.outcomes + snapshot.capacities
      figures.segments = segments.count
      figures.newest = segments.map(\.maximumTime).max()
      figures.bytes = StoreFiles.bytes(of: settings.dataFolder)
      findings += StoreCheckup.contents(snapshot)
      findings +=
        WatchCheckup(
          rules: settings.rules, budgets: settings.budgets, snapshot: snapshot,
          executor: QueryExecutor(memoryLimit: settings.queryBytes, threads: 1), now: now
        ).findings
      let counts = try requestCounts(snapshot, settings)
      findings += StoreCheckup.prices(
        lists: try StoreAccess.priceLists(settings),
        catalogueDate: PriceDate.nanoseconds(PriceCatalogue.date), now: now,
        requests: counts.all, unpriced: counts.unpriced)
    } catch let error as StoreError {
      if error.code != .notFound {
        findings.append(.fault("store", error.description, StoreCheckup.remedy(error.code)))
      }
    } catch {
      findings.append(.fault("store", "\(error)", "farthing store verify says what is damaged"))
    }
    return figures
  }

  private func requestCounts(
    _ snapshot: StoreSnapshot, _ settings: Settings
  ) throws -> (all: Int64, unpriced: Int64) {
    let plan = try QueryPlan.parse(
      QueryWords(metrics: "requests,unpriced_requests"), now: HostProcess.now())
    let executor = QueryExecutor(memoryLimit: settings.queryBytes, threads: 1)
    let result = try executor.run(
      plan, requests: snapshot.requests, outcomes: snapshot.outcomes)
    guard let row = result.rows.first, case .count(let all) = row[0],
      case .count(let unpriced) = row[1]
    else { return (0, 0) }
    return (Int64(clamping: all), Int64(clamping: unpriced))
  }

  private func isFolder(_ path: String) -> Bool {
    let names = (try? PosixFileSystem().list(path)) ?? nil
    return names != nil
  }

  /// The folder, or the nearest above it that is there: it will lie on the same volume.
  private func nearestFolder(_ path: String) -> String {
    var existing = path
    while !isFolder(existing) {
      guard let slash = existing.lastIndex(of: "/") else { return "." }
      if slash == existing.startIndex { return "/" }
      existing = String(existing[..<slash])
    }
    return existing
  }

  private func examineDisk(_ folder: String, storeBytes: Int64, _ findings: inout [Finding]) {
    let existing = nearestFolder(folder)
    do throws(StoreError) {
      let volume = try HostMachine.volume(of: existing)
      findings += MachineCheckup.disk(volume, storeBytes: storeBytes)
      guard existing == folder, HostMachine.mayWrite(folder) else { return }
      let time = try StoreFiles.syncNanoseconds(in: folder)
      findings.append(
        MachineCheckup.sync(time, isInMemory: ["tmpfs", "ramfs"].contains(volume.kind ?? "")))
    } catch {
      findings.append(
        .fault(
          "disk", error.description,
          error.code == .diskFull
            ? "free some space; what is stored is not touched by this"
            : "make the folder readable and writable"))
    }
  }
}
