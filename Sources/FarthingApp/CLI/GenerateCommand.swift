package import ArgumentParser
internal import FarthingCore
internal import FarthingStore

/// `farthing generate`: synthetic events, the same for the same words.
package struct GenerateCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Synthetic events of a company's inference, the same bytes for the same words.",
    discussion: """
      farthing generate --days 2 | farthing ingest -
      farthing generate --seed 7 --incident retry_storm@2026-03-09T10:00Z+4h,factor=6 > calls.ndjson

      An incident is KIND@START+DURATION[,KEY=VALUE…]; keys are workload, tenant, identity, site, \
      model, endpoint (what it touches), factor or share (how much), ramp, and to.
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(help: "Chooses every random draw.")
  package var seed: UInt64 = 1
  @Option(help: ArgumentHelp("First day: a date or RFC 3339.", valueName: "time"))
  package var start: String?
  @Option(help: "Days to cover.")
  package var days: Int?
  @Option(help: ArgumentHelp("Length instead of --days: 90m, 4h, 2d.", valueName: "length"))
  package var duration: String?
  @Option(help: ArgumentHelp("Mean requests a day.", valueName: "n"))
  package var rate: Int?
  @Option(help: ArgumentHelp("Stop after so many requests.", valueName: "n"))
  package var requests: Int?
  @Option(help: "Customers.")
  package var tenants: Int?
  @Option(help: "Workload identities.")
  package var identities: Int?
  @Option(help: "Applications.")
  package var workloads: Int?
  @Option(help: "Points of presence.")
  package var sites: Int?
  @Flag(inversion: .prefixedNo, help: "Whether to write how tasks ended.")
  package var outcomes = true
  @Option(help: ArgumentHelp("What goes wrong; may be given again.", valueName: "incident"))
  package var incident: [String] = []
  @Option(help: ArgumentHelp("Write what was made to go wrong to this file.", valueName: "file"))
  package var labels: String?

  package init() {}

  package mutating func run() async throws {
    var synthesis: EventSynthesis
    do {
      synthesis = try EventSynthesis(try options())
    } catch {
      throw CommandFailure.usage(error.message)
    }
    var bytes: [UInt8] = []
    while synthesis.next(into: &bytes) {
      guard bytes.count >= 1 << 18 else { continue }
      try Console.result(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
    try Console.result(bytes)
    if let labels { try HostProcess.replaceFile(labels, with: synthesis.labelsJSON()) }
  }

  private func options() throws(SynthesisError) -> SynthesisOptions {
    if days != nil, duration != nil {
      throw SynthesisError(
        message: "--days and --duration both say how long; leave one of them out")
    }
    var options = SynthesisOptions(seed: seed, outcomes: outcomes, requestLimit: requests)
    if let start {
      guard let time = CivilTime.parse(start[...]) else {
        throw SynthesisError(
          message:
            "start \"\(start.printable)\" is not a time; write 2026-03-09 or 2026-03-09T10:00Z")
      }
      options.start = time
    }
    if let duration {
      guard let length = CivilTime.parseDuration(duration[...]) else {
        throw SynthesisError(
          message: "duration \"\(duration.printable)\" is not a length of time; write 90m, 4h or 2d"
        )
      }
      options.duration = length
    } else if let days {
      // More days than the limit of the options are refused there, so the product cannot overflow.
      options.duration = Int64(min(max(days, 0), 100_000)) * CivilTime.day
    }
    if let rate { options.requestsPerDay = rate }
    if let tenants { options.tenants = tenants }
    options.identities = identities ?? max(options.identities, options.tenants)
    if let workloads { options.workloads = workloads }
    if let sites { options.sites = sites }
    options.incidents = try incident.map { (text) throws(SynthesisError) in
      try IncidentSpecification.parse(text)
    }
    return options
  }
}
