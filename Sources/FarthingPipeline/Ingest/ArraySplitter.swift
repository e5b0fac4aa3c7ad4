/// Finds where a JSON array may be cut between two elements, over any number of reads.
///
/// It looks at brackets, strings and commas only; whether the elements are good JSON is the
/// decoder's to say. Positions are in the reader's buffer, which starts where an element starts.
struct ArraySplitter {
  /// Where looking goes on.
  private var position = 0
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  /// Just past the last comma between elements that was seen.
  private(set) var lastCut: Int?
  /// Just before the bracket that closes the array.
  private(set) var end: Int?
  /// Whether the opening bracket was handed out, so that later parts need one of their own.
  private var isOpened = false

  /// Looks at the bytes that are new since the last call.
  ///
  /// - Parameter stopAtFirst: Stops at the first cut or the end instead of the last.
  mutating func advance(over buffer: [UInt8], stopAtFirst: Bool = false) {
    while position < buffer.count, end == nil {
      let byte = buffer[position]
      position += 1
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        isInString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth <= 0 { end = position - 1 }
      case UInt8(ascii: ",") where depth == 1:
        lastCut = position
        if stopAtFirst { return }
      default:
        break
      }
    }
  }

  /// Forgets `count` bytes at the buffer's start, which were handed out or thrown away.
  mutating func drop(_ count: Int) {
    position = max(0, position - count)
    end = end.map { $0 - count }
    lastCut = nil
    isOpened = true
  }

  /// Bytes of whole elements as an array of their own.
  ///
  /// - Parameters:
  ///   - bytes: From where an element starts; where not last, up to and with the comma after one.
  ///   - isLast: The stream has ended, so whatever closes the array is among the bytes.
  func wrapped(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
    if !isOpened {
      return isLast ? bytes : bytes.dropLast() + [UInt8(ascii: "]")]
    }
    guard isLast else {
      return [UInt8(ascii: "[")] + bytes.dropLast() + [UInt8(ascii: "]")]
    }
    // A comma with nothing after it is bad JSON: leave it where the decoder sees it.
    let isDangling = bytes.first { !$0.isJSONSpace } == UInt8(ascii: "]")
    return (isDangling ? [UInt8(ascii: "["), UInt8(ascii: ",")] : [UInt8(ascii: "[")]) + bytes
  }

  /// The element before the closing bracket was thrown away; what is left stands as it is.
  mutating func close() { isOpened = false }
}
