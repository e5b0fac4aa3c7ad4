internal import FarthingPipeline
internal import NIOHTTP1

/// What a request is answered with, whole.
struct Reply: Sendable {
  var status: HTTPResponseStatus
  /// Besides the length, the type and what the connection adds.
  var headers: [(String, String)] = []
  var contentType: String? = "application/json"
  var body: [UInt8] = []
  /// What follows the body; sent over HTTP/2 alone.
  var trailers: HTTPHeaders?
  /// Whether the connection ends with this reply.
  var closes = false

  static func json(_ status: HTTPResponseStatus, _ body: [UInt8]) -> Reply {
    Reply(status: status, body: body)
  }

  static func text(_ status: HTTPResponseStatus, _ text: String, type: String) -> Reply {
    Reply(status: status, contentType: type, body: Array(text.utf8))
  }
}

/// Why a request is not done: `{"error":{"code","message"}}`.
package struct RequestFault: Error, Sendable, Equatable {
  /// For programs; `snake_case`.
  package enum Code: String, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case unauthorized
    case forbidden
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case conflict
    case requestTimeout = "request_timeout"
    case payloadTooLarge = "payload_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case expectationFailed = "expectation_failed"
    case unprocessable
    case rateLimited = "rate_limited"
    case quotaExceeded = "quota_exceeded"
    case targetTooLong = "target_too_long"
    case headersTooLarge = "headers_too_large"
    case failed = "internal"
    case notImplemented = "not_implemented"
    case unavailable
    case overloaded
    case storageFull = "storage_full"

    var status: HTTPResponseStatus {
      switch self {
      case .badRequest: .badRequest
      case .unauthorized: .unauthorized
      case .forbidden: .forbidden
      case .notFound: .notFound
      case .methodNotAllowed: .methodNotAllowed
      case .conflict: .conflict
      case .requestTimeout: .requestTimeout
      case .payloadTooLarge: .payloadTooLarge
      case .unsupportedMediaType: .unsupportedMediaType
      case .expectationFailed: .expectationFailed
      case .unprocessable: .unprocessableEntity
      case .rateLimited, .quotaExceeded: .tooManyRequests
      case .targetTooLong: .uriTooLong
      case .headersTooLarge: .requestHeaderFieldsTooLarge
      case .failed: .internalServerError
      case .notImplemented: .notImplemented
      case .unavailable, .overloaded, .storageFull: .serviceUnavailable
      }
    }
  }

  package var code: Code
  /// A whole sentence for a person; no secrets, no event contents.
  package var message: String
  /// Seconds after which the same request may succeed; nil where it will not by itself.
  package var retryAfter: Int?
  /// Further header fields, such as `Allow`.
  var headers: [(String, String)] = []

  package init(_ code: Code, _ message: String, retryAfter: Int? = nil) {
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
  }

  package static func == (left: RequestFault, right: RequestFault) -> Bool {
    left.code == right.code && left.message == right.message && left.retryAfter == right.retryAfter
  }

  var reply: Reply {
    var body = Array("{\"error\":{\"code\":\"\(code.rawValue)\",\"message\":".utf8)
    JSONBytes.append(string: message, to: &body)
    body += Array("}}\n".utf8)
    var reply = Reply.json(code.status, body)
    reply.headers = headers
    if let retryAfter { reply.headers.append(("Retry-After", "\(retryAfter)")) }
    return reply
  }
}
