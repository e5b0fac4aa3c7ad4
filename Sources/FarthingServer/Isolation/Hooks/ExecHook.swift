internal import FarthingPipeline
internal import FarthingStore

/// Runs a command: no shell, an environment of its own, a time limit. It gets the order as JSON on its
/// standard input, and its exit status is the answer.
///
/// 0: done, or of a probe: in force. Of a probe 1: not in force. 64 to 78 as sysexits.h has them, but 75, which
/// asks to come again: refused. Anything else, a signal or the end of its time: to be tried again.
struct ExecHook: IsolationHook {
  let tools: HookTools

  var name: String { tools.settings.name }

  func supports(_ action: IsolationAction, on dimension: IsolationTarget.Dimension) -> Bool {
    tools.isMeant(dimension)
  }

  func perform(_ order: IsolationOrder) async -> HookAnswer {
    let command: [String]
    do throws(HookObjection) {
      command = try OrderTemplate.words(tools.settings.command, order)
    } catch {
      return .refused(evidence: error.reason)
    }
    let deadline = tools.deadline()
    let program = command.first ?? ""
    do throws(DeliveryFailure) {
      let outcome = try await tools.commands.run(
        command, input: OrderJSON.body(order), milliseconds: deadline.leftMilliseconds)
      let words = CommandCall.words(
        of: outcome, seconds: Int(tools.settings.timeout.components.seconds), limit: 240)
      return Self.meaning(of: outcome, order.verb, "\(program): \(words)")
    } catch {
      return HookAnswer(error, hidden: [])
    }
  }

  private static func meaning(
    of outcome: ChildProcess.Outcome, _ verb: IsolationOrder.Verb, _ evidence: String
  ) -> HookAnswer {
    // A command that a signal ended has no status.
    switch outcome.status ?? -1 {
    case 0: .done(evidence: evidence)
    case 1 where verb == .probe: .notInForce(evidence: evidence)
    case 75: .unreachable(evidence: evidence)
    case 64...78: .refused(evidence: evidence)
    default: .unreachable(evidence: evidence)
    }
  }
}
