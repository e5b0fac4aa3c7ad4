// Names as numbers.
//
// Detectors compare and count names (identities, workloads, endpoints…) for every event, so each is
// numbered once by the engine that sees it. The table is bounded: where it is full, or where one tenant
// brings in more new identities than its share, further names become "other new ones", a series of its
// own that is watched as a whole. A number is given back when the engine forgets the series behind it.

/// A dimension by which spend is watched and causes are found; the order is that of preference where
/// two explain equally much.
package enum ObservedDimension: UInt8, Sendable, CaseIterable {
  case identity, workload, endpoint, tenant, model, site, provider, pool

  /// The name of the field in the event contract.
  package var contractName: String { "\(self)" }
}

/// The number of a name within its dimension; valid for the engine that gave it.
package struct ObservedName: Sendable, Hashable {
  package let code: UInt32

  package init(code: UInt32) { self.code = code }

  /// The event does not say.
  package static let absent = ObservedName(code: 0)
  /// One of those that came when the table had no place left.
  package static let others = ObservedName(code: 1)

  var index: Int { Int(code) }
  var isSingle: Bool { code > 1 }
}

/// The names of one dimension.
struct NameTable: Sendable {
  /// By code; the first two stand for absent and others. A free place is empty.
  private(set) var texts: [String]
  /// Open addressing: code by hash, 0 where free. At most half full.
  private var slots: [UInt32]
  private var hashes: [UInt64]
  private(set) var free: [UInt32] = []
  let capacity: Int

  init(capacity: Int, others: String) {
    self.capacity = capacity
    texts = ["", others]
    hashes = [0, 0]
    slots = Array(repeating: 0, count: 64)
  }

  var count: Int { texts.count - free.count - 2 }
  var isFull: Bool { count >= capacity }

  func text(_ name: ObservedName) -> String {
    name.index < texts.count ? texts[name.index] : ""
  }

  /// A hash of the name's text, the same in every process; 0 for absent.
  func hash(_ name: ObservedName) -> UInt64 {
    name.index < hashes.count ? hashes[name.index] ^ UInt64(name.code == 1 ? 1 : 0) : 0
  }

  /// The number of a name that is known.
  func find(_ text: Span<UInt8>) -> ObservedName? {
    let hash = StableHash.of(text)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let code = slots[slot]
      if hashes[Int(code)] == hash, equals(texts[Int(code)], text) {
        return ObservedName(code: code)
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Numbers a name that is not known; ``ObservedName/others`` where the table is full.
  mutating func add(_ text: Span<UInt8>) -> ObservedName {
    guard !isFull else { return .others }
    let string = String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
    return add(string, hash: StableHash.of(text))
  }

  private mutating func add(_ string: String, hash: UInt64) -> ObservedName {
    let code: UInt32
    if let reused = free.popLast() {
      code = reused
      texts[Int(code)] = string
      hashes[Int(code)] = hash
    } else {
      code = UInt32(texts.count)
      texts.append(string)
      hashes.append(hash)
    }
    place(code)
    if (texts.count + 1) * 2 > slots.count { rebuild(slots.count * 2) }
    return ObservedName(code: code)
  }

  /// Gives numbers back.
  /// - Complexity: O(names).
  mutating func remove(_ names: [ObservedName]) {
    for name in names where name.isSingle && !texts[name.index].isEmpty {
      texts[name.index] = ""
      hashes[name.index] = 0
      free.append(name.code)
    }
    rebuild(slots.count)
  }

  private mutating func rebuild(_ size: Int) {
    slots = Array(repeating: 0, count: size)
    for code in texts.indices.dropFirst(2) where !texts[code].isEmpty { place(UInt32(code)) }
  }

  private mutating func place(_ code: UInt32) {
    var slot = Int(truncatingIfNeeded: hashes[Int(code)]) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = code
  }

  private func equals(_ text: String, _ bytes: Span<UInt8>) -> Bool {
    guard text.utf8.count == bytes.count else { return false }
    var place = 0
    for byte in text.utf8 {
      if byte != bytes[place] { return false }
      place += 1
    }
    return true
  }
}

extension NameTable: Archivable {
  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&texts)
    archive.field(&free)
    guard archive.isReading, !archive.hasFailed else { return }
    guard texts.count >= 2, free.allSatisfy({ $0 >= 2 && Int($0) < texts.count }) else {
      return archive.refuse()
    }
    hashes = texts.enumerated().map { $0 < 2 || $1.isEmpty ? 0 : StableHash.of($1) }
    var size = 64
    while size < (texts.count + 2) * 2 { size *= 2 }
    rebuild(size)
  }
}

/// A hash that is the same in every process, unlike the standard library's.
package enum StableHash {
  /// Of the bytes; never 0, which stands for absent.
  package static func of(_ bytes: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for place in bytes.indices { hash = (hash ^ UInt64(bytes[place])) &* 0x0000_0100_0000_01B3 }
    return finish(hash)
  }

  package static func of(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return finish(hash)
  }

  private static func finish(_ value: UInt64) -> UInt64 {
    // The multiplication wraps by intent: a hash is arithmetic modulo 2⁶⁴.
    let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    let mixed = product.high ^ product.low
    return mixed == 0 ? 1 : mixed
  }
}
