/// Counts the events that had a field which the contract does not name.
///
/// Bounded: after 64 different names the others are counted together as `…`.
struct UnknownFieldCounter: Sendable {
  private static let nameLimit = 64
  private var places: [UInt64: Int] = [:]
  private var names: [String] = []
  private var counts: [Int] = []
  private var others = 0

  /// Counts one event with the field whose name hashes to `hash`, if it was added before.
  mutating func count(_ hash: UInt64) -> Bool {
    guard let place = places[hash] else { return false }
    counts[place] += 1
    return true
  }

  /// Adds a field with its first event.
  mutating func add(_ hash: UInt64, name: String) {
    guard names.count < Self.nameLimit else {
      others += 1
      return
    }
    places[hash] = names.count
    names.append(name)
    counts.append(1)
  }

  /// Names, shortened and printable, with their numbers of events; starts anew.
  mutating func take() -> [String: Int] {
    var result: [String: Int] = [:]
    for (name, count) in zip(names, counts) { result[name, default: 0] += count }
    if others > 0 { result["…", default: 0] += others }
    self = UnknownFieldCounter()
    return result
  }
}
