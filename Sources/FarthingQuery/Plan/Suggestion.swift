internal import FarthingCore

/// The known name that a mistyped one was most likely meant to be.
package enum Suggestion {
  /// The nearest of `names`, or nil where none is near: at most a third of the word may differ.
  package static func nearest(to word: String, among names: [String]) -> String? {
    let lowered = word.lowercased().map { $0 == "-" ? "_" : $0 }
    let limit = max(1, lowered.count / 3)
    var best: (name: String, distance: Int)?
    for name in names {
      let distance = editDistance(lowered, Array(name), limit: limit)
      if distance <= limit, best.map({ distance < $0.distance }) ?? true {
        best = (name, distance)
      }
    }
    if let best { return best.name }
    let text = String(lowered)
    return text.count >= 4 ? names.first { $0.hasPrefix(text) || $0.hasSuffix("_" + text) } : nil
  }

  /// How many characters have to be added, removed, replaced or swapped with their neighbour; above
  /// `limit` any greater number.
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

  static func unknownMetric(_ name: String) -> String {
    message("metric", name, nearest(to: name, among: Metric.catalogue.map(\.name)))
  }

  static func unknownField(_ name: String) -> String {
    message(
      "field", name,
      nearest(to: name, among: RequestField.all.map(\.name) + ["tags.NAME", "units.NAME"]))
  }

  private static func message(_ what: String, _ name: String, _ nearest: String?) -> String {
    let shortened = name.count > 64 ? name.prefix(64) + "…" : name[...]
    let topic = what == "metric" ? "metrics" : "fields"
    guard let nearest else {
      return "unknown \(what) \"\(shortened)\"; \"farthing help \(topic)\" lists them"
    }
    return "unknown \(what) \"\(shortened)\"; did you mean \"\(nearest)\"?"
  }
}
