internal import FarthingCore
package import FarthingDetection
package import FarthingPipeline
package import FarthingStore
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// What keeps, routes and delivers alerts while a server runs.
///
/// One task looks once a second for what is due; each receiver has one of its own that sends, so one that
/// hangs holds up no other.
package final class AlertService: Sendable {
  /// What the service needs from the process that runs it.
  package struct Surroundings: Sendable {
    /// Unix nanoseconds.
    package var clock: @Sendable () -> Int64
    /// Waits for about a second.
    package var pause: @Sendable () async -> Void
    /// A variable of the environment; nil where it is not set.
    package var environment: @Sendable (String) -> String?
    /// Tells whoever runs the server what goes wrong; a sentence.
    package var warn: @Sendable (String) -> Void
    package var version: String

    package init(
      clock: @escaping @Sendable () -> Int64, pause: @escaping @Sendable () async -> Void,
      environment: @escaping @Sendable (String) -> String?,
      warn: @escaping @Sendable (String) -> Void, version: String
    ) {
      self.clock = clock
      self.pause = pause
      self.environment = environment
      self.warn = warn
      self.version = version
    }
  }

  /// The sender of a receiver and what wakes it.
  private struct Station {
    var settings: ReceiverSettings
    var sender: ReceiverSender
    var bell: Doorbell
    var task: Task<Void, Never>
  }

  private struct State {
    var stations: [String: Station] = [:]
    var ticker: Task<Void, Never>?
    var isStopped = false
    /// What was warned of last, so that a full disk is not told once a second.
    var lastWarning: String?
  }

  package let desk: AlertDesk
  private let around: Surroundings
  private let loops: MultiThreadedEventLoopGroup
  private let state = Mutex(State())
  private let isEnding = Atomic<Bool>(false)

  package init(_ desk: AlertDesk, around: Surroundings) {
    self.desk = desk
    self.around = around
    loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  }

  // MARK: - Life

  /// Begins to deliver.
  ///
  /// - Parameter ticks: false where its owner calls ``tick()`` itself.
  package func start(ticks: Bool = true) async {
    await equip(desk.settings)
    guard ticks else { return }
    let ticker = Task { [self] in
      var expiresAt = Int64.min
      while !Task.isCancelled {
        await tick()
        let now = around.clock()
        if now >= expiresAt {
          await expire(now)
          expiresAt = now + CivilTime.hour
        }
        await around.pause()
      }
    }
    state.withLock { $0.ticker = ticker }
  }

  /// Ends; what was not delivered is kept for the next start.
  package func stop() async {
    isEnding.store(true, ordering: .releasing)
    let (ticker, stations) = state.withLock { state in
      state.isStopped = true
      defer { state.stations = [:] }
      return (state.ticker, Array(state.stations.values))
    }
    ticker?.cancel()
    for station in stations {
      station.task.cancel()
      station.bell.ring()
      await station.task.value
    }
    await ticker?.value
    try? await loops.shutdownGracefully()
  }

  /// Goes on by other settings.
  package func reload(_ settings: AlertingSettings) async {
    do throws(StoreError) {
      try await desk.reload(settings, now: around.clock())
    } catch {
      warn("alerts go on by the settings of before: \(error)")
      return
    }
    await equip(settings)
  }

  private func equip(_ settings: AlertingSettings) async {
    let gone = state.withLock { state -> [Station] in
      guard !state.isStopped else { return [] }
      var gone: [Station] = []
      for (name, station) in state.stations
      where settings.receiver(name) != station.settings {
        state.stations[name] = nil
        gone.append(station)
      }
      for receiver in settings.receivers where state.stations[receiver.name] == nil {
        state.stations[receiver.name] = station(receiver, settings)
      }
      return gone
    }
    for station in gone {
      station.task.cancel()
      station.bell.ring()
    }
  }

  private func station(_ receiver: ReceiverSettings, _ settings: AlertingSettings) -> Station {
    let sender = ReceiverSender(
      receiver, externalURL: settings.externalURL, loops: loops,
      around: ReceiverSender.Surroundings(
        clock: around.clock, environment: around.environment, version: around.version))
    let bell = Doorbell()
    let task = Task { [self] in
      while !Task.isCancelled, !isEnding.load(ordering: .acquiring) {
        await deliver(receiver.name, sender, bell)
        await bell.wait()
      }
    }
    return Station(settings: receiver, sender: sender, bell: bell, task: task)
  }

  /// Sends one notification once, outside of any service.
  package static func send(
    _ notification: Notification, id: String, to receiver: ReceiverSettings, externalURL: String?,
    around: Surroundings
  ) async -> DeliveryResult {
    let sender = ReceiverSender(
      receiver, externalURL: externalURL, loops: NIOSingletons.posixEventLoopGroup,
      around: ReceiverSender.Surroundings(
        clock: around.clock, environment: around.environment, version: around.version))
    return await sender.send(notification, id: id)
  }

  // MARK: - Work

  /// Hands over what a detector, rules or budgets say, and makes it durable.
  ///
  /// - Throws: where it could not be kept; it may be handed over again.
  package func take(
    _ changes: [IncidentChange], cause: String = "detector", blobs: [String: [UInt8]?] = [:]
  ) async throws(StoreError) {
    try await desk.take(changes, cause: cause, blobs: blobs, now: around.clock())
  }

  /// Does what is due now, and wakes the receivers that have something to send.
  package func tick() async {
    do throws(StoreError) {
      try await desk.advance(now: around.clock())
      state.withLock { $0.lastWarning = nil }
    } catch {
      warn("alerts cannot be kept at the moment: \(error)")
    }
    await wake()
  }

  /// Wakes the receivers that have something to send.
  package func wake() async {
    let due = await desk.receiversDue(now: around.clock())
    for name in due { state.withLock { $0.stations[name]?.bell }?.ring() }
  }

  private func expire(_ now: Int64) async {
    let days = Int64(await desk.settings.retentionDays)
    do throws(StoreError) {
      try await desk.expire(before: now - days * CivilTime.day)
    } catch {
      warn("old alerts could not be dropped: \(error)")
    }
  }

  private func warn(_ sentence: String) {
    let isNew = state.withLock { state in
      defer { state.lastWarning = sentence }
      return state.lastWarning != sentence
    }
    if isNew { around.warn(sentence) }
  }

  private func deliver(_ receiver: String, _ sender: ReceiverSender, _ bell: Doorbell) async {
    let due: [(entry: Outbox.Entry, notification: Notification)]
    do throws(StoreError) {
      due = try await desk.due(receiver, now: around.clock())
    } catch {
      return warn("notifications to \(receiver) cannot be read: \(error)")
    }
    await withTaskGroup { group in
      for (entry, notification) in due {
        group.addTask { [self] in
          let result = await sender.send(notification, id: entry.id)
          if Task.isCancelled, case .failed = result { return await desk.release(entry) }
          do throws(StoreError) {
            try await desk.settle(entry, result, now: around.clock())
          } catch {
            warn("a receipt of \(receiver) cannot be kept: \(error)")
          }
        }
      }
    }
    // What came due meanwhile.
    if !due.isEmpty { bell.ring() }
  }
}
