internal import FarthingCore

/// One record of a text: its tree and its place.
struct JSONRecord: Sendable {
  var tree: JSONTree
  /// 1-based line, or element of an array.
  var line: Int
  var isElement: Bool
}

/// Splits a text of JSON into records, as the event contract splits events: lines, one array, or one
/// object over lines. A record that is not JSON is refused by itself; in an array what follows is
/// lost, since nobody can tell where it begins.
struct JSONRecords {
  private(set) var records: [JSONRecord] = []
  private(set) var rejections: [EventRejection] = []

  init(_ bytes: [UInt8], firstLine: Int) {
    let layout = EventDecoder.layout(of: bytes.span)
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    switch layout {
    case .lines: readLines(bytes, from: start, firstLine: firstLine)
    case .document: readDocument(bytes, from: start, firstLine: firstLine)
    }
  }

  private mutating func readLines(_ bytes: [UInt8], from start: Int, firstLine: Int) {
    var at = start
    var line = firstLine
    while at < bytes.count {
      let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
      let text = bytes[at..<end]
      if text.contains(where: { $0 > 0x20 }) { read(Array(text), from: 0, line: line) }
      at = end + 1
      line += 1
    }
  }

  /// Reads the one record that `text` is.
  private mutating func read(_ text: [UInt8], from start: Int, line: Int) {
    do {
      let tree = try JSONTree(text, from: start)
      if let rest = text[tree.end...].firstIndex(where: { $0 > 0x20 }) {
        refuse(line: line, JSONTree.Fault(offset: rest, expected: "the end of the text"))
      } else {
        records.append(JSONRecord(tree: tree, line: line, isElement: false))
      }
    } catch {
      refuse(line: line, error)
    }
  }

  private mutating func readDocument(_ bytes: [UInt8], from start: Int, firstLine: Int) {
    var at = JSONTree.afterBlanks(bytes, start)
    guard at < bytes.count, bytes[at] == UInt8(ascii: "[") else {
      if at < bytes.count { read(bytes, from: at, line: firstLine) }
      return
    }
    var line = firstLine
    at = JSONTree.afterBlanks(bytes, at + 1)
    if at < bytes.count, bytes[at] == UInt8(ascii: "]") { return }
    while true {
      do {
        let tree = try JSONTree(bytes, from: at)
        records.append(JSONRecord(tree: tree, line: line, isElement: true))
        at = JSONTree.afterBlanks(bytes, tree.end)
      } catch {
        refuse(line: line, error)
        return
      }
      line += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: ",") {
        at = JSONTree.afterBlanks(bytes, at + 1)
      } else if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
        return
      } else {
        refuse(line: line, JSONTree.Fault(offset: at, expected: "a comma or ]"))
        return
      }
    }
  }

  private mutating func refuse(line: Int, _ fault: JSONTree.Fault) {
    rejections.append(
      EventRejection(
        line: line, field: nil, value: nil,
        expected: "\(fault.expected) at byte \(fault.offset + 1)"))
  }
}
