internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore
internal import NIOHTTP1

/// The calls about alerts.
struct AlertCalls: Sendable {
  let service: AlertService
  /// Unix nanoseconds.
  let clock: @Sendable () -> Int64

  /// Most bytes of a note or a comment.
  private static let textLimit = 4096

  // MARK: Reading

  /// `GET /v1/alerts`
  func list(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let parameters = try Self.parameters(request, ["status", "since", "match", "limit"])
      let selection = AlertSelection(
        statuses: try Self.statuses(parameters.list("status")),
        since: try Self.instant(try parameters.single("since"), "since", clock()),
        limit: try Self.limit(try parameters.single("limit")))
      let matchers = try Self.matchers(parameters.values["match"] ?? [], "match")
      return try await service.desk.list(selection, matchers)
    }
  }

  /// `GET /v1/alerts/{id}`
  func details(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      try await service.desk.details(try QueryParameters.decoded(request.name ?? ""))
    }
  }

  /// `GET /v1/silences`
  func silences(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let parameters = try Self.parameters(request, ["all"])
      let all = try parameters.single("all")
      guard all == nil || ["true", "false", ""].contains(all) else {
        throw RequestFault(.badRequest, "all: expected true or false")
      }
      return try await service.desk.silences(all: all != nil && all != "false", now: clock())
    }
  }

  /// `GET /v1/deliveries`
  func receipts(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let parameters = try Self.parameters(request, ["receiver", "limit"])
      return try await service.desk.receipts(
        receiver: try parameters.single("receiver"),
        limit: try Self.limit(try parameters.single("limit")) ?? 100)
    }
  }

  // MARK: Acting

  /// `POST /v1/alerts/{id}/ack`
  func acknowledge(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let body = try Self.body(request, ["note"])
      let id = try QueryParameters.decoded(request.name ?? "")
      return try await service.desk.acknowledge(
        id, by: Self.person(request), note: try Self.text(body, "note"), now: clock())
    }
  }

  /// `POST /v1/silences`
  func silence(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let now = clock()
      let body = try Self.body(
        request, ["matchers", "starts_at", "ends_at", "duration", "comment"])
      let texts = (body?["matchers"]?.elements ?? []).map { $0.text ?? "" }
      let matchers = try Self.matchers(texts, "matchers")
      let start = try Self.instant(try Self.text(body, "starts_at"), "starts_at", now) ?? now
      let silence = Silence(
        id: Self.identifier(), matchers: matchers, startsAt: start,
        endsAt: try Self.end(body, start: start, now), author: Self.person(request),
        comment: try Self.text(body, "comment") ?? "", createdAt: now)
      try await service.desk.add(silence, now: now)
      await service.wake()
      return AlertTexts.silences([silence.row], now: now)
    }
  }

  private static func end(_ body: JSONValue?, start: Int64, _ now: Int64) throws -> Int64 {
    if let length = try text(body, "duration") {
      guard let nanoseconds = CivilTime.parseDuration(length) else {
        throw RequestFault(.badRequest, "duration: expected a length of time such as 2h or 30m")
      }
      return start.addingReportingOverflow(nanoseconds).partialValue
    }
    guard let end = try instant(try text(body, "ends_at"), "ends_at", now) else {
      throw RequestFault(.badRequest, "expected duration or ends_at")
    }
    return end
  }

  /// `DELETE /v1/silences/{id}`
  func endSilence(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let id = try QueryParameters.decoded(request.name ?? "")
      try await service.desk.end(silence: id, now: clock())
      return Array("{\"ended\":true}\n".utf8)
    }
  }

  /// `POST /v1/receivers/{name}/test`: answers once the first attempt is through.
  func test(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let name = try QueryParameters.decoded(request.name ?? "")
      let id = try await service.desk.test(name, now: clock())
      let deadline = clock() + 20 * CivilTime.second
      await service.wake()
      var outcome: ReceiptRow?
      while outcome == nil, clock() < deadline {
        outcome = try await service.desk.outcome(of: id)
        if outcome == nil { try? await Task.sleep(for: .milliseconds(50)) }
      }
      return AlertTexts.receipts(
        [
          outcome
            ?? ReceiptRow(
              message: id, receiver: name, at: clock(), attempt: 0, result: "waiting",
              detail: "no attempt has ended yet")
        ])
    }
  }

  // MARK: Words of a request

  /// Who is named in the history: the token's name.
  static func person(_ request: Request) -> String {
    request.grant?.token.map { "token \($0)" } ?? "anonymous"
  }

  private static func identifier() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  static func parameters(
    _ request: Request, _ known: [String]
  ) throws(RequestFault) -> QueryParameters {
    let parameters = try QueryParameters(request.query)
    if let unknown = parameters.values.keys.filter({ !known.contains($0) }).min() {
      throw RequestFault(
        .badRequest,
        "\"\(Payloads.oneLine(unknown, 64))\" is no parameter of this call; expected one of "
          + known.joined(separator: ", "))
    }
    return parameters
  }

  private static func statuses(_ text: String?) throws(RequestFault) -> [String] {
    guard let text, !text.isEmpty else { return [] }
    let words = text.split(separator: ",").map(String.init)
    for word in words where AlertStatus(rawValue: word) == nil {
      throw RequestFault(
        .badRequest,
        "status: \"\(Payloads.oneLine(word, 64))\" is none; expected "
          + AlertStatus.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return words
  }

  private static func matchers(
    _ texts: [String], _ name: String
  ) throws(RequestFault) -> [AlertMatcher] {
    var matchers: [AlertMatcher] = []
    for text in texts.prefix(100) {
      do throws(AlertMatcher.Fault) {
        matchers.append(try AlertMatcher(text))
      } catch {
        throw RequestFault(.badRequest, "\(name): \(error.message)")
      }
    }
    return matchers
  }

  static func limit(_ text: String?) throws(RequestFault) -> Int? {
    guard let text else { return nil }
    guard text.utf8.count <= 6, let limit = Int(text), limit > 0 else {
      throw RequestFault(.badRequest, "limit: expected a whole number from 1 to 999999")
    }
    return limit
  }

  /// A time, or a length of time ago.
  static func instant(
    _ text: String?, _ name: String, _ now: Int64
  ) throws(RequestFault) -> Int64? {
    guard let text, !text.isEmpty else { return nil }
    guard let time = InstantParser.parse(text, now: now, zone: .utc) else {
      throw RequestFault(.badRequest, "\(name): expected \(InstantParser.expectation)")
    }
    return time
  }

  /// A JSON object with these members and no others; nil for no body.
  static func body(
    _ request: Request, _ known: [String]
  ) throws(RequestFault) -> JSONValue? {
    if request.body.isEmpty { return nil }
    guard request.body.count <= 1 << 16, let tree = try? JSONTree(request.body),
      JSONTree.afterBlanks(request.body, tree.end) == request.body.count, tree.root.isObject
    else {
      throw RequestFault(
        .badRequest,
        "the body: expected a JSON object of at most 64 KiB with \(known.joined(separator: ", "))")
    }
    if let unknown = tree.root.keys.first(where: { !known.contains($0) }) {
      throw RequestFault(
        .badRequest,
        "\"\(Payloads.oneLine(unknown, 64))\" is no member; expected \(known.joined(separator: ", "))"
      )
    }
    return tree.root
  }

  static func text(_ body: JSONValue?, _ name: String) throws(RequestFault) -> String? {
    guard let value = body?.member(Array(name.utf8)), !value.isNull else { return nil }
    guard let text = value.text, !value.isObject, !value.isArray, text.utf8.count <= textLimit
    else {
      throw RequestFault(.badRequest, "\(name): expected text of at most \(textLimit) bytes")
    }
    return text
  }

  // MARK: Answering

  private func answer(
    _ reply: ReplyHandle, _ body: @escaping @Sendable () async throws -> [UInt8]
  ) {
    Task {
      do {
        reply.send(.json(.ok, try await body()))
      } catch let fault as RequestFault {
        reply.send(fault)
      } catch let fault as AlertFault {
        let code: RequestFault.Code =
          switch fault.code {
          case .notFound: .notFound
          case .conflict: .conflict
          case .invalid: .badRequest
          }
        reply.send(RequestFault(code, fault.message))
      } catch let error as StoreError {
        reply.send(
          error.code == .diskFull
            ? Committer.fault(error)
            : RequestFault(.failed, "the alerts could not be read or kept: \(error.message)"))
      } catch {
        reply.send(RequestFault(.failed, "the call failed"))
      }
    }
  }
}
