// When tasks begin: one renewal process for each client, its clock running faster and slower.
//
// A client's rate is constant within a window of ten minutes (ServeGen's unit) and changes with the
// hour, the weekday and a slow log-normal wander. Gaps between its tasks are drawn with mean 1 and
// the client's own coefficient of variation, then spent along the accumulated rate. A heap of the
// clients' next times merges them, so the work is proportional to the tasks, not to the span.

/// One source of tasks: a client's ordinary traffic, or what an incident adds to it.
struct TaskStream: Sendable {
  var client: Int
  /// Sets its draws apart from those of every other stream.
  var key: UInt64
  /// Tasks per nanosecond in the mean.
  var rate: Double
  var burstiness: Double
  /// Nil for a stream that ignores the seasons.
  var season: Season?
  /// First and last moment at which a task may begin, the last excluded.
  var from: Int64
  var until: Int64
  /// Only the hour from 02:00 UTC of each day.
  var nightHourOnly = false
  /// One task, at `from`, and no other.
  var isSingle = false
  /// The incident that added this stream, or −1.
  var incident = -1
  /// How many tasks it has begun.
  var count: UInt64 = 0

  // Where its clock stands.
  var next: Int64
  var window: Int64 = .min
  var windowRate = 0.0
  var wander = 0.0
}

/// The beginnings of all streams' tasks in order of time.
struct ArrivalProcess: Sendable {
  private(set) var streams: [TaskStream]
  /// Stream numbers as a binary heap by next time, ties by number.
  private var heap: [Int32]
  private let seed: UInt64
  private let hoursAhead: [Int]

  static let windowLength = 10 * CivilTime.minute
  /// Deviation of the wander's logarithm, and how much of it lasts from window to window: together
  /// 0.4 over hours. Assumption: ServeGen's own windows jump by more, unlabelled.
  private static let wanderStep = 0.1
  private static let wanderMemory = 0.968

  /// - Parameter hoursAhead: of UTC, for each stream's callers.
  init(seed: UInt64, streams: [TaskStream], hoursAhead: [Int]) {
    self.seed = seed
    self.streams = streams
    self.hoursAhead = hoursAhead
    heap = []
    for index in streams.indices {
      self.streams[index].next = streams[index].from
      if !streams[index].isSingle { advance(index) }
      if self.streams[index].next < self.streams[index].until { push(Int32(index)) }
    }
  }

  /// When the next task begins; the largest integer where there is none.
  var nextTime: Int64 { heap.first.map { streams[Int($0)].next } ?? .max }

  /// Takes the next task: its stream and its number in it.
  ///
  /// - Complexity: O(log streams), plus the windows that pass.
  mutating func takeNext() -> (stream: Int, number: UInt64, time: Int64)? {
    guard let top = heap.first else { return nil }
    let index = Int(top)
    let taken = (index, streams[index].count, streams[index].next)
    streams[index].count += 1
    advance(index)
    if streams[index].next == .max {
      let last = heap.removeLast()
      if heap.isEmpty { return taken }
      heap[0] = last
    }
    siftDown()
    return taken
  }

  /// Moves a stream's `next` to its next task, or to the largest integer past its end.
  private mutating func advance(_ index: Int) {
    guard !streams[index].isSingle else {
      streams[index].next = .max
      return
    }
    var random = KeyedRandom(seed, streams[index].key, streams[index].count)
    var left = Self.gap(&random, streams[index].burstiness)
    var time = streams[index].next
    while true {
      if time >= streams[index].until {
        streams[index].next = .max
        return
      }
      let window = CivilTime.floorDivide(time, Self.windowLength)
      if window != streams[index].window { enter(window, index) }
      let rate = streams[index].windowRate
      let windowEnd = (window + 1) * Self.windowLength
      let room = rate * Double(windowEnd - time)
      if left < room {
        time += max(1, Int64(left / rate))
        break
      }
      left -= room
      time = windowEnd
    }
    streams[index].next = time < streams[index].until ? time : .max
  }

  private mutating func enter(_ window: Int64, _ index: Int) {
    let stream = streams[index]
    streams[index].window = window
    var factor = 1.0
    let hour = CivilTime.floorDivide(window, 6)
    if stream.nightHourOnly, hour - CivilTime.floorDivide(hour, 24) * 24 != 2 {
      factor = 0
    }
    if let season = stream.season {
      // A nightly job runs on UTC wherever its callers are.
      let local = season == .nightly ? hour : hour + Int64(hoursAhead[index])
      let day = CivilTime.floorDivide(local, 24)
      // 1970-01-01 was a Thursday, the fourth day of a week that begins on Monday.
      let weekday = day + 3 - CivilTime.floorDivide(day + 3, 7) * 7
      factor *= season.factor(hour: Int(local - day * 24), weekday: Int(weekday))
    }
    var random = KeyedRandom(seed, stream.key ^ 0xA11D_0000_0000_0000, UInt64(bitPattern: window))
    let wander = Self.wanderMemory * stream.wander + Self.wanderStep * random.normal()
    streams[index].wander = wander
    streams[index].windowRate = stream.rate * factor * ReproducibleMath.exponential(wander - 0.08)
  }

  /// A gap of mean 1 with the given coefficient of variation, at least 1: two exponentials mixed
  /// with balanced means.
  private static func gap(_ random: inout KeyedRandom, _ variation: Double) -> Double {
    let square = variation * variation
    guard square > 1 else { return random.exponential() }
    let short = 0.5 * (1 + ((square - 1) / (square + 1)).squareRoot())
    let isShort = random.chance(short)
    return random.exponential() / (2 * (isShort ? short : 1 - short))
  }

  private func isBefore(_ left: Int32, _ right: Int32) -> Bool {
    let leftTime = streams[Int(left)].next
    let rightTime = streams[Int(right)].next
    return leftTime < rightTime || (leftTime == rightTime && left < right)
  }

  private mutating func push(_ stream: Int32) {
    heap.append(stream)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isBefore(heap[child], heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      var least = 2 * parent + 1
      guard least < heap.count else { return }
      if least + 1 < heap.count, isBefore(heap[least + 1], heap[least]) { least += 1 }
      guard isBefore(heap[least], heap[parent]) else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
