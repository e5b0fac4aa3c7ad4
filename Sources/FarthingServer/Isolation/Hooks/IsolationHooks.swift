package import FarthingPipeline
internal import FarthingStore
internal import NIOCore
internal import NIOPosix

/// Makes the hooks that a configuration names.
package enum IsolationHooks {
  /// - Parameters:
  ///   - clock: Unix nanoseconds, for signatures.
  ///   - environment: a variable of the environment; nil where it is not set. Secrets are read anew for
  ///     each call.
  ///   - version: of this program, for `User-Agent`.
  package static func make(
    _ settings: [HookSettings], clock: @escaping @Sendable () -> Int64,
    environment: @escaping @Sendable (String) -> String?, version: String
  ) -> [any IsolationHook] {
    let around = ReceiverSender.Surroundings(
      clock: clock, environment: environment, version: version)
    return settings.map { make($0, HookTools($0, around)) }
  }

  private static func make(_ settings: HookSettings, _ tools: HookTools) -> any IsolationHook {
    switch settings.kind {
    case .litellm: LiteLLMHook(tools: tools)
    case .haproxy: HAProxyHook(tools: tools)
    case .kubernetes: KubernetesHook(tools: tools)
    case .webhook: WebhookHook(tools: tools)
    case .exec: ExecHook(tools: tools)
    }
  }
}

/// What each hook has: its settings, and the clients that receivers of alerts are called with.
final class HookTools: Sendable {
  let settings: HookSettings
  let around: ReceiverSender.Surroundings
  let secrets: SecretReader
  let call: ReceiverCall
  let commands: CommandCall
  let loops: any EventLoopGroup
  private let threads: NIOThreadPool

  /// How many commands of one hook run at once, and how many names are looked up.
  private static let threadCount = 4

  init(_ settings: HookSettings, _ around: ReceiverSender.Surroundings) {
    self.settings = settings
    self.around = around
    secrets = SecretReader(environment: around.environment)
    loops = MultiThreadedEventLoopGroup.singleton
    threads = NIOThreadPool(numberOfThreads: Self.threadCount)
    threads.start()
    call = ReceiverCall(loops: loops, threads: threads)
    commands = CommandCall(threads: threads)
  }

  /// The threads end with the last work that they do.
  deinit { threads.shutdownGracefully { _ in } }

  func isMeant(_ dimension: IsolationTarget.Dimension) -> Bool {
    settings.dimensions?.contains(dimension) ?? true
  }

  /// When an order that begins now is given up.
  func deadline() -> HookDeadline {
    HookDeadline(
      end: HostProcess.monotonic() &+ min(settings.timeout.wholeNanoseconds, 3_600_000_000_000))
  }

  /// Where the hook's server is: what the configuration says, or what its secret does.
  func url() throws(DeliveryFailure) -> ReceiverURL {
    let text =
      if let url = settings.url { url } else { try secrets.read(settings.urlSource, "the URL") }
    guard let url = ReceiverURL(text) else {
      throw DeliveryFailure(
        message: "the URL is none: expected \(ReceiverURL.expectation)", isFinal: true)
    }
    return url
  }
}

/// The end of the time that an order has.
struct HookDeadline {
  /// Nanoseconds of the monotonic clock.
  var end: Int64

  /// At least a millisecond: what has no time left fails by its own limit.
  var left: TimeAmount { .nanoseconds(max(1_000_000, end - HostProcess.monotonic())) }

  var leftMilliseconds: Int { Int(left.nanoseconds / 1_000_000) }
}

extension HookAnswer {
  /// What a call that got no answer means.
  init(_ failure: DeliveryFailure, hidden: [String]) {
    let evidence = HookEvidence.text(failure.message, hidden: hidden)
    self = failure.isFinal ? .refused(evidence: evidence) : .unreachable(evidence: evidence)
  }
}
