internal import FarthingPipeline
internal import NIOHTTP1

/// Blocks and unblocks keys of LiteLLM's proxy.
///
/// Each worker of the proxy keeps keys for a while (`user_api_key_cache_ttl`, 60 s): the one that is called
/// forgets a blocked key at once, others of the same proxy with the cache that they share, or by that time.
struct LiteLLMHook: IsolationHook {
  let tools: HookTools

  var name: String { tools.settings.name }

  func supports(_ action: IsolationAction, on dimension: IsolationTarget.Dimension) -> Bool {
    action == .isolate && dimension == .identity && tools.isMeant(dimension)
  }

  /// What came of an order before its last call.
  private struct Stop: Error {
    var answer: HookAnswer
  }

  func perform(_ order: IsolationOrder) async -> HookAnswer {
    guard order.target.dimension == .identity, order.action == .isolate else {
      return .refused(evidence: "keys can be blocked, and nothing else")
    }
    do throws(DeliveryFailure) {
      let proxy = Proxy(
        tools: tools, url: try tools.url(),
        key: try tools.secrets.read(tools.settings.secret, "the master key"),
        hidden: [order.target.value].filter { $0.hasPrefix("sk-") }, deadline: tools.deadline())
      do throws(Stop) {
        return try await perform(order, proxy)
      } catch {
        return error.answer
      }
    } catch {
      return HookAnswer(error, hidden: [])
    }
  }

  private func perform(
    _ order: IsolationOrder, _ proxy: Proxy
  ) async throws(Stop) -> HookAnswer {
    let hash: String
    switch LiteLLMKeys.name(of: order.target.value) {
    case .hash(let known): hash = known
    case .alias(let alias):
      let (answer, evidence) = try await proxy.ask(LiteLLMKeys.lookUp(alias))
      do throws(HookObjection) {
        hash = try LiteLLMKeys.hash(in: answer, of: order.target)
      } catch {
        throw Stop(answer: .refused(evidence: "\(evidence): \(error.reason)"))
      }
    }
    let shown = "key \(hash.prefix(8))…"
    guard order.verb == .probe else {
      let (_, evidence) = try await proxy.ask(
        LiteLLMKeys.change(hash, blocks: order.verb == .apply))
      return .done(evidence: "\(evidence): \(shown)")
    }
    let (answer, evidence) = try await proxy.ask(LiteLLMKeys.state(of: hash))
    switch LiteLLMKeys.isBlocked(answer) {
    case true?: return .done(evidence: "\(evidence): \(shown) is blocked")
    case false?: return .notInForce(evidence: "\(evidence): \(shown) is not blocked")
    case nil:
      return .refused(evidence: "\(evidence): its answer does not say whether \(shown) is blocked")
    }
  }

  /// The proxy for one order.
  private struct Proxy {
    var tools: HookTools
    var url: ReceiverURL
    var key: String
    var hidden: [String]
    var deadline: HookDeadline

    /// A hundred keys with all that is known of each.
    private static let answerBytes = 1 << 20

    /// - Returns: the answer's body, and the call and its status for people.
    /// - Throws: for an answer that is no success, and for none.
    func ask(_ call: LiteLLMKeys.Call) async throws(Stop) -> ([UInt8], String) {
      var place = url
      // Behind a path of its own where the proxy has one.
      place.target = String(url.target.prefix { $0 != "?" })
      while place.target.hasSuffix("/") { place.target.removeLast() }
      place.target += call.path
      let what = "\(call.body == nil ? "GET" : "POST") \(url.origin)\(call.path)"
      if !call.query.isEmpty { place.target += "?" + call.query }
      let asked = await tools.call.ask(
        ReceiverCall.Question(
          method: call.body == nil ? .GET : .POST, url: place,
          payload: call.body.map { Payload(body: $0) },
          fields: [("Authorization", "Bearer \(key)")],
          allowsLoopback: tools.settings.allowsLoopback,
          authorityFile: tools.settings.authorityFile, version: tools.around.version,
          timeout: deadline.left, answerBytes: Self.answerBytes))
      let withheld = hidden + [key]
      switch asked {
      case .failure(let failure):
        let answer = HookAnswer(failure, hidden: withheld)
        throw Stop(answer: answer.prefixed(by: what))
      case .success(let answer):
        guard (200..<300).contains(answer.status) else {
          throw Stop(
            answer: .failure(
              status: answer.status, evidence: answer.evidence(of: what, hidden: withheld)))
        }
        return (answer.body, "\(what): status \(answer.status)")
      }
    }
  }
}

extension HookAnswer {
  /// The same with the call before what came of it.
  func prefixed(by call: String) -> HookAnswer {
    let text = "\(call): \(evidence)"
    return switch self {
    case .done: .done(evidence: text)
    case .notInForce: .notInForce(evidence: text)
    case .refused: .refused(evidence: text)
    case .unreachable: .unreachable(evidence: text)
    }
  }
}
