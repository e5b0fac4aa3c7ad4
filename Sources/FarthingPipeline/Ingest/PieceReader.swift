internal import FarthingCore

/// Cuts a stream of bytes into pieces of whole events.
///
/// The stream is read once and never held as a whole: besides the piece being cut only the
/// beginning of the next event is kept, and an event longer than the limit is thrown away while it
/// is read. Not for use from two threads at once.
package struct PieceReader {
  /// Appends up to so many bytes to the buffer; returns how many, 0 at the end.
  package typealias Read = (_ buffer: inout [UInt8], _ count: Int) throws -> Int

  private let limits: InputLimits
  private let read: Read
  private var layout: InputLayout?
  /// Bytes read and not handed out yet; they start where an event starts.
  private var buffer: [UInt8] = []
  private var isAtEnd = false
  /// An error of the stream, kept until the whole events before it are handed out.
  private var failure: (any Error)?
  private var isFirstRead = true
  /// Inside an event that is too long: its rest is thrown away.
  private var isSkipping = false
  private var splitter = ArraySplitter()
  /// Where in a CSV record the bytes end that were looked at, and how many these are.
  private var boundary = CSVDialect.Boundary()
  private var lookedAt = 0
  /// Bytes that the stream gave so far.
  package private(set) var bytesRead = 0

  /// - Parameters:
  ///   - layout: nil to tell it by the first bytes.
  ///   - read: the stream. It is asked again after an error only through this reader's ``next()``.
  package init(limits: InputLimits, layout: InputLayout? = nil, read: @escaping Read) {
    self.limits = limits
    self.layout = layout
    self.read = read
  }

  /// The next piece, or nil at the end.
  ///
  /// - Throws: what the stream throws, once all whole events before the fault are handed out.
  package mutating func next() throws -> InputPiece? {
    while true {
      if let failure {
        buffer = []
        throw failure
      }
      if isAtEnd, buffer.isEmpty { return nil }
      try fill()
      if layout == nil { layout = isAtEnd || !buffer.isEmpty ? InputLayout.told(by: buffer) : nil }
      let piece =
        switch layout ?? .lines {
        case .lines: cutLines()
        case .array: cutElements()
        case .value: cutValue()
        case .records(let dialect): cutRecords(dialect)
        }
      if let piece { return piece }
      if isAtEnd, failure == nil { return nil }
    }
  }

  /// Reads the stream to its end, to a fault, or to where that is no more wanted, and throws the bytes
  /// away; ``next()`` is not asked afterwards.
  ///
  /// - Returns: ``bytesRead`` then.
  mutating func readRest(unless isInterrupted: () -> Bool) -> Int {
    while failure == nil, !isInterrupted() {
      buffer.removeAll(keepingCapacity: true)
      guard let count = try? read(&buffer, limits.pieceBytes), count > 0 else { break }
      bytesRead += count
    }
    return bytesRead
  }

  /// Reads until a piece's worth of bytes is there, the stream ends, or it fails.
  private mutating func fill() throws {
    let wanted = layout == .value ? limits.eventBytes + 1 : buffer.count + limits.pieceBytes
    while !isAtEnd, failure == nil, buffer.count < wanted {
      do {
        let count = try read(&buffer, min(limits.pieceBytes, wanted - buffer.count))
        bytesRead += count
        if count == 0 { isAtEnd = true }
        if isFirstRead, buffer.count >= 3 || isAtEnd { dropByteOrderMark() }
        if layout == nil, buffer.count >= min(limits.pieceBytes, 65_536) { break }
      } catch {
        failure = error
      }
    }
  }

  private mutating func dropByteOrderMark() {
    isFirstRead = false
    if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { buffer.removeFirst(3) }
  }

  /// Takes the first `count` bytes out of the buffer; the rest becomes the new buffer.
  private mutating func take(_ count: Int) -> [UInt8] {
    var rest: [UInt8] = []
    rest.reserveCapacity(2 * (buffer.count - count) + limits.pieceBytes)
    // Byte by byte: a slice would share the buffer, and shortening it would copy it whole.
    for index in count..<buffer.count { rest.append(buffer[index]) }
    var taken: [UInt8] = []
    swap(&taken, &buffer)
    taken.removeLast(taken.count - count)
    buffer = rest
    return taken
  }

  private func piece(
    _ content: InputPiece.Content, blankLinesAtEnd: Int = 0, start: Int = 0
  ) -> InputPiece {
    InputPiece(
      content: content, blankLinesAtEnd: blankLinesAtEnd, start: start, inputBytesRead: bytesRead)
  }

  private func oversized(_ what: String, line: Int) -> InputPiece {
    let limit = ByteCountText.text(limits.eventBytes)
    let rejection = EventRejection(
      line: line, field: nil, value: nil, expected: "\(what) of at most \(limit)")
    return piece(.oversized(rejection))
  }

  // MARK: Lines

  private mutating func cutLines() -> InputPiece? {
    if isSkipping {
      guard let end = buffer.firstIndex(of: UInt8(ascii: "\n")) else {
        buffer.removeAll(keepingCapacity: true)
        isSkipping = !isAtEnd
        return isAtEnd ? oversized("a line", line: 1) : nil
      }
      _ = take(end + 1)
      isSkipping = false
      return oversized("a line", line: 1)
    }
    if let end = buffer.lastIndex(of: UInt8(ascii: "\n")) {
      return lines(take(end + 1))
    }
    if buffer.count > limits.eventBytes {
      buffer.removeAll(keepingCapacity: true)
      // The read that went beyond the limit may have been the last one.
      isSkipping = !isAtEnd
      return isAtEnd ? oversized("a line", line: 1) : nil
    }
    // A last line without a line feed. One that an error cut off is not whole and is left out.
    guard isAtEnd, failure == nil, !buffer.isEmpty else { return nil }
    return lines(take(buffer.count))
  }

  /// As lines, but that a line feed inside quotes ends nothing.
  private mutating func cutRecords(_ dialect: CSVDialect) -> InputPiece? {
    if isSkipping { return cutLines() }
    let end = boundary.lastEnd(in: buffer, from: lookedAt, dialect)
    lookedAt = buffer.count
    if let end {
      lookedAt -= end
      return piece(.lines(take(end)))
    }
    if buffer.count > limits.eventBytes {
      // A quote that nothing closes: go on at the next line.
      boundary = CSVDialect.Boundary()
      lookedAt = 0
    }
    guard buffer.count > limits.eventBytes || isAtEnd && failure == nil else { return nil }
    if buffer.count > limits.eventBytes {
      buffer.removeAll(keepingCapacity: true)
      isSkipping = true
      return nil
    }
    guard !buffer.isEmpty else { return nil }
    return piece(.lines(take(buffer.count)))
  }

  private func lines(_ bytes: [UInt8]) -> InputPiece {
    var feeds = 0
    var isBlank = true
    for byte in bytes.reversed() {
      if byte == UInt8(ascii: "\n") {
        feeds += 1
      } else if !byte.isJSONSpace {
        isBlank = false
        break
      }
    }
    // The first of the line feeds at the end belongs to the last line that holds something.
    let ownFeed = isBlank || bytes.last.map { !$0.isJSONSpace } == true ? 0 : 1
    return piece(.lines(bytes), blankLinesAtEnd: max(0, feeds - ownFeed))
  }

  // MARK: One value

  private mutating func cutValue() -> InputPiece? {
    guard failure == nil else { return nil }
    if isSkipping || buffer.count > limits.eventBytes {
      buffer.removeAll(keepingCapacity: true)
      isSkipping = !isAtEnd
      return isAtEnd ? oversized("one JSON value", line: 1) : nil
    }
    guard isAtEnd, !buffer.isEmpty else { return nil }
    return piece(.document(take(buffer.count), isLast: true))
  }

  // MARK: An array of events

  private mutating func cutElements() -> InputPiece? {
    splitter.advance(over: buffer, stopAtFirst: isSkipping)
    if isSkipping { return skipElement() }
    // What follows the closing bracket is for the decoder to refuse; a page of it will do.
    if splitter.end != nil, buffer.count > limits.eventBytes { isAtEnd = true }
    if isAtEnd, failure == nil {
      guard !buffer.isEmpty else { return nil }
      let end = bytesRead
      let whole = splitter.wrapped(take(buffer.count), isLast: true)
      return piece(.document(whole, isLast: true), start: end - whole.count)
    }
    if let cut = splitter.lastCut {
      let start = bytesRead - buffer.count
      let part = splitter.wrapped(take(cut), isLast: false)
      // A later part was given the bracket that opens it.
      let brackets = part.count - cut
      splitter.drop(cut)
      return piece(.document(part, isLast: false), start: start - brackets)
    }
    if buffer.count > limits.eventBytes {
      isSkipping = true
      splitter.drop(buffer.count)
      buffer.removeAll(keepingCapacity: true)
    }
    return nil
  }

  private mutating func skipElement() -> InputPiece? {
    if let cut = splitter.lastCut ?? splitter.end {
      isSkipping = false
      // Where the array closes, the bracket stays and closes an array of nothing.
      _ = take(cut)
      splitter.drop(cut)
      if splitter.end != nil {
        buffer.insert(UInt8(ascii: "["), at: 0)
        splitter.close()
      }
      return oversized("an array element", line: 1)
    }
    splitter.drop(buffer.count)
    buffer.removeAll(keepingCapacity: true)
    if isAtEnd { isSkipping = false }
    return isAtEnd ? oversized("an array element", line: 1) : nil
  }
}

extension UInt8 {
  /// Whether JSON lets the byte stand between values.
  var isJSONSpace: Bool {
    self == 0x20 || (self >= 0x09 && self <= 0x0D && self != 0x0B && self != 0x0C)
  }
}
