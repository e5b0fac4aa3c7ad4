internal import FarthingPipeline
internal import NIOHTTP1

/// What a route is handed: a request whose body has arrived whole.
struct Request: Sendable {
  var method: HTTPMethod
  /// Without the query.
  var path: String
  /// What follows the `?`; nil where there is none.
  var query: String?
  /// The last part of the path where the route has one open.
  var name: String?
  var headers: HTTPHeaders
  /// As it was sent: still compressed where ``encoding`` says so.
  var body: [UInt8] = []
  var encoding = BodyEncoding.identity
  /// nil where it is not said.
  var contentType: MediaType?
  /// How a fault is said to this request's client.
  var fault: @Sendable (RequestFault, MediaType?) -> Reply = { fault, _ in fault.reply }
  /// Who is charged for what it stores; nil where the call needs no scope.
  var grant: AccessGrant?

  init(_ head: HTTPRequestHead) {
    method = head.method
    headers = head.headers
    // In the absolute form, as forwarders send it, what stands before the path is the server itself.
    let target = Self.originForm(head.uri)
    if let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) {
      path = String(target[..<mark])
      query = String(target[target.utf8.index(after: mark)...])
    } else {
      path = target
    }
  }
}

extension Request {
  private static func originForm(_ target: String) -> String {
    guard !target.hasPrefix("/"), let scheme = target.firstRange(of: "://"),
      ["http", "https"].contains(target[..<scheme.lowerBound].lowercased())
    else { return target }
    let rest = target[scheme.upperBound...]
    guard let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
    return rest[start] == "/" ? String(rest[start...]) : "/" + String(rest[start...])
  }

  /// The fault as this request's client understands it.
  func reply(_ fault: RequestFault) -> Reply {
    var reply = self.fault(fault, contentType)
    let own = fault.reply
    reply.headers += own.headers
    return reply
  }
}

/// How a body is compressed.
enum BodyEncoding: Sendable {
  case identity
  case gzip
  case zstd

  /// What `Content-Encoding` says; nil for what is not understood.
  init?(_ headers: HTTPHeaders) {
    self = .identity
    // A list, of which an empty one, and empty elements, say nothing (RFC 9110, 5.6.1 and 8.4).
    for value in headers[canonicalForm: "content-encoding"] {
      switch value.lowercased().trimmed {
      case "", "identity": continue
      case "gzip" where self == .identity, "x-gzip" where self == .identity: self = .gzip
      case "zstd" where self == .identity: self = .zstd
      default: return nil
      }
    }
  }
}

/// A media type without its parameters, in lower case, and its charset.
struct MediaType: Sendable, Equatable {
  var name: String
  var charset: String?

  /// What `Content-Type` says; nil where it is absent or empty.
  init?(_ headers: HTTPHeaders) {
    guard let text = headers.first(name: "content-type") else { return nil }
    let parts = text.split(separator: ";").map { String($0).trimmed }
    guard let name = parts.first, !name.isEmpty else { return nil }
    self.name = name.lowercased()
    for part in parts.dropFirst() where part.lowercased().hasPrefix("charset=") {
      charset = part.dropFirst(8).lowercased().filter { $0 != "\"" }
    }
  }
}

extension StringProtocol {
  /// Without spaces and tabs at both ends.
  var trimmed: String {
    let spaces: Set<Character> = [" ", "\t"]
    var rest = self[...]
    while let first = rest.first, spaces.contains(first) { rest = rest.dropFirst() }
    while let last = rest.last, spaces.contains(last) { rest = rest.dropLast() }
    return String(rest)
  }
}
