internal import FarthingPipeline
internal import NIOHTTP1

/// One call of the interface.
struct Route: Sendable {
  enum Body: Sendable {
    /// What comes all the same is thrown away.
    case none
    /// Of one of these types, or of none that is said.
    case taken(types: [String])
  }

  var method: HTTPMethod
  /// Begins with a slash. Has `{name}` where one part is open.
  var pattern: String
  /// nil where everybody may, always: liveness says nothing worth a token.
  var scope: AccessScope?
  var body: Body
  /// Whether it is a method of gRPC, which needs HTTP/2.
  var isGRPC = false
  /// How a fault is said to this call's clients.
  var fault: @Sendable (RequestFault, MediaType?) -> Reply = { fault, _ in fault.reply }
  var handle: @Sendable (Request, ReplyHandle) -> Void

  /// The types that carry the contract's events. Clients that say nothing of their own accord send
  /// the form's type (curl, Python's urllib).
  static let eventTypes = [
    "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl",
    "application/x-jsonlines", "application/jsonlines", "text/json", "text/plain",
    "application/x-www-form-urlencoded",
  ]
  /// The types of a statement of SQL.
  static let statementTypes = [
    "text/plain", "application/sql", "application/x-www-form-urlencoded",
  ]
  /// The types of a price list.
  static let listTypes = [
    "application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml",
    "text/plain", "application/octet-stream", "application/x-www-form-urlencoded",
  ]

  /// The type of what agents forward.
  static let sectionTypes = [ForwardHead.contentType]

  /// The types of OTLP.
  static let otlpTypes = [
    "application/x-protobuf", "application/protobuf", "application/json",
  ]
}

/// The calls by path and method.
struct Router: Sendable {
  private let routes: [Route]
  /// By path, those without an open part.
  private var exact: [String: [Route]] = [:]
  /// By what stands before the open part, and behind it.
  private var open: [(prefix: String, suffix: String, routes: [Route])] = []

  init(_ routes: [Route]) {
    self.routes = routes
    for route in routes {
      guard let brace = route.pattern.firstIndex(of: "{") else {
        exact[route.pattern, default: []].append(route)
        continue
      }
      let prefix = String(route.pattern[..<brace])
      let suffix = String(route.pattern[brace...].drop { $0 != "}" }.dropFirst())
      if let place = open.firstIndex(where: { $0.prefix == prefix && $0.suffix == suffix }) {
        open[place].routes.append(route)
      } else {
        open.append((prefix, suffix, [route]))
      }
    }
  }

  /// All calls, for the description of the interface and its tests.
  var all: [Route] { routes }

  /// The call that a request means; completes its ``Request/name``.
  ///
  /// - Throws: `notFound`, or `methodNotAllowed` with what is allowed.
  func route(_ request: inout Request) throws(RequestFault) -> Route {
    var found = exact[request.path] ?? []
    if found.isEmpty {
      for (prefix, suffix, routes) in open
      where request.path.hasPrefix(prefix) && request.path.hasSuffix(suffix) {
        let rest = request.path.dropFirst(prefix.count).dropLast(suffix.count)
        guard !rest.isEmpty, !rest.contains("/"),
          prefix.utf8.count + rest.utf8.count + suffix.utf8.count == request.path.utf8.count
        else { continue }
        request.name = String(rest)
        found = routes
      }
    }
    guard !found.isEmpty else {
      throw RequestFault(
        .notFound, "there is nothing at this path; GET /openapi.yaml describes what there is")
    }
    let method = request.method == .HEAD ? .GET : request.method
    if let route = found.first(where: { $0.method == method }) { return route }
    var allowed = found.map(\.method.rawValue)
    if allowed.contains("GET") { allowed.append("HEAD") }
    var fault = RequestFault(
      .methodNotAllowed,
      "\(request.method.rawValue.prefix(32)) is not possible here; allowed: "
        + allowed.joined(separator: ", "))
    fault.headers = [("Allow", allowed.joined(separator: ", "))]
    throw fault
  }
}
