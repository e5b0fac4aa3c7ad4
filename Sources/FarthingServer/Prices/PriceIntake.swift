internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// The prices in force, for those who ask and those who price.
final class CurrentPrices: Sendable {
  private let state: Mutex<PriceBook>

  init(_ book: PriceBook) { state = Mutex(book) }

  var book: PriceBook {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// `POST /v1/prices`: a list into the store's price book, in force for what arrives from then on.
///
/// An actor, so that of two imports the later in the store is the later in force.
actor PriceIntake {
  private let writer: StoreWriter
  private let decoder: BodyDecoder
  private let prices: CurrentPrices
  private let threads: NIOThreadPool
  private let limits: CurrentLimits
  private let clock: @Sendable () -> Int64

  init(
    writer: StoreWriter, decoder: BodyDecoder, prices: CurrentPrices, threads: NIOThreadPool,
    limits: CurrentLimits, clock: @escaping @Sendable () -> Int64
  ) {
    self.writer = writer
    self.decoder = decoder
    self.prices = prices
    self.threads = threads
    self.limits = limits
    self.clock = clock
  }

  /// A list that can be used, before it is stored.
  private struct Read: Sendable {
    var list: StoredPriceList
    var cards: Int
    /// Entries that a price cannot be used of, a sentence each.
    var warnings: [String]
    var isChecked: Bool

    func receipt(isImported: Bool) -> [UInt8] {
      let sentences = warnings.map(JSONQuoted.text).joined(separator: ",")
      return Array(
        ("{\"name\":\(JSONQuoted.text(list.name)),\"format\":\(JSONQuoted.text(list.format.rawValue)),"
          + "\"cards\":\(cards),\"imported\":\(isImported),\"warnings\":[\(sentences)]}\n").utf8)
    }
  }

  /// Lists are megabytes: they are read on a thread for questions, not where they arrived.
  nonisolated func take(_ request: Request, _ reply: ReplyHandle) {
    threads.submit { [self] state in
      guard state == .active else {
        return reply.send(Committer.fault(StoreError(.closed, "the server is ending")))
      }
      do throws(RequestFault) {
        let read = try read(request)
        if read.isChecked { return reply.send(.json(.ok, read.receipt(isImported: false))) }
        Task { await add(read, reply) }
      } catch {
        reply.send(error)
      }
    }
  }

  private func add(_ read: Read, _ reply: ReplyHandle) async {
    let list = read.list
    do {
      _ = try await writer.addPriceList(
        name: list.name, format: list.format.rawValue, validFrom: list.validFrom,
        importedAt: list.importedAt, bytes: list.bytes)
      let lists = try await writer.priceLists().compactMap(StoredPriceList.init)
      let book = try PriceBook(lists: lists)
      prices.book = book
      decoder.replace(book: book, now: clock())
      reply.send(.json(.ok, read.receipt(isImported: true)))
    } catch let error as StoreError {
      reply.send(Committer.fault(error))
    } catch {
      reply.send(RequestFault(.failed, "the lists in the store cannot be read any more: \(error)"))
    }
  }

  // MARK: Reading

  private static let parameters = ["name", "format", "from", "check"]

  private nonisolated func read(_ request: Request) throws(RequestFault) -> Read {
    let parameters = try QueryParameters(request.query)
    for name in parameters.values.keys.sorted() where !Self.parameters.contains(name) {
      let hint =
        Suggestion.nearest(to: name, among: Self.parameters).map { "did you mean \"\($0)\"?" }
        ?? "expected one of \(Self.parameters.joined(separator: ", "))"
      throw RequestFault(
        .badRequest, "\"\(Excerpt.shortened(name))\" is no parameter of this call; \(hint)")
    }
    let bytes = try request.plainBody(limit: limits.current.bodyBytes)
    let name = try parameters.single("name") ?? "posted"
    guard RegistryText.isName(name) else {
      throw RequestFault(.badRequest, "name: \(RegistryText.nameExpectation)")
    }
    let list = StoredPriceList(
      id: 0, name: name, format: try format(try parameters.single("format"), bytes),
      validFrom: try start(try parameters.single("from")), importedAt: clock(), bytes: bytes)
    let isChecked = try flag(try parameters.single("check"))
    do {
      let cards = try list.opened().cards().count
      let report = PriceListReport(bytes: bytes, name: name, format: list.format)
      return Read(
        list: list, cards: cards, warnings: report.warnings.map(\.description),
        isChecked: isChecked)
    } catch {
      throw RequestFault(
        .badRequest, error.faults.map(\.description).joined(separator: "\n"))
    }
  }

  private nonisolated func format(
    _ text: String?, _ bytes: [UInt8]
  ) throws(RequestFault) -> PriceListFormat {
    guard let text else { return PriceListFormat.recognised(bytes) }
    if let known = PriceListFormat(rawValue: text) { return known }
    let names = PriceListFormat.allCases.map(\.rawValue)
    let hint =
      Suggestion.nearest(to: text, among: names).map { "did you mean \"\($0)\"?" }
      ?? "expected one of \(names.joined(separator: ", "))"
    throw RequestFault(
      .badRequest, "format: \"\(Excerpt.shortened(text))\" is not known; \(hint)")
  }

  private nonisolated func start(_ text: String?) throws(RequestFault) -> Int64? {
    guard let text else { return nil }
    guard let time = InstantParser.parse(text, now: clock(), zone: .utc) else {
      throw RequestFault(
        .badRequest, "from: \"\(Excerpt.shortened(text))\" is not \(InstantParser.expectation)")
    }
    return time
  }

  private nonisolated func flag(_ text: String?) throws(RequestFault) -> Bool {
    switch text {
    case nil, "false": return false
    case "", "true": return true
    case .some(let text):
      throw RequestFault(
        .badRequest, "check: \"\(Excerpt.shortened(text))\" is neither true nor false")
    }
  }
}

extension Request {
  /// The body as it was before it was compressed.
  ///
  /// - Throws: `payloadTooLarge` beyond the limit; `badRequest` where the compression is damaged.
  func plainBody(limit: Int) throws(RequestFault) -> [UInt8] {
    let compression: StreamCompression
    switch encoding {
    case .identity:
      guard body.count <= limit else { throw Self.tooLong(limit) }
      return body
    case .gzip: compression = .gzip
    case .zstd: compression = .zstd
    }
    if body.isEmpty { return [] }
    do throws(StoreError) {
      return try BodyExpansion.expand(body, compression, limit: limit) ?? []
    } catch {
      if error.code == .limitExceeded { throw Self.tooLong(limit) }
      throw RequestFault(.badRequest, "the body's \(compression) data is damaged or cut short")
    }
  }

  private static func tooLong(_ limit: Int) -> RequestFault {
    RequestFault(
      .payloadTooLarge, "the body has more than \(limit) bytes, the most that is taken here")
  }
}
