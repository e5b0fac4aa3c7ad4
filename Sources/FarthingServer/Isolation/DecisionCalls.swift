internal import FarthingPipeline
internal import NIOHTTP1

/// `GET /v1/decision`, for the forward authentication of proxies.
struct DecisionCalls: Sendable {
  let desk: DecisionDesk
  /// Nanoseconds that only grow.
  let monotonic: @Sendable () -> Int64

  /// Some proxies take 200 alone for a yes, and ask by the method of the call itself.
  func decide(_ request: Request, _ reply: ReplyHandle) {
    let decision: Decision
    switch request.query {
    case nil, "", "allow=204", "allow=200":
      decision = desk.decide(DecisionCall(request.headers), now: monotonic())
    default:
      return reply.send(
        RequestFault(.badRequest, "allow: expected 204 or 200, and nothing else is asked here"))
    }
    var answer = Self.reply(decision)
    if answer.status == .noContent, request.query == "allow=200" { answer.status = .ok }
    reply.send(answer)
  }

  static func reply(_ decision: Decision) -> Reply {
    switch decision {
    case .allowed: return allowed
    case .degraded(let id, let model):
      var reply = allowed
      reply.headers += [("X-Farthing-Action", "degrade"), ("X-Farthing-Isolation", id)]
      if let model { reply.headers.append(("X-Farthing-Model", model)) }
      return reply
    case .throttled(let id, let retryAfter):
      var reply = refusal(
        .tooManyRequests, "throttled", id, "too many calls; try again in \(retryAfter) s")
      reply.headers.append(("Retry-After", "\(retryAfter)"))
      reply.headers.append(("X-Farthing-Action", "throttle"))
      return reply
    case .isolated(let id):
      var reply = refusal(.forbidden, "isolated", id, "calls are kept back for now")
      reply.headers.append(("X-Farthing-Action", "isolate"))
      return reply
    }
  }

  private static let allowed = Reply(
    status: .noContent, headers: [("Cache-Control", "no-store")], contentType: nil)

  private static func refusal(
    _ status: HTTPResponseStatus, _ code: String, _ id: String, _ message: String
  ) -> Reply {
    var reply = Reply.json(
      status,
      Array("{\"error\":{\"code\":\"\(code)\",\"message\":\"\(message)\"}}\n".utf8))
    reply.headers = [("Cache-Control", "no-store"), ("X-Farthing-Isolation", id)]
    return reply
  }
}

extension DecisionCall {
  /// What the headers say; those that are empty say nothing.
  init(_ headers: HTTPHeaders) {
    for (name, value) in headers where !value.isEmpty {
      // Most names end here, by their length.
      switch name.utf8.count {
      case 19:
        if Self.isSame(name, "x-farthing-identity") {
          identities.append(value)
        } else if Self.isSame(name, "x-farthing-endpoint") {
          endpoints.append(value)
        }
      case 17 where Self.isSame(name, "x-farthing-tenant"): tenant = value
      case 16 where Self.isSame(name, "x-farthing-model"): model = value
      case 15 where Self.isSame(name, "x-farthing-site"): site = value
      default: break
      }
    }
  }

  /// - Parameter word: in lower case, of letters and dashes.
  private static func isSame(_ name: String, _ word: StaticString) -> Bool {
    zip(name.utf8, "\(word)".utf8).allSatisfy { $0 | 0x20 == $1 }
  }
}
