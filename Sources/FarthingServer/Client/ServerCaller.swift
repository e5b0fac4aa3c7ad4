internal import AsyncHTTPClient
package import FarthingStore
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
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
  ///   - retriesConnecting: whether a refused connection is tried again for ten seconds.
  /// - Throws: `invalidArgument` where the file of roots cannot be read.
  package init(
    url: String, token: @escaping @Sendable () -> String?, authorityFile: String? = nil,
    retriesConnecting: Bool = true
  ) throws(StoreError) {
    self.url = url
    self.token = token
    var configuration = HTTPClient.Configuration()
    // A token goes to nobody but the server that was named.
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(60), write: .seconds(60))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = retriesConnecting
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

  /// A client that was never closed traps when it goes: a command that ends before its first call has
  /// one, too. Closing twice does nothing.
  deinit { client.shutdown { _ in } }

  package func close() async { try? await client.shutdown() }

  /// A reply, whole.
  package struct Answer: Sendable {
    package var status: Int
    /// By lower-case name; of several the first.
    package var fields: [String: String]
    /// What `Farthing-Warning` said, a sentence each.
    package var warnings: [String] = []
    /// What `Farthing-Note` said, a sentence each.
    package var notes: [String] = []
    package var body: [UInt8]

    /// What a person is told of it.
    package var words: String {
      let text = String(decoding: body.prefix(400), as: UTF8.self)
        .split(whereSeparator: \.isNewline).joined(separator: " ")
      return text.isEmpty ? "status \(status)" : "status \(status): \(text)"
    }
  }

  /// Most bytes of a reply that are read, where its caller names no other bound.
  private static let replyBytes = 16 << 20

  /// Calls once.
  ///
  /// - Parameters:
  ///   - seconds: from the call to the end of the reply.
  ///   - limit: most bytes of the reply that are held.
  ///   - onPiece: takes the body of a reply of status 200 in pieces as they come, after all of its
  ///     head; the answer's own body is empty then. nil to hold it whole.
  /// - Throws: what keeps the server from being reached, or its reply from coming; what `onPiece`
  ///   throws.
  package func call(
    _ method: String, _ path: String, fields: [(name: String, value: String)] = [],
    body: [UInt8]? = nil, seconds: Int64, limit: Int = ServerCaller.replyBytes,
    onPiece: ((Answer, [UInt8]) throws -> Void)? = nil
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: url + path)
    request.method = HTTPMethod(rawValue: method)
    for (name, value) in fields { request.headers.add(name: name, value: value) }
    if let token = token() { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    let response = try await client.execute(request, timeout: .seconds(seconds))
    var answer = Answer(status: Int(response.status.code), fields: [:], body: [])
    for (name, value) in response.headers {
      let name = name.lowercased()
      if name == "farthing-warning" { answer.warnings.append(value) }
      if name == "farthing-note" { answer.notes.append(value) }
      if answer.fields[name] == nil { answer.fields[name] = value }
    }
    guard let onPiece, answer.status == 200 else {
      let buffer = try await response.body.collect(upTo: limit)
      answer.body = Array(buffer.readableBytesView)
      return answer
    }
    for try await buffer in response.body { try onPiece(answer, Array(buffer.readableBytesView)) }
    return answer
  }
}

extension ServerCaller {
  /// What kept a call from its reply, in words that end a sentence. No part of the request is in them.
  package static func words(of error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      guard let first = error.connectionErrors.first else {
        return "the name \(error.host) cannot be resolved"
      }
      return words(of: first.error)
    case let error as IOError:
      // Numbers of Linux: the names would ask for a C library here.
      switch error.errnoCode {
      case 101: return "the network is unreachable"
      case 104: return "the connection was reset"
      case 110: return "the connection timed out"
      case 111: return "the connection was refused; does the server run there?"
      case 113: return "there is no route to its machine"
      default: return error.description
      }
    case is NIOTooManyBytesError: return "its answer is longer than can be held"
    case let error as HTTPClientError: return words(of: error)
    case let error as NIOSSLError: return security("\(error)")
    case let error as NIOSSLExtraError: return security("\(error)")
    default: return "\(error)"
    }
  }

  private static func words(of error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout: "no connection came about within 10 seconds"
    case .readTimeout, .deadlineExceeded: "no answer came in time"
    case .writeTimeout: "the server stopped reading"
    case .remoteConnectionClosed, .uncleanShutdown:
      "the connection was closed before the answer's end"
    case .tlsHandshakeTimeout: security("no handshake within 10 seconds")
    default: "\(error)"
    }
  }

  private static func security(_ cause: String) -> String {
    "no secure connection came about (\(cause)); is it an https server, and its certificate signed "
      + "by a known authority? --ca FILE names the roots to trust"
  }
}
