internal import FarthingCore

extension SourceFormat {
  /// Bytes of a text that are enough to recognise its format, where it has as many.
  package static let detectionBytes = 1 << 16

  /// What a text is written in, told by its first bytes.
  ///
  /// The first object counts: of an array its first element, of an event stream its first datum.
  /// Formats are tried in the order of ``signatures``; what none of them recognises is taken for
  /// events, so that a text which is broken is refused by line and name.
  /// - Parameters:
  ///   - prefix: At least the first 64 KiB, or all of it.
  ///   - metadata: What stands beside a raw response; its path tells an API that the body does not.
  /// - Complexity: O(n) in the bytes of the prefix.
  package static func detect(_ prefix: [UInt8], metadata: [UInt8]? = nil) -> SourceFormat {
    if let metadata, let tree = try? JSONTree(metadata),
      let path = tree.root["request_path"]?.text, let format = APIPath.format(of: path)
    {
      return format
    }
    var start = prefix.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    if let datum = EventStream.firstDatum(in: prefix, from: start) {
      start = datum
    }
    let outline = JSONOutline(prefix, from: start)
    return signatures.first { $0.matches(outline) }?.format ?? .events
  }

  /// Where the metadata of a raw response would stand: `NAME.meta.json` beside `NAME.body`, or beside
  /// a file of any other ending.
  package static func metadataPath(of path: String) -> String {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    guard let dot = path.lastIndex(of: "."), dot > slash else { return path + ".meta.json" }
    return path[..<dot] + ".meta.json"
  }

  /// What an object of a format has at its top. A signature matches where all its keys are there and
  /// its texts begin as said.
  struct Signature: Sendable {
    var format: SourceFormat
    var keys: [String] = []
    var texts: [String: [String]] = [:]

    func matches(_ outline: JSONOutline) -> Bool {
      keys.allSatisfy { outline.keys.contains($0) }
        && texts.allSatisfy { key, beginnings in
          guard let text = outline.texts[key] else { return false }
          return beginnings.contains { text.hasPrefix($0) }
        }
    }
  }

  static let signatures: [Signature] = [
    // Our own events may carry any further field, so what makes one comes before all other signs.
    Signature(format: .events, keys: ["time", "model"]),
    Signature(
      format: .events, keys: ["time"], texts: ["type": ["request", "outcome", "capacity"]]),
    Signature(format: .litellm, keys: ["call_type", "startTime"]),
    Signature(format: .litellm, keys: ["litellm_call_id"]),
    Signature(format: .litellm, keys: ["custom_llm_provider", "startTime", "endTime"]),
    Signature(format: .litellm, keys: ["model_map_information"]),
    Signature(format: .otlp, keys: ["resourceSpans"]),
    Signature(format: .otlp, keys: ["resource_spans"]),
    Signature(
      format: .openai,
      texts: [
        "object": ["chat.completion", "text_completion", "response", "list", "embedding"]
      ]),
    Signature(format: .openai, keys: ["response"], texts: ["type": ["response."]]),
    Signature(format: .openai, keys: ["choices"]),
    Signature(
      format: .anthropic,
      keys: ["role", "content", "usage"], texts: ["type": ["message"]]),
    Signature(format: .anthropic, keys: ["message"], texts: ["type": ["message_start"]]),
    Signature(format: .anthropic, keys: ["error"], texts: ["type": ["error"]]),
    Signature(format: .gemini, keys: ["candidates"]),
    Signature(format: .gemini, keys: ["usageMetadata"]),
    Signature(format: .gemini, keys: ["promptFeedback"]),
    Signature(format: .gemini, keys: ["error.status"]),
    Signature(format: .bedrock, keys: ["stopReason", "usage"]),
    Signature(format: .bedrock, keys: ["output", "metrics"]),
    Signature(format: .openai, keys: ["error.message", "error.type"]),
  ]
}

/// The keys at the top of an object, as far as its text goes.
struct JSONOutline: Sendable {
  /// Keys at the top, and those of an `error` object as `error.KEY`.
  private(set) var keys: Set<String> = []
  /// Texts at the top.
  private(set) var texts: [String: String] = [:]

  /// Reads the object at `start`, or the first one of the array there.
  init(_ bytes: [UInt8], from start: Int) {
    let tree: JSONTree
    do {
      tree = try JSONTree(partial: bytes, from: start)
    } catch {
      return
    }
    var object = tree.root
    if let first = object.elements.first { object = first }
    for key in object.keys {
      keys.insert(key)
      texts[key] = object[JSONPath(key: key)]?.text
    }
    for key in object["error"]?.keys ?? [] { keys.insert("error." + key) }
  }
}

/// What the path of a request says about its API.
enum APIPath {
  private static let formats: [(String, SourceFormat)] = [
    ("/chat/completions", .openai), ("/completions", .openai), ("/responses", .openai),
    ("/embeddings", .openai), ("/messages", .anthropic), ("eneratecontent", .gemini),
    (":embedcontent", .gemini), (":batchembedcontents", .gemini), ("/converse", .bedrock),
    ("/converse-stream", .bedrock), ("/invoke", .bedrock),
    ("/invoke-with-response-stream", .bedrock),
  ]

  /// The API that a path belongs to.
  static func format(of path: String) -> SourceFormat? {
    let bare = path.split(separator: "?", maxSplits: 1).first.map { $0.lowercased() } ?? ""
    return formats.first { bare.hasSuffix($0.0) }?.1
  }
}

/// Server-sent events: the shape of streamed answers.
enum EventStream {
  /// Where the JSON of the first `data:` line begins, if the text is an event stream.
  static func firstDatum(in bytes: [UInt8], from start: Int) -> Int? {
    var at = start
    while at < bytes.count, bytes[at] == 0x0A || bytes[at] == 0x0D { at += 1 }
    let isStream = ["event:", "data:", "id:", "retry:", ":"].contains {
      bytes[at...].starts(with: $0.utf8)
    }
    guard isStream else { return nil }
    return data(in: bytes, from: at).first { bytes[$0.lowerBound] == UInt8(ascii: "{") }?
      .lowerBound
  }

  /// The content of every `data:` line, without the space after the colon.
  ///
  /// A datum over several lines does not occur in these APIs, and is not joined.
  /// - Complexity: O(n) in the bytes.
  static func data(in bytes: [UInt8], from start: Int) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var at = start
    while at < bytes.count {
      var end = bytes[at...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
      let next = end + 1
      if bytes[at..<end].starts(with: "data:".utf8) {
        var from = at + 5
        while from < end, bytes[from] == 0x20 { from += 1 }
        while end > from, bytes[end - 1] == 0x20 { end -= 1 }
        if from < end { result.append(from..<end) }
      }
      at = next
    }
    return result
  }
}
