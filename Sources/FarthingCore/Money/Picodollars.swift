/// An exact amount of money: whole picodollars (10⁻¹² US dollars) in 128 bits.
///
/// Range: ±1.7 × 10²⁶ dollars. Arithmetic never goes through binary floating point.
package struct Picodollars: Sendable, Hashable, Comparable {
  package var rawValue: Int128

  @inlinable
  package init(_ rawValue: Int128) { self.rawValue = rawValue }

  package static let zero = Picodollars(0)

  @inlinable
  package static func < (left: Picodollars, right: Picodollars) -> Bool {
    left.rawValue < right.rawValue
  }
}
