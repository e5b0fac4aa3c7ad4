import FarthingCore
import FarthingPipeline
import FarthingQuery
import Foundation
import Testing

/// How often the band of a forecast holds what then came.
///
/// `FARTHING_FORECAST_SERIES` names a file of hourly series, one a line: a name, then its values, by commas. See
/// Benchmarks/forecast_series.py.
@Suite struct `The band of a forecast` {
  private struct Tally {
    var trials = 0
    var held = 0

    var share: Double { Double(held) / Double(max(1, trials)) }
  }

  /// Forecasts from many days on, each over the hours that follow, against what they came to.
  private func tally(
    _ series: [Double], horizons: [Int], into tallies: inout [String: Tally], group: String
  ) {
    for horizon in horizons {
      for origin in stride(
        from: 24, through: series.count - horizon, by: series.count < 1000 ? 24 : 72)
      {
        let history = Array(series[max(0, origin - 16 * 168)..<origin])
        let forecast = SpendForecast(history: history, firstHourOfWeek: 0, count: horizon)
        guard forecast.method != .unknown else { continue }
        let actual = series[origin..<origin + horizon].reduce(0, +)
        let (_, low, high) = forecast.sum
        let isHeld = actual >= low * (1 - 1e-12) && actual <= high * (1 + 1e-12)
        let base =
          forecast.trials == 0
          ? "untried" : forecast.trials < 9 ? "tried below 9 times" : "tried 9 times and more"
        for name in [
          "\(group), \(horizon / 24) d", "\(group), \(forecast.method.rawValue), \(base)",
        ] {
          tallies[name, default: Tally()].trials += 1
          tallies[name, default: Tally()].held += isHeld ? 1 : 0
        }
      }
    }
  }

  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["FARTHING_FORECAST_SERIES"] != nil,
      "FARTHING_FORECAST_SERIES names no file of series"))
  func `holds on real traces as often as is printed`() throws {
    let file = try #require(ProcessInfo.processInfo.environment["FARTHING_FORECAST_SERIES"])
    let text = try String(contentsOfFile: file, encoding: .utf8)
    var tallies: [String: Tally] = [:]
    for (number, line) in text.split(separator: "\n").enumerated() {
      let fields = line.split(separator: ",")
      let source = fields[0].split(separator: "/")[0]
      let half = number % 2 == 0 ? "tuned on" : "kept apart"
      tally(
        fields.dropFirst().compactMap { Double($0) }, horizons: [24, 72, 168, 336, 720],
        into: &tallies, group: "\(source), \(half)")
    }
    for (name, tally) in tallies.sorted(by: { $0.key < $1.key }) {
      print("\(name): \(tally.held) of \(tally.trials), \((tally.share * 1000).rounded() / 10) %")
    }
    #expect(!tallies.isEmpty)
  }

  /// Poisson-like traffic with days, weeks and a slow drift: what a fleet of applications spends.
  private func fleet(_ seed: UInt64, days: Int) -> [Double] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func random() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Double(state >> 11) / Double(1 << 53)
    }
    var level = 1.0
    return (0..<days * 24).map { hour in
      if hour % 24 == 0 { level *= 1 + 0.06 * (random() - 0.5) }
      let daily = 0.4 + 0.6 * Double((hour % 24 + 2) / 8 % 3) / 2
      let weekly = hour / 24 % 7 >= 5 ? 0.5 : 1
      return level * daily * weekly * (0.6 + 0.8 * random())
    }
  }

  @Test func `holds four times out of five on traffic with days, weeks and drift`() {
    var tallies: [String: Tally] = [:]
    for seed in UInt64(1)...6 {
      tally(fleet(seed, days: 84), horizons: [24, 168, 336], into: &tallies, group: "fleet")
    }
    let all = tallies.filter { $0.key.hasSuffix(" d") }.values
    let held = all.reduce(0) { $0 + $1.held }
    let trials = all.reduce(0) { $0 + $1.trials }
    let share = Double(held) / Double(trials)
    #expect(share > 0.75 && share < 0.97, "\(held) of \(trials)")
  }
}
