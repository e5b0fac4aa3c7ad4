// Which ids arrived within the window, in at most 10 bytes an id, and some 6 where they are many.
//
// An id is hashed to 128 bits under the store's secret key. Its first 12 bits choose one of 4,096
// shards, the next 56 are kept in its slot: 68 bits in all, so that the chance of one false match
// among 10 million ids is about 2 × 10⁻⁷ and among 100 million 2 × 10⁻⁵. A slot is one word:
//
//     63                                    8 7            0
//     | 56 bits of the hash, never all zero | arrival epoch |
//
// A shard is an open-addressed table in hash order: a slot's home is its hash scaled to the
// table's size, and slots stand in ascending order of the hash. So a search ends at the first
// greater hash, and a table grows by one sequential pass. Shards grow one at a time, by an eighth, at
// sizes that differ from shard to shard: memory follows the number of ids smoothly, and no growth
// needs more than one shard twice.
//
// From 4,096 ids on, 16 million in all, a shard packs them (`PackedSlots`): all 56 bits of each in 45,
// and what tells the epochs apart, nothing where they are equal. New ids go to a small open table,
// which is brought together with the packed ones whenever it has a sixteenth of them, or 512.
//
// Arrival is kept in epochs of 1/128 of the window, modulo 256. An id counts as seen for 128 whole
// epochs after its own, so at least for the window. Before epochs could be mistaken for newer
// ones, all shards are swept of those past the window.
//
// Invariants: 1. slots of a shard are strictly ascending in their upper 56 bits; 2. every slot
// stands at or after its home with no empty slot between; 3. every epoch in a slot is at most
// `currentEpoch` and above `currentEpoch − 192`.

internal import Synchronization

/// Ids of stored events on their way back into the index.
struct ArrivedKeys: Sendable {
  /// Keys that arrived together.
  struct Part: Sendable {
    var keys: Range<Int>
    /// Unix nanoseconds.
    var receivedTime: Int64
  }

  private(set) var keys: [DeduplicationIndex.Key] = []
  private(set) var parts: [Part] = []

  mutating func append(_ key: DeduplicationIndex.Key, receivedTime: Int64) {
    if let last = parts.last, last.receivedTime == receivedTime {
      parts[parts.count - 1].keys = last.keys.lowerBound..<keys.count + 1
    } else {
      parts.append(Part(keys: keys.count..<keys.count + 1, receivedTime: receivedTime))
    }
    keys.append(key)
  }
}

/// The set of ids that arrived within the deduplication window.
///
/// Owned and used by one thread at a time.
package final class DeduplicationIndex {
  /// A hashed id. Equal ids have equal keys; different ids have different ones but for chance.
  package struct Key: Sendable, Equatable {
    /// Shard number in the low 12 bits.
    @usableFromInline let shard: UInt16
    /// 56 bits in the upper part; the lowest byte is zero. Never 0.
    @usableFromInline let slot: UInt64

    @inlinable
    init(hash: (high: UInt64, low: UInt64)) {
      shard = UInt16(truncatingIfNeeded: hash.low) & 0xFFF
      let bits = hash.high & ~0xFF
      slot = bits == 0 ? 0x100 : bits
    }
  }

  static let shardCount = 4096

  /// The length of one epoch, nanoseconds.
  private let epochLength: Int64
  /// What ids are hashed with.
  let hash: KeyedHash
  /// `shardCount` tables, which the index owns.
  private let tables: DuplicateTables
  /// Monotone: a clock that steps back does not shorten any window.
  private var currentEpoch: Int64
  private var sweptEpoch: Int64
  /// Ids that the index holds, those past the window and not swept yet included.
  package private(set) var count = 0

  /// - Parameters:
  ///   - window: how long an id is remembered, nanoseconds; at least 128.
  ///   - seed: 16 random bytes of the store.
  ///   - now: Unix nanoseconds.
  ///   - leastPacked: ids from which on a shard packs them.
  package init(window: Int64, seed: [UInt8], now: Int64, leastPacked: Int = 4096) {
    // Rounded up, so that 128 epochs are never shorter than the window.
    epochLength = max(1, window / 128 + (window % 128 == 0 ? 0 : 1))
    hash = KeyedHash(seed: seed)
    tables = DuplicateTables(count: Self.shardCount, leastPacked: leastPacked)
    currentEpoch = Self.floorDivide(now, epochLength)
    sweptEpoch = currentEpoch
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// - Complexity: O(n) in the id's bytes; about 20 ns.
  package func key(of id: Span<UInt8>) -> Key { Key(hash: hash.hash(id)) }

  /// Tells the index the time of arrival of what comes next; an earlier time than before is taken
  /// as that one.
  ///
  /// - Complexity: O(1), and O(n) once in 64 epochs (half the window).
  package func advance(to now: Int64) {
    let epoch = Self.floorDivide(now, epochLength)
    guard epoch > currentEpoch else { return }
    // Every slot is younger than 192 epochs at `currentEpoch`; sweep before that could wrap.
    if epoch - sweptEpoch >= 64 { sweep(before: epoch - 128) }
    if epoch - sweptEpoch >= 64 { sweptEpoch = epoch }
    currentEpoch = epoch
  }

  /// Loads the memory that the keys' searches begin at.
  ///
  /// A search waits for one or two cache misses, each after the other; those of many keys at once
  /// overlap.
  /// - Returns: a meaningless number that keeps the loads from being dropped.
  package func warm(_ keys: ArraySlice<Key>) -> UInt64 {
    var sum: UInt64 = 0
    for key in keys { sum ^= tables.firstWords(of: key.slot, shard: Int(key.shard)) }
    return sum
  }

  /// Remembers an id that arrives now.
  ///
  /// - Returns: false where it arrived within the window before; the index is unchanged then.
  /// - Complexity: O(1) expected; 0.2 µs at 10 million ids after ``warm(_:)``, else one cache miss more.
  package func insert(_ key: Key) -> Bool {
    insert(key, epoch: currentEpoch)
  }

  /// Remembers an id that arrived at `receivedTime`, when the index is rebuilt.
  ///
  /// An arrival past the window is left out. One after now counts as now.
  /// - Returns: false where the id is in the index already.
  @discardableResult
  package func restore(_ key: Key, receivedTime: Int64) -> Bool {
    guard let epoch = restoredEpoch(receivedTime) else { return true }
    return insert(key, epoch: epoch)
  }

  /// The epoch of an arrival in the past; nil where it is past the window.
  private func restoredEpoch(_ receivedTime: Int64) -> Int64? {
    let epoch = min(Self.floorDivide(receivedTime, epochLength), currentEpoch)
    return epoch >= currentEpoch - 128 ? epoch : nil
  }

  /// As ``restore(_:receivedTime:)`` for very many ids on several threads.
  ///
  /// Ids are brought together by shard first, so that each table is in the cache while it fills.
  /// - Complexity: O(n) expected, some 0.05 µs of CPU an id.
  func restore(_ batches: [ArrivedKeys], threads: Int) {
    var starts = [Int](repeating: 0, count: Self.shardCount + 1)
    var epochs: [UInt8?] = []
    for batch in batches {
      for part in batch.parts {
        epochs.append(restoredEpoch(part.receivedTime).map { UInt8(truncatingIfNeeded: $0) })
      }
      for key in batch.keys { starts[Int(key.shard) + 1] += 1 }
    }
    for shard in 0..<Self.shardCount { starts[shard + 1] += starts[shard] }
    var slots = [UInt64](repeating: 0, count: starts[Self.shardCount])
    var ends = starts
    var part = 0
    for batch in batches {
      for piece in batch.parts {
        let epoch = epochs[part]
        part += 1
        for key in batch.keys[piece.keys] {
          // Zero is no slot: those past the window.
          slots[ends[Int(key.shard)]] = epoch.map { key.slot | UInt64($0) } ?? 0
          ends[Int(key.shard)] += 1
        }
      }
    }
    let sorted = slots
    let bounds = starts
    let current = UInt8(truncatingIfNeeded: currentEpoch)
    let added = Atomic<Int>(0)
    ThreadTeam.run(threads) { [tables] number in
      var change = 0
      for shard in Self.shardCount * number / threads..<Self.shardCount * (number + 1) / threads {
        change += tables.insert(
          sorted[bounds[shard]..<bounds[shard + 1]], currentEpoch: current, shard: shard)
      }
      added.add(change, ordering: .relaxed)
    }
    count += added.load(ordering: .relaxed)
  }

  private func insert(_ key: Key, epoch: Int64) -> Bool {
    let shard = Int(key.shard)
    let current = UInt8(truncatingIfNeeded: currentEpoch)
    if tables.isFull(shard) { count -= tables.makeRoom(shard, currentEpoch: current) }
    switch tables.insert(
      key.slot, epoch: UInt8(truncatingIfNeeded: epoch), currentEpoch: current, shard: shard)
    {
    case .inserted:
      count += 1
      return true
    case .renewed: return true
    case .present: return false
    }
  }

  /// Forgets an id whose event was not stored after all.
  package func remove(_ key: Key) {
    let current = UInt8(truncatingIfNeeded: currentEpoch)
    if tables.remove(key.slot, currentEpoch: current, shard: Int(key.shard)) { count -= 1 }
  }

  /// Whether the id arrived within the window.
  package func contains(_ key: Key) -> Bool {
    tables.contains(
      key.slot, currentEpoch: UInt8(truncatingIfNeeded: currentEpoch), shard: Int(key.shard))
  }

  private func sweep(before oldest: Int64) {
    for shard in 0..<Self.shardCount {
      count -= tables.sweep(shard, currentEpoch: currentEpoch, before: oldest)
    }
  }

  /// The memory of all tables, bytes.
  package var byteCount: Int { tables.byteCount }
}
