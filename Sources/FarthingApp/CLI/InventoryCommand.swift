package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// `farthing inventory`: everything that requests ever named.
package struct InventoryCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "inventory",
    abstract:
      "Every endpoint, model, provider, identity and site ever seen, and what is odd about them.",
    discussion: """
      farthing inventory
      farthing inventory --by endpoint,identity --registry registry.yaml --flagged
      farthing inventory --where "tenant = 'acme'" --output csv

      Against a registry what is not in it is flagged as shadow, what is retired there and still called as zombie. Also a zombie is what is \
      called again after a long time. A site whose jurisdiction is known (sites of the configuration) is flagged where it served restricted \
      data that had to stay elsewhere. docs/inventory.md says more.
      """)

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var selection: SelectionOptions
  @Option(
    help: ArgumentHelp(
      "Which lists: endpoint, model, provider, identity, site. Default all.", valueName: "kind,…"),
    completion: .list(Inventory.Kind.allCases.map(\.rawValue)))
  package var by: [String] = []
  @Option(
    help: ArgumentHelp(
      "YAML or JSON file of what there should be, instead of the configuration's.",
      valueName: "file"),
    completion: .file(extensions: ["yaml", "yml", "json"]))
  package var registry: String?
  @Option(
    help: ArgumentHelp(
      "Tag that names owners, instead of the configuration's. Default owner.", valueName: "name"))
  package var ownerTag: String?
  @Flag(help: "Only what has a flag.")
  package var flagged = false
  @Option(
    help: ArgumentHelp("Most rows, the most expensive of each list first.", valueName: "n"))
  package var limit: String?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    guard output.output != .chart else {
      throw CommandFailure.usage("an inventory is a list; use --output table, json or csv")
    }
    let (settings, server) = try global.place()
    let words = InventoryWords(
      by: by.isEmpty ? nil : by.joined(separator: ","), filter: selection.filter,
      since: selection.since, until: selection.until, ownerTag: ownerTag, isFlagged: flagged,
      limit: limit)
    if let server {
      guard registry == nil else {
        throw CommandFailure.usage("--registry: a server goes by the one of its own configuration")
      }
      return try await server.use { try await ask($0, words) }
    }
    do {
      var inventory = settings.configuration.inventory
      if let registry { inventory.registryFile = registry }
      let request = try words.request(
        inventory, sites: settings.configuration.siteRegistry, now: HostProcess.now())
      let executor = QueryExecutor(
        memoryLimit: settings.queryBytes, threads: HostProcess.processorCount())
      let (found, lacksRows) = try StoreAccess.answer(
        settings, since: request.plan.selection.since, until: request.plan.selection.until
      ) { snapshot in
        try request.plan.run(executor, over: snapshot)
      }
      try output.write(request.answer(found))
      if lacksRows { throw CommandFailure.failed(nil) }
    } catch let error as QueryError {
      throw CommandFailure(error)
    } catch let refusal as RegistryRefusal {
      throw CommandFailure.usage(refusal.description)
    }
  }

  private func ask(_ server: RemoteServer, _ words: InventoryWords) async throws {
    let isDrawn = output.output == .table
    let question = RemoteQuestion(
      "/v1/inventory",
      [
        ("by", words.by), ("where", words.filter), ("since", words.since), ("until", words.until),
        ("owner_tag", words.ownerTag), ("flagged", words.isFlagged ? "true" : nil),
        ("limit", words.limit), ("output", isDrawn ? "csv" : output.output.rawValue),
      ])
    let reply = try await server.answer(question.target)
    try Console.result(reply.body)
    if RemoteServer.warn(reply) { throw CommandFailure.failed(nil) }
  }
}

/// What a user asks of the inventory, as text.
struct InventoryWords: Sendable {
  var by: String?
  var filter: String?
  var since: String?
  var until: String?
  var ownerTag: String?
  var isFlagged = false
  var limit: String?

  /// A question that was understood.
  struct Request: Sendable {
    var plan: InventoryPlan
    var isFlagged: Bool
    var limit: Int?

    /// The rows of an answer: lists in their order, within each by cost, greatest first, then by name.
    func answer(_ inventory: Inventory) -> Answer {
      var items = inventory.items.filter { !isFlagged || !$0.flags.isEmpty }
      let order = Dictionary(
        uniqueKeysWithValues: Inventory.Kind.allCases.enumerated().map { ($1, $0) })
      items.sort { left, right in
        if left.kind != right.kind { return order[left.kind] ?? 0 < order[right.kind] ?? 0 }
        if left.cost != right.cost { return left.cost > right.cost }
        if left.requests != right.requests { return left.requests > right.requests }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
      }
      return Answer(limit.map { Array(items.prefix($0)) } ?? items)
    }
  }

  /// - Throws: ``QueryError`` of code `usage`, or ``RegistryRefusal``.
  func request(
    _ settings: InventorySettings, sites: SiteRegistry?, now: Int64
  ) throws -> Request {
    let selection = try EventsPlan.parse(
      columns: nil, filter: filter, since: since, until: until, limit: limit, prices: nil,
      now: now, timeZone: .utc)
    var plan = InventoryPlan(now: now)
    plan.selection = selection
    if let by, !by.isEmpty {
      plan.kinds = try by.split(separator: ",", omittingEmptySubsequences: false).map { word in
        if let kind = Inventory.Kind(rawValue: String(word)) { return kind }
        let names = Inventory.Kind.allCases.map(\.rawValue)
        let hint =
          Suggestion.nearest(to: String(word), among: names).map { "did you mean \"\($0)\"?" }
          ?? "expected one of \(names.joined(separator: ", "))"
        throw QueryError(.usage, "by: \"\(String(word).printable)\" is no list; \(hint)")
      }
    }
    plan.ownerTag = ownerTag ?? settings.ownerTag
    plan.sites = sites ?? SiteRegistry()
    plan.registry = try settings.registry()
    (plan.idleAfter, plan.newWithin) = (
      settings.idleAfter.wholeNanoseconds, settings.newWithin.wholeNanoseconds
    )
    return Request(plan: plan, isFlagged: isFlagged, limit: selection.limit)
  }
}

extension Answer {
  /// The items of an inventory, one a row.
  init(_ items: [Inventory.Item]) {
    self.init(
      columns: [
        .init("kind"), .init("name"), .init("first_seen"), .init("last_seen"),
        .init("requests", .figure), .init("cost", .figure), .init("unpriced_requests", .figure),
        .init("owner"), .init("flags"), .init("why"),
      ],
      rows: items.map { item in
        [
          .text(item.kind.rawValue), .text(item.name), .time(item.firstSeen), .time(item.lastSeen),
          .count(item.requests), .money(item.cost), .count(item.unpriced),
          item.owner.map { .text($0) } ?? .null,
          item.flags.isEmpty
            ? .null : .text(item.flags.map(\.rawValue).joined(separator: ", ")),
          item.reasons.isEmpty ? .null : .text(item.reasons.joined(separator: "; ")),
        ]
      })
  }
}
