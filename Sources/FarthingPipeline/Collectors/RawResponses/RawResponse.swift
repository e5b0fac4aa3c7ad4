internal import FarthingCore

/// One answer of an API, whole or streamed, and what stands beside it.
///
/// Of a stream only the chunks are kept that say anything about the call: the first, the first and
/// the last with usage, the last of all and any error. A field is looked for from the last to the
/// first, so that cumulative usage replaces what came before it.
struct RawResponse {
  /// A body or a chunk, without the wrapping of its stream.
  private struct Part {
    var value: JSONValue
    /// The beginning of a stream, whose output counts are placeholders.
    var isProvisional: Bool
  }

  private var first: Part?
  private var firstUsage: Part?
  private var lastUsage: Part?
  private var failure: Part?
  private var last: Part?
  private(set) var isStream = false
  /// Whether a candidate named the reason why it ended.
  private(set) var isFinished = false
  private let metadata: JSONValue?

  /// Whether path, status or headers of the call are known too.
  var hasMetadata: Bool { metadata != nil }

  init(metadata: JSONTree?) { self.metadata = metadata?.root }

  /// Takes a whole body.
  mutating func add(body: JSONValue) { add(Part(value: body, isProvisional: false)) }

  /// Takes the next chunk of a stream.
  mutating func add(chunk: JSONValue) {
    isStream = true
    // Responses wraps the answer so far, Messages the beginning of the answer.
    if let response = chunk["response"], response.isObject {
      add(Part(value: response, isProvisional: false))
    } else if chunk["type"]?.text == "message_start", let message = chunk["message"] {
      add(Part(value: message, isProvisional: true))
    } else {
      add(Part(value: chunk, isProvisional: false))
    }
    if chunk["candidates"]?.elements.contains(where: { $0["finishReason"] != nil }) == true {
      isFinished = true
    }
  }

  private mutating func add(_ part: Part) {
    if first == nil { first = part }
    if part.value["usage"] != nil || part.value["usageMetadata"] != nil {
      if firstUsage == nil { firstUsage = part }
      lastUsage = part
    }
    if part.value["error"] != nil { failure = part }
    last = part
  }

  /// The value at the path in the latest part that has it, or beside the body.
  func find(_ path: JSONPath, isFinalOnly: Bool = false) -> JSONValue? {
    if path.isBeside { return metadata?[path.rest] }
    for part in [lastUsage, last, failure, firstUsage, first] {
      guard let part, !(isFinalOnly && part.isProvisional) else { continue }
      if let value = part.value[path] { return value }
    }
    return nil
  }

  func text(_ paths: [JSONPath]) -> String? {
    for path in paths {
      if let text = find(path)?.literal, !text.isEmpty { return text }
    }
    return nil
  }
}

extension JSONPath {
  /// Whether it begins with `meta`: the body has no such field in any of the formats.
  fileprivate var isBeside: Bool { firstKey == "meta" }
}
