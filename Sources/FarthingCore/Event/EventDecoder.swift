// Decoding events from JSON text.
//
// One pass over the bytes, nothing allocated for an event:
//  1. A key is read as up to three words, which choose the field by a table look-up.
//  2. The value is read by its field's type straight into its place in the event. A text without
//     escapes and with nothing but printable ASCII stays where it is in the input; others are
//     checked and unescaped into the batch's tail.
//  3. What the contract does not name is passed over by the scanner, which checks the same rules
//     of JSON.
//  4. Required fields and parts of wholes are checked at the closing brace.
//
// The first fault in the order of the text ends an event; missing fields come after it, parts of
// wholes last. A line is at least tried with the kind that its first fields suggest: `type` may
// stand anywhere, and what it says decides which fields count. Where it contradicts what was read,
// the object is read again with the right kind.

/// Turns JSON text into events of the contract, refusing what breaks it, event by event.
///
/// A decoder keeps its buffers from piece to piece, so use one for each thread.
package struct EventDecoder: Sendable {
  /// How objects follow each other in the text.
  package enum Layout: Sendable, Equatable {
    /// One object a line; blank lines are skipped.
    case lines
    /// One array of objects, or one object, over any number of lines.
    case document
  }

  /// The greatest piece that a decoder takes: places in it are 32-bit numbers, and its tail follows.
  package static let pieceLimit = 1 << 30

  let latestTime: Int64
  /// Which rules hold for an event as a whole.
  let source: EventOrigin
  let table = FieldTable.shared
  let values = EnumeratedValues()
  let requestFields = EventShape.request
  let enumeratedFields = EventShape.enumerated
  var forecast = KeyForecast()
  var clock = EventTime()
  var scanner = JSONScanner()
  var entries: [NamedEntry] = []
  var fault: EventFault?
  /// The kind that `type` says, where the object was read as another.
  var otherKind: EventKind?
  /// Where the object, or its line, begins: columns count from here.
  var origin = 0
  private var unknown = UnknownFieldCounter()

  /// - Parameters:
  ///   - now: The clock in Unix nanoseconds; a time more than a day after it is refused.
  ///   - source: Where the events come from. Those that a collector made of another format may come as
  ///     lines, too, with what is let pass of them.
  package init(now: Int64, from source: EventOrigin = .contract) {
    self.source = source
    latestTime = EventRules.latestTime(now: now)
    scanner.nestingLimit = EventLimits.nesting
    scanner.refusesRepeatedKeys = true
  }

  /// Decodes a piece of input.
  ///
  /// Never throws and never traps: what is bad is in the batch's rejections, one for each bad event.
  /// - Parameters:
  ///   - piece: Whole lines, or a whole document. A leading byte order mark is skipped.
  ///   - firstLine: The number of the piece's first line; for a document that of its first element.
  /// - Complexity: O(n) in the bytes of the piece.
  package mutating func decode(
    _ piece: consuming [UInt8], firstLine: Int = 1, layout: Layout = .lines
  ) -> DecodedBatch {
    var batch = DecodedBatch()
    var input = piece
    guard input.count <= Self.pieceLimit else {
      batch.rejections.append(
        EventRejection(
          line: firstLine, field: nil, value: nil,
          expected: "at most \(Self.pieceLimit) bytes in one piece"))
      return batch
    }
    scanner.base = input.count
    scanner.tail.removeAll(keepingCapacity: true)
    scanner.spansLines = layout == .document
    // The entries of the last piece are its batch's: room for as many saves growing to them again.
    let entryCount = entries.count
    entries = []
    entries.reserveCapacity(entryCount)
    read(input.span, firstLine: firstLine, layout: layout, into: &batch)
    batch.entries = entries
    batch.unknownFields = unknown.take()
    if !scanner.tail.isEmpty { input.append(contentsOf: scanner.tail) }
    batch.bytes = input
    return batch
  }

  // MARK: Layouts

  private mutating func read(
    _ bytes: Span<UInt8>, firstLine: Int, layout: Layout, into batch: inout DecodedBatch
  ) {
    let start = bytes.count >= 3 && bytes.word(0) & 0xFF_FFFF == 0xBF_BBEF ? 3 : 0
    if layout == .lines {
      // A request of the contract's fields takes some 600 bytes; a few reallocations do not matter.
      batch.events.reserveCapacity(bytes.count / 600 + 1)
      lines(bytes, from: start, firstLine: firstLine, into: &batch)
    } else {
      document(bytes, from: start, firstLine: firstLine, into: &batch)
    }
  }

  private mutating func lines(
    _ bytes: Span<UInt8>, from start: Int, firstLine: Int, into batch: inout DecodedBatch
  ) {
    var at = start
    var line = firstLine
    // One for all lines: its 500 bytes need not be made anew for each.
    var event = DecodedEvent()
    while at < bytes.count {
      let lineStart = at
      at = scanner.afterBlanks(bytes, at)
      if at >= bytes.count { break }
      if bytes[at] == 0x0A {
        at &+= 1
        line &+= 1
        continue
      }
      origin = lineStart
      event.clear(kind: .request, line: line)
      let end = readObject(bytes, at: at, into: &event)
      if end >= 0 {
        at = scanner.afterBlanks(bytes, end)
        if at >= bytes.count || bytes[at] == 0x0A {
          accept(event, bytes, into: &batch)
          at &+= 1
          line &+= 1
          continue
        }
        _ = fail(syntax: "the end of the line after the object", bytes, at: at)
      }
      refuse(line: line, into: &batch)
      at = bytes.endOfLine(from: lineStart) &+ 1
      line &+= 1
    }
  }

  private mutating func document(
    _ bytes: Span<UInt8>, from start: Int, firstLine: Int, into batch: inout DecodedBatch
  ) {
    var at = scanner.afterBlanks(bytes, start)
    if at >= bytes.count { return }
    origin = at
    let isArray = bytes[at] == UInt8(ascii: "[")
    var line = firstLine
    if isArray {
      at = scanner.afterBlanks(bytes, at &+ 1)
      if bytes.byte(at) == UInt8(ascii: "]") {
        endOfDocument(bytes, after: at &+ 1, line: line, into: &batch)
        return
      }
    }
    while true {
      at = scanner.afterBlanks(bytes, at)
      origin = at
      var event = DecodedEvent(kind: .request, line: line)
      let start = at
      at = readObject(bytes, at: start, into: &event)
      let isGood = at >= 0
      if !isGood {
        let fault = self.fault
        let end = endOfElement(bytes, at: start)
        // Where the text itself is broken, that is what is wrong with it.
        if end >= 0 { self.fault = fault }
        refuse(line: line, into: &batch)
        if end < 0 {
          batch.unreadStart = start
          return
        }
        at = end
      }
      at = scanner.afterBlanks(bytes, at)
      guard isArray else {
        if at < bytes.count {
          if isGood {
            _ = fail(syntax: "the end of the text after the object", bytes, at: at)
            refuse(line: line, into: &batch)
          }
        } else if isGood {
          accept(event, bytes, into: &batch)
        }
        return
      }
      if isGood { accept(event, bytes, into: &batch) }
      line &+= 1
      if bytes.byte(at) == UInt8(ascii: ",") {
        at &+= 1
      } else if bytes.byte(at) == UInt8(ascii: "]") {
        endOfDocument(bytes, after: at &+ 1, line: line, into: &batch)
        return
      } else {
        _ = fail(syntax: "a comma or ]", bytes, at: at)
        refuse(line: line, into: &batch)
        batch.unreadStart = at
        return
      }
    }
  }

  private mutating func endOfDocument(
    _ bytes: Span<UInt8>, after end: Int, line: Int, into batch: inout DecodedBatch
  ) {
    let at = scanner.afterBlanks(bytes, end)
    if at >= bytes.count { return }
    origin = at
    _ = fail(syntax: "the end of the text after the array", bytes, at: at)
    refuse(line: line, into: &batch)
    batch.unreadStart = at
  }

  /// The index after a refused element, or −1 with the fault where it is not JSON.
  private mutating func endOfElement(_ bytes: Span<UInt8>, at start: Int) -> Int {
    var lenient = JSONScanner()
    lenient.base = scanner.base
    lenient.toleratesEncoding = true
    do {
      return try lenient.skipValue(bytes, at: start, depth: 0)
    } catch {
      return fail(error, bytes, field: nil)
    }
  }

  // MARK: Events

  /// Reads the object at `at`, again where its `type` says another kind than assumed.
  /// - Returns: The index after it, or −1 with the fault.
  @inline(__always)
  private mutating func readObject(
    _ bytes: Span<UInt8>, at: Int, into event: inout DecodedEvent
  ) -> Int {
    let firstEntry = entries.count
    scanner.marks.removeAll(keepingCapacity: true)
    let end = object(bytes, at: at, typeIsKnown: false, into: &event)
    return end >= 0
      ? end : readObjectAgain(bytes, at: at, firstEntry: firstEntry, into: &event)
  }

  @inline(never)
  private mutating func readObjectAgain(
    _ bytes: Span<UInt8>, at: Int, firstEntry: Int, into event: inout DecodedEvent
  ) -> Int {
    entries.removeSubrange(firstEntry...)
    let kind = otherKind ?? typeOfObject(bytes, at: at)
    otherKind = nil
    guard let kind, kind != event.kind else { return -1 }
    fault = nil
    scanner.marks.removeAll(keepingCapacity: true)
    event = DecodedEvent(kind: kind, line: event.line)
    let end = object(bytes, at: at, typeIsKnown: true, into: &event)
    if end < 0 { entries.removeSubrange(firstEntry...) }
    return end
  }

  @inline(__always)
  private mutating func accept(
    _ event: borrowing DecodedEvent, _ bytes: Span<UInt8>, into batch: inout DecodedBatch
  ) {
    batch.events.append(copy event)
    if !scanner.marks.isEmpty { countUnknownFields(bytes) }
  }

  @inline(never)
  private mutating func countUnknownFields(_ bytes: Span<UInt8>) {
    for mark in scanner.marks where !unknown.count(mark.hash) {
      unknown.add(mark.hash, name: text(mark.range, bytes))
    }
  }

  private mutating func refuse(line: Int, into batch: inout DecodedBatch) {
    if let fault { batch.rejections.append(fault.rejection(line: line)) }
    fault = nil
  }

  /// The text at `range`, shortened and printable.
  func text(_ range: ByteRange, _ bytes: Span<UInt8>) -> String {
    let start = Int(range.offset)
    return start < scanner.base || range.length == 0
      ? Excerpt.text(bytes, from: start, to: start + Int(range.length))
      : Excerpt.text(
        scanner.tail.span, from: start - scanner.base,
        to: start - scanner.base + Int(range.length))
  }
}
