/// The texts of a column of codes, in order of their first appearance. Code 0 stands for absent.
package final class TextDictionary: Sendable {
  /// Entries with the one for absent: codes are below this.
  package let count: Int
  private let texts: TextColumn

  init(texts: consuming TextColumn) {
    count = texts.count + 1
    self.texts = texts
  }

  /// All texts one after another; entry `code` is at `range(of: code)`.
  package var bytes: [UInt8] { texts.bytes }

  /// Where the text of `code` stands in ``bytes``; nil for 0.
  package func range(of code: UInt32) -> Range<Int>? {
    code == 0 ? nil : texts.range(Int(code) - 1)
  }

  /// The text of `code`; nil for 0.
  package func string(of code: UInt32) -> String? {
    code == 0 ? nil : texts.string(Int(code) - 1)
  }

  /// The code of a text; nil where no row of the segment has it. An entry may be without rows.
  ///
  /// - Complexity: O(entries), comparing lengths first.
  package func code(for text: String) -> UInt32? {
    code(for: Array(text.utf8))
  }

  package func code(for text: [UInt8]) -> UInt32? {
    for row in 0..<texts.count {
      let start = Int(texts.offsets[row])
      guard Int(texts.offsets[row + 1]) - start == text.count else { continue }
      if texts.bytes[start..<start + text.count].elementsEqual(text) { return UInt32(row + 1) }
    }
    return nil
  }
}
