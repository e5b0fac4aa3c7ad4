// The loops that evaluate rules; see `ColumnRule.swift`.
//
// Unsafe because: three to nine loads a row, each from an array of its own, would cost a bounds check
// each. The callers have compared the counts of the arrays and the greatest class with the number of
// entries; every loop runs below the least of the counts. No pointer outlives its call.

enum RuleKernels {
  /// classes[i] = first[i] · limit + second[i].
  ///
  /// - Returns: false where a code is not below its limit.
  static func classes(
    _ first: [UInt32], limit firstLimit: Int, _ second: [UInt32], limit: Int,
    into classes: inout [UInt32]
  ) -> Bool {
    guard first.count == second.count, Int(WordKernels.greatest(first)) < firstLimit,
      Int(WordKernels.greatest(second)) < limit
    else { return false }
    let factor = UInt32(truncatingIfNeeded: limit)
    resize(&classes, to: first.count)
    unsafe first.withUnsafeBufferPointer { first in
      unsafe second.withUnsafeBufferPointer { second in
        unsafe classes.withUnsafeMutableBufferPointer { classes in
          for row in 0..<first.count {
            unsafe classes[row] = first[row] &* factor &+ second[row]
          }
        }
      }
    }
    return true
  }

  /// Sums of products: Σ factors[k][class] · values[k][row].
  static func sum(
    _ factors: [[Int64]], classes: [UInt32], values: borrowing [IntegerColumn],
    into target: inout [Int64]
  ) {
    unsafe target.withUnsafeMutableBufferPointer { target in
      unsafe target.update(repeating: 0)
    }
    var input = 0
    while input + 1 < factors.count {
      add(
        factors[input], values[input].values, factors[input + 1], values[input + 1].values,
        classes: classes, into: &target)
      input += 2
    }
    if input < factors.count {
      add(factors[input], values[input].values, classes: classes, into: &target)
    }
  }

  private static func add(
    _ factors: [Int64], _ values: [Int64], classes: [UInt32], into target: inout [Int64]
  ) {
    let count = min(classes.count, values.count, target.count)
    unsafe classes.withUnsafeBufferPointer { classes in
      unsafe factors.withUnsafeBufferPointer { factors in
        unsafe values.withUnsafeBufferPointer { values in
          unsafe target.withUnsafeMutableBufferPointer { target in
            for row in 0..<count {
              let entry = unsafe Int(classes[row])
              unsafe target[row] &+= factors[entry] &* values[row]
            }
          }
        }
      }
    }
  }

  private static func add(
    _ factors: [Int64], _ values: [Int64], _ otherFactors: [Int64], _ otherValues: [Int64],
    classes: [UInt32], into target: inout [Int64]
  ) {
    let count = min(classes.count, values.count, otherValues.count, target.count)
    unsafe classes.withUnsafeBufferPointer { classes in
      unsafe factors.withUnsafeBufferPointer { factors in
        unsafe values.withUnsafeBufferPointer { values in
          unsafe otherFactors.withUnsafeBufferPointer { otherFactors in
            unsafe otherValues.withUnsafeBufferPointer { otherValues in
              unsafe target.withUnsafeMutableBufferPointer { target in
                for row in 0..<count {
                  let entry = unsafe Int(classes[row])
                  let first = unsafe factors[entry] &* values[row]
                  let second = unsafe otherFactors[entry] &* otherValues[row]
                  unsafe target[row] &+= first &+ second
                }
              }
            }
          }
        }
      }
    }
  }

  /// values[i] += what the zigzag words say.
  static func addRemainders(_ words: [UInt32], to values: inout [Int64]) {
    for row in 0..<min(words.count, values.count) where words[row] != 0 {
      values[row] &+= unzigzag(UInt64(words[row]))
    }
  }

  /// As above for words of 64 bits.
  static func addRemainders(_ words: [UInt64], to values: inout [Int64]) {
    for row in 0..<min(words.count, values.count) where words[row] != 0 {
      values[row] &+= unzigzag(words[row])
    }
  }

  /// codes[i] = table[classes[i]], but words[i] − 1 where a word is not 0.
  ///
  /// - Precondition: every class is below the table's count.
  static func look(
    up classes: [UInt32], in table: [UInt32], exceptions words: [UInt32]?,
    into codes: inout [UInt32]
  ) {
    resize(&codes, to: classes.count)
    unsafe classes.withUnsafeBufferPointer { classes in
      unsafe table.withUnsafeBufferPointer { table in
        unsafe codes.withUnsafeMutableBufferPointer { codes in
          for row in 0..<classes.count { unsafe codes[row] = table[Int(classes[row])] }
        }
      }
    }
    guard let words else { return }
    for row in 0..<min(words.count, codes.count) where words[row] != 0 {
      codes[row] = words[row] - 1
    }
  }
}
