/// An amount of picodollars as US dollars in binary floating point: for statistics and thresholds only.
///
/// What was spent stays exact where it is kept; nothing that detection computes is written back to it.
@inline(__always)
func estimatedDollars(_ amount: Int64) -> Double { Double(amount) / 1e12 }
