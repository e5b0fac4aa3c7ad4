internal import FarthingStore
internal import Glibc

/// What each column of a store takes and what reading it costs, as a table.
///
/// Bytes are divided by the rows of all requests, whatever the kind of the column, so that the
/// figures of all kinds add up to the bytes an event. Reading is timed in CPU nanoseconds a row of
/// the column's own kind, over every block, after one pass that warms the page cache.
struct ColumnTable {
  private let snapshot: StoreSnapshot
  private let scratch = ScanScratch()

  init(_ snapshot: StoreSnapshot) { self.snapshot = snapshot }

  func lines() throws(StoreError) -> [String] {
    var lines = ["kind column bytes bytes/request ns/row"]
    let requests = max(1, snapshot.requests.reduce(0) { $0 + $1.rowCount })
    for (kind, segments) in [
      ("request", snapshot.requests), ("outcome", snapshot.outcomes),
      ("capacity", snapshot.capacities),
    ] where !segments.isEmpty {
      var names: Set<ColumnName> = []
      for segment in segments { names.formUnion(segment.columnNames) }
      let rows = segments.reduce(0) { $0 + $1.rowCount }
      var left = segments.reduce(0) { $0 + $1.byteCount }
      lines.append("\(kind) (all) \(left) \(Self.text(left, requests)) –")
      for name in names.sorted() {
        let bytes = segments.reduce(0) { $0 + $1.byteCount(of: name) }
        left -= bytes
        try read(name, segments)
        let start = Self.now
        try read(name, segments)
        let time = Self.now - start
        lines.append(
          "\(kind) \(name) \(bytes) \(Self.text(bytes, requests)) \(Self.text(time, rows))")
      }
      lines.append("\(kind) (footers) \(left) \(Self.text(left, requests)) –")
    }
    return lines
  }

  private func read(_ name: ColumnName, _ segments: [SegmentReader]) throws(StoreError) {
    var codes: [UInt32] = []
    var integers = IntegerColumn()
    var reals = RealColumn()
    var texts = TextColumn()
    for segment in segments {
      for block in 0..<segment.blockCount {
        switch segment.kind(of: name) {
        case .codes: try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
        case .integers:
          try segment.readIntegers(name, block: block, into: &integers, scratch: scratch)
        case .reals: try segment.readReals(name, block: block, into: &reals, scratch: scratch)
        case .text: try segment.readText(name, block: block, into: &texts, scratch: scratch)
        case nil: break
        }
      }
    }
  }

  /// CPU nanoseconds of this process.
  private static var now: Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// A quotient with two digits after the point.
  private static func text(_ part: Int, _ whole: Int) -> String {
    let hundredths = (part * 100 + whole / 2) / whole
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}
