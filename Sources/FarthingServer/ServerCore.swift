internal import NIOCore
internal import NIOHTTP1

/// What all connections share.
final class ServerCore: Sendable {
  let limits: ServerLimits
  let router: Router
  let gate: any Gatekeeper
  let metrics: ServerMetrics
  let connections: Connections
  let bodies: ByteBudget

  init(
    limits: ServerLimits, router: Router, gate: any Gatekeeper, metrics: ServerMetrics,
    connections: Connections, bodies: ByteBudget
  ) {
    self.limits = limits
    self.router = router
    self.gate = gate
    self.metrics = metrics
    self.connections = connections
    self.bodies = bodies
  }

  /// - Throws: `unauthorized`, `forbidden` or `tooManyRequests`, before any body is read.
  func admit(_ request: Request, to route: Route) throws(RequestFault) {
    guard let scope = route.scope else { return }
    let authorization = request.headers.first(name: "authorization")
    switch gate.admit(authorization: authorization, scope: scope) {
    case .admitted: return
    case .unauthorized:
      metrics.countRefusal("unauthorized")
      var fault = RequestFault(
        .unauthorized, "this call needs a token: Authorization: Bearer TOKEN")
      fault.headers = [("WWW-Authenticate", "Bearer")]
      throw fault
    case .forbidden(let message):
      metrics.countRefusal("forbidden")
      throw RequestFault(.forbidden, message)
    case .throttled(let seconds, let message):
      metrics.countRefusal("throttled")
      throw RequestFault(.tooManyRequests, message, retryAfter: seconds)
    }
  }

  /// Looks at what the head says of the body.
  ///
  /// - Throws: `unsupportedMediaType` or `payloadTooLarge`.
  func check(_ request: inout Request, for route: Route) throws(RequestFault) {
    guard case .taken(let types) = route.body else { return }
    guard let encoding = BodyEncoding(request.headers) else {
      var fault = RequestFault(
        .unsupportedMediaType, "Content-Encoding: expected gzip, zstd or identity")
      fault.headers = [("Accept-Encoding", "gzip, zstd")]
      throw fault
    }
    request.encoding = encoding
    request.contentType = MediaType(request.headers)
    if let type = request.contentType {
      guard types.contains(type.name) else {
        throw RequestFault(
          .unsupportedMediaType,
          "Content-Type: expected \(types[0]) or one of "
            + types.dropFirst().joined(separator: ", "))
      }
      if let charset = type.charset, !["utf-8", "utf8", "us-ascii"].contains(charset) {
        throw RequestFault(.unsupportedMediaType, "Content-Type: expected the charset utf-8")
      }
    }
    if encoding == .identity, let text = request.headers.first(name: "content-length"),
      Int(text).map({ $0 > limits.bodyBytes }) ?? true
    {
      throw tooLarge
    }
  }

  var tooLarge: RequestFault {
    metrics.countRefusal("too_large")
    return RequestFault(
      .payloadTooLarge,
      "the body is larger than \(limits.bodyBytes) bytes, the most that is taken after "
        + "decompression; send it in parts")
  }
}
