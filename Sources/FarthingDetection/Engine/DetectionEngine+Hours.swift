internal import FarthingCore

extension DetectionEngine {
  /// What happens once an hour: pools, shortfalls, fleet figures, alarms that nobody feeds any more.
  mutating func finishHour(_ bucket: Int64) {
    let isQuiet = busy.allSatisfy(\.isEmpty) && alarms.isEmpty
    finishPools(bucket)
    if !isQuiet || !spend[0].isEmpty {
      learnQuartile(bucket)
    }
    closeStale(bucket)
    if bucket % SpendSeries.bucketsPerDay == 0 { forgetStrangers(bucket) }
    raiseAll()
  }

  private mutating func finishPools(_ bucket: Int64) {
    let time = bucket * OpenBucket.nanoseconds
    let codes = pools.keys.sorted {
      text(.pool, ObservedName(code: $0)) < text(.pool, ObservedName(code: $1))
    }
    for code in codes {
      guard var pool = pools[code] else { continue }
      let isHeard = sites.isHeard([pool.period.site], bucket - 1)
      let verdict = pool.finishHour(time, isHeard: isHeard, settings)
      pools[code] = pool
      let key = AlarmKey(family: .pool, dimension: .pool, name: ObservedName(code: code))
      switch verdict {
      case .nothing: break
      case .closed: board.close(key, at: bucket)
      case .goingOn:
        board.update(
          AlarmProgress(
            key: key, excess: pool.excess, perHour: max(0, pool.idle - pool.expected),
            actual: pool.idle))
      case .opened:
        let start = CivilTime.floorDivide(pool.start, OpenBucket.nanoseconds)
        alarms.append(
          Alarm(
            key: key, kind: .idleCapacity, metric: "idle_cost", start: start, detected: bucket,
            expected: pool.expected, actual: pool.idle, excess: pool.excess,
            perHour: max(0, pool.idle - pool.expected),
            evidence: "the last hour's idle cost is \(IncidentWording.dollars(pool.idle)) where "
              + "\(IncidentWording.dollars(pool.expected)) is usual; "
              + "\(IncidentWording.percent(pool.utilization)) of its accelerators were used; "
              + "\(IncidentWording.dollars(pool.excess)) idle beyond 1.5 × the usual since "
              + IncidentWording.time(start)))
      }
    }
  }

  /// What three quarters of the identities that are at least a day old stay below, dollars a bucket.
  private mutating func learnQuartile(_ bucket: Int64) {
    var rates: [Double] = []
    for series in spend[0] where series.isKnown && series.day.value > 0 {
      if series.age(at: bucket) >= 8640 || bucket - firstBucket < 8640 {
        rates.append(series.day.value)
      }
    }
    guard !rates.isEmpty else { return }
    rates.sort()
    upperQuartile = rates[min(rates.count - 1, rates.count * 3 / 4)]
  }

  /// Ends alarms of slices that were not heard of for six hours: what feeds them is gone.
  private mutating func closeStale(_ bucket: Int64) {
    for place in hits.series.indices
    where hits.series[place].series.isAlarmed
      && bucket - hits.series[place].series.lastBucket > 2160
    {
      let key = hits.series[place].key
      hits.series[place].series.close()
      let family: AlarmKey.Family =
        switch key.kind {
        case .trouble: .trouble
        case .fallback: .fallback
        case .taskFailure: .taskFailure
        }
      board.close(AlarmKey(family: family, dimension: key.dimension, name: key.name), at: bucket)
    }
    for code in ratios.indices {
      for place in ratios[code].indices where ratios[code][place].isStale(bucket) {
        ratios[code][place].close()
        board.close(
          AlarmKey(
            family: .driver, dimension: .workload, name: ObservedName(code: UInt32(code)),
            detail: UInt64(place)), at: bucket)
      }
    }
    closeStalePrices(bucket)
    let hour = CivilTime.floorDivide(bucket, 360)
    for identity in prompts.keys.sorted() {
      guard var series = prompts[identity], series.hour < hour else { continue }
      if case .closed = series.turn(to: hour) {
        board.close(promptKey(ObservedName(code: identity)), at: bucket)
      }
      prompts[identity] = series
    }
  }

  /// Forgets identities that have not called for a month, and where the table is nearly full those
  /// that spend least.
  private mutating func forgetStrangers(_ bucket: Int64) {
    let isCrowded = names[0].count * 10 > settings.maximumSeries * 9
    var gone: [UInt32] = []
    for code in spend[0].indices where code > 1 && spend[0][code].isKnown {
      let silence = bucket - spend[0][code].lastActive
      if silence > 30 * 8640, !spend[0][code].isBusy { gone.append(UInt32(code)) }
    }
    if isCrowded {
      let idle = spend[0].indices.filter { code in
        code > 1 && spend[0][code].isKnown && !spend[0][code].isBusy
          && bucket - spend[0][code].lastActive > 360
      }
      let cheapest = idle.sorted {
        (spend[0][$0].total, names[0].hash(ObservedName(code: UInt32($0))))
          < (spend[0][$1].total, names[0].hash(ObservedName(code: UInt32($1))))
      }
      gone += cheapest.prefix(settings.maximumSeries / 4).map { UInt32($0) }
    }
    guard !gone.isEmpty else { return }
    for code in gone {
      spend[0][Int(code)] = SpendSeries()
      if traffic[0].indices.contains(Int(code)) { traffic[0][Int(code)] = nil }
      prompts[code] = nil
      homes[code] = nil
    }
    // A number may be in a bucket that is still open; then its name must stay.
    var inUse: Set<UInt32> = []
    for open in openBuckets { for cell in open.cells { inUse.insert(cell.key.identity.code) } }
    history.replace(identities: Set(gone))
    names[0].remove(gone.filter { !inUse.contains($0) }.map { ObservedName(code: $0) })
  }
}
