internal import FarthingPipeline
internal import NIOCore

/// Enters targets into maps of a running HAProxy, or puts servers of it into maintenance.
///
/// Maps of HAProxy are in its memory: what was entered is gone when it is started anew, which a probe finds.
struct HAProxyHook: IsolationHook {
  let tools: HookTools

  var name: String { tools.settings.name }

  func supports(_ action: IsolationAction, on dimension: IsolationTarget.Dimension) -> Bool {
    tools.isMeant(dimension)
      && RuntimeCommands.setting(of: action, on: dimension).contains {
        tools.settings.maps[$0] != nil
      }
  }

  /// HAProxy for one order.
  private struct Conversation {
    var socket: RuntimeSocket
    var deadline: HookDeadline
    var said: [String] = []

    mutating func say(_ command: String) async throws(DeliveryFailure) -> String {
      // An answer ends with an empty line, and that of a change that was made is nothing else.
      var answer = try await socket.send(command, within: deadline.left)[...]
      while answer.last?.isNewline == true { answer.removeLast() }
      let shown = HookEvidence.text(String(answer), hidden: [], limit: 120)
      said.append(shown.isEmpty ? command : "\(command): \(shown)")
      return String(answer)
    }

    var evidence: String { HookEvidence.text(said.joined(separator: "; "), hidden: [], limit: 600) }
  }

  func perform(_ order: IsolationOrder) async -> HookAnswer {
    let place: RuntimeCommands.Place
    do throws(HookObjection) {
      place = try RuntimeCommands.place(of: order, maps: tools.settings.maps)
    } catch {
      return .refused(evidence: error.reason)
    }
    var conversation = Conversation(
      socket: RuntimeSocket(loops: tools.loops, place: tools.settings.socket ?? ""),
      deadline: tools.deadline())
    do throws(DeliveryFailure) {
      switch place {
      case .entry(let map, let key, let value):
        return try await enter(map, key, value, order.verb, &conversation)
      case .server(let backend, let name):
        return try await maintain(backend, name, order.verb, &conversation)
      }
    } catch {
      return HookAnswer(error, hidden: [])
    }
  }

  private func enter(
    _ map: String, _ key: String, _ value: String, _ verb: IsolationOrder.Verb,
    _ conversation: inout Conversation
  ) async throws(DeliveryFailure) -> HookAnswer {
    switch verb {
    case .apply:
      // Adding twice would make two entries, of which one would stay.
      var answer = try await conversation.say(RuntimeCommands.change(map, key, to: value))
      if RuntimeCommands.saysNotFound(answer) {
        answer = try await conversation.say(RuntimeCommands.add(map, key, value))
      }
      return answer.isEmpty
        ? .done(evidence: conversation.evidence) : .refused(evidence: conversation.evidence)
    case .release:
      let answer = try await conversation.say(RuntimeCommands.remove(map, key))
      return answer.isEmpty || RuntimeCommands.saysNotFound(answer)
        ? .done(evidence: conversation.evidence) : .refused(evidence: conversation.evidence)
    case .probe:
      let answer = try await conversation.say(RuntimeCommands.lookUp(map, key))
      switch RuntimeCommands.holds(answer, key, value) {
      case true?: return .done(evidence: conversation.evidence)
      case false?: return .notInForce(evidence: conversation.evidence)
      case nil: return .refused(evidence: conversation.evidence)
      }
    }
  }

  private func maintain(
    _ backend: String, _ name: String, _ verb: IsolationOrder.Verb,
    _ conversation: inout Conversation
  ) async throws(DeliveryFailure) -> HookAnswer {
    let list = try await conversation.say(RuntimeCommands.servers(backend))
    conversation.said[0] = RuntimeCommands.servers(backend)
    guard let servers = RuntimeCommands.takesCalls(list), let takesCalls = servers[name] else {
      return .refused(evidence: "\(conversation.evidence): there is no server \(name)")
    }
    if verb == .probe {
      return takesCalls
        ? .notInForce(evidence: "\(conversation.evidence): \(name) takes calls")
        : .done(evidence: "\(conversation.evidence): \(name) takes none")
    }
    if verb == .apply, !servers.contains(where: { $0.key != name && $0.value }) {
      return .refused(
        evidence: "\(conversation.evidence): no other server of the backend would take its calls")
    }
    let answer = try await conversation.say(
      verb == .apply
        ? RuntimeCommands.disable(backend, name) : RuntimeCommands.enable(backend, name))
    return answer.isEmpty
      ? .done(evidence: conversation.evidence) : .refused(evidence: conversation.evidence)
  }
}
