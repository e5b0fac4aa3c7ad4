package import FarthingCore
package import FarthingStore

// What an agent keeps and forwards: sections of lines.
//
// A section is a head and events as the event contract's own lines:
//
//     #BYTES LINES SOURCE
//     {"time":…}
//     …
//
// BYTES counts what follows the head; SOURCE is the collector that the events came through at the site.
// Sections are cut so that a batch for the server can be made of whole ones.

/// A run of events of one source.
package struct ForwardSection: Sendable, Equatable {
  package var source: String
  package var lines: Int
  /// Where the lines stand in the text that the section was found in.
  package var place: Range<Int>

  /// Most events, and about as many bytes of lines, of a section: what is sent at once is made of several.
  static let maximumLines = 4096
  static let maximumBytes = 1 << 20

  /// A section without a line, for a record that holds positions only.
  package static let empty = head(bytes: 0, lines: 0, source: SourceFormat.events.rawValue)

  static func head(bytes: Int, lines: Int, source: String) -> [UInt8] {
    // A line feed in a name would end the head.
    let name = source.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
    return Array("#\(bytes) \(lines) ".utf8) + Array(String(String.UnicodeScalarView(name)).utf8)
      + [UInt8(ascii: "\n")]
  }

  // MARK: Writing

  /// The events of a batch as entries of the spool, with the positions that belong to them.
  ///
  /// - Parameters:
  ///   - site: the `site` of events that name none; nil to leave them without one.
  ///   - progress: how far the batch's source is read; each entry carries the position behind it.
  /// - Returns: one entry of no event where the batch has none and there is a position to keep; none
  ///   where there is neither.
  package static func entries(
    _ batch: ChargedBatch, receivedTime: Int64, site: String? = nil,
    progress: SourceProgress? = nil
  ) -> [SpoolEntry] {
    var pile = SectionPile(site: site)
    pile.add(batch, receivedTime: receivedTime, progress: progress)
    pile.close(progress?.end)
    if pile.entries.isEmpty, let progress {
      return [
        SpoolEntry(receivedTime: receivedTime, events: 0, text: empty, positions: [progress.end])
      ]
    }
    return pile.entries
  }

  /// The events of batches that arrived together: neighbours of one source share entries.
  package static func entries(
    _ batches: [(batch: ChargedBatch, receivedTime: Int64)], site: String? = nil
  ) -> [SpoolEntry] {
    var pile = SectionPile(site: site)
    for (batch, receivedTime) in batches { pile.add(batch, receivedTime: receivedTime) }
    pile.close(nil)
    return pile.entries
  }

  /// Lines that become entries.
  private struct SectionPile {
    let site: String?
    var entries: [SpoolEntry] = []
    private var lines: [UInt8] = []
    private var count = 0
    private var source = ""
    /// When the first of the lines arrived.
    private var receivedTime: Int64 = 0

    init(site: String?) { self.site = site }

    mutating func add(
      _ batch: borrowing ChargedBatch, receivedTime: Int64, progress: SourceProgress? = nil
    ) {
      if batch.source != source { close(nil) }
      source = batch.source
      for place in 0..<batch.decoded.events.count {
        if count >= maximumLines || lines.count >= maximumBytes { close(progress?.before(place)) }
        if count == 0 { self.receivedTime = receivedTime }
        ForwardSection.append(
          batch.decoded.events[place], of: batch.decoded, site: site, to: &lines)
        count += 1
      }
    }

    mutating func close(_ position: SourcePosition?) {
      guard count > 0 else { return }
      entries.append(
        SpoolEntry(
          receivedTime: receivedTime, events: count,
          text: head(bytes: lines.count, lines: count, source: source) + lines,
          positions: position.map { [$0] } ?? []))
      lines.removeAll(keepingCapacity: true)
      count = 0
    }
  }

  private static func append(
    _ event: borrowing DecodedEvent, of batch: borrowing DecodedBatch, site: String?,
    to lines: inout [UInt8]
  ) {
    EventEncoder.append(event, of: batch, to: &lines)
    guard let site, event.kind == .request, event.range(of: .site) == nil else { return }
    // Behind the line's last member, since no line is without one.
    lines.removeLast(2)
    lines.append(contentsOf: ",\"site\":".utf8)
    EventEncoder.append(text: Array(site.utf8)[...], to: &lines)
    lines.append(contentsOf: "}\n".utf8)
  }

  // MARK: Reading

  /// The sections that a text is made of.
  ///
  /// - Returns: nil where the text is anything else: a head that is none, lines cut short, or another
  ///   number of them than their head says.
  /// - Complexity: O(n) in the bytes of the text.
  package static func sections(of text: [UInt8]) -> [ForwardSection]? {
    var sections: [ForwardSection] = []
    var place = 0
    while place < text.count {
      guard text[place] == UInt8(ascii: "#"),
        let feed = text[place...].prefix(1100).firstIndex(of: UInt8(ascii: "\n"))
      else { return nil }
      let words = text[(place + 1)..<feed].split(separator: UInt8(ascii: " "), maxSplits: 2)
      guard words.count == 3, let bytes = number(words[0]), let lines = number(words[1]),
        bytes <= text.count - feed - 1, let source = String(validating: words[2], as: UTF8.self)
      else { return nil }
      let start = feed + 1
      guard Self.isWhole(text[start..<start + bytes], lines: lines) else { return nil }
      sections.append(
        ForwardSection(source: source, lines: lines, place: start..<start + bytes))
      place = start + bytes
    }
    return sections
  }

  /// Whether a text is so many lines, each with its end.
  private static func isWhole(_ text: ArraySlice<UInt8>, lines: Int) -> Bool {
    let feed = UInt8(ascii: "\n")
    return text.last ?? feed == feed && text.count { $0 == feed } == lines
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.count <= 10 else { return nil }
    var value = 0
    for digit in digits {
      guard digit >= 0x30, digit <= 0x39 else { return nil }
      value = value * 10 + Int(digit - 0x30)
    }
    return value
  }
}
