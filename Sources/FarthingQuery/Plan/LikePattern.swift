/// The pattern of `like`: `%` stands for any run of characters, `_` for one character, every other
/// character for itself. The whole text has to match; case matters.
package struct LikePattern: Sendable, Hashable {
  private enum Element: Sendable, Hashable {
    case anyRun
    case anyOne
    case character(Unicode.Scalar)
  }

  package let text: String
  private let elements: [Element]

  package init(_ text: String) {
    self.text = text
    elements = text.unicodeScalars.map { scalar in
      scalar == "%" ? .anyRun : scalar == "_" ? .anyOne : .character(scalar)
    }
  }

  /// - Complexity: O(text × pattern) at worst, without recursion.
  package func matches(_ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    var place = 0
    var element = 0
    // After a mismatch, the last run takes one character more and the rest is tried again.
    var lastRun: Int?
    var resume = 0
    while place < scalars.count {
      if element < elements.count {
        switch elements[element] {
        case .anyRun:
          lastRun = element
          resume = place
          element += 1
          continue
        case .anyOne:
          place += 1
          element += 1
          continue
        case .character(let scalar) where scalar == scalars[place]:
          place += 1
          element += 1
          continue
        case .character:
          break
        }
      }
      guard let run = lastRun else { return false }
      resume += 1
      place = resume
      element = run + 1
    }
    return elements[element...].allSatisfy { $0 == .anyRun }
  }
}
