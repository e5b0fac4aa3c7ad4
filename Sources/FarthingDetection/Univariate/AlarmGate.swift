/// Lets the first row of something new through and keeps quiet what follows it.
///
/// After a novelty F let through at row s, a row t passes where its own exceeds F · (1 − (t − s)/r), r the refractory rows: at
/// once only what is stronger, later also what is weaker.
struct AlarmGate: Sendable, Equatable, Codable {
  private let rows: Int
  private var last = 0.0
  private var lastRow: Int?

  init(rows: Int) { self.rows = max(1, rows) }

  /// - Parameter row: never less than in the call before.
  mutating func passes(_ novelty: Double, row: Int) -> Bool {
    if let lastRow, row - lastRow < rows {
      let left = 1 - Double(row - lastRow) / Double(rows)
      guard novelty > last * left else { return false }
    }
    last = novelty
    lastRow = row
    return true
  }

  /// - Parameter row: the row that the detector has come to.
  func isSound(at row: Int) -> Bool {
    rows >= 1 && last.isBounded && (0...max(0, row)).contains(lastRow ?? 0)
  }
}
