internal import FarthingCore

// What users say of their calls in OpenInference: `metadata`, an object as a text of JSON, and
// `tag.tags`, a list of texts. Both become tags; what names a task, an identity or a tenant fills
// that field where nothing else does.

/// Dimensions that a span gives as a whole.
enum SpanMetadata {
  /// Most bytes of a metadata text that is read.
  private static let textBytes = 1 << 16
  /// Most bytes of a name, and of a value: longer ones are no dimensions, and may be prompts.
  private static let nameBytes = 64
  private static let valueBytes = 256

  /// The members of the object that have one value each; none where the text is no object.
  static func members(_ text: ArraySlice<UInt8>) -> [(name: String, value: String)] {
    guard text.count <= textBytes, let tree = try? JSONTree(Array(text)), tree.root.isObject else {
      return []
    }
    var result: [(name: String, value: String)] = []
    for (name, value) in tree.root.members where result.count < EventLimits.entries {
      guard !value.isObject, !value.isArray else { continue }
      let text = value.boolean.map { $0 ? "true" : "false" } ?? value.literal
      guard let text, !text.isEmpty, !name.isEmpty, name.utf8.count <= nameBytes,
        text.utf8.count <= valueBytes
      else { continue }
      result.append((name, text))
    }
    return result
  }

  /// The tags of a list: `name:value` is one with a value, any other is `true`.
  ///
  /// - Parameter list: The bytes of OTLP's `ArrayValue`.
  static func tags(_ list: ArraySlice<UInt8>) -> [(name: String, value: String)] {
    // Copied, for the reader counts from the first byte; lists of tags are short.
    guard list.count <= textBytes else { return [] }
    let bytes = Array(list)
    var result: [(name: String, value: String)] = []
    var values = ProtobufReader(from: 0, to: bytes.count)
    var value = ProtobufField()
    while result.count < EventLimits.entries, (try? values.next(bytes.span, &value)) == true {
      guard value.number == 1, value.wire == ProtobufWire.bytes else { continue }
      var texts = ProtobufReader(from: value.start, to: value.end)
      var text = ProtobufField()
      while (try? texts.next(bytes.span, &text)) == true {
        guard text.number == 1, text.wire == ProtobufWire.bytes,
          let tag = tag(bytes[text.start..<text.end])
        else { continue }
        result.append(tag)
      }
    }
    return result
  }

  private static func tag(_ bytes: ArraySlice<UInt8>) -> (name: String, value: String)? {
    let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
    let name = bytes[..<(colon ?? bytes.endIndex)]
    let value = colon.map { bytes[($0 + 1)...].drop { $0 == UInt8(ascii: " ") } }
    guard !name.isEmpty, name.count <= nameBytes, value?.isEmpty != true,
      value?.count ?? 0 <= valueBytes
    else { return nil }
    return (
      String(decoding: name, as: UTF8.self),
      value.map { String(decoding: $0, as: UTF8.self) } ?? "true"
    )
  }
}
