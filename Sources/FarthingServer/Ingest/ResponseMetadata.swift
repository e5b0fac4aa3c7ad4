internal import FarthingPipeline
internal import NIOHTTP1

/// What stands beside an API's answer that is posted as it was received: the words of a file's
/// `.meta.json`, out of the fields of the request's head.
enum ResponseMetadata {
  /// The fields that say it, and what each is called there.
  private static let fields = [
    (header: "farthing-request-path", name: "request_path"),
    (header: "farthing-request-model", name: "request_model"),
    (header: "farthing-response-status", name: "status"),
  ]
  /// What an answer's own fields begin with that are read of it.
  private static let ownPrefix = "x-amzn-"

  /// The metadata as JSON; nil where the head says nothing of the answer.
  static func text(_ headers: HTTPHeaders) -> [UInt8]? {
    var members: [String] = []
    for (header, name) in fields {
      guard let value = headers.first(name: header)?.trimmed, !value.isEmpty else { continue }
      let number = name == "status" ? Int(value) : nil
      members.append("\"\(name)\":\(number.map(String.init) ?? JSONQuoted.text(value))")
    }
    var own: [String: String] = [:]
    for (name, value) in headers where name.lowercased().hasPrefix(ownPrefix) {
      own[name.lowercased()] = value.trimmed
    }
    if !own.isEmpty {
      let texts = own.sorted { $0.key < $1.key }.map {
        "\(JSONQuoted.text($0.key)):\(JSONQuoted.text($0.value))"
      }
      members.append("\"response_headers\":{\(texts.joined(separator: ","))}")
    }
    return members.isEmpty ? nil : Array("{\(members.joined(separator: ","))}".utf8)
  }
}
