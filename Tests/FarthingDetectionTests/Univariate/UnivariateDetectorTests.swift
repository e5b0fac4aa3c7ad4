import Foundation
import Testing

@testable import FarthingDetection

/// Series made for a purpose; the same seed gives the same numbers.
private struct Noise {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  /// A number from 0 to below 1.
  mutating func uniform() -> Double {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Double(state >> 11) / Double(1 << 53)
  }

  /// Near enough to a normal variable of deviation 1.
  mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + uniform() } }
}

private let step: Int64 = 300_000_000_000
private let start: Int64 = 1_767_571_200_000_000_000

private func verdicts(
  _ values: [Double?], _ settings: UnivariateSettings = UnivariateSettings()
) -> [UnivariateVerdict] {
  var detector = UnivariateDetector(settings: settings)
  return values.enumerated().map { detector.observe($1, at: start + Int64($0) * step) }
}

private func scores(_ values: [Double?]) -> [Double] { verdicts(values).map(\.score) }

/// Level 100, deviation 3.
private func noisy(_ count: Int, seed: UInt64 = 1) -> [Double] {
  var noise = Noise(seed: seed)
  return (0..<count).map { _ in 100 + 3 * noise.normal() }
}

/// A day of 288 steps, from 50 at night to 150 at noon.
private func daily(_ days: Int, seed: UInt64 = 1) -> [Double] {
  var noise = Noise(seed: seed)
  return (0..<days * 288).map { row in
    let phase = Double(row % 288) / 288 * 2 * Double.pi
    return 100 - 50 * cos(phase) + 3 * noise.normal()
  }
}

@Suite struct `The univariate detector` {
  @Test(arguments: [0, -5, 1e-300, 1e300])
  func `a constant series never alarms`(level: Double) {
    #expect(scores(Array(repeating: level, count: 600)).allSatisfy { $0 == 0 })
  }

  @Test func `a spike scores highest, and at once`() throws {
    var series = noisy(1000)
    series[700] = 200
    let scores = scores(series)
    #expect(scores[700] > 0.8)
    #expect(scores.firstIndex(of: try #require(scores.max())) == 700)
  }

  @Test func `a dip is as new as a spike`() {
    var series = noisy(1000)
    series[700] = 10
    #expect(scores(series)[700] > 0.8)
  }

  @Test func `a new level is told when it begins, and is known then`() {
    var noise = Noise(seed: 3)
    var series = noisy(1500)
    for row in 1000..<1500 { series[row] = 160 + 3 * noise.normal() }
    let scores = scores(series)
    #expect(scores[1000] >= 0.5)
    #expect(scores[1200..<1500].allSatisfy { $0 < 0.5 })
  }

  @Test func `a value within the range where none was before is new`() throws {
    var series = (0..<1000).map { $0 % 40 < 20 ? 10.0 : 90 }
    series[800] = 50
    let verdict = verdicts(series)[800]
    #expect(verdict.isAlarm)
    let nearest = try #require(verdict.nearest)
    #expect(abs(nearest - 50) > 39)
  }

  @Test func `a usual value at an unusual time of day is new after a week`() {
    var series = daily(10)
    for row in 0..<24 { series[9 * 288 + 12 + row] = 150 }
    let verdicts = verdicts(series)
    let episode = verdicts[9 * 288 + 12..<9 * 288 + 36]
    #expect(episode.contains { $0.isAlarm })
    #expect(verdicts[5 * 288..<9 * 288].filter(\.isAlarm).count <= 1)
  }

  @Test func `noise of one kind seldom alarms once it is known`() {
    let alarms = (1...5).map { seed in
      scores(noisy(2000, seed: seed))[500...].count { $0 >= 0.5 }
    }
    #expect(alarms.reduce(0, +) <= 8, "\(alarms)")
  }

  @Test func `a score depends on no later row`() {
    var series: [Double?] = daily(3)
    series[400] = 1000
    series[500] = nil
    let whole = verdicts(series)
    for count in [1, 2, 99, 100, 399, 401, 501, 700] {
      #expect(verdicts(Array(series[..<count])) == Array(whole[..<count]))
    }
    var other = series
    for row in 600..<other.count { other[row] = -1e9 }
    #expect(Array(verdicts(other)[..<600]) == Array(whole[..<600]))
  }

  @Test(arguments: [1e-6, 0.5, 3, 1e9])
  func `a series in another unit has the same scores`(factor: Double) {
    var series = daily(9)
    series[2000] = 400
    let other = scores(series.map { $0 * factor })
    for (score, expected) in zip(other, scores(series)) { #expect(abs(score - expected) < 1e-6) }
  }

  @Test func `a missing value is nothing: the rows around it score as if it were not there`() {
    var series = noisy(600)
    series[500] = 180
    var detector = UnivariateDetector()
    var gappy = UnivariateDetector()
    for (row, value) in series.enumerated() {
      let time = start + Int64(row) * step
      if row % 7 == 3 {
        for missing in [nil, Double.nan, .infinity, -.infinity] {
          let verdict = gappy.observe(missing, at: time)
          #expect(verdict == UnivariateVerdict())
        }
      }
      let found = gappy.observe(value, at: time)
      let expected = detector.observe(value, at: time)
      #expect(found == expected)
    }
  }

  @Test func `no number makes a score that is none`() {
    var noise = Noise(seed: 9)
    let extremes: [Double] = [
      0, -0.0, 1, -1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
      .leastNormalMagnitude, 3 * .leastNonzeroMagnitude, 1e150, -1e151, 1e16, .ulpOfOne, .nan,
      .infinity,
    ]
    let times: [Int64?] = [nil, .min, .max, 0, -1, start]
    for seed in 0..<5 {
      var detector = UnivariateDetector()
      for row in 0..<400 {
        let pick = Int(noise.uniform() * Double(extremes.count + seed))
        let value = pick < extremes.count ? extremes[pick] : noise.normal()
        let verdict = detector.observe(value, at: times[row % times.count])
        #expect(verdict.score >= 0 && verdict.score < 1)
        #expect(verdict.novelty.isFinite && verdict.nearest?.isFinite ?? true)
      }
    }
  }

  @Test func `after one absurd value a usual spike is seen again within hours`() {
    var series = noisy(700)
    series[300] = 1e12
    series[600] = 200
    let scores = scores(series)
    #expect(scores[300] > 0.99)
    #expect(scores[600] >= 0.5)
  }

  @Test func `zeros for long do not make the first event after them absurd arithmetic`() {
    var series = Array(repeating: 0.0, count: 10_500)
    series[10] = 5
    series[10_490] = 5
    let scores = scores(series)
    #expect(scores.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(scores[11..<10_490].allSatisfy { $0 < 0.5 })
  }

  @Test func `a restart from its state goes on with the same scores`() throws {
    var series: [Double?] = daily(9)
    series[300] = 900
    series[2500] = 700
    let expected = verdicts(series)
    for stop in [0, 50, 301, 2400] {
      var detector = UnivariateDetector()
      for row in 0..<stop { _ = detector.observe(series[row], at: start + Int64(row) * step) }
      let state = try JSONEncoder().encode(detector)
      var restarted = try JSONDecoder().decode(UnivariateDetector.self, from: state)
      #expect(restarted == detector)
      for row in stop..<series.count {
        let verdict = restarted.observe(series[row], at: start + Int64(row) * step)
        #expect(verdict == expected[row])
      }
    }
  }

  @Test func `a damaged state is refused or goes on, and never ends the process`() throws {
    var detector = UnivariateDetector()
    for (row, value) in noisy(300).enumerated() {
      _ = detector.observe(value, at: start + Int64(row) * step)
    }
    let text = String(decoding: try JSONEncoder().encode(detector), as: UTF8.self)
    var noise = Noise(seed: 4)
    var refused = 0
    for _ in 0..<60 {
      var bytes = Array(text.utf8)
      let places = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
      for _ in 0..<3 {
        bytes[places[Int(noise.uniform() * Double(places.count))]] =
          0x30 + UInt8(noise.uniform() * 10)
      }
      guard var other = try? JSONDecoder().decode(UnivariateDetector.self, from: Data(bytes)) else {
        refused += 1
        continue
      }
      for value in [1, 1e9, -3, 0] {
        let score = other.observe(value, at: start).score
        #expect(score >= 0 && score < 1)
      }
    }
    let wrong = text.replacingOccurrences(of: "\"points\":2", with: "\"points\":0")
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(UnivariateDetector.self, from: Data(wrong.utf8))
    }
  }

  @Test func `its memory is bounded, whatever comes`() throws {
    var noise = Noise(seed: 5)
    var detector = UnivariateDetector()
    var sizes: [Int] = []
    for row in 0..<3000 {
      _ = detector.observe(
        noise.normal() * pow(10, noise.uniform() * 12 - 6), at: start + Int64(row) * step)
      if row == 1499 || row == 2999 { sizes.append(try JSONEncoder().encode(detector).count) }
    }
    #expect(sizes[1] < 40_000)
    #expect(Double(sizes[1]) < 1.3 * Double(sizes[0]))
  }
}

@Suite struct `The memory of what was` {
  /// Distances of points to the nearest kept before; nil for the first.
  private func distances(
    _ memory: NoveltyMemory, _ points: [(row: Int, point: [Double])]
  ) -> [Double?] {
    var memory = memory
    return points.map { memory.observe($0.point, row: $0.row, radius: 1)?.distance }
  }

  @Test func `a point is as new as it is far from the nearest`() {
    let memory = NoveltyMemory(width: 2, capacity: 8, memoryRows: 100)
    #expect(distances(memory, [(1, [0, 0]), (2, [3, 4]), (3, [3, 4.5])]) == [nil, 4, 0.5])
  }

  @Test func `what was not seen for long is forgotten, what was seen again is kept`() {
    let memory = NoveltyMemory(width: 1, capacity: 8, memoryRows: 10)
    let rows = [(1, [0.0]), (2, [5]), (9, [0.5]), (13, [5])]
    #expect(distances(memory, rows) == [nil, 5, 0.5, 5])
  }

  @Test func `without room the one not seen for longest goes`() {
    let memory = NoveltyMemory(width: 1, capacity: 2, memoryRows: 100)
    let rows = [(1, [0.0]), (2, [10]), (3, [0]), (4, [20]), (5, [10])]
    #expect(distances(memory, rows) == [nil, 10, 0, 10, 10])
  }
}

@Suite struct `The alarm gate` {
  @Test func `what is no stronger than what is left of an alarm is kept quiet`() {
    var gate = AlarmGate(rows: 100)
    let rows = [(4, 1), (3.9, 2), (5, 3), (2, 53), (2.6, 54), (0.1, 154)]
    let passed = rows.map { gate.passes($0.0, row: $0.1) }
    #expect(passed == [true, false, true, false, true, true])
  }
}
