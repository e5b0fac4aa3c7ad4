// The fleet detector: events in, incidents out; no clock, no file, no task.
//
// 1. An observation goes into the open bucket of ten seconds of its time (when it was over). Identities' costs are
//    also summed by arrival: an attack is told at once, without waiting for the watermark.
// 2. When the watermark passes a bucket, it closes: its cells, in an order that does not depend on how they came, go
//    to the series of each identity, workload, tenant and endpoint, to the rules on tasks, prompts and pools, and to the
//    history. What they find are alarms, which are values.
// 3. An alarm is localised in the history, and the board makes it part of an incident. The incidents' changes are what
//    `advance` hands out.
// 4. What comes later than the watermark changes nothing any more but a counter.
//
// All state is archived by a snapshot, so an engine that is restored goes on as if it had never stopped.

internal import FarthingCore

/// Detects anomalies of spend, unit cost and reliability in a stream of observations.
package struct DetectionEngine: Sendable {
  let settings: DetectionSettings
  let announced: AnnouncedTimes
  var names: [NameTable]
  var constantPrices = ConstantPrices()
  /// New identities that each tenant brought in on the day at hand.
  var newIdentities: [UInt32: Int] = [:]
  var newIdentitiesDay: Int64 = 0

  /// The first bucket that is not closed; nil before the first event.
  var nextBucket: Int64?
  var firstBucket: Int64 = 0
  var openBuckets: [OpenBucket] = []
  /// Observations that came after their bucket had closed, and that were too far ahead to wait.
  package internal(set) var lateCount = 0
  package internal(set) var aheadCount = 0
  /// Alarms for which the board of incidents had no place.
  package var untoldCount: Int { board.untoldCount }

  var spend: [[SpendSeries]] = [[], [], []]
  /// Numbers of requests, in the same order; nil where there are none.
  var traffic: [[TrafficSeries?]] = [[], [], []]
  /// Series with an excursion: every bucket matters to them.
  var busy: [Set<UInt32>] = [[], [], []]
  var hits = HitTables()
  var ratios: [[RatioSeries]] = []
  var priceIndices = PriceIndices()
  var tasks: TaskWatch
  /// Tasks with an open alarm, and when they called last.
  var runaways: [UInt64: Int64] = [:]
  var prompts: [UInt32: PromptSeries] = [:]
  var pools: [UInt32: PoolSeries] = [:]
  /// By model.
  var prices: [UInt32: PriceShift] = [:]
  var sites = SiteHearing()
  var history = SpendHistory()
  var board: IncidentBoard
  var upperQuartile = 0.0
  /// The newest workload and tenant of each identity.
  var homes: [UInt32: CellKey] = [:]

  /// Alarms of the bucket at hand.
  var alarms: [Alarm] = []
  /// Changes that are not handed out yet.
  var changes: [IncidentChange] = []

  /// The dimensions whose dollars are watched, in the order of ``spend``.
  static let spendDimensions: [ObservedDimension] = [.identity, .workload, .tenant]
  /// Buckets that may be open: what is further ahead has a wrong clock.
  static let maximumOpenBuckets = 4096

  /// An engine that has seen nothing.
  package init(settings: DetectionSettings) {
    self.settings = settings
    announced = AnnouncedTimes(settings.calendar)
    let wide = max(64, settings.maximumSeries / 10)
    names = ObservedDimension.allCases.map { dimension in
      NameTable(
        capacity: dimension == .identity ? settings.maximumSeries : wide,
        others: "other new \(dimension.contractName)")
    }
    tasks = TaskWatch(capacity: settings.maximumTasks)
    board = IncidentBoard(settings)
  }

  // MARK: Names

  /// The number of a name; absent for an empty one.
  package mutating func name(_ dimension: ObservedDimension, _ text: String) -> ObservedName {
    let bytes = Array(text.utf8)
    return name(dimension, bytes.span)
  }

  /// The number of a name given in UTF-8.
  package mutating func name(
    _ dimension: ObservedDimension, _ text: Span<UInt8>
  ) -> ObservedName {
    if text.isEmpty { return .absent }
    let place = Int(dimension.rawValue)
    if let known = names[place].find(text) { return known }
    let added = names[place].add(text)
    return added
  }

  /// The number of an identity; a new one counts against its tenant's share of new ones.
  package mutating func identity(
    _ text: Span<UInt8>, tenant: ObservedName, time: Int64
  ) -> ObservedName {
    if text.isEmpty { return .absent }
    if let known = names[0].find(text) { return known }
    let day = CivilTime.floorDivide(time, CivilTime.day)
    if day != newIdentitiesDay {
      newIdentitiesDay = day
      newIdentities.removeAll(keepingCapacity: true)
    }
    // The first day everything is new.
    let isCold =
      nextBucket.map { $0 - firstBucket < SpendSeries.bucketsPerDay } ?? true
    let count = newIdentities[tenant.code] ?? 0
    guard isCold || count < settings.maximumNewIdentities else { return .others }
    if !isCold { newIdentities[tenant.code] = count + 1 }
    return names[0].add(text)
  }

  func text(_ dimension: ObservedDimension, _ name: ObservedName) -> String {
    names[Int(dimension.rawValue)].text(name)
  }

  // MARK: Observing

  /// Takes one observation.
  ///
  /// - Complexity: O(1) in the mean; memory grows with the slices of the open buckets.
  package mutating func observe(_ observation: Observation) {
    let bucket = CivilTime.floorDivide(observation.time, OpenBucket.nanoseconds)
    if observation.isAhead {
      aheadCount += 1
      if let next = nextBucket { lookAtArrival(observation, now: next) }
      return
    }
    guard let next = nextBucket else {
      nextBucket = bucket
      firstBucket = bucket
      insert(observation, bucket)
      return
    }
    if bucket < next {
      // Nothing is closed before the first advance: what comes first need not be the earliest.
      if isUntouched, next - bucket < Int64(Self.maximumOpenBuckets) {
        nextBucket = bucket
        firstBucket = bucket
        insert(observation, bucket)
        return
      }
      lateCount += 1
      // Too late for what buckets tell; an attack is one all the same.
      lookAtArrival(observation, now: next)
      return
    }
    insert(observation, bucket)
  }

  /// Whether no bucket was closed yet.
  var isUntouched: Bool { nextBucket == firstBucket }

  private mutating func insert(_ observation: Observation, _ bucket: Int64) {
    // Mostly the newest bucket, or one beside it.
    var place = openBuckets.count
    while place > 0, openBuckets[place - 1].number > bucket { place -= 1 }
    if place > 0, openBuckets[place - 1].number == bucket {
      openBuckets[place - 1].add(observation)
    } else {
      guard openBuckets.count < Self.maximumOpenBuckets else {
        aheadCount += 1
        return
      }
      var fresh = OpenBucket(number: bucket)
      fresh.add(observation)
      openBuckets.insert(fresh, at: place)
    }
    lookAtArrival(observation, now: bucket)
  }

  private mutating func lookAtArrival(_ observation: Observation, now open: Int64) {
    if observation.kind == .request, observation.isPriced { watchArrival(observation, now: open) }
  }

  /// The path without a watermark: an identity's dollars of half a minute, event by event.
  ///
  /// Half a minute of the events' own time, so that a site that was cut off may send an hour at once; but no event
  /// counts as later than it arrived.
  ///
  /// - Parameter open: the bucket of the event, or for one that is late the first that is not closed.
  private mutating func watchArrival(_ observation: Observation, now open: Int64) {
    let identity = observation.identity
    guard identity.isSingle else { return }
    growSpend(0, to: identity)
    let time = min(observation.time, observation.receivedTime)
    let own = CivilTime.floorDivide(time, OpenBucket.nanoseconds)
    let bucket = max(min(open, own), nextBucket ?? own)
    let factor = calendarFactor(
      CellKey(
        identity: identity, workload: observation.workload, tenant: observation.tenant,
        endpoint: observation.endpoint, model: observation.model,
        provider: observation.provider, site: observation.site, fallbackFrom: .absent),
      bucket: own)
    let dollars = spend[0][identity.index].addArrival(observation.steadyCost, bucket: own) / factor
    if spend[0][identity.index].isAlarmed, own < bucket {
      let usual = spend[0][identity.index].expectation(fleetRates(bucket))
      spend[0][identity.index].addLate(
        estimatedDollars(observation.cost), isMuch: dollars > 9 * usual)
    }
    // Nobody's burst is below this: most events end here.
    guard dollars > 0.5 * settings.minUSD else { return }
    let series = spend[0][identity.index]
    guard !series.isAlarmed, series.toldAt < 0 || bucket - series.toldAt > 360 else { return }
    var fleet = fleetRates(bucket)
    // A series without a closed bucket is as young as can be.
    let isNew = !series.isKnown
    let isYoung =
      isNew
      ? bucket - firstBucket >= SpendSeries.coldBuckets
      : series.isYoung(fleet)
        || series.age(at: bucket) < SpendSeries.coldBuckets
          && series.first - firstBucket >= SpendSeries.coldBuckets
    fleet.bucket = bucket
    if isNew, !isYoung { return }
    if !isYoung, series.age(at: bucket) < SpendSeries.coldBuckets { return }
    let limit =
      isNew
      ? max(settings.minUSD, 15 * upperQuartile) : series.burstLimit(fleet, settings)
    guard dollars > limit else { return }
    spend[0][identity.index].begin(bucket)
    let expected = isNew ? 0 : series.expectation(fleet)
    spend[0][identity.index].alarmNow(dollars, expected: expected, bucket: bucket)
    markBusy(0, identity.code)
    raise(burstAlarm(observation, bucket, dollars, expected, isYoung: isYoung, limit: limit))
  }

  private func burstAlarm(
    _ observation: Observation, _ bucket: Int64, _ dollars: Double, _ expected: Double,
    isYoung: Bool, limit: Double
  ) -> Alarm {
    var key = CellKey.none
    key.identity = observation.identity
    key.workload = observation.workload
    key.tenant = observation.tenant
    let rate = WordsOf.rate(expected)
    return Alarm(
      key: AlarmKey(family: .spend, dimension: .identity, name: observation.identity),
      kind: isYoung ? .newIdentitySpend : .denialOfWallet, metric: "cost", start: bucket - 2,
      detected: bucket, expected: expected * 360, actual: dollars * 120,
      excess: max(0, dollars - 3 * expected), perHour: max(0, dollars * 120 - expected * 360),
      isFast: true,
      evidence: isYoung
        ? "spent \(IncidentWording.dollars(dollars)) within half a minute, within a day of its first request; "
          + "from \(IncidentWording.dollars(limit)) on that is told"
        : "spent \(IncidentWording.dollars(dollars)) within half a minute where \(rate) is expected; from "
          + "\(IncidentWording.dollars(limit)) on that is told",
      context: key)
  }

  /// Gives an alarm found by arrival to the board at once.
  private mutating func raise(_ alarm: Alarm) {
    changes += board.open(located(alarm))
  }

  // MARK: Closing

  /// Closes every bucket that ends at or before the watermark.
  ///
  /// - Parameter watermark: Unix nanoseconds of event time; what is older comes too late from now on.
  /// - Returns: what happened to incidents since the last call, what the path by arrival found included.
  /// - Complexity: O(events), and O(1) a bucket for each series with an excursion.
  package mutating func advance(to watermark: Int64) -> [IncidentChange] {
    guard var bucket = nextBucket else { return [] }
    let end = CivilTime.floorDivide(watermark, OpenBucket.nanoseconds)
    while bucket < end {
      let isEmpty = openBuckets.first?.number != bucket
      if isEmpty, busy.allSatisfy(\.isEmpty), !board.isBusy {
        // Nothing can change until the next event or the next full hour.
        let step = (CivilTime.floorDivide(bucket, 60) + 1) * 60
        let following = min(end, openBuckets.first?.number ?? end, step)
        if following > bucket {
          bucket = following
          nextBucket = bucket
          if bucket % 60 == 0 { finishStep(bucket) }
          if bucket % 360 == 0 { finishHour(bucket) }
          raiseAll()
          continue
        }
      }
      close(isEmpty ? OpenBucket(number: bucket) : openBuckets.removeFirst())
      bucket += 1
      nextBucket = bucket
      if bucket % 60 == 0 { finishStep(bucket) }
      if bucket % 360 == 0 { finishHour(bucket) }
      raiseAll()
    }
    defer { changes.removeAll() }
    return changes
  }

  /// The end of the last closed bucket in Unix nanoseconds; nil before the first event.
  package var watermark: Int64? { nextBucket.map { $0 * OpenBucket.nanoseconds } }

  func fleetRates(_ bucket: Int64) -> FleetRates {
    FleetRates(
      bucket: bucket, upperQuartile: upperQuartile, firstBucket: firstBucket, ratio: 1)
  }

  mutating func growSpend(_ table: Int, to name: ObservedName) {
    while spend[table].count <= name.index { spend[table].append(SpendSeries()) }
  }

  mutating func markBusy(_ table: Int, _ code: UInt32) {
    busy[table].insert(code)
  }
}

/// Small phrases.
enum WordsOf {
  /// Dollars a bucket as dollars a minute.
  static func rate(_ perBucket: Double) -> String {
    IncidentWording.dollars(perBucket * 6) + " a minute"
  }
}
