internal import FarthingCore

extension DetectionEngine {
  /// Counts what requests cost beyond prices that changed without being known beforehand.
  mutating func closePrices(_ cells: [Cell], _ bucket: Int64) {
    var sums: [UInt32: CellSums] = [:]
    for cell in cells where cell.sums.unforeseen != 0 && cell.key.model.isSingle {
      // Who announced that more is spent there has been told enough.
      guard calendarFactor(cell.key, bucket: bucket) == 1 else { continue }
      sums[cell.key.model.code, default: CellSums()].add(cell.sums)
    }
    for (code, sum) in sums {
      let excess = estimatedDollars(sum.unforeseen)
      let verdict = prices[code, default: PriceShift()].add(
        excess: excess, usual: estimatedDollars(sum.cost) - excess,
        tokens: Double(sum.input) + Double(sum.output), bucket: bucket, settings)
      guard let shift = prices[code] else { continue }
      let key = Self.priceKey(code)
      switch verdict {
      case .nothing: break
      case .opened: alarms.append(priceAlarm(key, shift, bucket))
      case .goingOn:
        board.update(
          AlarmProgress(
            key: key, excess: shift.excess, perHour: Self.perHour(shift, bucket),
            actual: Self.perMillion(shift.usual + shift.excess, shift)))
      case .closed: board.close(key, at: bucket)
      }
    }
  }

  /// Ends alarms of models that nobody has called for a day.
  mutating func closeStalePrices(_ bucket: Int64) {
    for code in prices.keys.sorted() {
      guard let shift = prices[code], shift.isAlarmed,
        bucket - shift.lastBucket > SpendSeries.bucketsPerDay
      else { continue }
      prices[code]?.close()
      board.close(Self.priceKey(code), at: bucket)
    }
  }

  private static func priceKey(_ code: UInt32) -> AlarmKey {
    AlarmKey(family: .price, dimension: .model, name: ObservedName(code: code))
  }

  private static func perHour(_ shift: PriceShift, _ bucket: Int64) -> Double {
    max(0, shift.excess) / (Double(max(1, bucket - shift.start + 1)) / 360)
  }

  private static func perMillion(_ dollars: Double, _ shift: PriceShift) -> Double {
    dollars / max(1, shift.tokens) * 1e6
  }

  private func priceAlarm(_ key: AlarmKey, _ shift: PriceShift, _ bucket: Int64) -> Alarm {
    let (usual, now) = (shift.usual, shift.usual + shift.excess)
    return Alarm(
      key: key, kind: .priceChange, metric: "cost_per_1m_tokens", start: shift.start,
      detected: bucket, expected: Self.perMillion(usual, shift),
      actual: Self.perMillion(now, shift), excess: shift.excess,
      perHour: Self.perHour(shift, bucket),
      evidence: "requests since \(IncidentWording.time(shift.start)) cost "
        + "\(IncidentWording.number(now / max(usual, 1e-12))) × what they would have cost at the price before, "
        + "\(IncidentWording.dollars(shift.excess)) extra; the price book was changed after requests of that time "
        + "had been priced")
  }
}
