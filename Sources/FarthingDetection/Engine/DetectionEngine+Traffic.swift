internal import FarthingCore

extension DetectionEngine {
  /// Counts a closed bucket's requests, and judges a step where it ends with this bucket.
  mutating func closeTraffic(_ cells: [Cell], _ bucket: Int64) {
    for (table, dimension) in Self.spendDimensions.enumerated() where table > 0 {
      for cell in cells where cell.key[dimension].isSingle {
        let place = cell.key[dimension].index
        while traffic[table].count <= place { traffic[table].append(nil) }
        let factor = calendarFactor(cell.key, bucket: bucket)
        // Attempts after the first are another cause's doing.
        let count = Double(cell.sums.requests - cell.sums.retries) / factor
        let cost = estimatedDollars(cell.sums.steadyCost) / factor
        traffic[table][place, default: TrafficSeries()].add(count: count, cost: cost)
      }
    }
  }

  /// Judges the step that ends before `bucket`, a multiple of a step.
  mutating func finishStep(_ bucket: Int64) {
    var seen = 0.0
    var foreseen = 0.0
    for series in traffic[1] {
      guard let series, let known = series.forecast(bucket) else { continue }
      seen += series.count
      foreseen += known
    }
    let share = foreseen > 0 ? min(1, seen / foreseen) : 1
    for table in traffic.indices {
      for place in traffic[table].indices {
        guard var series = traffic[table][place] else { continue }
        let known = spend[table].indices.contains(place) ? spend[table][place].sites : []
        // Where a site of its is silent, requests may be missing rather than less.
        let name = ObservedName(code: UInt32(place))
        guard known.allSatisfy({ sites.isHeard([$0], bucket - 1) }),
          !isFallAnnounced(Self.spendDimensions[table], name, bucket: bucket - 1)
        else {
          traffic[table][place]?.skip()
          continue
        }
        // A tenant's few identities jump by themselves more often than the many of a workload.
        let least = (table == 2 ? 1.5 : 1) * settings.minUSD
        let verdict = series.finish(bucket, share: share, least: least)
        traffic[table][place] = series
        tell(verdict, series, table, place, bucket)
      }
    }
  }

  private mutating func tell(
    _ verdict: TrafficSeries.Verdict, _ series: TrafficSeries, _ table: Int, _ place: Int,
    _ bucket: Int64
  ) {
    let key = AlarmKey(
      family: .traffic, dimension: Self.spendDimensions[table],
      name: ObservedName(code: UInt32(place)))
    let hours = Double(max(1, bucket - series.start)) / 360
    switch verdict {
    case .nothing: break
    case .opened: alarms.append(trafficAlarm(key, series, bucket, hours))
    case .goingOn:
      board.update(
        AlarmProgress(
          key: key, excess: abs(series.excess), perHour: abs(series.excess) / hours,
          actual: series.dollars / hours))
    case .closed: board.close(key, at: bucket)
    }
  }

  private func trafficAlarm(
    _ key: AlarmKey, _ series: TrafficSeries, _ bucket: Int64, _ hours: Double
  ) -> Alarm {
    let kind: AlertKind
    if series.isDrop {
      kind = .spendDrop
    } else {
      kind = key.dimension == .identity && series.ratio > 10 ? .denialOfWallet : .spendSpike
    }
    let word = series.isDrop ? "less" : "more"
    let statistic = series.isDrop ? series.down : series.up
    return Alarm(
      key: key, kind: kind, metric: "cost", start: series.start, detected: bucket,
      expected: series.expectedDollars / hours, actual: series.dollars / hours,
      excess: abs(series.excess), perHour: abs(series.excess) / hours,
      measure: series.isDrop ? nil : .spend,
      evidence:
        "\(IncidentWording.number(series.ratio)) × the requests that the last hour and the time of day "
        + "foretell since \(IncidentWording.time(series.start)), \(IncidentWording.dollars(abs(series.excess))) "
        + "\(word); statistic \(IncidentWording.number(statistic)), told from 9 on")
  }
}

extension Array {
  /// The optional element at a place, made where it is nil.
  fileprivate subscript<Wrapped>(place: Int, default value: @autoclosure () -> Wrapped) -> Wrapped
  where Element == Wrapped? {
    get { self[place] ?? value() }
    set { self[place] = newValue }
  }
}
