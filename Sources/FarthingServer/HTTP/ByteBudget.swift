internal import Synchronization

/// Bytes that all connections together may hold.
final class ByteBudget: Sendable {
  private let limit: Atomic<Int>
  private let taken = Atomic<Int>(0)

  init(limit: Int) { self.limit = Atomic(limit) }

  /// Goes on with another limit; what is held above a lower one is given back in its time.
  func change(limit: Int) { self.limit.store(limit, ordering: .relaxed) }

  /// Takes bytes, or none where they would go beyond the limit.
  func take(_ count: Int) -> Bool {
    let before = taken.add(count, ordering: .relaxed).oldValue
    if before + count <= limit.load(ordering: .relaxed) { return true }
    taken.subtract(count, ordering: .relaxed)
    return false
  }

  func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }

  /// Bytes held now.
  var held: Int { taken.load(ordering: .relaxed) }
}
