/// What a mistyped name was probably meant to be.
package enum Suggestion {
  /// Words longer than this are no slip of the fingers.
  static let longestWord = 64

  /// The name that is the fewest edits away; nil where none is near enough to be a typing error.
  ///
  /// At most a third of the word's characters may differ, of a short word one. Case does not count, nor
  /// does a dash for an underscore. Ties go to the first name. Where none is near, a name that the
  /// word begins, or whose last part it is, will do (`tokens` for `input_tokens`).
  /// - Complexity: O(n) in the names, each by its length times the word's.
  package static func nearest(to word: String, among names: [String]) -> String? {
    guard !word.isEmpty, word.utf8.count <= longestWord else { return nil }
    let wanted = normalised(word)
    let limit = max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for name in names {
      let distance = editDistance(wanted, normalised(name), limit: limit)
      if distance <= limit, best.map({ distance < $0.distance }) ?? true {
        best = (name, distance)
      }
    }
    if let best { return best.name }
    let text = String(wanted)
    return text.count >= 4 ? names.first { $0.hasPrefix(text) || $0.hasSuffix("_" + text) } : nil
  }

  private static func normalised(_ word: String) -> [Character] {
    word.lowercased().map { $0 == "-" ? "_" : $0 }
  }

  /// How many characters have to be added, removed, replaced or swapped with their neighbour to turn
  /// one word into the other; above `limit` any greater number.
  static func editDistance(_ left: [Character], _ right: [Character], limit: Int) -> Int {
    if abs(left.count - right.count) > limit { return limit + 1 }
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for (row, character) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        var cost = min(
          last[column] + (character == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
