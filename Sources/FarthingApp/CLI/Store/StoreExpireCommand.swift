package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing store expire`: applies the retention now, or says what it would drop.
package struct StoreExpireCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "expire",
    abstract: "Drop what is past the retention now; with --dry-run, say what would go.",
    discussion: """
      farthing store expire --dry-run
      farthing store expire --retention-days 90 --dry-run

      Whole segments go: by age when their every row is older, by size the oldest first. Events that \
      arrived within seven days stay, because their ids are needed to know repetitions. Segments that \
      hold events past the age and stay are named, with the reason. Commands that \
      write do the same at their end where the configuration sets retention_days or retention_gib.
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(
    help: ArgumentHelp(
      "Keep so many days, by the time of events; else retention_days of the configuration.",
      valueName: "n"))
  package var retentionDays: Int?
  @Option(
    help: ArgumentHelp(
      "Keep so many GiB of segments; else retention_gib of the configuration.", valueName: "n"))
  package var retentionGib: Int?
  @Flag(help: "Change nothing.")
  package var dryRun = false
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    var settings = try global.settings()
    try output.expectNoChart()
    if let retentionDays { settings.retention.age = try Self.days(retentionDays) }
    if let retentionGib { settings.retention.byteLimit = try Self.gibibytes(retentionGib) }
    guard !settings.retention.keepsAll else {
      throw CommandFailure.usage(
        "everything is kept: set retention_days or retention_gib in the configuration, or give "
          + "--retention-days or --retention-gib")
    }
    let now = HostProcess.now()
    let plan: RetentionPlan
    if dryRun {
      plan = try StoreReader.retentionPlan(
        directory: settings.dataFolder, settings.retention, now: now)
    } else {
      try StoreAccess.expectStore(settings)
      let store = try await StoreAccess.writer(settings)
      plan = try await store.writer.expire(settings.retention, now: now)
      try await store.close()
    }
    try output.write(Self.answer(plan))
    Console.note("farthing: " + RetentionText.summary(plan, isDone: !dryRun))
    for note in RetentionText.held(plan, settings.retention) {
      Console.note("farthing: warning: \(note)")
    }
    for note in RetentionText.kept(plan, settings.retention) { Console.note("farthing: \(note)") }
  }

  private static func days(_ number: Int) throws(CommandFailure) -> Int64? {
    guard (0...ConfigurationSchema.greatestRetention).contains(number) else {
      throw .usage(
        "--retention-days \(number): expected \(ConfigurationSchema.retentionExpectation)")
    }
    return number == 0 ? nil : Int64(number) * TimeText.nanosecondsPerDay
  }

  private static func gibibytes(_ number: Int) throws(CommandFailure) -> Int? {
    guard (0...ConfigurationSchema.greatestRetention).contains(number) else {
      throw .usage(
        "--retention-gib \(number): expected \(ConfigurationSchema.retentionExpectation)")
    }
    return number == 0 ? nil : number << 30
  }

  private static func answer(_ plan: RetentionPlan) -> Answer {
    Answer(
      columns: [
        .init("segment"), .init("type"), .init("cause"), .init("events", .figure),
        .init("bytes", .figure), .init("oldest"), .init("newest"),
      ],
      rows: plan.dropped.map { drop in
        [
          .text(StoreLayout.segmentName(drop.entry.id)), .text("\(drop.entry.kind)"),
          .text(drop.cause.rawValue), .count(Int128(drop.entry.rowCount)),
          .count(Int128(drop.entry.byteCount)), .time(drop.entry.minimumTime),
          .time(drop.entry.maximumTime),
        ]
      })
  }
}

/// What a step of retention has to say.
enum RetentionText {
  static func summary(_ plan: RetentionPlan, isDone: Bool) -> String {
    guard !plan.dropped.isEmpty, let newest = plan.dropped.map(\.entry.maximumTime).max() else {
      return "nothing is past the retention"
    }
    let events = plan.dropped.reduce(0) { $0 + $1.entry.rowCount }
    let bytes = plan.dropped.reduce(0) { $0 + $1.entry.byteCount }
    let count = AmountText.readable(count: Int128(events))
    return (isDone ? "retention dropped " : "retention would drop ")
      + "\(count) events up to \(TimeText.rfc3339(newest)) in \(plan.dropped.count) "
      + "segment\(plan.dropped.count == 1 ? "" : "s"), \(ByteCountText.text(bytes)); "
      + "\(ByteCountText.text(plan.keptBytes)) of segments \(isDone ? "are left" : "would be left")"
  }

  /// Segments of which each is told; of more their number.
  static let toldSegments = 20

  /// Which segments hold events past the age and stay, why, and until when; a line each.
  static func kept(_ plan: RetentionPlan, _ retention: Retention) -> [String] {
    guard let age = retention.age, !plan.kept.isEmpty else { return [] }
    var lines = plan.kept.prefix(toldSegments).map { kept in
      let entry = kept.entry
      let (end, overflow) = entry.maximumTime.addingReportingOverflow(age)
      let reason =
        switch kept.hold {
        case .youngerRows:
          "with younger ones up to \(TimeText.rfc3339(entry.maximumTime)); segments go as a whole, "
            + "this one \(overflow ? "never" : "from \(TimeText.rfc3339(end)) on")"
        case .ids: "which arrived within seven days: their ids are needed to know repetitions"
        case .requests: "while requests that they may belong to are kept"
        }
      return
        "\(StoreLayout.segmentName(entry.id)) (\(AmountText.readable(count: Int128(entry.rowCount))) "
        + "\(entry.kind) events) keeps events past the retention, from "
        + "\(TimeText.rfc3339(entry.minimumTime)) on, \(reason)"
    }
    if plan.kept.count > toldSegments {
      lines.append("\(plan.kept.count - toldSegments) more segments keep events past the retention")
    }
    return lines
  }

  /// What could not go yet.
  static func held(_ plan: RetentionPlan, _ retention: Retention) -> [String] {
    guard !plan.heldBack.isEmpty else { return [] }
    let count = plan.heldBack.count
    if let limit = retention.byteLimit, plan.keptBytes > limit {
      return [
        "the segments take \(ByteCountText.text(plan.keptBytes)), more than the "
          + "\(ByteCountText.text(limit)) of retention_gib: the rest arrived within seven days and "
          + "stays, because its ids are needed to know repetitions"
      ]
    }
    return [
      "\(count) segment\(count == 1 ? "" : "s") past the retention arrived within seven days and "
        + "\(count == 1 ? "stays" : "stay") until then, because \(count == 1 ? "its" : "their") ids are "
        + "needed to know repetitions"
    ]
  }
}
