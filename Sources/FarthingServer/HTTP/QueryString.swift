/// The parameters of a request's target, decoded.
package struct QueryParameters: Sendable, Equatable {
  /// By name; in the order of the target where one is given several times.
  package private(set) var values: [String: [String]] = [:]

  /// - Throws: `badRequest` for percent signs without two digits and for what is not UTF-8.
  package init(_ query: String?) throws(RequestFault) {
    guard let query else { return }
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = try Self.decoded(parts[0])
      let value = parts.count > 1 ? try Self.decoded(parts[1]) : ""
      values[name, default: []].append(value)
    }
  }

  /// The one value of a parameter; nil where it is absent.
  ///
  /// - Throws: `badRequest` where it is given twice.
  package func single(_ name: String) throws(RequestFault) -> String? {
    guard let all = values[name] else { return nil }
    guard all.count == 1 else {
      throw RequestFault(.badRequest, "\(name): given \(all.count) times, expected once")
    }
    return all[0]
  }

  /// All values of a list, joined by commas; nil where it is absent.
  package func list(_ name: String) -> String? { values[name]?.joined(separator: ",") }

  static func decoded(_ text: some StringProtocol) throws(RequestFault) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(0x20)
      case UInt8(ascii: "%"):
        guard rest.count >= 2, let high = digit(rest.removeFirst()),
          let low = digit(rest.removeFirst())
        else {
          throw RequestFault(
            .badRequest, "the target's query: % stands without two hexadecimal digits behind it")
        }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw RequestFault(.badRequest, "the target's query: not UTF-8 text")
    }
    return text
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
