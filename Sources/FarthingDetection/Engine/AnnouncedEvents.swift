internal import FarthingCore

/// Why a calendar of announced events cannot be used; all of it is the file's.
package struct CalendarFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// Every entry that is wrong, and how.
  package var message: String
  package var description: String { message }

  package init(message: String) { self.message = message }
}

extension AnnouncedEvent {
  /// Reads a calendar: a JSON array of `{"start","end","expected_factor","reason"}` with one or more
  /// dimensions, such as `"workload"`.
  ///
  /// - Throws: ``CalendarFault`` naming every entry that is wrong, what stands there and what was expected.
  package static func calendar(_ bytes: [UInt8]) throws(CalendarFault) -> [AnnouncedEvent] {
    let tree: JSONTree
    do {
      tree = try JSONTree(bytes)
    } catch {
      throw CalendarFault(
        message: "calendar: no JSON at byte \(error.offset), expected \(error.expected)")
    }
    guard tree.root.isArray else {
      throw CalendarFault(message: "calendar: expected a JSON array of announced events")
    }
    var faults: [String] = []
    var events: [AnnouncedEvent] = []
    for (place, entry) in tree.root.elements.enumerated() {
      do throws(CalendarFault) {
        events.append(try AnnouncedEvent(entry))
      } catch {
        faults.append("entry \(place + 1): \(error.message)")
      }
    }
    if !faults.isEmpty {
      throw CalendarFault(message: "calendar: " + faults.joined(separator: "; "))
    }
    return events
  }

  private init(_ entry: JSONValue) throws(CalendarFault) {
    guard entry.isObject else { throw CalendarFault(message: "expected an object") }
    var start: Int64?
    var end: Int64?
    var factor: Double?
    var reason = ""
    var dimensions: [DimensionValue] = []
    for (key, value) in entry.members {
      switch key {
      case "start": start = try Self.time(key, value)
      case "end": end = try Self.time(key, value)
      case "expected_factor":
        guard let number = value.literal.flatMap(Double.init), number > 0, number <= 1e6 else {
          throw CalendarFault(
            message: "expected_factor is \(Self.shown(value)), expected a number above 0")
        }
        factor = number
      case "reason": reason = value.text ?? ""
      default:
        guard ObservedDimension.allCases.contains(where: { $0.contractName == key }) else {
          let known = ObservedDimension.allCases.map(\.contractName)
          let hint =
            Suggestion.nearest(
              to: key, among: known + ["start", "end", "expected_factor", "reason"]
            )
            .map { "; did you mean \($0)?" } ?? "; dimensions are " + known.joined(separator: ", ")
          throw CalendarFault(message: "unknown key \"\(key)\"\(hint)")
        }
        guard let text = value.text else {
          throw CalendarFault(message: "\(key) is \(Self.shown(value)), expected a text")
        }
        dimensions.append(DimensionValue(dimension: key, value: text))
      }
    }
    guard let start else { throw CalendarFault(message: "start is missing") }
    guard let end else { throw CalendarFault(message: "end is missing") }
    guard end > start else { throw CalendarFault(message: "end is not after start") }
    guard let factor else { throw CalendarFault(message: "expected_factor is missing") }
    self.init(start: start, end: end, factor: factor, reason: reason, dimensions: dimensions)
  }

  private static func time(_ key: String, _ value: JSONValue) throws(CalendarFault) -> Int64 {
    var reader = EventTime()
    let bytes = Array((value.text ?? "").utf8)
    // RFC 3339 with fractions as in events, or a plain date or minute.
    guard
      let time = reader.read(bytes.span, from: 0, to: bytes.count)
        ?? value.text.flatMap({ CivilTime.parse($0) })
    else {
      throw CalendarFault(
        message: "\(key) is \(shown(value)), expected a time such as 2026-03-09T10:00:00Z")
    }
    return time
  }

  private static func shown(_ value: JSONValue) -> String {
    if let text = value.text { return "\"\(String(text.prefix(64)))\"" }
    return value.literal.map { String($0.prefix(64)) } ?? "no text"
  }
}
