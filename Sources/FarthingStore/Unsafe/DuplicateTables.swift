// The tables of the duplicate index, as plain memory.
//
// Unsafe because: the index touches one random word of some 100 MB for each id. As arrays, each
// touch also reads and counts the array's header, and counting is an atomic that keeps neighbouring
// loads from overlapping: measured at 10 million ids on a busy machine, 0.48 µs an id against 0.25 µs
// with plain memory.
//
// Which bytes: each table owns one allocation of `homes + spare` words, freed by its owner's deinit
// and replaced only in `fill`. Why indices stay inside: a home is below `homes` by construction (a
// 56-bit fraction times `homes`), and every walk from there ends at an empty word at the latest,
// because the last word of a table is empty whenever a walk begins (`isFull` sees to it).
//
// A table that has grown packs its ids from time to time (`PackedSlots`) and begins anew; both hold an
// id only where the packed one is past the window, and then the other counts.

/// Open-addressed tables of ascending slots; see ``DeduplicationIndex`` for what a slot is.
///
/// `@unchecked Sendable`: a call touches the table of its shard and nothing else that changes, and
/// no two threads call for one shard at a time: the index belongs to one thread, which parts the
/// shards among others only while it waits for them.
@safe final class DuplicateTables: @unchecked Sendable {
  enum Insertion {
    case inserted
    /// It was there, past the window; its arrival is now the new one.
    case renewed
    case present
  }

  @safe private struct Table {
    /// `homes + spare` words, 0 where empty; nil while `homes` is 0.
    var memory: UnsafeMutablePointer<UInt64>?
    var homes = 0
    var count = 0
    /// Whether the last word may be in use.
    var isEndUsed = false
    /// The older ids.
    var packed = PackedSlots()

    /// Only where `homes` is above 0.
    var slots: UnsafeMutablePointer<UInt64> { unsafe memory.unsafelyUnwrapped }
  }

  /// Slots past the last home. A longer run there is rare, and its table grows before its time.
  private static let spare = 32
  /// Tables with fewer homes, together 6 MB, grow by half: an eighth would lay each id out anew
  /// some nine times.
  private static let small = 192

  /// One id of the open table for so many packed ones: fewer would pack more often, more would take
  /// more memory.
  private static let packedShare = 16

  private let tables: UnsafeMutablePointer<Table>
  private let tableCount: Int
  /// Ids that a table has before it packs any. A search among packed ids takes two cache misses more.
  private let leastPacked: Int

  init(count: Int, leastPacked: Int) {
    tableCount = count
    self.leastPacked = leastPacked
    unsafe tables = .allocate(capacity: count)
    unsafe tables.initialize(repeating: Table(), count: count)
  }

  deinit {
    for place in 0..<tableCount {
      if unsafe tables[place].homes > 0 { unsafe tables[place].slots.deallocate() }
      unsafe tables[place].packed.destroy()
    }
    unsafe tables.deallocate()
  }

  /// The memory of all tables, bytes.
  var byteCount: Int {
    var sum = tableCount * MemoryLayout<Table>.stride
    for place in 0..<tableCount {
      if unsafe tables[place].homes > 0 {
        sum += unsafe (tables[place].homes + Self.spare) * 8
      }
      sum += unsafe tables[place].packed.byteCount
    }
    return sum
  }

  @inline(__always)
  private func table(_ shard: Int) -> UnsafeMutablePointer<Table> {
    precondition(shard >= 0 && shard < tableCount, "BUG: no shard \(shard)")
    return unsafe tables + shard
  }

  @inline(__always)
  private static func home(of slot: UInt64, _ homes: Int) -> Int {
    Int(truncatingIfNeeded: (slot & ~0xFF).multipliedFullWidth(by: UInt64(homes)).high)
  }

  /// An arrival within 128 whole epochs before this one.
  @inline(__always)
  private static func isLive(_ slot: UInt64, _ currentEpoch: UInt8) -> Bool {
    currentEpoch &- UInt8(truncatingIfNeeded: slot) <= 128
  }

  /// Whether the table has to make room before an insertion: above 29/32 of its homes, where a
  /// search looks at 6 slots in the mean and an insertion moves some 50, or with its end in use.
  func isFull(_ shard: Int) -> Bool {
    // The end is looked at through a flag: reading it would be a cache miss of its own.
    let table = unsafe table(shard)
    return unsafe table.pointee.count &* 32 >= table.pointee.homes &* 29
      || table.pointee.isEndUsed
  }

  /// Loads the memory that the search for a slot begins at; a meaningless number.
  @inline(__always)
  func firstWords(of slot: UInt64, shard: Int) -> UInt64 {
    let table = unsafe table(shard)
    let homes = unsafe table.pointee.homes
    let first = homes == 0 ? 0 : unsafe table.pointee.slots[Self.home(of: slot, homes)]
    return unsafe first ^ table.pointee.packed.firstWords(of: slot)
  }

  /// - Precondition: the table is not full.
  func insert(_ slot: UInt64, epoch: UInt8, currentEpoch: UInt8, shard: Int) -> Insertion {
    let table = unsafe table(shard)
    var next = unsafe table.pointee.slots + Self.home(of: slot, table.pointee.homes)
    while unsafe next.pointee != 0 && next.pointee & ~0xFF < slot { unsafe next += 1 }
    if unsafe next.pointee & ~0xFF == slot {
      if unsafe Self.isLive(next.pointee, currentEpoch) { return .present }
      unsafe next.pointee = slot | UInt64(epoch)
      return .renewed
    }
    if let arrival = unsafe table.pointee.packed.epoch(of: slot),
      Self.isLive(UInt64(arrival), currentEpoch)
    {
      return .present
    }
    // Move the run that starts here one further; the last slot is empty, so there is an end.
    var moving = slot | UInt64(epoch)
    while moving != 0 {
      let displaced = unsafe next.pointee
      unsafe next.pointee = moving
      moving = displaced
      unsafe next += 1
    }
    unsafe table.pointee.count += 1
    let end = unsafe table.pointee.slots + (table.pointee.homes + Self.spare)
    if unsafe next == end { unsafe table.pointee.isEndUsed = true }
    return .inserted
  }

  /// Inserts slots with their epochs; those that are 0, or there already, are passed over.
  ///
  /// - Returns: by how many ids the table grew.
  func insert(_ slots: ArraySlice<UInt64>, currentEpoch: UInt8, shard: Int) -> Int {
    var change = 0
    let table = unsafe table(shard)
    if unsafe table.pointee.count + slots.count > limit(table), unsafe table.pointee.count > 0 {
      change -= unsafe pack(table, young(table, currentEpoch), currentEpoch: currentEpoch)
    }
    reserve(slots.count, shard: shard, currentEpoch: currentEpoch)
    for slot in slots where slot != 0 {
      if isFull(shard) { change -= makeRoom(shard, currentEpoch: currentEpoch) }
      let insertion = insert(
        slot & ~0xFF, epoch: UInt8(truncatingIfNeeded: slot), currentEpoch: currentEpoch,
        shard: shard)
      if insertion == .inserted { change += 1 }
    }
    return change
  }

  /// Makes room for so many more slots in one step.
  private func reserve(_ more: Int, shard: Int, currentEpoch: UInt8) {
    let table = unsafe table(shard)
    let wanted = unsafe (table.pointee.count + more) * 32 / 27 + 8
    guard unsafe wanted > table.pointee.homes else { return }
    let kept = unsafe table.pointee.homes > 0 ? self.kept(table) { _ in true } : []
    // An eighth more than needed now, at least: growth step by step stays geometric.
    var size = unsafe max(wanted, table.pointee.homes + table.pointee.homes / 8)
    while unsafe !fill(table, with: kept, homes: size) { size += max(4, size / 8) }
  }

  private func place(of slot: UInt64, in table: UnsafeMutablePointer<Table>) -> Int? {
    let homes = unsafe table.pointee.homes
    guard homes > 0 else { return nil }
    for place in Self.home(of: slot, homes)..<homes + Self.spare {
      let found = unsafe table.pointee.slots[place]
      if found & ~0xFF == slot { return place }
      if found == 0 || found & ~0xFF > slot { return nil }
    }
    return nil
  }

  func contains(_ slot: UInt64, currentEpoch: UInt8, shard: Int) -> Bool {
    let table = unsafe table(shard)
    if let place = unsafe place(of: slot, in: table) {
      return unsafe Self.isLive(table.pointee.slots[place], currentEpoch)
    }
    guard let arrival = unsafe table.pointee.packed.epoch(of: slot) else { return false }
    return Self.isLive(UInt64(arrival), currentEpoch)
  }

  /// - Returns: whether it was there.
  /// - Complexity: O(1) expected, O(ids of the shard) for one that is packed.
  func remove(_ slot: UInt64, currentEpoch: UInt8, shard: Int) -> Bool {
    let table = unsafe table(shard)
    guard var place = unsafe place(of: slot, in: table) else {
      guard unsafe table.pointee.packed.epoch(of: slot) != nil else { return false }
      let rest = unsafe table.pointee.packed.unpacked().filter { $0 & ~0xFF != slot }
      unsafe replacePacked(table, by: rest, currentEpoch: currentEpoch)
      return true
    }
    let homes = unsafe table.pointee.homes
    let slots = unsafe table.pointee.slots
    // Move back what follows until a slot stands at its home.
    while place + 1 < homes + Self.spare, unsafe slots[place + 1] != 0,
      unsafe Self.home(of: slots[place + 1], homes) <= place
    {
      unsafe slots[place] = slots[place + 1]
      place += 1
    }
    unsafe slots[place] = 0
    unsafe table.pointee.count -= 1
    return true
  }

  // MARK: - Packing

  /// Ids in the open table from which on they are packed.
  private func limit(_ table: UnsafeMutablePointer<Table>) -> Int {
    let packed = unsafe table.pointee.packed.count
    return packed == 0 ? leastPacked : max(leastPacked / 8, packed / Self.packedShare)
  }

  /// The slots of the open table within the window.
  private func young(_ table: UnsafeMutablePointer<Table>, _ currentEpoch: UInt8) -> [UInt64] {
    guard unsafe table.pointee.homes > 0 else { return [] }
    return unsafe kept(table) { Self.isLive($0, currentEpoch) }
  }

  private func replacePacked(
    _ table: UnsafeMutablePointer<Table>, by slots: [UInt64], currentEpoch: UInt8
  ) {
    unsafe table.pointee.packed.destroy()
    unsafe table.pointee.packed = PackedSlots(slots, currentEpoch: currentEpoch)
  }

  /// Brings ids together with those packed before and empties the open table.
  ///
  /// - Parameter young: of the open table, ascending.
  /// - Returns: how many ids were dropped, those past the window.
  private func pack(
    _ table: UnsafeMutablePointer<Table>, _ young: [UInt64], currentEpoch: UInt8
  ) -> Int {
    let old = unsafe table.pointee.packed.unpacked()
    let before = unsafe table.pointee.count + old.count
    var merged: [UInt64] = []
    merged.reserveCapacity(old.count + young.count)
    var next = 0
    for slot in old where Self.isLive(slot, currentEpoch) {
      while next < young.count, young[next] < slot & ~0xFF {
        merged.append(young[next])
        next += 1
      }
      merged.append(slot)
    }
    merged.append(contentsOf: young[next...])
    unsafe replacePacked(table, by: merged, currentEpoch: currentEpoch)
    var homes = unsafe limit(table) * 32 / 28 + 8
    while unsafe !fill(table, with: [], homes: homes) { homes += 4 }
    return before - merged.count
  }

  // MARK: - Room

  /// Drops what is past the window; where that gave too little room, packs or grows by an eighth.
  ///
  /// - Returns: how many ids were dropped.
  func makeRoom(_ shard: Int, currentEpoch: UInt8) -> Int {
    let table = unsafe table(shard)
    let homes = unsafe table.pointee.homes
    let before = unsafe table.pointee.count
    var kept: [UInt64] = []
    let isLastUsed = unsafe table.pointee.isEndUsed
    if homes > 0 { kept = unsafe self.kept(table) { Self.isLive($0, currentEpoch) } }
    var size = homes
    if kept.count &* 32 >= homes &* 26 || isLastUsed {
      if unsafe kept.count >= limit(table) {
        return unsafe pack(table, kept, currentEpoch: currentEpoch)
      }
      // The first size differs from shard to shard, so that not all grow at the same time.
      size =
        homes == 0 ? 16 + shard % 16 : homes + (homes < Self.small ? homes / 2 : homes / 8)
    }
    while unsafe !fill(table, with: kept, homes: size) { size += max(4, size / 8) }
    return before - kept.count
  }

  /// Drops slots whose arrival epoch lies before `oldest`.
  ///
  /// - Returns: how many.
  func sweep(_ shard: Int, currentEpoch: Int64, before oldest: Int64) -> Int {
    let table = unsafe table(shard)
    let current = UInt8(truncatingIfNeeded: currentEpoch)
    func isKept(_ slot: UInt64) -> Bool {
      currentEpoch - Int64(current &- UInt8(truncatingIfNeeded: slot)) >= oldest
    }
    var dropped = 0
    if unsafe table.pointee.packed.count > 0 {
      let old = unsafe table.pointee.packed.unpacked()
      let rest = old.filter(isKept)
      if rest.count < old.count {
        unsafe replacePacked(table, by: rest, currentEpoch: current)
        dropped = old.count - rest.count
      }
    }
    let before = unsafe table.pointee.count
    guard before > 0 else { return dropped }
    let kept = unsafe self.kept(table, where: isKept)
    guard kept.count < before else { return dropped }
    var size = max(16, kept.count + kept.count / 8)
    while unsafe !fill(table, with: kept, homes: size) { size += max(4, size / 8) }
    return dropped + before - kept.count
  }

  private func kept(
    _ table: UnsafeMutablePointer<Table>, where isKept: (UInt64) -> Bool
  ) -> [UInt64] {
    var kept: [UInt64] = []
    unsafe kept.reserveCapacity(table.pointee.count)
    let size = unsafe table.pointee.homes + Self.spare
    for place in 0..<size {
      let slot = unsafe table.pointee.slots[place]
      if slot != 0 && isKept(slot) { kept.append(slot) }
    }
    return kept
  }

  /// Lays out ascending slots in a new table of `homes`; false, with the old one in place, where
  /// the spare slots do not suffice.
  private func fill(
    _ table: UnsafeMutablePointer<Table>, with kept: [UInt64], homes: Int
  ) -> Bool {
    let size = homes + Self.spare
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
    unsafe slots.initialize(repeating: 0, count: size)
    var free = 0
    for slot in kept {
      let place = max(Self.home(of: slot, homes), free)
      guard place < size - 1 else {
        unsafe slots.deallocate()
        return false
      }
      unsafe slots[place] = slot
      free = place + 1
    }
    if unsafe table.pointee.homes > 0 { unsafe table.pointee.slots.deallocate() }
    unsafe table.pointee = Table(
      memory: slots, homes: homes, count: kept.count, packed: table.pointee.packed)
    return true
  }
}
