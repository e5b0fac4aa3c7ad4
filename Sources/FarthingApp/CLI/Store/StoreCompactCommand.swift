package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing store compact`: merges small segments now.
package struct StoreCompactCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "compact",
    abstract: "Merge small segments now, and drop what is past the retention.",
    discussion: """
      farthing store compact

      Commands that write merge eight small neighbours as they come by; this merges down to two. No \
      answer changes. Stopping it is safe at any time: a merge is one step.
      """)

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    try output.expectNoChart()
    try StoreAccess.expectStore(settings)
    var options = StoreOptions()
    options.compactionFanIn = 2
    let store = try await StoreAccess.writer(settings, options: options)
    try await store.writer.flush()
    try await store.applyRetention()
    let before = await store.writer.catalogState.segments
    try await store.writer.compact()
    let after = await store.writer.catalogState.segments
    try await store.close()
    try output.write(Self.answer(before, after))
    let merged = Set(before.map(\.id)).subtracting(after.map(\.id)).count
    let bytes = [before, after].map { $0.reduce(0) { $0 + $1.byteCount } }
    Console.note(
      merged == 0
        ? "farthing: nothing to merge: no two small segments are neighbours"
        : "farthing: \(merged) segments merged; \(ByteCountText.text(bytes[0])) before, "
          + "\(ByteCountText.text(bytes[1])) after")
  }

  private static func answer(_ before: [SegmentEntry], _ after: [SegmentEntry]) -> Answer {
    func sum(_ entries: [SegmentEntry], _ kind: EventKind) -> (count: Int, rows: Int, bytes: Int) {
      entries.filter { $0.kind == kind }.reduce((0, 0, 0)) {
        ($0.0 + 1, $0.1 + $1.rowCount, $0.2 + $1.byteCount)
      }
    }
    return Answer(
      columns: [
        .init("type"), .init("events", .figure), .init("segments_before", .figure),
        .init("segments_after", .figure), .init("bytes_before", .figure),
        .init("bytes_after", .figure),
      ],
      rows: EventKind.allCases.compactMap { kind in
        let (old, new) = (sum(before, kind), sum(after, kind))
        guard old.count > 0 else { return nil }
        return [
          .text("\(kind)"), .count(Int128(new.rows)), .count(Int128(old.count)),
          .count(Int128(new.count)), .count(Int128(old.bytes)), .count(Int128(new.bytes)),
        ]
      })
  }
}
