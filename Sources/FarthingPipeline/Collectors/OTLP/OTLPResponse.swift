internal import FarthingCore

/// What an OTLP request carries.
package enum OTLPSignal: String, Sendable, CaseIterable {
  case traces
  case metrics
  case logs

  /// What the specification counts of the signal, as `rejected_…` names it.
  var records: String {
    switch self {
    case .traces: "spans"
    case .metrics: "data_points"
    case .logs: "log_records"
    }
  }

  /// The path that the signal is posted to.
  package var path: String { "/v1/\(rawValue)" }
}

/// How an OTLP request is written; its answer is written alike.
package enum OTLPEncoding: Sendable {
  case protobuf
  case json

  /// The encoding of a `Content-Type`, whatever its parameters; nil for others, which are refused
  /// with 415.
  package init?(contentType: String) {
    let bare = contentType.split(separator: ";", maxSplits: 1).first ?? ""
    switch bare.filter({ $0 != " " && $0 != "\t" }).lowercased() {
    case "application/x-protobuf", "application/protobuf": self = .protobuf
    case "application/json": self = .json
    default: return nil
    }
  }

  /// The `Content-Type` of an answer.
  package var contentType: String {
    switch self {
    case .protobuf: "application/x-protobuf"
    case .json: "application/json"
    }
  }
}

/// An answer to an OTLP request: an `Export…ServiceResponse`, or a `google.rpc.Status`.
///
/// Source: OTLP specification 1.x, "OTLP/HTTP Response".
package struct OTLPResponse: Sendable, Equatable {
  /// The HTTP status.
  package var status: Int
  package var contentType: String
  package var body: [UInt8]

  /// An answer of 200: full success where nothing was rejected and there is nothing to say. Clients
  /// do not send a rejected record again. Rejected 0 with a message is a warning.
  package static func success(
    _ signal: OTLPSignal, _ encoding: OTLPEncoding, rejected: Int = 0, message: String = ""
  ) -> OTLPResponse {
    var body: [UInt8] = []
    let isPartial = rejected > 0 || !message.isEmpty
    switch encoding {
    case .protobuf where isPartial:
      var partial = ProtobufWriter()
      partial.integer(1, UInt64(max(0, rejected)))
      partial.text(2, message)
      var response = ProtobufWriter()
      response.message(1, partial)
      body = response.bytes
    case .protobuf: break
    case .json where isPartial:
      let name =
        switch signal {
        case .traces: "rejectedSpans"
        case .metrics: "rejectedDataPoints"
        case .logs: "rejectedLogRecords"
        }
      var parts: [String] = []
      if rejected > 0 { parts.append("\"\(name)\":\"\(rejected)\"") }
      if !message.isEmpty { parts.append("\"errorMessage\":\(JSONQuoted.text(message))") }
      body = Array("{\"partialSuccess\":{\(parts.joined(separator: ","))}}".utf8)
    case .json: body = Array("{}".utf8)
    }
    return OTLPResponse(status: 200, contentType: encoding.contentType, body: body)
  }

  /// An answer that nothing was taken, with a `google.rpc.Status` as its body.
  ///
  /// Clients send again on exactly 429, 502, 503 and 504.
  /// - Parameters:
  ///   - status: The HTTP status, 400 or above.
  ///   - message: For the developer; shown by clients.
  package static func failure(
    status: Int, message: String, _ encoding: OTLPEncoding
  ) -> OTLPResponse {
    let code = grpcCode(of: status)
    let body: [UInt8]
    switch encoding {
    case .protobuf:
      var writer = ProtobufWriter()
      writer.integer(1, UInt64(code))
      writer.text(2, message)
      body = writer.bytes
    case .json:
      body = Array("{\"code\":\(code),\"message\":\(JSONQuoted.text(message))}".utf8)
    }
    return OTLPResponse(status: status, contentType: encoding.contentType, body: body)
  }

  /// A `google.rpc.Status` with a `RetryInfo`, as gRPC sends it beside a call's status.
  ///
  /// - Parameters:
  ///   - code: The `google.rpc.Code`.
  ///   - seconds: After which the same call may succeed.
  package static func retryDetails(code: Int, message: String, seconds: Int) -> [UInt8] {
    var delay = ProtobufWriter()
    delay.integer(1, UInt64(max(0, seconds)))
    var retry = ProtobufWriter()
    retry.message(1, delay)
    var detail = ProtobufWriter()
    detail.text(1, "type.googleapis.com/google.rpc.RetryInfo")
    detail.raw(2, retry.bytes)
    var status = ProtobufWriter()
    status.integer(1, UInt64(max(0, code)))
    status.text(2, message)
    status.message(3, detail)
    return status.bytes
  }

  /// The `google.rpc.Code` that stands for an HTTP status. Source: google/rpc/code.proto.
  private static func grpcCode(of status: Int) -> Int {
    switch status {
    case 400, 413, 415: 3  // INVALID_ARGUMENT
    case 401: 16  // UNAUTHENTICATED
    case 403: 7  // PERMISSION_DENIED
    case 404: 5  // NOT_FOUND
    case 405, 501: 12  // UNIMPLEMENTED
    case 408, 504: 4  // DEADLINE_EXCEEDED
    case 429: 8  // RESOURCE_EXHAUSTED
    case 502, 503: 14  // UNAVAILABLE
    default: status >= 500 ? 13 : 3  // INTERNAL
    }
  }
}

/// Texts as JSON writes them.
package enum JSONQuoted {
  /// The text between quotes, with escapes where JSON needs them.
  package static func text(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
