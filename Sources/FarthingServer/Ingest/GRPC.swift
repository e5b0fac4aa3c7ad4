internal import FarthingPipeline
internal import NIOHTTP1

// gRPC's unary calls on HTTP/2: a message behind five bytes of prefix each way, and how the call ended
// in trailers. Source: grpc/grpc, doc/PROTOCOL-HTTP2.md.

/// How a call ended. Source: google/rpc/code.proto.
enum GRPCStatus: Int, Sendable {
  case ok = 0
  case invalidArgument = 3
  case deadlineExceeded = 4
  case permissionDenied = 7
  case resourceExhausted = 8
  case unimplemented = 12
  case failed = 13
  case unavailable = 14
  case unauthenticated = 16

  /// What a fault of HTTP is in gRPC. OTLP's clients send again on `unavailable`, and on
  /// `resourceExhausted` where they are told when.
  init(_ code: RequestFault.Code) {
    self =
      switch code {
      case .badRequest, .unprocessable, .payloadTooLarge, .targetTooLong, .headersTooLarge,
        .expectationFailed, .conflict:
        .invalidArgument
      case .unauthorized: .unauthenticated
      case .forbidden: .permissionDenied
      case .notFound, .methodNotAllowed, .unsupportedMediaType, .notImplemented:
        .unimplemented
      case .requestTimeout: .deadlineExceeded
      case .rateLimited, .quotaExceeded: .resourceExhausted
      case .unavailable, .overloaded, .storageFull: .unavailable
      case .failed: .failed
      }
  }
}

extension OTLPSignal {
  /// The path of the signal's gRPC method.
  var grpcPath: String {
    let (package, service) =
      switch self {
      case .traces: ("trace", "TraceService")
      case .metrics: ("metrics", "MetricsService")
      case .logs: ("logs", "LogsService")
      }
    return "/opentelemetry.proto.collector.\(package).v1.\(service)/Export"
  }
}

enum GRPC {
  /// Protobuf's own and gRPC's default are the same.
  static let types = ["application/grpc", "application/grpc+proto"]

  /// Bytes before a message: whether it is compressed, and its length.
  private static let prefixBytes = 5

  static func isMeant(_ type: MediaType?) -> Bool {
    type?.name.hasPrefix("application/grpc") ?? false
  }

  /// A fault as gRPC says it; as HTTP does to a client that does not speak gRPC.
  static let fault: @Sendable (RequestFault, MediaType?) -> Reply = { fault, type in
    guard isMeant(type) else { return fault.reply }
    let told = fault.headers.first { $0.0 == "Retry-After" }.flatMap { Int($0.1) }
    return reply(GRPCStatus(fault.code), fault.message, retryAfter: fault.retryAfter ?? told)
  }

  /// Takes the message out of a call's body.
  ///
  /// - Throws: `unsupportedMediaType` where the compression is not understood, `badRequest` where the
  ///   body is not one message.
  static func unwrap(_ request: inout Request) throws(RequestFault) {
    guard request.body.count >= prefixBytes else {
      throw RequestFault(.badRequest, "the call has no message")
    }
    let flag = request.body[0]
    let length = request.body[1..<prefixBytes].reduce(0) { $0 << 8 | Int($1) }
    guard flag <= 1, length == request.body.count - prefixBytes else {
      throw RequestFault(
        .badRequest, "the call's body is not one message of the length that it says")
    }
    if flag == 1 {
      let name = request.headers.first(name: "grpc-encoding") ?? "identity"
      guard name.trimmed.lowercased() == "gzip" else {
        throw RequestFault(
          .unsupportedMediaType, "grpc-encoding: expected gzip or identity for its messages")
      }
      request.encoding = .gzip
    }
    request.body.removeFirst(prefixBytes)
  }

  /// An answer with its message.
  static func reply(message content: [UInt8]) -> Reply {
    var reply = reply(.ok)
    reply.body = [0]
    for shift in stride(from: 24, through: 0, by: -8) {
      reply.body.append(UInt8(truncatingIfNeeded: content.count >> shift))
    }
    reply.body += content
    return reply
  }

  /// An answer without a message.
  ///
  /// - Parameter retryAfter: Seconds after which the call may succeed; nil where it will not by itself.
  static func reply(_ status: GRPCStatus, _ message: String = "", retryAfter: Int? = nil) -> Reply {
    var reply = Reply(status: .ok, contentType: types[0])
    if status == .unimplemented { reply.headers.append(("grpc-accept-encoding", "gzip,identity")) }
    var trailers: HTTPHeaders = ["grpc-status": "\(status.rawValue)"]
    if !message.isEmpty { trailers.add(name: "grpc-message", value: escaped(message)) }
    if let retryAfter {
      let details = OTLPResponse.retryDetails(
        code: status.rawValue, message: message, seconds: retryAfter)
      trailers.add(name: "grpc-status-details-bin", value: base64(details))
    }
    reply.trailers = trailers
    return reply
  }

  /// Percent-encodes what is not a printable character of ASCII.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if byte >= 0x20, byte <= 0x7E, byte != UInt8(ascii: "%") {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
      }
    }
    return result
  }

  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Without padding, as gRPC prefers it.
  static func base64(_ bytes: [UInt8]) -> String {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for place in 0...group.count { result.append(digits[word >> (18 - 6 * place) & 63]) }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
