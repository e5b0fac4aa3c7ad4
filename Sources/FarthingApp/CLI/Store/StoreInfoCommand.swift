package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing store info`: what the folder holds.
package struct StoreInfoCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "What the store holds: events, times, bytes by file and column, prices, retention.",
    discussion: """
      farthing store info
      farthing store info --output json

      Reads the segments' footers, not their rows, and runs beside a command that writes.
      """)

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    try output.expectNoChart()
    let survey = try StoreSurvey(directory: settings.dataFolder, now: HostProcess.now())
    let repricings = try CatalogReader.repricings(
      layout: StoreLayout(directory: settings.dataFolder), fileSystem: PosixFileSystem())
    for report in survey.damage { Console.note("farthing: warning: \(report.message.printable)") }
    var answer = StoreInfoText.answer(survey, settings)
    answer.add("repricings", StoreInfoText.repricings(repricings))
    let text = answer.text(output.output, page: Console.page())
    try Console.result(Array(text.utf8))
  }
}

/// A survey as named answers.
enum StoreInfoText {
  static func answer(_ survey: StoreSurvey, _ settings: Settings) -> SectionedAnswer {
    var answer = SectionedAnswer()
    answer.add("store", store(survey, settings))
    answer.add("events", events(survey))
    answer.add("columns", columns(survey))
    answer.add("price_lists", priceLists(survey))
    answer.add("dropped", dropped(survey.state.expiries))
    answer.add("damage", damage(survey.damage))
    answer.add(
      "followed",
      Answer(
        columns: [.init("source")],
        rows: survey.state.sources.map { [.text($0.position.source)] }))
    return answer
  }

  private static func count(_ number: Int) -> QueryValue { .count(Int128(number)) }

  /// Bytes for each event, to a tenth.
  private static func bytes(_ bytes: Int, by events: Int) -> QueryValue {
    events == 0 ? .null : .real((Double(bytes) / Double(events) * 10).rounded() / 10)
  }

  private static func store(_ survey: StoreSurvey, _ settings: Settings) -> Answer {
    let total = survey.segmentBytes + survey.logBytes + survey.catalogBytes
    let retention = settings.retention
    let fields: [(String, QueryValue)] = [
      ("folder", .text(settings.dataFolder)),
      ("events", count(survey.rows)),
      ("events_not_sealed", count(survey.events.reduce(0) { $0 + $1.unsealedRows })),
      ("oldest", survey.events.compactMap { $0.time?.lowerBound }.min().map { .time($0) } ?? .null),
      ("newest", survey.events.compactMap { $0.time?.upperBound }.max().map { .time($0) } ?? .null),
      ("bytes", count(total)),
      ("bytes_per_event", bytes(total, by: survey.rows)),
      ("segments", count(survey.state.segments.count)),
      ("segment_bytes", count(survey.segmentBytes)),
      ("footer_bytes", count(survey.footerBytes)),
      ("log_files", count(survey.logFiles)),
      ("log_bytes", count(survey.logBytes)),
      ("catalogue_bytes", count(survey.catalogBytes)),
      ("catalogue_generation", .count(Int128(survey.state.generation))),
      (
        "id_window_days",
        .count(Int128(StoreOptions().deduplicationWindow / TimeText.nanosecondsPerDay))
      ),
      ("events_in_id_window", count(survey.windowRows)),
      (
        "retention_days",
        retention.age.map { .count(Int128($0 / TimeText.nanosecondsPerDay)) } ?? .null
      ),
      ("retention_bytes", retention.byteLimit.map { count($0) } ?? .null),
    ]
    return Answer(
      columns: fields.map { name, value in
        .init(name, value.isFigure ? .figure : .label)
      }, rows: [fields.map(\.1)])
  }

  private static func events(_ survey: StoreSurvey) -> Answer {
    Answer(
      columns: [
        .init("type"), .init("events", .figure), .init("not_sealed", .figure),
        .init("segments", .figure), .init("bytes", .figure), .init("bytes_per_event", .figure),
        .init("oldest"), .init("newest"), .init("first_received"), .init("last_received"),
      ],
      rows: survey.events.map { events in
        func time(_ time: Int64?) -> QueryValue { time.map { .time($0) } ?? .null }
        return [
          .text("\(events.kind)"), count(events.rows), count(events.unsealedRows),
          count(events.segments), count(events.bytes),
          bytes(events.bytes, by: events.rows - events.unsealedRows),
          time(events.time?.lowerBound), time(events.time?.upperBound),
          time(events.receivedTime?.lowerBound), time(events.receivedTime?.upperBound),
        ]
      })
  }

  private static func columns(_ survey: StoreSurvey) -> Answer {
    var sealed: [EventKind: Int] = [:]
    for events in survey.events { sealed[events.kind] = events.rows - events.unsealedRows }
    return Answer(
      columns: [
        .init("type"), .init("column"), .init("bytes", .figure), .init("share", .figure),
        .init("bytes_per_event", .figure), .init("segments", .figure),
        .init("largest_dictionary", .figure),
      ],
      rows: survey.columns.map { column in
        [
          .text("\(column.kind)"), .text(column.name), count(column.bytes),
          survey.segmentBytes == 0
            ? .null : .ratio(Double(column.bytes) / Double(survey.segmentBytes)),
          bytes(column.bytes, by: sealed[column.kind] ?? 0), count(column.segments),
          column.largestDictionary.map { count($0) } ?? .null,
        ]
      })
  }

  private static func priceLists(_ survey: StoreSurvey) -> Answer {
    Answer(
      columns: [
        .init("list"), .init("format"), .init("from"), .init("imported"), .init("bytes", .figure),
      ],
      rows: survey.priceLists.map { list in
        [
          .text(list.name), .text(list.format), list.validFrom.map { .time($0) } ?? .null,
          .time(list.importedAt - list.importedAt % 1_000_000_000), count(list.bytes.count),
        ]
      })
  }

  private static func dropped(_ records: [ExpiryRecord]) -> Answer {
    Answer(
      columns: [
        .init("day"), .init("requests", .figure), .init("outcomes", .figure),
        .init("capacity", .figure), .init("segments", .figure), .init("bytes", .figure),
        .init("oldest"), .init("newest"),
      ],
      rows: records.map { record in
        [
          .text(TimeText.bucket(record.day, width: TimeText.nanosecondsPerDay)),
          count(record.requests), count(record.outcomes), count(record.capacities),
          count(record.segments), count(record.bytes), .time(record.earliest),
          .time(record.latest),
        ]
      })
  }

  private static func damage(_ reports: [DamageReport]) -> Answer {
    Answer(
      columns: [.init("file"), .init("lost_events", .figure), .init("what")],
      rows: reports.map { report in
        [.text(report.file), report.lostRows.map { count($0) } ?? .null, .text(report.message)]
      })
  }

  static func repricings(_ records: [RepricingRecord]) -> Answer {
    Answer(
      columns: [
        .init("applied"), .init("by"), .init("requests", .figure), .init("changed", .figure),
        .init("reason"),
      ],
      rows: records.map { record in
        [
          .time(record.appliedAt - record.appliedAt % 1_000_000_000), .text(record.appliedBy),
          count(record.totals.requests), count(record.totals.changed),
          record.reason.map { .text($0) } ?? .null,
        ]
      })
  }
}
