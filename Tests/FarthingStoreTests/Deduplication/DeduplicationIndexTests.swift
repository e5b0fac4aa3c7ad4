import FarthingTestSupport
import Testing

@testable import FarthingStore

private let second: Int64 = 1_000_000_000
private let week: Int64 = 7 * 86_400 * second

extension DeduplicationIndex {
  /// Remembers a text.
  fileprivate func insert(_ id: String) -> Bool {
    let bytes = Array(id.utf8)
    return insert(key(of: bytes.span))
  }

  fileprivate func contains(_ id: String) -> Bool {
    let bytes = Array(id.utf8)
    return contains(key(of: bytes.span))
  }
}

/// Ids of a shard from which on it packs them: never in so small tests, and soon.
private let leastPacked = [4096, 4]

@Suite struct `The duplicate index` {
  @Test(arguments: leastPacked)
  func `agrees with a set of the ids themselves`(leastPacked: Int) {
    let index = DeduplicationIndex(
      window: week, seed: testKey, now: arrival, leastPacked: leastPacked)
    var seen: Set<UInt64> = []
    var random = SplitMix(seed: 7)
    var id = [UInt8](repeating: 0x61, count: 24)
    for _ in 0..<60_000 {
      // Drawn from 40,000 numbers, so that many come again; all share a prefix of 16 bytes.
      let number = random.next() % 40_000
      for place in 0..<8 { id[16 + place] = UInt8(truncatingIfNeeded: number >> UInt64(8 * place)) }
      let key = index.key(of: id.span)
      let isNew = index.insert(key)
      let isFirst = seen.insert(number).inserted
      #expect(isNew == isFirst)
    }
    #expect(index.count == seen.count)
    // The smallest tables have their spare slots still; 10 bytes hold from some 5 million ids on.
    #expect(index.byteCount < seen.count * 10 + DeduplicationIndex.shardCount * 700)
    for number in 0..<40_000 as Range<UInt64> {
      for place in 0..<8 { id[16 + place] = UInt8(truncatingIfNeeded: number >> UInt64(8 * place)) }
      #expect(index.contains(index.key(of: id.span)) == seen.contains(number))
    }
  }

  @Test(arguments: leastPacked)
  func `forgets what is taken out, and only that`(leastPacked: Int) {
    let index = DeduplicationIndex(
      window: week, seed: testKey, now: arrival, leastPacked: leastPacked)
    for number in 0..<20_000 { _ = index.insert("id-\(number)") }
    for number in stride(from: 0, to: 20_000, by: 3) {
      let bytes = Array("id-\(number)".utf8)
      index.remove(index.key(of: bytes.span))
    }
    for number in 0..<20_000 { #expect(index.contains("id-\(number)") == (number % 3 != 0)) }
    #expect(index.count == 20_000 - 6_667)
  }

  @Test func `never forgets within the window, and always within one part in 64 after it`() {
    for offset in [0, 1, week / 256, week / 128 - 1] {
      let start = arrival + offset
      let index = DeduplicationIndex(window: week, seed: testKey, now: start)
      do {
        let isNew = index.insert("a")
        #expect(isNew)
      }
      index.advance(to: start + week)
      do {
        let isNew = index.insert("a")
        #expect(!isNew)
      }
      index.advance(to: start + week + week / 64)
      do {
        let isNew = index.insert("a")
        #expect(isNew)
      }
      do {
        let isNew = index.insert("a")
        #expect(!isNew)
      }
    }
  }

  @Test(arguments: [4096, 1])
  func `keeps to the window however the clock moves`(leastPacked: Int) {
    let index = DeduplicationIndex(
      window: week, seed: testKey, now: arrival, leastPacked: leastPacked)
    var random = SplitMix(seed: 11)
    var arrivals: [Int: Int64] = [:]
    var now = arrival
    var time = arrival
    for step in 0..<6_000 {
      // Mostly hours, sometimes weeks, sometimes backwards.
      let hours = Int64(random.next() % (step % 100 == 0 ? 1_000 : 6))
      now += (step % 7 == 0 ? -hours : hours) * 3_600 * second
      index.advance(to: now)
      let number = Int(random.next() % 400)
      // The index takes an earlier time than before for that one.
      time = max(now, time)
      let isNew = index.insert("id-\(number)")
      if let before = arrivals[number], time - before <= week { #expect(!isNew) }
      if let before = arrivals[number], time - before > week + week / 64 { #expect(isNew) }
      if arrivals[number] == nil { #expect(isNew) }
      if isNew { arrivals[number] = time }
    }
  }

  @Test(arguments: leastPacked)
  func `drops what has passed when it sweeps`(leastPacked: Int) {
    let index = DeduplicationIndex(
      window: week, seed: testKey, now: arrival, leastPacked: leastPacked)
    for number in 0..<10_000 { _ = index.insert("old-\(number)") }
    index.advance(to: arrival + 2 * week)
    #expect(index.count == 0)
    do {
      let isNew = index.insert("old-1")
      #expect(isNew)
    }
  }

  @Test(arguments: leastPacked)
  func `is rebuilt in bulk as one by one`(leastPacked: Int) {
    let index = DeduplicationIndex(
      window: week, seed: testKey, now: arrival, leastPacked: leastPacked)
    let other = DeduplicationIndex(
      window: week, seed: testKey, now: arrival, leastPacked: leastPacked)
    var random = SplitMix(seed: 5)
    var known: Set<Int> = []
    for _ in 0..<3 {
      var batches = [ArrivedKeys(), ArrivedKeys()]
      for batch in batches.indices {
        for _ in 0..<6_000 {
          let number = Int(random.next() % 60_000)
          let bytes = Array("id-\(number)".utf8)
          // Some past the window.
          let time = arrival - Int64(random.next() % 9) * week / 8
          batches[batch].append(index.key(of: bytes.span), receivedTime: time)
          other.restore(other.key(of: bytes.span), receivedTime: time)
          if time >= arrival - week { known.insert(number) }
        }
      }
      index.restore(batches, threads: 3)
    }
    #expect(index.count == known.count)
    for number in 0..<60_000 {
      #expect(index.contains("id-\(number)") == known.contains(number))
      #expect(other.contains("id-\(number)") == known.contains(number))
    }
  }

  @Test func `is rebuilt from arrival times`() {
    let index = DeduplicationIndex(window: week, seed: testKey, now: arrival)
    let inside = Array("inside".utf8)
    let outside = Array("outside".utf8)
    let ahead = Array("ahead".utf8)
    index.restore(index.key(of: inside.span), receivedTime: arrival - week)
    index.restore(index.key(of: outside.span), receivedTime: arrival - week - week / 32)
    index.restore(index.key(of: ahead.span), receivedTime: arrival + 100 * week)
    #expect(index.contains("inside"))
    #expect(!index.contains("outside"))
    #expect(index.contains("ahead"))
  }
}

@Suite struct `Packed ids` {
  @Test(arguments: [1, 2, 63, 64, 65, 1000, 16_384, 20_000])
  func `come back as they were`(count: Int) {
    var random = SplitMix(seed: UInt64(count))
    for epochs in [1, 2, 190] as [UInt64] {
      var slots: Set<UInt64> = []
      while slots.count < count { slots.insert(random.next() & ~0xFF) }
      // The least and the greatest that there are.
      slots.insert(0x100)
      slots.insert(~0xFF)
      let ascending = slots.sorted().map { $0 | (random.next() % epochs &+ 100) & 0xFF }
      let current = UInt8(truncatingIfNeeded: 100 + epochs)
      let packed = PackedSlots(ascending, currentEpoch: current)
      defer { packed.destroy() }
      #expect(packed.count == ascending.count)
      #expect(packed.unpacked() == ascending)
      var wrong = 0
      for slot in ascending {
        if packed.epoch(of: slot & ~0xFF) != UInt8(truncatingIfNeeded: slot) { wrong += 1 }
        let next = slot & ~0xFF &+ 0x100
        if !slots.contains(next), packed.epoch(of: next) != nil { wrong += 1 }
      }
      for _ in 0..<count {
        let other = random.next() & ~0xFF
        if !slots.contains(other), packed.epoch(of: other) != nil { wrong += 1 }
      }
      #expect(wrong == 0)
      if count >= 16_384, epochs == 1 { #expect(packed.byteCount * 8 < 46 * count) }
    }
  }

  @Test func `are none at first`() {
    let packed = PackedSlots()
    #expect(packed.epoch(of: 0x100) == nil)
    #expect(packed.unpacked().isEmpty)
    #expect(packed.byteCount == 0)
  }
}
