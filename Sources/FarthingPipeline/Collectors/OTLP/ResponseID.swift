/// Ids that providers give answers.
enum ResponseID {
  /// Characters behind the prefix below which an id is not taken to be the only one of its kind.
  /// Ollama numbers its answers `chatcmpl-0` to `chatcmpl-998` at random, so that equal ids there
  /// are different calls; every hosted API's ids have more than twenty.
  static let uniqueLength = 8

  /// Whether no other answer has the id, so that it may stand for the call everywhere.
  static func isUnique(_ id: some Collection<UInt8>) -> Bool {
    let prefix = id.firstIndex { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    let rest = prefix.map { id[id.index(after: $0)...] } ?? id[...]
    return rest.count >= uniqueLength
  }
}
