internal import FarthingCore
internal import FarthingPipeline

/// Tells a webhook, signed as Standard Webhooks say. The order's id is the same over all attempts.
struct WebhookHook: IsolationHook {
  let tools: HookTools

  var name: String { tools.settings.name }

  func supports(_ action: IsolationAction, on dimension: IsolationTarget.Dimension) -> Bool {
    tools.isMeant(dimension)
  }

  func perform(_ order: IsolationOrder) async -> HookAnswer {
    var hidden: [String] = []
    do throws(DeliveryFailure) {
      let url = try tools.url()
      // A path may be what keeps others from calling.
      hidden.append(url.target)
      let body = OrderJSON.body(order)
      var fields: [(name: String, value: String)] = [("webhook-id", order.id)]
      if tools.settings.secret != nil {
        let text = try tools.secrets.read(tools.settings.secret, "the secret")
        hidden += text.split(whereSeparator: \.isNewline).map(String.init)
        guard let keys = WebhookKeys(text),
          let signed = keys.fields(
            id: order.id, time: tools.around.clock() / CivilTime.second, body: body)
        else {
          throw DeliveryFailure(message: "the secret is none: expected \(WebhookKeys.expectation)")
        }
        fields = signed
      }
      let answer = try await tools.call.ask(
        ReceiverCall.Question(
          url: url, payload: Payload(body: body), fields: fields,
          allowsLoopback: tools.settings.allowsLoopback,
          authorityFile: tools.settings.authorityFile, version: tools.around.version,
          timeout: tools.deadline().left)
      ).get()
      return meaning(of: answer, "POST \(url.origin)", order.verb, hidden)
    } catch {
      return HookAnswer(error, hidden: hidden)
    }
  }

  private func meaning(
    of answer: ReceiverCall.Answer, _ what: String, _ verb: IsolationOrder.Verb, _ hidden: [String]
  ) -> HookAnswer {
    let evidence = answer.evidence(of: what, hidden: hidden)
    guard (200..<300).contains(answer.status) else {
      return .failure(status: answer.status, evidence: evidence)
    }
    guard verb == .probe else { return .done(evidence: evidence) }
    switch OrderJSON.isInForce(answer.body) {
    case true?: return .done(evidence: evidence)
    case false?: return .notInForce(evidence: evidence)
    case nil: return .refused(evidence: "\(evidence); it does not say {\"in_force\":true} or false")
    }
  }
}

extension ReceiverCall.Answer {
  /// The call, its status, and the beginning of what was said, for people.
  func evidence(of what: String, hidden: [String]) -> String {
    var text = "\(what): status \(status)"
    if (300..<400).contains(status) { text += ": it sends elsewhere, which is not followed" }
    let said = HookEvidence.text(
      String(decoding: body, as: UTF8.self), hidden: hidden, isCut: isCut)
    return said.isEmpty ? text : "\(text): \(said)"
  }
}
