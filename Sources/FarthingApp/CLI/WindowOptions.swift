package import ArgumentParser
internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore

/// Which requests are meant.
package struct SelectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Start of the window, itself included: RFC 3339, a date, or 24h, 7d ago.", valueName: "time"))
  package var since: String?

  @Option(help: ArgumentHelp("End of the window, itself excluded.", valueName: "time"))
  package var until: String?

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Filter, such as: site = 'sin1' and input_tokens > 8000.", valueName: "expr"))
  package var filter: String?

  package init() {}
}

/// Which requests an answer is about, and how much of it is shown how.
package struct WindowOptions: ParsableArguments {
  @OptionGroup package var selection: SelectionOptions

  @Option(help: ArgumentHelp("Most rows of the answer.", valueName: "n"))
  package var limit: String?

  @Option(
    name: .customLong("tz"),
    help: ArgumentHelp(
      "Zone that buckets and dates are aligned in and tables show, such as Europe/Berlin. Default UTC.",
      valueName: "zone"))
  package var zone: String?

  @Option(
    help: ArgumentHelp(
      "Costs as now known (current, with repricings) or as booked on arrival (booked).",
      valueName: "knowledge"))
  package var prices: String?

  package init() {}

  /// The rules of the zone.
  ///
  /// - Throws: ``CommandFailure`` with status 2 where there is no such zone.
  func timeZone() throws(CommandFailure) -> TimeZoneRules {
    guard let zone, zone != "UTC" else { return .utc }
    guard let path = TimeZoneRules.relativePath(of: zone),
      let bytes = try? WholeInput.bytes(of: "/usr/share/zoneinfo/" + path, limit: 1 << 20),
      let rules = TimeZoneRules(name: zone, tzif: bytes)
    else {
      throw .usage(
        "\"\(zone.printable)\" is no time zone of this machine; names are as in Europe/Berlin, "
          + "UTC needs none")
    }
    return rules
  }
}
