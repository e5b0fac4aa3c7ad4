// The Bernoulli CUSUM: how often something goes wrong.
//
// Of n trials in a bucket k hit. With the usual share p0 and an alternative p1 = min(.95, max(m·p0, p0 + a)):
//
//     G ← max(0, G + k·ln(p1/p0) + (n − k)·ln((1−p1)/(1−p0)))        alarm when G > h
//
// e^h : 1 is the likelihood ratio for p1 over p0 since G left zero.

internal import FarthingCore

/// What a series of hits watches.
enum HitKind: UInt8, Sendable, CaseIterable {
  /// Requests that failed or were not the first attempt, per endpoint and per workload.
  case trouble
  /// Requests that another model answered.
  case fallback
  /// Tasks that failed.
  case taskFailure

  struct Shape {
    var multiple: Double
    var added: Double
    var threshold: Double
    /// Trials before anything is told.
    var warmUp: Double
    /// Largest weight of one trial.
    var memory: Double
  }

  var shape: Shape {
    switch self {
    case .trouble:
      Shape(multiple: 4, added: 0.2, threshold: 16, warmUp: 200, memory: 667)
    case .fallback:
      Shape(multiple: 4, added: 0.10, threshold: 12, warmUp: 0, memory: 667)
    case .taskFailure:
      Shape(multiple: 1.5, added: 0.12, threshold: 10, warmUp: 60, memory: 667)
    }
  }
}

struct HitSeries: Sendable, Archivable {
  /// The usual share.
  private(set) var share = ForgettingMean()
  private(set) var trials = 0.0
  private(set) var evidence = 0.0
  private(set) var start: Int64 = 0
  /// Of the excursion.
  private(set) var hits = 0.0
  private(set) var seen = 0.0
  private(set) var dollars = 0.0
  private(set) var alarmedAt: Int64 = -1
  private var calm = 0.0
  private(set) var lastBucket: Int64 = 0

  var isAlarmed: Bool { alarmedAt >= 0 }

  enum Verdict: Sendable {
    case nothing, opened, goingOn, closed
  }

  /// The share that is usual, at least a little: a thing that never happened may happen once.
  func usualShare(_ shape: HitKind.Shape) -> Double {
    min(0.9, max(share.value, 0.5 / (max(trials, 1) + 50), 0.002))
  }

  /// Accounts for a bucket's trials.
  ///
  /// - Parameter cost: dollars behind the hits.
  mutating func add(
    trials count: Double, hits hitCount: Double, cost: Double, bucket: Int64,
    _ shape: HitKind.Shape, _ settings: DetectionSettings
  ) -> Verdict {
    let usual = usualShare(shape)
    let other = min(0.95, max(shape.multiple * usual, usual + shape.added))
    let gain = ReproducibleMath.logarithm(other / usual)
    let loss = ReproducibleMath.logarithm((1 - other) / (1 - usual))
    let isReady = trials >= shape.warmUp
    if isReady {
      // Odds of less than e : 1 say nothing: what may have begun begins here.
      if evidence < 1, !isAlarmed {
        start = bucket
        hits = 0
        seen = 0
        dollars = 0
      }
      evidence = max(0, evidence + hitCount * gain + (count - hitCount) * loss)
      // What is beyond doubt need not grow: or the end of a long alarm would take as long.
      evidence = min(evidence, 4 * shape.threshold)
      if evidence > 0 {
        hits += hitCount
        seen += count
        dollars += cost
      }
    }
    learn(count, hitCount, shape, isReady: isReady)
    lastBucket = bucket
    return verdict(bucket, count, hitCount, usual, other, shape, settings)
  }

  private mutating func learn(
    _ count: Double, _ hitCount: Double, _ shape: HitKind.Shape, isReady: Bool
  ) {
    trials += count
    var rate = 1.0
    if isReady, evidence > shape.threshold / 2 { rate = 0.15 }
    if isAlarmed { rate = 0.03 }
    guard count > 0 else { return }
    share.add(hitCount / count, memory: shape.memory, rate: min(count * rate, shape.memory / 2))
  }

  private mutating func verdict(
    _ bucket: Int64, _ count: Double, _ hitCount: Double, _ usual: Double, _ other: Double,
    _ shape: HitKind.Shape, _ settings: DetectionSettings
  ) -> Verdict {
    guard isAlarmed else {
      guard evidence > shape.threshold, dollars >= settings.minHitUSD else { return .nothing }
      alarmedAt = bucket
      calm = 0
      return .opened
    }
    // Calm trials make up for hits by what each says against the usual share.
    let middle = (usual + other) / 2
    calm = max(0, calm + (count - hitCount) * middle - hitCount * (1 - middle))
    let isLong = bucket - alarmedAt >= 2 * SpendSeries.bucketsPerDay
    if evidence == 0 || calm > 3 || isLong {
      close()
      return .closed
    }
    return .goingOn
  }

  /// Ends the alarm: it is over, or nothing was heard for long.
  mutating func close() {
    alarmedAt = -1
    evidence = 0
    calm = 0
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&share)
    archive.field(&trials)
    archive.field(&evidence)
    archive.field(&start)
    archive.field(&hits)
    archive.field(&seen)
    archive.field(&dollars)
    archive.field(&alarmedAt)
    archive.field(&calm)
    archive.field(&lastBucket)
  }
}
