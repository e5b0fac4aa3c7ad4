// Random draws that are the same on every machine.
//
// Every draw belongs to a key (seed, stream, task, step…) rather than to a place in one long
// sequence, so that changing one task, or adding an incident, leaves all other tasks as they were.
// The generator is SplitMix64 (Steele, Lea, Flood 2014): a counter through a 64-bit finaliser.
//
// Doubles are used, with the operations that IEEE 754 rounds in one way only: + − × ÷ and square
// root. Exponential, logarithm and the normal quantile are built from these here because the
// C library's differ by machine. Swift never contracts a × b + c into a fused operation by itself.

/// A stream of random draws that its key alone decides.
struct KeyedRandom {
  private var state: UInt64

  /// A stream of its own for each triple of keys.
  @inline(__always)
  init(_ first: UInt64, _ second: UInt64, _ third: UInt64 = 0) {
    let mixed = Self.mix(first &+ 0x9E37_79B9_7F4A_7C15) ^ second
    state = Self.mix(Self.mix(mixed &+ 0xD1B5_4A32_D192_ED03) ^ third)
  }

  /// The finaliser: a bijection of 64 bits in which each input bit changes half of the output's.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    // Multiplication modulo 2⁶⁴ is what the finaliser means.
    var bits = value
    bits = (bits ^ (bits &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits &>> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits &>> 31)
  }

  /// 64 uniform bits.
  @inline(__always)
  mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// Uniform in 0 ..< 1, a multiple of 2⁻⁵³.
  @inline(__always)
  mutating func unit() -> Double {
    Double(bits() &>> 11) * 0x1p-53
  }

  /// Uniform in 0 ..< count; count must be above 0.
  @inline(__always)
  mutating func below(_ count: Int) -> Int {
    Int(truncatingIfNeeded: bits().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// True with the given probability.
  @inline(__always)
  mutating func chance(_ probability: Double) -> Bool {
    unit() < probability
  }

  /// Exponential with mean 1.
  @inline(__always)
  mutating func exponential() -> Double {
    -ReproducibleMath.logarithm(1 - unit())
  }

  /// Normal with mean 0 and deviation 1.
  @inline(__always)
  mutating func normal() -> Double {
    // The half step keeps the argument away from 0 and 1, where the quantile is infinite.
    ReproducibleMath.normalQuantile(unit() + 0x1p-54)
  }

  /// Log-normal: e to a normal of the given mean and deviation.
  @inline(__always)
  mutating func logNormal(_ mean: Double, _ deviation: Double) -> Double {
    ReproducibleMath.exponential(mean + deviation * normal())
  }
}

/// Functions whose every bit is decided by IEEE 754's exactly rounded operations.
package enum ReproducibleMath {
  private static let ln2High = 0.693_147_180_369_123_8
  private static let ln2Low = 1.908_214_929_270_587_7e-10

  /// e to the power `value`, within 1e-13 of it relatively for |value| ≤ 700; 0 and a huge finite
  /// number beyond.
  @inline(__always)
  package static func exponential(_ value: Double) -> Double {
    let clipped = value < -700 ? -700 : (value > 700 ? 700 : value)
    let power = (clipped * 1.442_695_040_888_963_4).rounded()
    let rest = (clipped - power * ln2High) - power * ln2Low
    // Taylor's series to the tenth power: |rest| ≤ 0.35, so the next term is below 3e-13 / 40.
    var sum = 1 + rest * (1.0 / 10)
    sum = 1 + rest * (1.0 / 9) * sum
    sum = 1 + rest * (1.0 / 8) * sum
    sum = 1 + rest * (1.0 / 7) * sum
    sum = 1 + rest * (1.0 / 6) * sum
    sum = 1 + rest * (1.0 / 5) * sum
    sum = 1 + rest * (1.0 / 4) * sum
    sum = 1 + rest * (1.0 / 3) * sum
    sum = 1 + rest * (1.0 / 2) * sum
    sum = 1 + rest * sum
    let exponent = UInt64(bitPattern: Int64(power) &+ 1023) &<< 52
    return sum * Double(bitPattern: exponent)
  }

  /// The natural logarithm of a positive normal number, within 1e-14 absolutely near 1.
  @inline(__always)
  package static func logarithm(_ value: Double) -> Double {
    let bits = value.bitPattern
    var exponent = Int(bits &>> 52) - 1023
    var mantissa = Double(bitPattern: (bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000)
    if mantissa > 1.414_213_562_373_095 {
      mantissa *= 0.5
      exponent += 1
    }
    // ln m = 2 artanh((m − 1) ÷ (m + 1)); |ratio| ≤ 0.172, so the series ends at its 17th power.
    let ratio = (mantissa - 1) / (mantissa + 1)
    let square = ratio * ratio
    var sum = 1.0 / 17
    sum = sum * square + 1.0 / 15
    sum = sum * square + 1.0 / 13
    sum = sum * square + 1.0 / 11
    sum = sum * square + 1.0 / 9
    sum = sum * square + 1.0 / 7
    sum = sum * square + 1.0 / 5
    sum = sum * square + 1.0 / 3
    sum = sum * square + 1
    return Double(exponent) * ln2High + (2 * ratio * sum + Double(exponent) * ln2Low)
  }

  /// The value that a standard normal variable stays below with the given probability in 0…1,
  /// ends excluded.
  ///
  /// Source: P. J. Acklam's rational approximation (2003), relative error below 1.15e-9.
  @inline(__always)
  static func normalQuantile(_ probability: Double) -> Double {
    if probability > 0.024_25, probability < 0.975_75 {
      let centred = probability - 0.5
      let square = centred * centred
      var top = -39.696_830_286_653_76 * square + 220.946_098_424_520_5
      top = top * square - 275.928_510_446_968_7
      top = top * square + 138.357_751_867_269_0
      top = top * square - 30.664_798_066_147_16
      top = top * square + 2.506_628_277_459_239
      var bottom = -54.476_098_798_224_06 * square + 161.585_836_858_040_9
      bottom = bottom * square - 155.698_979_859_886_6
      bottom = bottom * square + 66.801_311_887_719_72
      bottom = bottom * square - 13.280_681_552_885_72
      return centred * top / (bottom * square + 1)
    }
    let isLow = probability < 0.5
    let tail = (-2 * logarithm(isLow ? probability : 1 - probability)).squareRoot()
    var top = -0.007_784_894_002_430_293 * tail - 0.322_396_458_041_136_5
    top = top * tail - 2.400_758_277_161_838
    top = top * tail - 2.549_732_539_343_734
    top = top * tail + 4.374_664_141_464_968
    top = top * tail + 2.938_163_982_698_783
    var bottom = 0.007_784_695_709_041_462 * tail + 0.322_467_129_070_039_8
    bottom = bottom * tail + 2.445_134_137_142_996
    bottom = bottom * tail + 3.754_408_661_907_416
    let quantile = top / (bottom * tail + 1)
    return isLow ? quantile : -quantile
  }
}
