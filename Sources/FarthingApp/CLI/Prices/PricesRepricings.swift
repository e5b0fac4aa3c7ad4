package import ArgumentParser
internal import FarthingQuery
internal import FarthingStore

/// `farthing prices repricings`: what was repriced, when, by whom and why.
package struct PricesRepricings: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "repricings",
    abstract: "The repricings of the store, the earliest first.")

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    let records: [RepricingRecord]
    do {
      records = try CatalogReader.repricings(
        layout: StoreLayout(directory: settings.dataFolder), fileSystem: PosixFileSystem())
    } catch {
      guard error.code == .notFound else { throw error }
      records = []
    }
    try output.write(
      Answer(
        columns: [
          .init("id", .figure), .init("applied_at"), .init("by"), .init("reason"),
          .init("selection"), .init("requests", .figure), .init("changed", .figure),
          .init("cost_before", .figure), .init("cost_after", .figure),
          .init("unpriced_before", .figure), .init("unpriced_after", .figure),
          .init("segments", .figure), .init("lists"), .init("price_book"),
        ], rows: records.map(Self.row)))
  }

  private static func row(_ record: RepricingRecord) -> [QueryValue] {
    let totals = record.totals
    return [
      .count(Int128(record.id)), .time(record.appliedAt), .text(record.appliedBy),
      record.reason.map { .text($0) } ?? .null,
      record.selection.isEmpty ? .null : .text(record.selection), .count(Int128(totals.requests)),
      .count(Int128(totals.changed)), .money(totals.costBefore), .money(totals.costAfter),
      .count(Int128(totals.unpricedBefore)), .count(Int128(totals.unpricedAfter)),
      .count(Int128(record.segments)), .text(record.lists.joined(separator: " ")),
      .text(record.book),
    ]
  }
}
