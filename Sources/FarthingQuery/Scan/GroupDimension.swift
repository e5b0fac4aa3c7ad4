internal import FarthingCore
internal import FarthingStore

/// A value by which rows are grouped, in its own type.
enum GroupValue: Hashable {
  case text(String)
  case integer(Int64)
  case boolean(Bool)
  case real(Double)
  case money(Int128)
  case time(Int64)
  case null

  /// The order of rows: by value, text by its UTF-8 bytes, null last.
  static func precedes(_ left: GroupValue, _ right: GroupValue) -> Bool {
    switch (left, right) {
    case (.text(let left), .text(let right)):
      left.utf8.lexicographicallyPrecedes(right.utf8)
    case (.integer(let left), .integer(let right)): left < right
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.real(let left), .real(let right)): left < right
    case (.money(let left), .money(let right)): left < right
    case (.time(let left), .time(let right)): left < right
    case (.null, _): false
    default: true
    }
  }
}

/// Numbers the values of one grouped field, or the time buckets, for one worker.
final class GroupDimension {
  enum Kind {
    case text(ColumnSlot, CodeUniverse)
    case boolean(ColumnSlot)
    case integer(ColumnSlot)
    case real(ColumnSlot)
    case time(ColumnSlot)
    case money(ColumnSlot, high: ColumnSlot, unpriced: TextMask?)
    /// The buckets are listed where they are few enough.
    case bucket(ColumnSlot, TimeBuckets, listed: BucketList?)
  }

  let kind: Kind
  /// Numbers are below this; nil where that is not known before the scan.
  let cardinality: Int?
  private(set) var ids: [UInt32] = []
  private var map: [UInt32]?
  private var ownTexts = TextInterner()
  private var ownKeys = KeyInterner()
  private var ownAmounts: [Int128: UInt32] = [:]
  private var amounts: [Int128] = []

  init(_ kind: Kind) {
    self.kind = kind
    switch kind {
    case .text(_, let universe): cardinality = universe.isOpen ? nil : universe.count
    case .boolean: cardinality = 3
    case .bucket(_, _, let listed): cardinality = listed?.starts.count
    case .integer, .real, .time, .money: cardinality = nil
    }
  }

  var byteCount: Int { ownTexts.byteCount + ownKeys.byteCount + amounts.count * 64 }

  func enterSegment(_ place: Int) {
    if case .text(_, let universe) = kind { map = universe.map(ofSegment: place) }
    if case .money(_, _, let unpriced?) = kind { unpriced.enterSegment() }
  }

  /// The codes and their table, where that is all it takes to number the block's rows.
  func codesAndMap(_ reader: BlockReader) throws(StoreError) -> (ColumnSlot, [UInt32])? {
    guard case .text(let slot, _) = kind, let map else { return nil }
    try reader.loadCodes(slot)
    return (slot, map)
  }

  /// Numbers the kept rows of the block, and perhaps others, into ``ids``. `starts` replaces the
  /// rows' own times for buckets.
  func fill(
    _ reader: BlockReader, _ kept: RowSelection, starts: [Int64]?
  ) throws(StoreError) {
    let rows = reader.rowCount
    if ids.count < rows { ids = [UInt32](repeating: 0, count: rows) }
    switch kind {
    case .text(let slot, let universe): try fillTexts(slot, universe, reader)
    case .bucket(let slot, let buckets, let listed):
      try reader.loadIntegers(slot, rows: kept.span)
      if starts == nil, let listed, let zone = reader.zone(slot.name, block: reader.block) {
        fillListed(slot.integers.values, listed, zone, kept)
      } else {
        fillBuckets(starts ?? slot.integers.values, buckets, listed, kept)
      }
    case .real(let slot):
      try reader.loadReals(slot)
      let values = slot.reals.values
      for row in 0..<rows {
        let isPresent = slot.reals.validity.map { $0[row] != 0 } ?? true
        // Adding 0 makes −0 and 0 one value.
        ids[row] = isPresent ? ownKeys.intern((values[row] + 0).bitPattern) + 1 : 0
      }
    case .boolean(let slot):
      try reader.loadIntegers(slot)
      for row in 0..<rows {
        let isPresent = slot.integers.validity.map { $0[row] != 0 } ?? true
        ids[row] = isPresent ? (slot.integers.values[row] == 0 ? 1 : 2) : 0
      }
    case .integer(let slot), .time(let slot):
      try reader.loadIntegers(slot)
      for row in 0..<rows {
        let isPresent = slot.integers.validity.map { $0[row] != 0 } ?? true
        let value = slot.integers.values[row]
        ids[row] = isPresent ? ownKeys.intern(UInt64(bitPattern: value)) + 1 : 0
      }
    case .money(let slot, let high, let unpriced):
      try fillAmounts(slot, high, unpriced, reader)
    }
  }

  private func fillTexts(
    _ slot: ColumnSlot, _ universe: CodeUniverse, _ reader: BlockReader
  ) throws(StoreError) {
    if let (slot, map) = try codesAndMap(reader) {
      Kernels.translate(slot.codes, map, rows: reader.rowCount, into: &ids)
      return
    }
    try reader.loadText(slot)
    let bytes = slot.text.bytes
    for row in 0..<reader.rowCount {
      guard let range = slot.text.range(row) else {
        ids[row] = universe.absent
        continue
      }
      if let known = universe.texts.number(of: bytes.span, range) {
        ids[row] = known + 1
      } else {
        ids[row] = UInt32(universe.count) + ownTexts.intern(bytes.span, range)
      }
    }
  }

  /// The number that all kept rows of the reader's block have, where its range of times tells so.
  func commonID(_ reader: BlockReader) -> UInt32? {
    guard case .bucket(let slot, _, let listed?) = kind, !listed.starts.isEmpty,
      let zone = reader.zone(slot.name, block: reader.block)
    else { return nil }
    let place = listed.place(of: zone.lowerBound)
    return place == listed.place(of: zone.upperBound) ? UInt32(place) : nil
  }

  /// Numbers rows whose block lies in few of the listed buckets.
  private func fillListed(
    _ times: [Int64], _ listed: BucketList, _ zone: ClosedRange<Int64>, _ kept: RowSelection
  ) {
    let first = listed.place(of: zone.lowerBound)
    let last = listed.place(of: zone.upperBound)
    let bounds = first < last ? Array(listed.bounds[first + 1...last]) : []
    var numbers: [UInt32] = []
    swap(&numbers, &ids)
    if let list = kept.list {
      Kernels.place(
        times, list, count: kept.count, among: bounds, first: UInt32(first), into: &numbers)
    } else {
      Kernels.place(times, rows: kept.count, among: bounds, first: UInt32(first), into: &numbers)
    }
    swap(&numbers, &ids)
  }

  private func fillBuckets(
    _ times: [Int64], _ buckets: TimeBuckets, _ listed: BucketList?, _ kept: RowSelection
  ) {
    var start: Int64 = 0
    var until: Int64 = 0
    var id: UInt32 = 0
    // A local array: a write through the class is checked for exclusive access, row by row.
    var numbers: [UInt32] = []
    swap(&numbers, &ids)
    for index in 0..<kept.count {
      let row = kept.row(index)
      let time = times[row]
      if time < start || time >= until {
        (start, until) = buckets.bucket(containing: time)
        id = bucketID(start, listed)
      }
      numbers[row] = id
    }
    swap(&numbers, &ids)
  }

  private func bucketID(_ start: Int64, _ listed: BucketList?) -> UInt32 {
    guard let listed = listed?.starts else { return ownKeys.intern(UInt64(bitPattern: start)) }
    var low = 0
    var high = listed.count
    while low < high {
      let middle = (low + high) / 2
      if listed[middle] < start { low = middle + 1 } else { high = middle }
    }
    // A footer that lies about its times lists too few; its checksum held, so it was made to lie.
    return UInt32(max(0, min(low, listed.count - 1)))
  }

  /// The number of the bucket of an instant; of a dimension of buckets only.
  func bucketID(containing time: Int64) -> UInt32 {
    guard case .bucket(_, let buckets, let listed) = kind else { return 0 }
    return bucketID(buckets.bucket(containing: time).start, listed)
  }

  /// The number of a code of the segment at hand; nil of dimensions that have no codes.
  func id(ofCode code: Int) -> UInt32? { map?[code] }

  private func fillAmounts(
    _ slot: ColumnSlot, _ high: ColumnSlot, _ unpriced: TextMask?, _ reader: BlockReader
  ) throws(StoreError) {
    let rows = reader.rowCount
    try reader.loadIntegers(slot)
    if high.kind != nil { try reader.loadIntegers(high) }
    var hidden = [UInt8](repeating: 0, count: rows)
    if let unpriced { try unpriced.fill(&hidden, reader) }
    for row in 0..<rows {
      let isPresent = slot.integers.validity.map { $0[row] != 0 } ?? true
      guard isPresent, hidden[row] == 0 else {
        ids[row] = 0
        continue
      }
      let low = slot.integers.values[row]
      ids[row] = intern(
        high.kind == nil ? Int128(low) : wideAmount(high: high.integers.values[row], low: low))
    }
  }

  private func intern(_ amount: Int128) -> UInt32 {
    if let known = ownAmounts[amount] { return known }
    amounts.append(amount)
    ownAmounts[amount] = UInt32(amounts.count)
    return UInt32(amounts.count)
  }

  /// The value of a number.
  func value(_ id: UInt32) -> GroupValue {
    switch kind {
    case .text(_, let universe):
      if id == 0 { return .null }
      if id < universe.count { return .text(universe.texts.string(Int(id) - 1)) }
      return .text(ownTexts.string(Int(id) - universe.count))
    case .boolean: return id == 0 ? .null : .boolean(id == 2)
    case .bucket(_, _, let listed):
      return .time(listed?.starts[Int(id)] ?? Int64(bitPattern: ownKeys.keys[Int(id)]))
    case .integer: return id == 0 ? .null : .integer(ownKey(id))
    case .time: return id == 0 ? .null : .time(ownKey(id))
    case .real:
      return id == 0 ? .null : .real(Double(bitPattern: UInt64(bitPattern: ownKey(id))))
    case .money: return id == 0 ? .null : .money(amounts[Int(id) - 1])
    }
  }

  private func ownKey(_ id: UInt32) -> Int64 { Int64(bitPattern: ownKeys.keys[Int(id) - 1]) }

  /// The number here of each number that `other`, the same dimension of another worker, has given.
  func absorb(_ other: GroupDimension) -> [UInt32]? {
    switch (kind, other.kind) {
    case (.text(_, let universe), _):
      if other.ownTexts.count == 0 { return nil }
      let bytes = other.ownTexts.bytes
      let own = (0..<other.ownTexts.count).map { index in
        UInt32(universe.count) + ownTexts.intern(bytes.span, other.ownTexts.range(index))
      }
      return Array(0..<UInt32(universe.count)) + own
    case (.boolean, _), (.bucket(_, _, .some), _): return nil
    case (.bucket, _): return other.ownKeys.keys.map { ownKeys.intern($0) }
    case (.integer, _), (.real, _), (.time, _):
      return [0] + other.ownKeys.keys.map { ownKeys.intern($0) + 1 }
    case (.money, _): return [0] + other.amounts.map { intern($0) }
    }
  }
}
