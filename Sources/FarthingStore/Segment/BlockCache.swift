internal import Synchronization

/// Decoded blocks of columns that are dear to decode, within a bound of bytes.
///
/// A process that answers many queries hands one to its snapshots. Blocks are known by the checksum
/// of their segment's core, which covers every block, so snapshots of several moments share them,
/// and a segment that was replaced is not mistaken for the one before. A block is kept as it was
/// when its checksum was compared.
///
/// A full cache drops blocks at random: a scan of a column that does not fit would make dropping the
/// oldest useless, while this way as much of it is found as there is room for.
///
/// Safe for use by several threads; each look-up holds a lock for a dictionary access.
package final class BlockCache: Sendable {
  /// Enough for the costs and tasks of 10 million requests.
  package static let defaultByteLimit = 160 << 20

  /// Bytes of values; what keeps them in order takes some 100 bytes a block on top.
  package let byteLimit: Int

  struct Key: Hashable {
    /// The checksum of the segment's core.
    var segment: UInt64
    /// The place of the column in the segment.
    var column: Int
    var block: Int
  }

  private enum Values {
    case integers([Int64])
    case codes([UInt32])

    var byteCount: Int {
      switch self {
      case .integers(let values): values.count * 8
      case .codes(let values): values.count * 4
      }
    }
  }

  private struct State {
    var places: [Key: Int] = [:]
    var entries: [(key: Key, values: Values)] = []
    var byteCount = 0
    var random: UInt64 = 0x9E37_79B9_7F4A_7C15
    var hits = 0
    var misses = 0

    /// Drops an entry that a shift register chooses.
    mutating func dropOne() {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      let place = Int(random % UInt64(entries.count))
      byteCount -= entries[place].values.byteCount
      places[entries[place].key] = nil
      let last = entries.removeLast()
      guard place < entries.count else { return }
      entries[place] = last
      places[last.key] = place
    }
  }

  private let state = Mutex(State())

  package init(byteLimit: Int = defaultByteLimit) { self.byteLimit = byteLimit }

  /// Bytes of values at hand.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// How many look-ups found their block, and how many did not.
  package var lookups: (hits: Int, misses: Int) { state.withLock { ($0.hits, $0.misses) } }

  func integers(_ key: Key) -> [Int64]? {
    guard case .integers(let values) = find(key) else { return nil }
    return values
  }

  func codes(_ key: Key) -> [UInt32]? {
    guard case .codes(let values) = find(key) else { return nil }
    return values
  }

  func insert(_ values: [Int64], _ key: Key) { insert(.integers(values), key) }

  func insert(_ values: [UInt32], _ key: Key) { insert(.codes(values), key) }

  private func find(_ key: Key) -> Values? {
    state.withLock { state in
      guard let place = state.places[key] else {
        state.misses += 1
        return nil
      }
      state.hits += 1
      return state.entries[place].values
    }
  }

  private func insert(_ values: Values, _ key: Key) {
    let bytes = values.byteCount
    guard bytes <= byteLimit else { return }
    state.withLock { state in
      // Another thread may have read the same block.
      guard state.places[key] == nil else { return }
      while state.byteCount + bytes > byteLimit { state.dropOne() }
      state.places[key] = state.entries.count
      state.entries.append((key, values))
      state.byteCount += bytes
    }
  }
}
