// Which ids arrived within the window, in at most 10 bytes an id.
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
// Arrival is kept in epochs of 1/128 of the window, modulo 256. An id counts as seen for 128 whole
// epochs after its own, so at least for the window. Before epochs could be mistaken for newer
// ones, all shards are swept of those past the window.
//
// Invariants: 1. slots of a shard are strictly ascending in their upper 56 bits; 2. every slot
// stands at or after its home with no empty slot between; 3. every epoch in a slot is at most
// `currentEpoch` and above `currentEpoch − 192`.

/// The set of ids that arrived within the deduplication window.
package struct DeduplicationIndex: Sendable {
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
  private let hasher: KeyedHash
  private var shards: [Shard]
  /// Monotone: a clock that steps back does not shorten any window.
  private var currentEpoch: Int64
  private var sweptEpoch: Int64
  /// Ids that the index holds, those past the window and not swept yet included.
  package private(set) var count = 0

  /// - Parameters:
  ///   - window: how long an id is remembered, nanoseconds; at least 128.
  ///   - seed: 16 random bytes of the store.
  ///   - now: Unix nanoseconds.
  package init(window: Int64, seed: [UInt8], now: Int64) {
    // Rounded up, so that 128 epochs are never shorter than the window.
    epochLength = max(1, window / 128 + (window % 128 == 0 ? 0 : 1))
    hasher = KeyedHash(seed: seed)
    shards = Array(repeating: Shard(), count: Self.shardCount)
    currentEpoch = Self.floorDivide(now, epochLength)
    sweptEpoch = currentEpoch
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// - Complexity: O(n) in the id's bytes; about 20 ns.
  package func key(of id: Span<UInt8>) -> Key { Key(hash: hasher.hash(id)) }

  /// Tells the index the time of arrival of what comes next; an earlier time than before is taken
  /// as that one.
  ///
  /// - Complexity: O(1), and O(n) once in 64 epochs (half the window).
  package mutating func advance(to now: Int64) {
    let epoch = Self.floorDivide(now, epochLength)
    guard epoch > currentEpoch else { return }
    // Every slot is younger than 192 epochs at `currentEpoch`; sweep before that could wrap.
    if epoch - sweptEpoch >= 64 { sweep(before: epoch - 128) }
    if epoch - sweptEpoch >= 64 { sweptEpoch = epoch }
    currentEpoch = epoch
  }

  /// Remembers an id that arrives now.
  ///
  /// - Returns: false where it arrived within the window before; the index is unchanged then.
  /// - Complexity: O(1) expected; about 0.1 µs at 10 million ids, most of it one cache miss.
  package mutating func insert(_ key: Key) -> Bool {
    insert(key, epoch: currentEpoch)
  }

  /// Remembers an id that arrived at `receivedTime`, when the index is rebuilt.
  ///
  /// An arrival past the window is left out. One after now counts as now.
  /// - Returns: false where the id is in the index already.
  @discardableResult
  package mutating func restore(_ key: Key, receivedTime: Int64) -> Bool {
    let epoch = min(Self.floorDivide(receivedTime, epochLength), currentEpoch)
    guard epoch >= currentEpoch - 128 else { return true }
    return insert(key, epoch: epoch)
  }

  private mutating func insert(_ key: Key, epoch: Int64) -> Bool {
    let shard = Int(key.shard)
    let current = UInt8(truncatingIfNeeded: currentEpoch)
    if shards[shard].isFull {
      let dropped = shards[shard].makeRoom(shard: shard, currentEpoch: current)
      count -= dropped
    }
    switch shards[shard].insert(
      key.slot, epoch: UInt8(truncatingIfNeeded: epoch), currentEpoch: current)
    {
    case .inserted:
      count += 1
      return true
    case .renewed: return true
    case .present: return false
    }
  }

  /// Forgets an id whose event was not stored after all.
  package mutating func remove(_ key: Key) {
    if shards[Int(key.shard)].remove(key.slot) { count -= 1 }
  }

  /// Whether the id arrived within the window.
  package func contains(_ key: Key) -> Bool {
    shards[Int(key.shard)].contains(
      key.slot, currentEpoch: UInt8(truncatingIfNeeded: currentEpoch))
  }

  private mutating func sweep(before oldest: Int64) {
    var left = 0
    for index in shards.indices {
      shards[index].sweep(currentEpoch: currentEpoch, before: oldest)
      left += shards[index].count
    }
    count = left
  }

  /// The memory of all tables, bytes.
  package var byteCount: Int {
    shards.reduce(0) { $0 + $1.slots.count * 8 + 32 } + Self.shardCount * MemoryLayout<Shard>.size
  }
}

/// One table of the index.
struct Shard: Sendable {
  enum Insertion {
    case inserted
    /// It was there, past the window; its arrival is now the new one.
    case renewed
    case present
  }

  /// Slots, then as many spare ones as the longest run past the last home needs; 0 is empty.
  private(set) var slots: [UInt64] = []
  private(set) var count = 0
  /// The number of homes; `slots` has `spare` more.
  private var homes = 0

  /// Slots past the last home. A longer run there is rare, and its table grows before its time.
  private static let spare = 64

  /// 15/16 of the homes: at that load a search looks at 9 slots in the mean.
  var isFull: Bool { count &* 16 >= homes &* 15 || slots[slots.count - 1] != 0 }

  private func home(of slot: UInt64) -> Int {
    Int(truncatingIfNeeded: (slot & ~0xFF).multipliedFullWidth(by: UInt64(homes)).high)
  }

  /// Drops what is past the window; grows by an eighth where that gave too little room.
  ///
  /// - Returns: how many ids were dropped.
  mutating func makeRoom(shard: Int, currentEpoch: UInt8) -> Int {
    let before = count
    var kept: [UInt64] = []
    kept.reserveCapacity(count)
    for slot in slots where slot != 0 && Self.isLive(slot, currentEpoch) { kept.append(slot) }
    var size = homes
    if kept.count &* 16 >= homes &* 13 || slots.last != 0 {
      // The first size differs from shard to shard, so that not all grow at the same time.
      size = homes == 0 ? 16 + shard % 16 : homes + max(4, homes / 8)
    }
    while !fill(kept, homes: size) { size += max(4, size / 8) }
    return before - kept.count
  }

  /// Lays out ascending slots in a table of `homes`; false where the spare slots do not suffice.
  private mutating func fill(_ kept: [UInt64], homes: Int) -> Bool {
    self.homes = homes
    slots = []
    slots = Array(repeating: 0, count: homes + Self.spare)
    var free = 0
    for slot in kept {
      let place = max(home(of: slot), free)
      guard place < slots.count - 1 else { return false }
      slots[place] = slot
      free = place + 1
    }
    count = kept.count
    return true
  }

  /// - Precondition: not full.
  mutating func insert(_ slot: UInt64, epoch: UInt8, currentEpoch: UInt8) -> Insertion {
    var place = home(of: slot)
    while true {
      let found = slots[place]
      if found & ~0xFF >= slot || found == 0 { break }
      place &+= 1
    }
    let found = slots[place]
    if found & ~0xFF == slot {
      if Self.isLive(found, currentEpoch) { return .present }
      slots[place] = slot | UInt64(epoch)
      return .renewed
    }
    // Move the run that starts here one further; the last slot is empty, so there is an end.
    var moving = slot | UInt64(epoch)
    while moving != 0 {
      swap(&moving, &slots[place])
      place &+= 1
    }
    count &+= 1
    return .inserted
  }

  private func place(of slot: UInt64) -> Int? {
    guard homes > 0 else { return nil }
    var place = home(of: slot)
    while place < slots.count {
      let found = slots[place]
      if found & ~0xFF == slot { return place }
      if found == 0 || found & ~0xFF > slot { return nil }
      place &+= 1
    }
    return nil
  }

  func contains(_ slot: UInt64, currentEpoch: UInt8) -> Bool {
    guard let place = place(of: slot) else { return false }
    return Self.isLive(slots[place], currentEpoch)
  }

  /// - Returns: whether it was there.
  mutating func remove(_ slot: UInt64) -> Bool {
    guard var place = place(of: slot) else { return false }
    // Move back what follows until a slot stands at its home.
    while place + 1 < slots.count, slots[place + 1] != 0, home(of: slots[place + 1]) <= place {
      slots[place] = slots[place + 1]
      place += 1
    }
    slots[place] = 0
    count -= 1
    return true
  }

  /// Drops slots whose arrival epoch lies before `oldest`.
  mutating func sweep(currentEpoch: Int64, before oldest: Int64) {
    guard count > 0 else { return }
    let kept = slots.filter { slot in
      guard slot != 0 else { return false }
      let age = UInt8(truncatingIfNeeded: currentEpoch) &- UInt8(truncatingIfNeeded: slot)
      return currentEpoch - Int64(age) >= oldest
    }
    guard kept.count < count else { return }
    var size = max(16, kept.count + kept.count / 8)
    while !fill(kept, homes: size) { size += max(4, size / 8) }
  }

  /// An arrival within 128 whole epochs before this one.
  private static func isLive(_ slot: UInt64, _ currentEpoch: UInt8) -> Bool {
    currentEpoch &- UInt8(truncatingIfNeeded: slot) <= 128
  }
}
