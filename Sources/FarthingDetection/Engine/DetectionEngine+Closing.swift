internal import FarthingCore

extension DetectionEngine {
  /// Gives a closed bucket to every detector, then its alarms to the board.
  mutating func close(_ open: OpenBucket) {
    let bucket = open.number
    for site in open.heard { sites.hear(site, bucket) }
    let cells = ordered(open.cells)
    history.add(cells, bucket: bucket)
    closeSpend(cells, bucket)
    closeTraffic(cells, bucket)
    closeHits(cells, bucket)
    closeRatios(cells, bucket)
    closeTasks(open, bucket)
    closePrompts(open, bucket)
    closePools(open, cells, bucket)
    closePrices(cells, bucket)
    raiseAll()
    changes += board.advance(bucket)
  }

  /// Gives the alarms at hand to the board, in an order that does not depend on how they came.
  mutating func raiseAll() {
    guard !alarms.isEmpty else { return }
    let found = alarms.sorted { order($0) < order($1) }
    alarms.removeAll()
    for alarm in found {
      let located = located(alarm)
      // One identity's burst is for its own series to judge, which knows how it comes and goes.
      let isOnes = located.slice.first?.dimension == .identity
      if alarm.key.family == .traffic, isOnes, !located.alarm.isDrop { continue }
      changes += board.open(located)
    }
  }

  /// Cells in an order that depends on their names alone.
  private func ordered(_ cells: [Cell]) -> [Cell] {
    guard cells.count > 1 else { return cells }
    var keyed: [(hash: UInt64, place: Int)] = []
    keyed.reserveCapacity(cells.count)
    for (place, cell) in cells.enumerated() {
      var hash: UInt64 = 0
      for dimension in ObservedDimension.allCases where dimension != .pool {
        let part = names[Int(dimension.rawValue)].hash(cell.key[dimension])
        hash = (hash ^ part) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
      }
      hash ^= names[Int(ObservedDimension.model.rawValue)].hash(cell.key.fallbackFrom)
      keyed.append((hash, place))
    }
    keyed.sort { $0.hash < $1.hash }
    return keyed.map { cells[$0.place] }
  }

  private func order(_ alarm: Alarm) -> (UInt8, UInt8, String, UInt64) {
    (
      alarm.key.family.rawValue, alarm.key.dimension.rawValue,
      text(alarm.key.dimension, alarm.key.name), alarm.key.detail
    )
  }

  // MARK: Spend

  private mutating func closeSpend(_ cells: [Cell], _ bucket: Int64) {
    let fleet = fleetRates(bucket)
    for (table, dimension) in Self.spendDimensions.enumerated() {
      var costs: [UInt32: BucketSpend] = [:]
      for cell in cells {
        let name = cell.key[dimension]
        // What names no workload or tenant is no series: they have nothing in common.
        guard name != .absent else { continue }
        let factor = calendarFactor(cell.key, bucket: bucket)
        costs[name.code, default: BucketSpend()].add(cell.sums, factor: factor)
        growSpend(table, to: name)
        spend[table][name.index].begin(bucket)
        spend[table][name.index].hear(from: cell.key.site)
        if table == 0 { homes[name.code] = cell.key }
      }
      for (code, cost) in costs {
        closeSeries(table, code, cost: cost, isActive: true, fleet)
      }
      for code in busy[table] where costs[code] == nil {
        let series = spend[table][Int(code)]
        guard sites.isHeard(series.sites, bucket) else { continue }
        closeSeries(table, code, cost: BucketSpend(), isActive: false, fleet)
      }
    }
  }

  private mutating func closeSeries(
    _ table: Int, _ code: UInt32, cost: BucketSpend, isActive: Bool, _ fleet: FleetRates
  ) {
    let bucket = fleet.bucket
    let place = Int(code)
    if spend[table][place].next < bucket {
      let missing = sites.missing(
        spend[table][place].sites, from: spend[table][place].next, to: bucket)
      spend[table][place].skip(to: bucket, missing: missing)
    }
    let verdict = spend[table][place].close(cost, isActive: isActive, fleet, settings)
    let series = spend[table][place]
    if series.isBusy { busy[table].insert(code) } else { busy[table].remove(code) }
    let dimension = Self.spendDimensions[table]
    let key = AlarmKey(
      family: .spend, dimension: dimension, name: ObservedName(code: code))
    switch verdict {
    case .nothing: break
    case .opened(let expected, let threshold, let ratio):
      alarms.append(spendAlarm(key, series, fleet, expected, threshold, ratio))
    case .goingOn(let expected):
      let scale = series.toldScale
      let span = Double(max(1, bucket - series.alarmStart + 1))
      let excess = (series.excursionCost - expected * span) * scale
      board.update(
        AlarmProgress(
          key: key, excess: excess, perHour: max(0, series.recent - expected) * 360 * scale,
          actual: series.recent * 360 * scale,
          towering: dimension == .identity ? series.towering(bucket, over: span) : nil))
    case .closed, .accepted: board.close(key, at: bucket)
    }
  }

  private func spendAlarm(
    _ key: AlarmKey, _ series: SpendSeries, _ fleet: FleetRates, _ expected: Double,
    _ threshold: Double, _ ratio: Double
  ) -> Alarm {
    let isYoung = key.dimension == .identity && series.isYoung(fleet)
    let kind: AlertKind
    if isYoung {
      kind = .newIdentitySpend
    } else {
      kind = key.dimension == .identity && ratio > 10 ? .denialOfWallet : .spendSpike
    }
    let span = Double(max(1, fleet.bucket - series.excessStart + 1))
    let scale = series.toldScale
    let actual = series.excursionCost / span
    let excess = max(series.excess, series.excursionCost - expected * span) * scale
    var context: CellKey?
    if key.dimension == .identity { context = homes[key.name.code] }
    var evidence =
      "spent \(IncidentWording.dollars(series.excess)) more than \(IncidentWording.number(settings.tolerance)) × the "
      + "expected \(WordsOf.rate(expected)) since \(IncidentWording.time(series.excessStart)), "
      + "\(IncidentWording.number(min(ratio, 1e6))) × the expectation; told from "
      + "\(IncidentWording.dollars(threshold)) on"
    if series.habit > 0.01 {
      evidence += "; the largest excess of late was \(IncidentWording.dollars(series.habit))"
    }
    return Alarm(
      key: key, kind: kind, metric: "cost", start: series.excessStart, detected: fleet.bucket,
      expected: expected * 360 * scale, actual: actual * 360 * scale, excess: excess,
      perHour: max(0, actual - expected) * 360 * scale, measure: .spend,
      isFast: isYoung || kind == .denialOfWallet, evidence: evidence, context: context)
  }

  // MARK: Hits

  private mutating func closeHits(_ cells: [Cell], _ bucket: Int64) {
    for dimension in [ObservedDimension.endpoint, .workload] {
      var sums:
        [UInt32: (trials: Int64, troubled: Int64, cost: Int64, back: Int64, backCost: Int64)] =
          [:]
      for cell in cells where cell.key[dimension].isSingle {
        var sum = sums[cell.key[dimension].code] ?? (0, 0, 0, 0, 0)
        sum.trials += cell.sums.requests
        sum.troubled += cell.sums.troubled
        sum.cost = sum.cost.addingClamped(cell.sums.troubledCost)
        if cell.key.fallbackFrom != .absent {
          sum.back += cell.sums.requests
          sum.backCost = sum.backCost.addingClamped(cell.sums.cost)
        }
        sums[cell.key[dimension].code] = sum
      }
      for (code, sum) in sums {
        let name = ObservedName(code: code)
        addHits(.trouble, dimension, name, sum.trials, sum.troubled, sum.cost, bucket)
        addHits(.fallback, dimension, name, sum.trials, sum.back, sum.backCost, bucket)
      }
    }
  }

  private mutating func addHits(
    _ kind: HitKind, _ dimension: ObservedDimension, _ name: ObservedName, _ trials: Int64,
    _ count: Int64, _ cost: Int64, _ bucket: Int64
  ) {
    let shape = kind.shape
    let place = hits.place(kind, dimension, name)
    let verdict = hits.series[place].series.add(
      trials: Double(trials), hits: Double(count), cost: estimatedDollars(cost), bucket: bucket,
      shape, settings)
    let series = hits.series[place].series
    let family: AlarmKey.Family =
      switch kind {
      case .trouble: .trouble
      case .fallback: .fallback
      case .taskFailure: .taskFailure
      }
    let key = AlarmKey(family: family, dimension: dimension, name: name)
    let hours = Double(max(1, bucket - series.start + 1)) / 360
    switch verdict {
    case .nothing: break
    case .opened: alarms.append(hitAlarm(key, kind, series, shape, bucket))
    case .goingOn:
      board.update(
        AlarmProgress(
          key: key, excess: series.dollars, perHour: series.dollars / hours,
          actual: series.hits / max(1, series.seen)))
    case .closed: board.close(key, at: bucket)
    }
  }

  private func hitAlarm(
    _ key: AlarmKey, _ kind: HitKind, _ series: HitSeries, _ shape: HitKind.Shape, _ bucket: Int64
  ) -> Alarm {
    let actual = series.hits / max(1, series.seen)
    let usual = series.usualShare(shape)
    let what: String
    switch kind {
    case .trouble: what = "failures and retries"
    case .fallback: what = "answers by another model"
    case .taskFailure: what = "failed tasks"
    }
    let evidence =
      "\(what) \(IncidentWording.percent(actual)) against \(IncidentWording.percent(usual)), "
      + "\(IncidentWording.dollars(series.dollars)) since \(IncidentWording.time(series.start)); the evidence is "
      + "e^\(IncidentWording.number(series.evidence)) : 1, told from e^\(IncidentWording.number(shape.threshold)) on"
    let hours = Double(max(1, bucket - series.start + 1)) / 360
    let alert: AlertKind
    let metric: String
    switch kind {
    case .trouble:
      alert = .retryStorm
      metric = "retry_rate"
    case .fallback:
      alert = .fallbackCascade
      metric = "fallback_rate"
    case .taskFailure:
      alert = .quietReliability
      metric = "task_success_rate"
    }
    let isFailure = kind == .taskFailure
    return Alarm(
      key: key, kind: alert, metric: metric, start: series.start, detected: bucket,
      expected: isFailure ? 1 - usual : usual, actual: isFailure ? 1 - actual : actual,
      excess: series.dollars, perHour: series.dollars / hours,
      measure: kind == .trouble ? .trouble : kind == .fallback ? .fallback : nil,
      evidence: evidence)
  }

  // MARK: Ratios

  private mutating func closeRatios(_ cells: [Cell], _ bucket: Int64) {
    var sums: [UInt32: [BlockSums]] = [:]
    for cell in cells where cell.key.workload.isSingle {
      let index = priceIndices.index(cell.key.model) * Double(cell.sums.charged)
      for driver in Driver.allCases {
        let part = driver.sums(cell.sums, index: index)
        guard part.requests > 0 else { continue }
        sums[
          cell.key.workload.code,
          default: Array(repeating: BlockSums(), count: Driver.allCases.count)
        ][Int(driver.rawValue)].add(part)
      }
    }
    for cell in cells { priceIndices.learn(cell) }
    for (code, parts) in sums {
      while ratios.count <= Int(code) {
        ratios.append([])
      }
      if ratios[Int(code)].isEmpty {
        ratios[Int(code)] = Array(repeating: RatioSeries(), count: Driver.allCases.count)
      }
      for driver in Driver.allCases { addRatio(driver, code, parts, bucket) }
    }
  }

  private mutating func addRatio(
    _ driver: Driver, _ code: UInt32, _ parts: [BlockSums], _ bucket: Int64
  ) {
    let place = Int(driver.rawValue)
    let verdict = ratios[Int(code)][place].add(parts[place], bucket: bucket, driver, settings)
    let series = ratios[Int(code)][place]
    let key = AlarmKey(
      family: .driver, dimension: .workload, name: ObservedName(code: code),
      detail: UInt64(driver.rawValue))
    switch verdict {
    case .nothing: break
    case .opened: alarms.append(ratioAlarm(key, driver, series, bucket))
    case .goingOn:
      board.update(
        AlarmProgress(
          key: key, excess: series.excess, perHour: max(0, series.excessPerHour),
          actual: Self.plain(series.last, driver)))
    case .closed: board.close(key, at: bucket)
    }
  }

  /// A block's value in the metric's own unit.
  private static func plain(_ value: Double, _ driver: Driver) -> Double {
    switch driver {
    case .cache: value
    // Microseconds to milliseconds.
    case .latency: ReproducibleMath.exponential(value) / 1000
    default: ReproducibleMath.exponential(value)
    }
  }

  private func ratioAlarm(
    _ key: AlarmKey, _ driver: Driver, _ series: RatioSeries, _ bucket: Int64
  ) -> Alarm {
    let shape = driver.shape
    let expected = Self.plain(series.expectedThen, driver)
    let actual = Self.plain(series.excursionMean, driver)
    let isStep = series.step > shape.step.h
    let what: String
    switch driver {
    case .cost: what = "cost a request"
    case .input: what = "input tokens a request"
    case .output: what = "visible output tokens a request"
    case .reasoning: what = "reasoning tokens a request"
    case .mix: what = "list price of the models in use"
    case .cache: what = "share of input from the cache"
    case .latency: what = "latency"
    }
    let statistic = isStep ? series.step : series.drift
    let limit = isStep ? shape.step.h : shape.drift.h
    let evidence =
      "\(what) \(IncidentWording.number(actual)) against \(IncidentWording.number(expected)) since "
      + "\(IncidentWording.time(series.start)), \(IncidentWording.dollars(series.excess)) extra; "
      + "\(isStep ? "step" : "drift") statistic \(IncidentWording.number(statistic)), told from "
      + "\(IncidentWording.number(limit)) on"
    return Alarm(
      key: key, kind: driver.kind, metric: driver.metric, start: series.start, detected: bucket,
      expected: expected, actual: actual, excess: max(0, series.excess),
      perHour: max(0, series.excessPerHour), measure: .driver(driver), evidence: evidence)
  }

  // MARK: Tasks and prompts

  private mutating func closeTasks(_ open: OpenBucket, _ bucket: Int64) {
    let isReady = bucket - firstBucket >= SpendSeries.bucketsPerDay
    let sums = open.tasks.sorted { $0.task < $1.task }
    var failures: [UInt32: (trials: Int64, hits: Int64, cost: Int64)] = [:]
    func count(_ state: LiveTask, succeeded: Bool) {
      var sum = failures[state.key.workload.code] ?? (0, 0, 0)
      sum.trials += 1
      if !succeeded {
        sum.hits += 1
        sum.cost = sum.cost.addingClamped(state.cost)
      }
      failures[state.key.workload.code] = sum
    }
    for task in sums {
      let runaway = tasks.add(task, bucket: bucket, isReady: isReady, settings)
      if let runaway { alarms.append(runawayAlarm(runaway, bucket)) }
      progressTask(task.task, bucket)
      if task.toldAt != 0, let state = tasks.tellOutcome(task.task) {
        count(state, succeeded: task.succeeded)
      }
    }
    let told = open.outcomes.sorted {
      ($0.task, $0.time, $0.succeeded ? 1 : 0) < ($1.task, $1.time, $1.succeeded ? 1 : 0)
    }
    for outcome in told {
      guard let state = tasks.tellOutcome(outcome.task) else { continue }
      count(state, succeeded: outcome.succeeded)
    }
    for (code, sum) in failures where code > 1 {
      let name = ObservedName(code: code)
      addHits(.taskFailure, .workload, name, sum.trials, sum.hits, sum.cost, bucket)
    }
    tasks.trim()
    closeStaleTasks(bucket)
  }

  private func runawayAlarm(_ runaway: RunawayTask, _ bucket: Int64) -> Alarm {
    let start = runaway.state.firstBucket
    let hours = Double(max(1, bucket - start + 1)) / 360
    let evidence =
      "task \(runaway.state.text) cost \(IncidentWording.dollars(runaway.dollars)) in "
      + "\(runaway.state.requests) requests since \(IncidentWording.time(start)); the dearest other task of its "
      + "workload so far cost \(IncidentWording.dollars(runaway.usual))"
    return Alarm(
      key: AlarmKey(
        family: .task, dimension: .identity, name: runaway.state.key.identity,
        detail: runaway.task),
      kind: .runawayTask, metric: "cost_per_task", start: start, detected: bucket,
      expected: runaway.usual, actual: runaway.dollars,
      excess: max(0, runaway.dollars - runaway.usual), perHour: runaway.dollars / hours,
      isFast: true, evidence: evidence, context: runaway.state.key, text: runaway.state.text)
  }

  private mutating func progressTask(_ task: UInt64, _ bucket: Int64) {
    guard !runaways.isEmpty || tasks.find(task)?.isAlarmed == true else { return }
    guard let state = tasks.find(task), state.isAlarmed else { return }
    runaways[task] = bucket
    let dollars = estimatedDollars(state.cost)
    let hours = Double(max(1, bucket - state.firstBucket + 1)) / 360
    board.update(
      AlarmProgress(
        key: AlarmKey(
          family: .task, dimension: .identity, name: state.key.identity, detail: task),
        excess: dollars, perHour: dollars / hours, actual: dollars))
  }

  /// A task that has not called for half an hour is over.
  private mutating func closeStaleTasks(_ bucket: Int64) {
    guard !runaways.isEmpty else { return }
    for task in runaways.keys.sorted() {
      guard let last = runaways[task], bucket - last >= 180 else { continue }
      runaways[task] = nil
      let identity = tasks.find(task)?.key.identity ?? .absent
      board.close(
        AlarmKey(family: .task, dimension: .identity, name: identity, detail: task), at: bucket)
    }
  }

  private mutating func closePrompts(_ open: OpenBucket, _ bucket: Int64) {
    guard !open.prompts.isEmpty else { return }
    let hour = CivilTime.floorDivide(bucket, SpendSeries.bucketsPerHour)
    for sums in open.prompts.sorted(by: { $0.hash < $1.hash }) where sums.identity.isSingle {
      var series = prompts[sums.identity.code] ?? PromptSeries()
      if case .closed = series.turn(to: hour) { board.close(promptKey(sums.identity), at: bucket) }
      let verdict = series.add(sums, bucket: bucket, settings)
      prompts[sums.identity.code] = series
      switch verdict {
      case .nothing, .closed: break
      case .opened(let counter): alarms.append(promptAlarm(sums, series, counter, bucket))
      case .goingOn:
        let dollars = estimatedDollars(series.alarmedCost)
        let hours = Double(max(36, bucket - series.alarmedAt + 1)) / 360
        board.update(
          AlarmProgress(
            key: promptKey(sums.identity), excess: dollars, perHour: dollars / hours,
            actual: Double(series.alarmedCount)))
      }
    }
  }

  func promptKey(_ identity: ObservedName) -> AlarmKey {
    AlarmKey(family: .prompt, dimension: .identity, name: identity)
  }

  private func promptAlarm(
    _ sums: PromptSums, _ series: PromptSeries, _ counter: PromptCounter, _ bucket: Int64
  ) -> Alarm {
    let dollars = estimatedDollars(counter.cost)
    let count = counter.count - counter.error
    let start = CivilTime.floorDivide(bucket, SpendSeries.bucketsPerHour) * 360
    let hours = Double(max(18, bucket - start + 1)) / 360
    let share = Double(count) / Double(max(1, series.calls))
    let evidence =
      "one prompt was sent \(count) times since \(IncidentWording.time(start)), "
      + "\(IncidentWording.percent(share)) of the identity's calls and \(IncidentWording.dollars(dollars)); "
      + "its most frequent prompt of an hour is usually sent \(IncidentWording.number(series.usual.value)) times"
    var key = CellKey.none
    key.identity = sums.identity
    key.workload = sums.workload
    key.tenant = sums.tenant
    return Alarm(
      key: promptKey(sums.identity), kind: .repeatedPrompt, metric: "repeated_requests",
      start: start, detected: bucket, expected: series.usual.value, actual: Double(count),
      excess: dollars, perHour: dollars / hours, evidence: evidence, context: key)
  }

  // MARK: Pools

  private mutating func closePools(_ open: OpenBucket, _ cells: [Cell], _ bucket: Int64) {
    for capacity in open.capacities where capacity.pool != .absent {
      pools[capacity.pool.code, default: PoolSeries()].add(capacity)
    }
    guard !pools.isEmpty else { return }
    let time = bucket * OpenBucket.nanoseconds
    for code in pools.keys {
      pools[code]?.turn(to: time)
      for cell in cells where cell.sums.ownCompute > 0 {
        if pools[code]?.serves(site: cell.key.site, model: cell.key.model) == true {
          pools[code]?.use(cell.sums.ownCompute)
        }
      }
    }
  }
}
