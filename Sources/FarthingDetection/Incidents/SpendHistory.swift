// What was spent of late and by whom: the evidence for root causes.
//
// Cells of a quarter of an hour, two days of them. Where a quarter has more slices than its share, the cheapest
// are summed under their tenant alone, so that sums by tenant stay whole.

internal import FarthingCore

/// A quarter of an hour of cells.
struct HistorySlot: Sendable, Archivable {
  /// Unix time in slots.
  var number: Int64 = 0
  var cells: [Cell] = []

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&number)
    archive.field(&cells, Cell())
  }
}

struct SpendHistory: Sendable, Archivable {
  static let bucketsPerSlot: Int64 = 90
  static let slots = 192
  static let cellsPerSlot = 512

  /// Closed ones, the oldest first.
  private(set) var closed: [HistorySlot] = []
  private(set) var current = HistorySlot()
  private var places: [CellKey: Int] = [:]

  static func slot(ofBucket bucket: Int64) -> Int64 {
    CivilTime.floorDivide(bucket, bucketsPerSlot)
  }

  mutating func add(_ cells: [Cell], bucket: Int64) {
    let number = Self.slot(ofBucket: bucket)
    if number != current.number { turn(to: number) }
    for cell in cells {
      if let place = places[cell.key] {
        current.cells[place].sums.add(cell.sums)
        if DearRequest.isDearer(cell.dearest, current.cells[place].dearest) {
          current.cells[place].dearest = cell.dearest
        }
      } else {
        places[cell.key] = current.cells.count
        current.cells.append(cell)
      }
    }
  }

  private mutating func turn(to number: Int64) {
    if !current.cells.isEmpty {
      var slot = current
      slot.cells = Self.bounded(slot.cells)
      closed.append(slot)
    }
    current = HistorySlot(number: number)
    places.removeAll(keepingCapacity: true)
    let oldest = number - Int64(Self.slots)
    let expired = closed.prefix { $0.number < oldest }.count
    if expired > 0 { closed.removeFirst(expired) }
  }

  private static func bounded(_ cells: [Cell]) -> [Cell] {
    guard cells.count > cellsPerSlot else { return cells }
    let sorted = cells.sorted { left, right in
      left.sums.cost != right.sums.cost
        ? left.sums.cost > right.sums.cost : left.sums.requests > right.sums.requests
    }
    var kept = Array(sorted.prefix(cellsPerSlot))
    var rest: [UInt32: Cell] = [:]
    for cell in sorted.dropFirst(cellsPerSlot) {
      var key = CellKey.none
      key.tenant = cell.key.tenant
      rest[key.tenant.code, default: Cell(key: key)].sums.add(cell.sums)
    }
    for tenant in rest.keys.sorted() { if let cell = rest[tenant] { kept.append(cell) } }
    return kept
  }

  /// Calls `body` with every cell of the slots from `from` up to `to`, both included.
  func forEachCell(from: Int64, to: Int64, _ body: (Cell) -> Void) {
    for slot in closed where slot.number >= from && slot.number <= to {
      for cell in slot.cells { body(cell) }
    }
    if current.number >= from, current.number <= to {
      for cell in current.cells { body(cell) }
    }
  }

  /// Makes identities whose numbers are given back nameless.
  mutating func replace(identities: Set<UInt32>) {
    for slot in closed.indices {
      for cell in closed[slot].cells.indices
      where identities.contains(closed[slot].cells[cell].key.identity.code) {
        closed[slot].cells[cell].key.identity = .others
      }
    }
    for cell in current.cells.indices
    where identities.contains(current.cells[cell].key.identity.code) {
      places[current.cells[cell].key] = nil
      current.cells[cell].key.identity = .others
    }
  }

  /// The number of the oldest slot.
  var oldest: Int64 { closed.first?.number ?? current.number }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&closed, HistorySlot())
    archive.field(&current)
    guard archive.isReading else { return }
    for (place, cell) in current.cells.enumerated() { places[cell.key] = place }
  }
}
