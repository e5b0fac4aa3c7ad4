/// What a mistyped name was probably meant to be.
package enum Suggestion {
  /// The name that is the fewest edits away; nil where none is near enough to be a typing error.
  ///
  /// At most a third of the word's letters, rounded up, may differ. Ties go to the first name.
  package static func nearest(to word: String, among names: [String]) -> String? {
    let limit = (word.count + 2) / 3
    var best: (name: String, distance: Int)?
    for name in names {
      let distance = editDistance(Array(word.lowercased()), Array(name.lowercased()))
      if distance <= limit, distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
  }

  /// Insertions, deletions, replacements and swaps of neighbours that turn one word into another.
  private static func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var row = [i + 1]
      for (j, b) in right.enumerated() {
        var cost = min(last[j] + (a == b ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a == right[j - 1], left[i - 1] == b {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[right.count]
  }
}
