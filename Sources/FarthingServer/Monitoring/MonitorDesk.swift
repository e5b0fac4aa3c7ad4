internal import FarthingCore
package import FarthingDetection
package import FarthingPipeline
internal import FarthingQuery
package import FarthingStore
internal import Synchronization

/// What watches the store of a running server: detection over the stream, rules and budgets over queries.
///
/// A thread of its own, so that neither uploads nor questions wait for it.
package actor MonitorDesk {
  /// What is watched, and by which settings.
  package struct Settings: Sendable, Equatable {
    /// nil where detection is turned off.
    package var detection: DetectionSettings?
    package var rules: [AlertRule]
    package var budgets: [Budget]
    /// Most bytes that a question of a rule may hold.
    package var queryBytes: Int
    /// By what what requests name is judged.
    package var inventory = InventorySettings()
    package var sites: SiteRegistry?

    package init(
      detection: DetectionSettings?, rules: [AlertRule], budgets: [Budget], queryBytes: Int
    ) {
      self.detection = detection
      self.rules = rules
      self.budgets = budgets
      self.queryBytes = queryBytes
    }
  }

  /// The blobs in the ledger.
  static let detectionBlob = "detection"
  static let watchBlob = "rules and budgets"
  static let inventoryBlob = "inventory"
  /// The least time between two keepings of the engine's state.
  private static let keepingInterval = CivilTime.minute
  /// Bytes of state a second that are written at most in the long run.
  private static let keepingRate: Int64 = 1 << 16

  /// Nanoseconds in which rules and budgets may ask before events are looked at again.
  private static let askingTime = 300 * CivilTime.second / 1000
  private static let longestAsking = CivilTime.minute
  private static let postponed = "postponed"

  private let executor: ThreadExecutor
  private let feed: DetectionFeed
  private let alerts: AlertService
  /// nil where nothing is isolated.
  private let isolations: IsolationService?
  private let snapshot: @Sendable () async throws(StoreError) -> StoreSnapshot
  private let heardSites: @Sendable (Int64) -> [String]
  private let clock: @Sendable () -> Int64
  private let warn: @Sendable (String) -> Void
  /// Whether the server is ending; questions and lessons are cut short then.
  private let stopping = Mutex(false)
  /// How it stood after the last piece of work, for whoever must not wait for the next.
  private let latest = Mutex(MonitorFigures())
  private var settings: Settings
  private var detection: LiveDetection?
  /// The state of detection while it is turned off.
  private var parked: [UInt8]?
  /// False where what was learned could not be recalled: nothing better is to be overwritten by what begins anew.
  private var isWorthKeeping = true
  private var watch: ConfiguredWatch
  /// What could not be kept yet: handed over again.
  private var pending: [IncidentChange] = []
  private var keepAt: Int64
  private var watchAt = Int64.min
  private var hearAt = Int64.min
  private var patience = askingTime
  /// Whether rules or budgets changed since their state was kept.
  private var isWatchChanged = false
  private var inventory = InventoryWatch()
  private var inventoryAt = Int64.min
  private var faults: Set<String> = []
  private var isOutage = false

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  /// - Parameters:
  ///   - snapshot: the store as it is when it is called.
  ///   - heardSites: sites that are known to be heard at a time, whether they have something to tell or not.
  ///   - clock: Unix nanoseconds.
  package init(
    _ settings: Settings, feed: DetectionFeed, alerts: AlertService,
    isolations: IsolationService? = nil,
    snapshot: @escaping @Sendable () async throws(StoreError) -> StoreSnapshot,
    heardSites: @escaping @Sendable (Int64) -> [String] = { _ in [] },
    clock: @escaping @Sendable () -> Int64, warn: @escaping @Sendable (String) -> Void
  ) throws(StoreError) {
    executor = try ThreadExecutor()
    self.settings = settings
    self.feed = feed
    self.alerts = alerts
    self.isolations = isolations
    self.snapshot = snapshot
    self.heardSites = heardSites
    self.clock = clock
    self.warn = warn
    watch = ConfiguredWatch(rules: settings.rules, budgets: settings.budgets)
    keepAt = clock() + Self.keepingInterval
  }

  // MARK: - Beginning

  /// Goes on where the last process stopped: with the engine's state as it was kept, and with what has
  /// come to the store since.
  package func recall() async {
    do throws(StoreError) {
      if let kept = try await alerts.desk.blob(Self.watchBlob), !watch.restore(kept) {
        warn("what rules and budgets knew cannot be read; they begin anew")
      }
      // What a rule or budget raised and no state knows any more would go on for ever.
      let known = watch.openIDs
      for var incident in await alerts.desk.open(of: [.rule, .budget])
      where ConfiguredWatch.owns(incident.id) && !known.contains(incident.id) {
        incident.resolvedAt = clock()
        incident.explanation.append("what it came from is not watched any more, or begins anew")
        pending.append(.resolved(incident))
      }
      if let kept = try await alerts.desk.blob(Self.inventoryBlob) { _ = inventory.restore(kept) }
    } catch {
      warn("what rules and budgets knew cannot be read; they begin anew: \(error)")
    }
    await recallDetection()
  }

  private func recallDetection() async {
    guard let wanted = settings.detection else { return }
    var known: LiveDetection?
    do throws(StoreError) {
      let kept = if let parked { parked } else { try await alerts.desk.blob(Self.detectionBlob) }
      known = kept.flatMap { LiveDetection(kept: $0, settings: wanted) }
      if kept != nil, known == nil {
        warn("what detection had learned is of another version; it learns from the store again")
      }
      if let state = known, state.isAhead(of: clock()) {
        warn("detection had closed times that are yet to come; it learns from the store again")
        known = nil
      }
      var live = known ?? LiveDetection(settings: wanted)
      let changes = try live.catchUp(
        with: try await snapshot(), now: clock(),
        isInterrupted: { stopping.withLock { $0 } })
      // What was cut short is caught up with by the next start, from the state that is kept.
      if stopping.withLock({ $0 }) { return }
      // Of history that was learned for the first time nobody is told.
      if known != nil { pending += changes }
      detection = live
      parked = nil
      isWorthKeeping = true
    } catch {
      warn("detection could not read the store, and goes on with what it knew: \(error)")
      detection = known ?? LiveDetection(settings: wanted)
      isWorthKeeping = known != nil
    }
  }

  /// Goes on by other settings. Detection that is turned off keeps what it has learned, and what it has missed when it
  /// is turned on again is in the store.
  package func reload(_ settings: Settings) async {
    guard settings != self.settings else { return }
    watch.replace(rules: settings.rules, budgets: settings.budgets)
    watchAt = .min
    let isChanged = settings.detection != self.settings.detection
    self.settings = settings
    guard isChanged else { return }
    parked = detection?.kept ?? parked
    detection = nil
    if settings.detection != nil { await recallDetection() }
  }

  // MARK: - Working

  /// Does what is due: observes what was committed, closes what is over, asks for rules and budgets.
  package func work() async {
    let now = clock()
    // What comes while the state is being recalled waits for it.
    let isRecalling = settings.detection != nil && detection == nil
    let items = isRecalling ? [] : feed.take()
    if let isolations {
      for item in items { isolations.population.observe(item.batch, item.places, now: now) }
    }
    if detection != nil {
      for item in items {
        detection?.observe(item.batch, item.places, receivedAt: item.receivedAt, now: now)
      }
      hearSites(now)
      pending += detection?.advance(now: now) ?? []
    }
    await evaluate(now)
    await takeStock(now)
    await keep(now, isLast: false)
    publish()
  }

  /// Ten seconds are a bucket: more often says nothing more.
  private func hearSites(_ now: Int64) {
    guard now >= hearAt else { return }
    hearAt = now + 10 * CivilTime.second
    detection?.hear(sites: heardSites(now), now: now)
  }

  private func evaluate(_ now: Int64) async {
    guard !watch.isIdle, now >= watchAt else { return }
    var isCut = false
    do throws(StoreError) {
      let view = try await snapshot()
      let executor = QueryExecutor(memoryLimit: settings.queryBytes, threads: 1)
      let end = now + patience
      let changes = watch.evaluate(at: now) { (plan) throws(QueryError) in
        // Attacks are not to wait for questions: what is left is asked the next time.
        if isCut || clock() > end || stopping.withLock({ $0 }) {
          isCut = true
          throw QueryError(.store, Self.postponed)
        }
        return try executor.run(plan, over: view)
      }
      isWatchChanged = isWatchChanged || !changes.isEmpty
      pending += changes
    } catch {
      report("rules and budgets: the store cannot be read: \(error)")
    }
    for fault in watch.faults where fault.why != Self.postponed {
      report("\(fault.what): \(fault.why)")
    }
    watchAt = isCut ? now : watch.nextDue(after: now) ?? .max
    // One budget's questions may take longer than that; they are answered together or not at all.
    patience = isCut ? min(2 * patience, Self.longestAsking) : Self.askingTime
  }

  /// Whether there is anything to judge by what requests name.
  private var wantsStock: Bool {
    settings.inventory.registryFile != nil || settings.sites != nil
  }

  /// Looks for what should not be there, or not any more.
  private func takeStock(_ now: Int64) async {
    guard now >= inventoryAt else { return }
    inventoryAt = now + InventoryWatch.interval
    guard wantsStock else {
      pending += inventory.take(nil, now: now)
      return
    }
    var plan = InventoryPlan(now: now)
    plan.selection.since = now - InventoryWatch.window
    plan.sites = settings.sites ?? SiteRegistry()
    plan.ownerTag = settings.inventory.ownerTag
    plan.idleAfter = settings.inventory.idleAfter.wholeNanoseconds
    do {
      plan.registry = try settings.inventory.registry()
      let executor = QueryExecutor(memoryLimit: settings.queryBytes, threads: 1)
      let found = try plan.run(executor, over: try await snapshot())
      pending += inventory.take(found, now: now)
      if inventory.untold > 0 {
        report(
          "the inventory finds more that is odd than the \(InventoryWatch.limit) alerts it raises")
      }
    } catch {
      report("the inventory cannot be looked at: \(error)")
    }
  }

  private func report(_ fault: String) {
    // Once each; a rule that cannot be asked is asked again and again.
    if faults.count < 1000, faults.insert(fault).inserted { warn(fault) }
  }

  /// Hands over what happened, and with it, now and then, the state that led to it.
  private func keep(_ now: Int64, isLast: Bool) async {
    var blobs: [String: [UInt8]?] = [:]
    if isLast || now >= keepAt {
      if isWorthKeeping, let state = detection?.kept ?? parked {
        blobs[Self.detectionBlob] = .some(state)
      }
      if !watch.isEmpty { blobs[Self.watchBlob] = .some(watch.snapshot) }
      if wantsStock || !pending.isEmpty { blobs[Self.inventoryBlob] = .some(inventory.snapshot) }
    } else if isWatchChanged {
      // In one step with what they raised, so that no restart raises it under another id.
      blobs[Self.watchBlob] = .some(watch.snapshot)
    }
    let changes = pending
    guard !changes.isEmpty || !blobs.isEmpty else { return }
    do throws(StoreError) {
      try await alerts.take(changes, blobs: blobs)
      // What is not kept there is tried again there: alerts must not wait for it.
      if !changes.isEmpty { await isolations?.take(changes) }
      pending.removeFirst(changes.count)
      isOutage = false
      isWatchChanged = false
      if blobs[Self.detectionBlob] != nil || isLast || now >= keepAt {
        let bytes = blobs.values.reduce(Int64(0)) { $0 + Int64($1?.count ?? 0) }
        keepAt =
          now + max(Self.keepingInterval, bytes / Self.keepingRate * CivilTime.second)
      }
    } catch {
      if !isOutage { warn("incidents cannot be kept at the moment: \(error)") }
      isOutage = true
      pending = Self.newest(pending)
    }
  }

  /// The newest change of each incident: all that a consumer needs.
  private static func newest(_ changes: [IncidentChange]) -> [IncidentChange] {
    var seen: Set<String> = []
    let kept = changes.reversed().filter { change in
      change.incidentID.map { seen.insert($0).inserted } ?? true
    }
    return kept.reversed()
  }

  /// Observes what is left and keeps everything.
  package func finish() async {
    await work()
    await keep(clock(), isLast: true)
  }

  private func publish() {
    let counts = feed.counts
    let figures = MonitorFigures(
      seen: counts.seen, unseen: counts.unseen, waiting: counts.waiting,
      late: detection?.engine.lateCount ?? 0, ahead: detection?.engine.aheadCount ?? 0,
      untold: detection?.engine.untoldCount ?? 0, rules: watch.rules.rules.count,
      evaluations: watch.rules.evaluations,
      faulty: Set(watch.faults.filter { $0.why != Self.postponed }.map(\.what)).count)
    latest.withLock { $0 = figures }
  }

  /// What metrics show, as of the last piece of work; nobody waits for one that is being done.
  package nonisolated var figures: MonitorFigures { latest.withLock { $0 } }

  /// Cuts short what is being asked or learned: the server ends.
  package nonisolated func hurry() { stopping.withLock { $0 = true } }
}

/// What is counted of detection.
package struct MonitorFigures: Sendable {
  var seen = 0
  var unseen = 0
  var waiting = 0
  var late = 0
  var ahead = 0
  var untold = 0
  /// Rules, how often any was evaluated, and how many rules and budgets cannot be.
  var rules = 0
  var evaluations = 0
  var faulty = 0

  func write(to page: inout MetricsText) {
    page.single(
      "farthing_detection_events_total", .counter, "Events that detection has seen.", "\(seen)")
    page.single(
      "farthing_detection_unseen_events_total", .counter,
      "Events that detection has not seen because too many waited for it.", "\(unseen)")
    page.single(
      "farthing_detection_waiting_events", .gauge, "Events that wait for detection.",
      "\(waiting)")
    page.single(
      "farthing_detection_late_events_total", .counter,
      "Events that came after their time had been closed, since the state was made.", "\(late)")
    page.single(
      "farthing_detection_ahead_events_total", .counter,
      "Events more than ten minutes ahead of the clock, since the state was made.",
      "\(ahead)")
    page.single(
      "farthing_detection_untold_alarms_total", .counter,
      "Alarms for which there was no incident left, since the state was made.", "\(untold)")
    page.single("farthing_rules", .gauge, "Rules that are watched.", "\(rules)")
    page.single(
      "farthing_rule_evaluations_total", .counter, "Evaluations of rules.", "\(evaluations)")
    page.single(
      "farthing_watch_faults", .gauge, "Rules and budgets that cannot be evaluated at the moment.",
      "\(faulty)")
  }
}

/// Runs the desk until it is stopped.
package final class MonitorService: Sendable {
  package let desk: MonitorDesk
  private let task: Task<Void, Never>

  /// - Parameter pause: waits for about half a second, or until its task is cancelled.
  package init(_ desk: MonitorDesk, pause: @escaping @Sendable () async -> Void) {
    self.desk = desk
    task = Task {
      await desk.recall()
      while !Task.isCancelled {
        await desk.work()
        await pause()
      }
    }
  }

  /// Ends; everything that was committed before is observed and kept.
  package func stop() async {
    task.cancel()
    desk.hurry()
    await task.value
    await desk.finish()
  }
}
