internal import FarthingCore
package import FarthingDetection
package import FarthingPipeline
package import FarthingStore
internal import Synchronization

/// What decides, does and undoes isolations while a server runs.
///
/// The monitor hands incidents over within its own turn; one task looks twice a second for what is due, and each call to a
/// hook has a task of its own, so one that hangs holds up no other.
package final class IsolationService: Sendable {
  /// What the service needs from the process that runs it.
  package struct Surroundings: Sendable {
    package var now: @Sendable () -> IsolationTime
    /// Waits for about half a second.
    package var pause: @Sendable () async -> Void
    /// Makes what calls out.
    package var hooks: @Sendable ([HookSettings]) -> [any IsolationHook]
    /// Tells whoever runs the server what goes wrong; a sentence.
    package var warn: @Sendable (String) -> Void

    package init(
      now: @escaping @Sendable () -> IsolationTime, pause: @escaping @Sendable () async -> Void,
      hooks: @escaping @Sendable ([HookSettings]) -> [any IsolationHook],
      warn: @escaping @Sendable (String) -> Void
    ) {
      self.now = now
      self.pause = pause
      self.hooks = hooks
      self.warn = warn
    }
  }

  private struct State {
    var hooks: [String: any IsolationHook] = [:]
    var ticker: Task<Void, Never>?
    var calls: [UInt64: Task<Void, Never>] = [:]
    var number: UInt64 = 0
    var isStopped = false
    /// Alerts about isolations that could not be handed over yet.
    var untold: [IncidentChange] = []
    var lastWarning: String?
  }

  package let desk: IsolationDesk
  package let decisions: DecisionDesk
  package let population: PopulationShelf
  private let alerts: AlertService
  private let around: Surroundings
  private let state = Mutex(State())

  /// Most calls to hooks at once.
  private static let callLimit = 32
  /// Most alerts about isolations that wait to be handed over; the oldest go first.
  private static let untoldLimit = 1000

  /// Opens the ledger of a folder that this process holds.
  ///
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `diskFull`, `io`.
  package init(
    directory: String, settings: IsolationSettings, alerts: AlertService, around: Surroundings
  ) throws(StoreError) {
    let decisions = DecisionDesk()
    let population = PopulationShelf(window: settings.guardrails.activeWindow)
    let hooks = Self.hooks(settings, around)
    desk = try IsolationDesk(
      directory: directory, settings: settings, population: population, decisions: decisions,
      now: around.now(), supports: Self.support(hooks))
    self.decisions = decisions
    self.population = population
    self.alerts = alerts
    self.around = around
    state.withLock { $0.hooks = hooks }
  }

  private static func hooks(
    _ settings: IsolationSettings, _ around: Surroundings
  ) -> [String: any IsolationHook] {
    Dictionary(
      around.hooks(settings.hooks).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private static func support(_ hooks: [String: any IsolationHook]) -> IsolationBook.Support {
    { name, action, dimension in hooks[name]?.supports(action, on: dimension) ?? false }
  }

  // MARK: - Life

  /// Begins to look for what is due.
  ///
  /// - Parameter ticks: false where its owner calls ``tick()`` itself.
  package func start(ticks: Bool = true) async {
    await desk.recall(await alerts.desk.open, now: around.now())
    guard ticks else { return }
    let ticker = Task { [self] in
      var expiresAt = Int64.min
      while !Task.isCancelled {
        await tick()
        let now = around.now().monotonic
        if now >= expiresAt {
          await expire()
          expiresAt = now + CivilTime.hour
        }
        await around.pause()
      }
    }
    state.withLock { $0.ticker = ticker }
  }

  /// Ends; what is in force stays so, and calls that were not made are made by the next start.
  package func stop() async {
    let (ticker, calls) = state.withLock { state in
      state.isStopped = true
      return (state.ticker, Array(state.calls.values))
    }
    ticker?.cancel()
    for call in calls { call.cancel() }
    await ticker?.value
    for call in calls { await call.value }
  }

  /// Goes on by other settings.
  package func reload(_ settings: IsolationSettings) async {
    let hooks = Self.hooks(settings, around)
    do throws(StoreError) {
      let alerts = try await desk.reload(
        settings, supports: Self.support(hooks), now: around.now())
      population.change(window: settings.guardrails.activeWindow)
      state.withLock { $0.hooks = hooks }
      await tell(alerts)
    } catch {
      warn("isolations go on by the settings of before: \(error)")
    }
    await perform()
  }

  // MARK: - Work

  /// Takes what detectors, rules or budgets say: what follows from it is decided, durable and in force when it returns,
  /// and hooks are on their way.
  package func take(_ changes: [IncidentChange]) async {
    do throws(StoreError) {
      await tell(try await desk.take(changes, now: around.now()))
    } catch {
      warn("isolations cannot be kept at the moment, so nothing is isolated: \(error)")
    }
    await perform()
  }

  /// Does what is due now.
  package func tick() async {
    do throws(StoreError) {
      // What could not be kept before is tried again.
      var alerts = try await desk.take([], now: around.now())
      alerts += try await desk.advance(now: around.now())
      state.withLock { $0.lastWarning = nil }
      await tell(alerts)
    } catch {
      warn("isolations cannot be kept at the moment: \(error)")
    }
    await perform()
  }

  /// Hands alerts about isolations over.
  package func tell(_ changes: [IncidentChange]) async {
    let untold = state.withLock { state -> [IncidentChange] in
      state.untold = (state.untold + changes).suffix(Self.untoldLimit)
      return state.untold
    }
    guard !untold.isEmpty else { return }
    do throws(StoreError) {
      try await alerts.take(untold, cause: "isolation")
      state.withLock { $0.untold.removeFirst(min(untold.count, $0.untold.count)) }
    } catch {
      warn("alerts about isolations cannot be kept at the moment: \(error)")
    }
  }

  /// Makes the calls that are due, each in a task of its own.
  package func perform() async {
    let room = state.withLock { Self.callLimit - $0.calls.count }
    guard room > 0 else { return }
    for (place, due) in await desk.takeDue(now: around.now()).enumerated() {
      let hook = state.withLock { $0.isStopped ? nil : $0.hooks[due.hook] }
      guard place < room, let hook else {
        await desk.giveBack(due.order.id, hook: due.hook)
        continue
      }
      begin(hook, due.order)
    }
  }

  private func begin(_ hook: any IsolationHook, _ order: IsolationOrder) {
    state.withLock { state in
      state.number += 1
      let number = state.number
      state.calls[number] = Task { [self] in
        await call(hook, order)
        self.state.withLock { $0.calls[number] = nil }
        // What came due meanwhile, such as the probe of what was applied.
        if !Task.isCancelled { await perform() }
      }
    }
  }

  private func call(_ hook: any IsolationHook, _ order: IsolationOrder) async {
    let answer = await hook.perform(order)
    if Task.isCancelled, case .unreachable = answer {
      return await desk.giveBack(order.id, hook: hook.name)
    }
    do throws(StoreError) {
      await tell(
        try await desk.settle(order.id, hook: hook.name, answer, now: around.now()))
    } catch {
      warn("what hook \(hook.name) answered cannot be kept: \(error)")
    }
  }

  private func expire() async {
    let days = Int64(await desk.settings.retentionDays)
    do throws(StoreError) {
      try await desk.expire(before: around.now().wall - days * CivilTime.day)
    } catch {
      warn("old isolations could not be dropped: \(error)")
    }
  }

  private func warn(_ sentence: String) {
    let isNew = state.withLock { state in
      defer { state.lastWarning = sentence }
      return state.lastWarning != sentence
    }
    if isNew { around.warn(sentence) }
  }

  /// The time by which isolations go.
  var now: IsolationTime { around.now() }
}
