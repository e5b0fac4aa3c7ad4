internal import AsyncHTTPClient
internal import FarthingCore
package import FarthingPipeline
package import FarthingStore
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Calls one server over HTTP or HTTPS with kept connections.
package final class ServerCaller: Sendable {
  private let client: HTTPClient
  private let url: String
  /// Read anew for each call, so that a token can be exchanged without a restart.
  private let token: @Sendable () -> String?

  /// - Parameters:
  ///   - url: with its port and without a slash at its end.
  ///   - token: the bearer token; nil where none is sent.
  ///   - authorityFile: PEM file of the roots to trust instead of the machine's.
  /// - Throws: `invalidArgument` where the file of roots cannot be read.
  package init(
    url: String, token: @escaping @Sendable () -> String?, authorityFile: String? = nil
  ) throws(StoreError) {
    self.url = url
    self.token = token
    var configuration = HTTPClient.Configuration()
    // A token goes to nobody but the server that was named.
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(60), write: .seconds(60))
    configuration.httpVersion = .http1Only
    if let authorityFile {
      var security = TLSConfiguration.makeClientConfiguration()
      do {
        security.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorityFile))
      } catch {
        throw StoreError(
          .invalidArgument, "\(authorityFile) holds no PEM certificates", cause: "\(error)")
      }
      configuration.tlsConfiguration = security
    }
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  package func close() async { try? await client.shutdown() }

  /// A reply, whole.
  package struct Answer: Sendable {
    package var status: Int
    /// By lower-case name; of several the first.
    package var fields: [String: String]
    package var body: [UInt8]

    /// What a person is told of it.
    package var words: String {
      let text = String(decoding: body.prefix(400), as: UTF8.self)
        .split(whereSeparator: \.isNewline).joined(separator: " ")
      return text.isEmpty ? "status \(status)" : "status \(status): \(text)"
    }
  }

  /// Most bytes of a reply that are read.
  private static let replyBytes = 16 << 20

  /// Calls once.
  ///
  /// - Parameter seconds: from the call to the end of the reply.
  /// - Throws: what keeps the server from being reached, or its reply from coming.
  package func call(
    _ method: String, _ path: String, fields: [(name: String, value: String)] = [],
    body: [UInt8]? = nil, seconds: Int64
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: url + path)
    request.method = HTTPMethod(rawValue: method)
    for (name, value) in fields { request.headers.add(name: name, value: value) }
    if let token = token() { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    let response = try await client.execute(request, timeout: .seconds(seconds))
    let buffer = try await response.body.collect(upTo: Self.replyBytes)
    var found: [String: String] = [:]
    for (name, value) in response.headers where found[name.lowercased()] == nil {
      found[name.lowercased()] = value
    }
    return Answer(
      status: Int(response.status.code), fields: found, body: Array(buffer.readableBytesView))
  }
}

/// `POST /v1/forward` as agents call it.
package struct HTTPForwardTransport: ForwardTransport {
  private let caller: ServerCaller

  package init(_ caller: ServerCaller) { self.caller = caller }

  package func send(_ head: ForwardHead, _ body: [UInt8]) async -> ForwardAnswer {
    var fields = head.fields
    fields.append(("Content-Type", ForwardHead.contentType))
    if !body.isEmpty { fields.append(("Content-Encoding", "zstd")) }
    let answer: ServerCaller.Answer
    do {
      answer = try await caller.call(
        "POST", "/v1/forward", fields: fields, body: body, seconds: 120)
    } catch {
      return .unreachable("the server cannot be reached: \(error)")
    }
    return Self.meaning(of: answer)
  }

  static func meaning(of answer: ServerCaller.Answer) -> ForwardAnswer {
    let stored = answer.fields[ForwardHead.storedField.lowercased()].flatMap { Int64($0) }
    let isRefused = answer.fields[ForwardHead.refusedField.lowercased()] == "batch"
    switch answer.status {
    case 200:
      guard let stored else {
        return .forbidden("the answer is none of a Farthing server; is the URL right?")
      }
      let rejected = answer.fields[ForwardHead.rejectedField.lowercased()].flatMap { Int($0) } ?? 0
      return .stored(
        through: stored, rejected: rejected, note: rejected > 0 ? answer.words : nil)
    case 409 where stored != nil: return .gap(stored: stored ?? 0)
    case 413: return .tooLarge(answer.words)
    case 400..<500 where isRefused: return .refused(answer.words)
    case 401, 403: return .forbidden("the server refuses the token: \(answer.words)")
    case 404, 405, 415, 501:
      return .forbidden("the server takes nothing from agents: \(answer.words)")
    default:
      let after = answer.fields["retry-after"].flatMap { Int($0) }
      return .busy(retryAfter: after, "the server takes nothing now: \(answer.words)")
    }
  }
}
