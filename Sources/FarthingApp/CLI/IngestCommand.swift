package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore

extension SourceFormat: ExpressibleByArgument {}

/// `farthing ingest`: events from files or standard input into the store.
package struct IngestCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "ingest",
    abstract: "Take events in from files or standard input.",
    discussion: """
      farthing ingest calls.ndjson more.ndjson.zst
      farthing ingest --format litellm callbacks.json --strict
      some-source | farthing ingest -

      Plain, gzip or zstd, told by the first bytes. A refused event is named by its line and the \
      others are kept; an id that was accepted within seven days is counted once, so the same input \
      may be given again. Returns once everything accepted would survive a crash.

      Other JSON lines, logfmt, CSV and text become events by a mapping file (docs/mappings.md):

        farthing ingest --mapping nginx.yaml --dry-run access.log
        farthing ingest --mapping nginx.yaml --follow /var/log/nginx/access.log

      With --server URL the events go there and are stored there; the receipt is the same.
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(
    help: ArgumentHelp("Files; - is standard input, the default.", valueName: "file"),
    completion: .file())
  package var files: [String] = []
  @Option(
    help: ArgumentHelp(
      "auto (by the first bytes of each file), events, ndjson (events, one a line whatever it looks "
        + "like), litellm, otlp, openai, anthropic, gemini or bedrock.",
      valueName: "format"))
  package var format = "auto"
  @Option(
    help: ArgumentHelp(
      "A file that says which path of a record fills which field of an event; see docs/mappings.md.",
      valueName: "file"))
  package var mapping: String?
  @Flag(help: "Read, decode and price, show the first events, and store nothing.")
  package var dryRun = false
  @Option(help: ArgumentHelp("Events that a dry run shows.", valueName: "n"))
  package var show: Int?
  @Flag(
    help: "Keep reading what the files grow by, until interrupted; a restart goes on from there.")
  package var follow = false
  @Flag(help: "With --follow: begin files that were never read at their end.")
  package var fromEnd = false
  @Flag(help: "Exit with 1 where an event was refused; the good ones are kept all the same.")
  package var strict = false
  @Option(help: ArgumentHelp("table or json: the form of the receipt.", valueName: "format"))
  package var output = OutputFormat.table

  package init() {}

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    guard output == .table || output == .json else {
      throw CommandFailure.usage("a receipt is written as table or json, not as \(output)")
    }
    var options = Ingestion.Options()
    options.format = try sourceFormat()
    options.isLineByLine = format == "ndjson"
    options.mapping = try mapping.map { (path) throws(CommandFailure) in
      try MappingOption.mapping(path)
    }
    if mapping != nil, !["auto", "ndjson"].contains(format) {
      throw CommandFailure.usage(
        "--mapping says how its input is read; leave out --format \(format)")
    }
    if show != nil, !dryRun { throw CommandFailure.usage("--show belongs to --dry-run") }
    if let show, show < 0 { throw CommandFailure.usage("--show \(show): expected 0 or more") }
    options.listedErrors = settings.listedErrors
    options.limits.eventBytes = settings.eventBytes
    options.workers = HostProcess.processorCount()
    if fromEnd, !follow { throw CommandFailure.usage("--from-end belongs to --follow") }
    if follow, dryRun {
      throw CommandFailure.usage("--dry-run reads what is there; leave out --follow")
    }
    if files.isEmpty, HostProcess.isTerminal(.input) {
      throw CommandFailure.usage("name the files to ingest, or - to read from the terminal")
    }
    if server != nil, mapping != nil || follow, !dryRun {
      throw CommandFailure.usage(
        "--\(follow ? "follow" : "mapping") does not go to a server by farthing ingest; farthing agent "
          + "--server URL follows and maps files, and sends each event once")
    }
    if follow { return try await follow(options, settings) }
    Interruption.watch()
    options.isInterrupted = { Interruption.signal != nil }
    let inputs = (files.isEmpty ? ["-"] : files).map { IngestInput(word: $0) }
    if dryRun { return try await rehearse(inputs, options, settings) }
    let receipt =
      if let server {
        try await server.use { try await send(inputs, options, to: $0) }
      } else {
        try await ingest(inputs, options, settings)
      }
    try report(receipt, inputs)
    if receipt.isInterrupted, let signal = Interruption.signal {
      // What a shell says of a command that a signal ended.
      throw CommandFailure(
        status: 128 + signal,
        message: "interrupted; what the receipt counts is stored. Run the same command again for "
          + "the rest: events with an id are counted once")
    }
    let isClean = receipt.failures.isEmpty && !(strict && receipt.rejected > 0)
    if !isClean { throw CommandFailure.failed(nil) }
  }

  private func sourceFormat() throws(CommandFailure) -> SourceFormat? {
    if format == "auto" { return nil }
    if format == "ndjson" { return .events }
    if let known = SourceFormat(rawValue: format) { return known }
    let names = ["auto", "ndjson"] + SourceFormat.allCases.map(\.rawValue)
    let hint =
      Suggestion.nearest(to: format, among: names).map { "did you mean \"\($0)\"?" }
      ?? "expected one of \(names.joined(separator: ", "))"
    throw .usage("--format: \"\(format.printable)\" is not known; \(hint)")
  }

  private func ingest(
    _ inputs: [IngestInput], _ options: Ingestion.Options, _ settings: Settings
  ) async throws -> IngestReceipt {
    let writer = try await StoreAccess.writer(settings)
    let meter = ProgressMeter(isShown: Console.showsProgress)
    var ingestion = Ingestion(
      options: options, book: writer.book, sink: writer, clock: { HostProcess.now() },
      onProgress: { meter.show($0) })
    do {
      let receipt = try await ingestion.run(inputs)
      meter.clear()
      try await writer.close()
      return receipt
    } catch {
      meter.clear()
      // Whatever was durable stays; ids make it safe to run the same again.
      try? await writer.close()
      throw CommandFailure.failed(
        "\(error)\n          what was stored before stays; run the same command again, events with an "
          + "id are counted once")
    }
  }

  /// Sends the inputs to a server, which stores them.
  private func send(
    _ inputs: [IngestInput], _ options: Ingestion.Options, to server: RemoteServer
  ) async throws -> IngestReceipt {
    let meter = ProgressMeter(isShown: Console.showsProgress)
    var ingestion = RemoteIngestion(
      options: options,
      transport: HTTPUploads(server, isInterrupted: options.isInterrupted),
      clock: { HostProcess.now() }, onProgress: { meter.show($0) })
    defer { meter.clear() }
    do {
      return try await ingestion.run(inputs)
    } catch let failure as CommandFailure {
      let taken = ingestion.receipt.accepted
      let note =
        taken == 0
        ? ""
        : "\n          \(AmountText.readable(count: Int128(taken))) events were stored before and stay; "
          + "run the same command again, events with an id are counted once"
      throw CommandFailure(status: failure.status, message: (failure.message ?? "") + note)
    }
  }

  /// Reads, decodes and prices without a store, and tells what would be stored.
  private func rehearse(
    _ inputs: [IngestInput], _ options: Ingestion.Options, _ settings: Settings
  ) async throws {
    let sink = DryRun(showing: show ?? 5)
    var ingestion = Ingestion(
      options: options, book: try StoreAccess.priceBook(settings), sink: sink,
      clock: { HostProcess.now() })
    let receipt = try await ingestion.run(inputs)
    for event in sink.shown { try Console.result(event) }
    let single = inputs.count == 1 ? inputs[0].name : nil
    for note in ReceiptText.notes(receipt, singleInput: single) {
      Console.note("farthing: \(note)")
    }
    for note in DryRunText.notes(ingestion, receipt, sink) { Console.note("farthing: \(note)") }
    if !(receipt.failures.isEmpty && !(strict && receipt.rejected > 0)) {
      throw CommandFailure.failed(nil)
    }
  }

  private func report(_ receipt: IngestReceipt, _ inputs: [IngestInput]) throws {
    if output == .json {
      try Console.result(ReceiptText.json(receipt))
      for failure in receipt.failures { Console.note("farthing: \(failure.message.printable)") }
    } else {
      let single = inputs.count == 1 ? inputs[0].name : nil
      for note in ReceiptText.notes(receipt, singleInput: single) {
        Console.note("farthing: \(note)")
      }
      try Console.result(ReceiptText.summary(receipt))
    }
  }
}
