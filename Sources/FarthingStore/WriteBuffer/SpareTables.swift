internal import Synchronization

/// Tables whose rows are done with, for the next rows: their memory is there already.
final class SpareTables: Sendable {
  // Sendable by the lock: a table is reachable from here only while it is in the list, and is taken
  // out of it whole.
  private struct List: @unchecked Sendable {
    var tables: [RowTable] = []
  }

  private let list = Mutex(List())
  private let limit: Int

  /// - Parameter limit: most tables that are kept.
  init(limit: Int) { self.limit = limit }

  /// An empty table for so many rows.
  func table(rows: Int) -> RowTable {
    let spare = list.withLock { list in
      list.tables.lastIndex { $0.capacity >= rows }.map { list.tables.remove(at: $0) }
    }
    guard let spare else {
      // Somewhat more than asked for, so that the next rows find room in it too.
      return RowTable(
        capacity: min(SegmentFormat.maximumRows, max(1024, rows + rows / 4)))
    }
    spare.removeAll()
    return spare
  }

  func put(_ tables: [RowTable]) {
    list.withLock { list in
      list.tables += tables
      if list.tables.count > limit { list.tables.removeFirst(list.tables.count - limit) }
    }
  }
}
