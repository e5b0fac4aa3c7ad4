internal import Synchronization

/// Bytes that all connections together may hold.
final class ByteBudget: Sendable {
  let limit: Int
  private let taken = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  /// Takes bytes, or none where they would go beyond the limit.
  func take(_ count: Int) -> Bool {
    let before = taken.add(count, ordering: .relaxed).oldValue
    if before + count <= limit { return true }
    taken.subtract(count, ordering: .relaxed)
    return false
  }

  func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }

  /// Bytes held now.
  var held: Int { taken.load(ordering: .relaxed) }
}
