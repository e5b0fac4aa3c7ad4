internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore
internal import NIOHTTP1

/// The calls about isolations.
struct IsolationCalls: Sendable {
  let service: IsolationService

  // MARK: Reading

  /// `GET /v1/isolations`
  func list(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let parameters = try AlertCalls.parameters(request, ["status", "since", "limit"])
      let now = service.now.wall
      return try await service.desk.list(
        statuses: try Self.statuses(parameters.list("status")),
        since: try AlertCalls.instant(try parameters.single("since"), "since", now),
        limit: try AlertCalls.limit(try parameters.single("limit")), now: now)
    }
  }

  /// `GET /v1/isolations/{id}`
  func details(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) { try await service.desk.details(try Self.id(request), now: service.now.wall) }
  }

  /// `GET /v1/isolations/state`
  func state(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) { await service.desk.state }
  }

  /// `GET /v1/isolations/verify`
  func verify(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let parameters = try AlertCalls.parameters(request, ["head"])
      let text = try parameters.single("head")
      let noted = text.flatMap { AuditHead($0) }
      if text != nil, noted == nil {
        throw RequestFault(.badRequest, "head: expected COUNT:HASH as an earlier check printed it")
      }
      return try await service.desk.verify(noted: noted)
    }
  }

  // MARK: Acting

  /// `POST /v1/isolations`
  func isolate(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let wish = try Self.wish(
        try AlertCalls.body(
          request,
          ["target", "action", "duration", "reason", "degrade_model", "calls_per_minute"]))
      let (id, alerts) = try await service.desk.isolate(
        wish, by: AlertCalls.person(request), now: service.now)
      await service.tell(alerts)
      await service.perform()
      return try await service.desk.details(id, now: service.now.wall)
    }
  }

  private static func wish(_ body: JSONValue?) throws(RequestFault) -> IsolationWish {
    var found: [IsolationTarget] = []
    let tenant = try text(body?["target"]?["tenant"], "target.tenant")
    for dimension in IsolationTarget.Dimension.allCases {
      let name = dimension.rawValue
      let value = try text(body?["target"]?.member(Array(name.utf8)), "target.\(name)")
      guard let value, !value.isEmpty else { continue }
      found.append(IsolationTarget(dimension: dimension, value: value, tenant: tenant))
    }
    guard found.count == 1, let target = found.first else {
      throw RequestFault(
        .badRequest,
        "target: expected an object with one of identity, endpoint, model and site, and a tenant "
          + "where one is meant")
    }
    let calls = body?["calls_per_minute"]?.integer ?? 10
    guard (1...1_000_000).contains(calls) else {
      throw RequestFault(
        .badRequest, "calls_per_minute: expected a whole number from 1 to 1000000")
    }
    let action: IsolationAction
    switch try AlertCalls.text(body, "action") ?? "isolate" {
    case "isolate": action = .isolate
    case "throttle": action = .throttle(callsPerMinute: Int(calls))
    case "degrade": action = .degrade(model: try AlertCalls.text(body, "degrade_model"))
    case "observe": action = .observe
    default:
      throw RequestFault(.badRequest, "action: expected observe, degrade, throttle or isolate")
    }
    return IsolationWish(
      target: target, action: action, length: try length(body, default: "1h"),
      reason: try AlertCalls.text(body, "reason") ?? "asked for by a person")
  }

  private static func length(
    _ body: JSONValue?, default usual: String?
  ) throws(RequestFault) -> Int64 {
    guard let text = try AlertCalls.text(body, "duration") ?? usual,
      let length = CivilTime.parseDuration(text), length >= CivilTime.second,
      length <= IsolationBook.longest
    else {
      throw RequestFault(
        .badRequest, "duration: expected a length of time from 1s to 30d, such as 15m or 2h")
    }
    return length
  }

  private static func text(
    _ value: JSONValue?, _ name: String
  ) throws(RequestFault) -> String? {
    guard let value, !value.isNull else { return nil }
    guard let text = value.text, !value.isObject, !value.isArray, text.utf8.count <= 1024 else {
      throw RequestFault(.badRequest, "\(name): expected text of at most 1024 bytes")
    }
    return text
  }

  /// `POST /v1/isolations/{id}/release`
  func release(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      _ = try AlertCalls.body(request, [])
      let id = try await service.desk.release(
        try Self.id(request), by: AlertCalls.person(request), now: service.now)
      await service.perform()
      return try await service.desk.details(id, now: service.now.wall)
    }
  }

  /// `POST /v1/isolations/{id}/approve`
  func approve(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      _ = try AlertCalls.body(request, [])
      let (id, alerts) = try await service.desk.approve(
        try Self.id(request), by: AlertCalls.person(request), now: service.now)
      await service.tell(alerts)
      await service.perform()
      return try await service.desk.details(id, now: service.now.wall)
    }
  }

  /// `POST /v1/isolations/{id}/extend`
  func extend(_ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      let body = try AlertCalls.body(request, ["duration"])
      let id = try await service.desk.extend(
        try Self.id(request), by: AlertCalls.person(request),
        length: try Self.length(body, default: nil), now: service.now)
      return try await service.desk.details(id, now: service.now.wall)
    }
  }

  /// `POST /v1/isolations/off` and `POST /v1/isolations/on`
  func turn(off isOff: Bool, _ request: Request, _ reply: ReplyHandle) {
    answer(reply) {
      _ = try AlertCalls.body(request, [])
      do throws(StoreError) {
        try await service.desk.turn(
          off: isOff, by: AlertCalls.person(request), now: service.now)
      } catch {
        await service.perform()
        throw error
      }
      await service.perform()
      return await service.desk.state
    }
  }

  // MARK: Words and answers

  private static func id(_ request: Request) throws(RequestFault) -> String {
    try QueryParameters.decoded(request.name ?? "")
  }

  private static func statuses(_ text: String?) throws(RequestFault) -> [String] {
    guard let text, !text.isEmpty else { return [] }
    let words = text.split(separator: ",").map(String.init)
    for word in words where IsolationStatus(rawValue: word) == nil {
      throw RequestFault(
        .badRequest,
        "status: \"\(Payloads.oneLine(word, 64))\" is none; expected "
          + IsolationStatus.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return words
  }

  private func answer(
    _ reply: ReplyHandle, _ body: @escaping @Sendable () async throws -> [UInt8]
  ) {
    Task {
      do {
        reply.send(.json(.ok, try await body()))
      } catch let fault as RequestFault {
        reply.send(fault)
      } catch let fault as IsolationFault {
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
            : RequestFault(.failed, "the isolations could not be read or kept: \(error.message)"))
      } catch {
        reply.send(RequestFault(.failed, "the call failed"))
      }
    }
  }
}
