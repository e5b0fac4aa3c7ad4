internal import FarthingPipeline
internal import NIOCore
internal import NIOHTTP1

/// What all connections share that were opened since the configuration was read last: each keeps the
/// limits and the certificate that it began with.
final class ServerCore: Sendable {
  let limits: ServerLimits
  /// nil where plain HTTP is spoken.
  let security: TransportSecurity?
  let router: Router
  let gate: Gate
  let metrics: ServerMetrics
  let connections: Connections
  let bodies: ByteBudget

  init(
    limits: ServerLimits, security: TransportSecurity?, router: Router, gate: Gate,
    metrics: ServerMetrics,
    connections: Connections, bodies: ByteBudget
  ) {
    self.limits = limits
    self.security = security
    self.router = router
    self.gate = gate
    self.metrics = metrics
    self.connections = connections
    self.bodies = bodies
  }

  /// - Throws: `unauthorized`, `forbidden` or one of the token's limits, before any body is read.
  func admit(_ request: inout Request, to route: Route) throws(RequestFault) {
    guard let scope = route.scope else { return }
    do throws(RequestFault) {
      request.grant = try gate.admit(request.headers, to: scope)
    } catch {
      metrics.countRefusal("access")
      throw error
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

  static let fullOfBodies = RequestFault(
    .overloaded, "the bodies at work take all the memory that is set aside for them",
    retryAfter: 1)

  var tooLarge: RequestFault {
    metrics.countRefusal("body")
    var fault = RequestFault(
      .payloadTooLarge,
      "the body is larger than \(limits.bodyBytes) bytes, the most that is taken after "
        + "decompression; send it in parts")
    // Tells an agent that no proxy says so.
    fault.headers = [(ForwardHead.refusedField, "body")]
    return fault
  }
}
