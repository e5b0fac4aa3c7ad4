package import FarthingCore

/// An immutable view of a store, as of one moment.
///
/// Each event that was accepted before that moment is in exactly one of its segments, but for those
/// that `damage` tells of.
package struct StoreSnapshot: Sendable {
  /// In the order in which their rows arrived.
  package var requests: [SegmentReader] = []
  package var outcomes: [SegmentReader] = []
  package var capacities: [SegmentReader] = []
  /// What is missing from this snapshot; every total over it says so.
  package var damage: [DamageReport] = []
  /// How many of ``damage``, from its beginning, a start has settled: the files are set aside, what
  /// was readable in them is in segments, and the rest is gone for good.
  package var settledDamageCount = 0
  /// What retention has dropped, the earliest day first.
  package var expiries: [ExpiryRecord] = []
  /// The catalogue's generation; a later snapshot has the same or a greater one.
  package var generation: Int64 = 0
  /// Rows of it that were in memory when it was made, of whatever kind.
  package private(set) var rowsInMemory = 0

  package init() {}

  /// The segments of one kind.
  package func segments(_ kind: EventKind) -> [SegmentReader] {
    switch kind {
    case .request: requests
    case .outcome: outcomes
    case .capacity: capacities
    }
  }

  mutating func add(_ segment: SegmentReader) {
    switch segment.kind {
    case .request: requests.append(segment)
    case .outcome: outcomes.append(segment)
    case .capacity: capacities.append(segment)
    }
  }

  /// Adds the rows of a buffer as a segment in memory. Its id is negative.
  mutating func add(_ buffer: WriteBuffer) throws(StoreError) {
    let id = -Int64(1 + requests.count + outcomes.count + capacities.count)
    // It lives as long as this snapshot: few questions would repay its sums by code.
    guard let sealed = buffer.sealed(id: id, budget: nil) else { return }
    rowsInMemory += sealed.rowCount
    add(try SegmentReader.open(MemorySegmentSource(name: "in memory", bytes: sealed.bytes)))
  }

  /// Opens a listed segment, or tells in ``damage`` why it is left out.
  @discardableResult
  mutating func open(
    _ entry: SegmentEntry, _ layout: StoreLayout, _ fileSystem: any FileSystem,
    cache: BlockCache? = nil
  ) -> SegmentReader? {
    do throws(StoreError) {
      let segment = try layout.openSegment(entry, fileSystem, cache: cache)
      add(segment)
      return segment
    } catch {
      damage.append(DamageReport(segment: entry, error: error))
      return nil
    }
  }

  /// Whether a file that the catalogue lists holds rows that this snapshot does not have.
  package var lacksRows: Bool {
    damage.dropFirst(settledDamageCount).contains { $0.lostRows != 0 }
  }

  /// What reading has found damaged in sums and distributions by code, for which the rows answered.
  package var sumsDamage: [DamageReport] {
    requests.compactMap { segment in
      segment.foundSumsDamage.map { DamageReport(sumsOf: segment, error: $0) }
    }
  }

  /// Leaves out the segments that reading has found damaged, and tells so in ``damage``.
  ///
  /// A segment goes whole: with one block gone its columns would no longer be of the same rows.
  /// - Returns: the new reports; empty where no open segment is known to be damaged.
  package mutating func setAsideDamaged() -> [DamageReport] {
    var reports: [DamageReport] = []
    func isIntact(_ segment: SegmentReader) -> Bool {
      guard let error = segment.foundDamage else { return true }
      reports.append(
        DamageReport(
          file: segment.name, rowCount: segment.rowCount, kind: segment.kind, error: error))
      return false
    }
    requests = requests.filter(isIntact)
    outcomes = outcomes.filter(isIntact)
    capacities = capacities.filter(isIntact)
    damage += reports
    return reports
  }

  /// Reads every block of every segment.
  ///
  /// - Returns: ``damage`` and a report for each segment with a damaged block. Such a segment's
  ///   other blocks are readable.
  /// - Complexity: O(bytes of the store).
  package func verified() -> [DamageReport] {
    var reports = damage
    let scratch = ScanScratch()
    for segment in requests + outcomes + capacities {
      do throws(StoreError) {
        try segment.verify(scratch: scratch)
      } catch {
        reports.append(
          DamageReport(
            file: segment.name, message: error.description, lostRows: nil, kind: segment.kind))
      }
      do throws(StoreError) {
        try segment.verifyCodeSums(scratch: scratch)
      } catch {
        reports.append(DamageReport(sumsOf: segment, error: error))
      }
    }
    return reports
  }
}

extension DamageReport {
  /// A listed segment that cannot be opened.
  init(segment entry: SegmentEntry, error: StoreError) {
    self.init(
      file: StoreLayout.segmentName(entry.id), rowCount: entry.rowCount, kind: entry.kind,
      error: error)
  }

  /// A segment whose rows are intact, but not what it knows of them.
  init(sumsOf segment: SegmentReader, error: StoreError) {
    self.init(
      file: segment.name,
      message: "\(error.description); answers are computed from its rows instead and lack none; "
        + "restore \(segment.name) from a backup",
      lostRows: 0, kind: segment.kind)
  }

  /// A whole segment that cannot be served.
  init(file: String, rowCount: Int, kind: EventKind, error: StoreError) {
    self.init(
      file: file,
      message: "\(error.description); answers lack its \(rowCount) \(kind) rows; restore \(file) "
        + "from a backup",
      lostRows: rowCount, kind: kind)
  }
}

extension SegmentReader {
  /// Reads every block of every column and every section but that of sums by code.
  ///
  /// - Throws: `damaged`, naming the first bad place; `io`.
  func verify(scratch: ScanScratch) throws(StoreError) {
    var codes: [UInt32] = []
    var integers = IntegerColumn()
    var reals = RealColumn()
    var texts = TextColumn()
    for part in sections.keys.sorted(by: { $0.rawValue < $1.rawValue }) where part != .codeSums {
      _ = try section(part)
    }
    for name in columnNames {
      if kind(of: name) == .codes { _ = try dictionary(name) }
      for block in 0..<blockCount {
        switch kind(of: name) {
        case .codes: try readCodes(name, block: block, into: &codes, scratch: scratch)
        case .integers: try readIntegers(name, block: block, into: &integers, scratch: scratch)
        case .reals: try readReals(name, block: block, into: &reals, scratch: scratch)
        case .text: try readText(name, block: block, into: &texts, scratch: scratch)
        case nil: break
        }
      }
    }
  }
}
