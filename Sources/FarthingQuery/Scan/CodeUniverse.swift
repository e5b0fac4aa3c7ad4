internal import FarthingCore
internal import FarthingStore

/// One numbering of a field's texts over all segments of a query: 0 is absent, n the n-th text.
///
/// A segment's codes become these by one look-up table a segment, so that the scan never touches a
/// text of a dictionary column.
final class CodeUniverse: Sendable {
  let texts: TextInterner
  /// By place of the segment: the number of each of its codes, or nil where it holds the column
  /// as text.
  private let maps: [[UInt32]?]
  /// The number of what an absent value shows as; 0 where there is no default.
  let absent: UInt32
  /// Whether a segment holds the column as text, so that numbers beyond ``count`` may come.
  let isOpen: Bool

  /// - Throws: ``StoreError`` where a dictionary cannot be read.
  init(_ name: ColumnName, _ segments: [SegmentReader]) throws(StoreError) {
    var texts = TextInterner()
    var maps: [[UInt32]?] = []
    let fallback = RequestField.named(name.rawValue)?.defaultText
    let absent = fallback.map { texts.intern($0) + 1 } ?? 0
    let extra =
      name.rawValue == "usage" ? ["reported", "missing"].map { texts.intern($0) + 1 } : []
    var isOpen = false
    for segment in segments {
      switch segment.kind(of: name) {
      case nil: maps.append([absent] + extra)
      case .codes:
        let dictionary = try segment.dictionary(name)
        let bytes = dictionary.bytes
        var map = [absent]
        map.reserveCapacity(dictionary.count + extra.count)
        for code in 1..<max(dictionary.count, 1) {
          map.append(texts.intern(bytes.span, dictionary.range(of: UInt32(code)) ?? 0..<0) + 1)
        }
        maps.append(map + extra)
      default:
        maps.append(nil)
        isOpen = true
      }
    }
    self.texts = texts
    self.maps = maps
    self.absent = absent
    self.isOpen = isOpen
  }

  /// Numbers are below this, as long as the universe is not open.
  var count: Int { texts.count + 1 }

  func map(ofSegment place: Int) -> [UInt32]? { maps[place] }
}
