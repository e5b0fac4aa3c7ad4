// A price that changed without the book knowing beforehand: what the same requests cost more since.

internal import FarthingCore

/// What a model costs beyond its price before; a change is told once.
struct PriceShift: Sendable, Archivable {
  /// Share of the cost at the price before from which a rise is told.
  private static let least = 0.05

  private(set) var start: Int64 = -1
  private(set) var lastBucket: Int64 = 0
  /// Dollars beyond the price before, and dollars at that price.
  private(set) var excess = 0.0
  private(set) var usual = 0.0
  private(set) var tokens = 0.0
  private(set) var alarmedAt: Int64 = -1
  private(set) var isOver = false

  var isAlarmed: Bool { alarmedAt >= 0 }

  enum Verdict: Sendable {
    case nothing, opened, goingOn, closed
  }

  mutating func add(
    excess extra: Double, usual cost: Double, tokens count: Double, bucket: Int64,
    _ settings: DetectionSettings
  ) -> Verdict {
    // Another change, days after the last one had been taken for usual.
    if start < 0 || bucket - lastBucket > SpendSeries.bucketsPerDay {
      self = PriceShift()
      start = bucket
    }
    lastBucket = bucket
    guard !isOver else { return .nothing }
    excess += extra
    usual += cost
    tokens += count
    guard isAlarmed else {
      guard excess >= settings.minDriftUSD, excess >= Self.least * usual else { return .nothing }
      alarmedAt = bucket
      return .opened
    }
    guard bucket - alarmedAt >= SpendSeries.bucketsPerDay else { return .goingOn }
    alarmedAt = -1
    isOver = true
    return .closed
  }

  /// Ends the alarm of a model that is not called any more.
  mutating func close() {
    alarmedAt = -1
    isOver = true
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&start)
    archive.field(&lastBucket)
    archive.field(&excess)
    archive.field(&usual)
    archive.field(&tokens)
    archive.field(&alarmedAt)
    archive.field(&isOver)
  }
}
