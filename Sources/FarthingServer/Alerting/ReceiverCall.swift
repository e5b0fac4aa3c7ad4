internal import AsyncHTTPClient
internal import FarthingPipeline
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Calls receivers over HTTP: once, without redirects, at an address that was looked at.
///
/// The name is resolved here, the address is checked, and the connection goes to that very address: a name
/// that means something else a moment later does not get around the check.
final class ReceiverCall: Sendable {
  /// From the beginning to the end of the answer.
  static let timeout = 15
  /// Of it for the name.
  private static let resolutionTimeout = 5
  /// Bytes of an answer that are looked at.
  private static let answerBytes = 2048

  private let loops: any EventLoopGroup
  /// Names are resolved by a call that blocks; one thread, so that a name server that does not answer
  /// holds up this receiver alone.
  private let threads: NIOThreadPool

  init(loops: any EventLoopGroup, threads: NIOThreadPool) {
    self.loops = loops
    self.threads = threads
  }

  private struct Refusal: Error {
    var reason: String
  }

  /// What a receiver answered.
  struct Answer {
    var status: Int
    /// Seconds; nil where it was not said, or not as a number.
    var retryAfter: Int64?
    var body: [UInt8]
  }

  /// - Parameter authorityFile: PEM file of the roots to trust; nil for the machine's.
  func post(
    _ url: ReceiverURL, _ payload: Payload, fields: [(name: String, value: String)],
    allowsLoopback: Bool, authorityFile: String?, version: String
  ) async -> Result<Answer, DeliveryFailure> {
    do {
      let address = try await resolve(url)
      guard let text = address.ipAddress, let checked = NetworkAddress(text) else {
        throw Refusal(reason: "\(url.host) has no IP address")
      }
      if let objection = AddressRules.objection(to: checked, allowsLoopback: allowsLoopback) {
        let name = url.host == text ? text : "\(url.host), \(text),"
        throw Refusal(reason: "\(name) is not called: \(objection)")
      }
      return .success(
        try await exchange(url, address: text, payload, fields, authorityFile, version))
    } catch let refusal as Refusal {
      return .failure(DeliveryFailure(message: refusal.reason))
    } catch {
      return .failure(DeliveryFailure(message: ServerCaller.words(of: error)))
    }
  }

  private func resolve(_ url: ReceiverURL) async throws -> SocketAddress {
    let loop = loops.next()
    let found = loop.makePromise(of: SocketAddress.self)
    let patience = loop.scheduleTask(in: .seconds(Int64(Self.resolutionTimeout))) {
      found.fail(Refusal(reason: "the name \(url.host) was not resolved in time"))
    }
    let (host, port) = (url.host, url.port)
    threads.runIfActive(eventLoop: loop) {
      do {
        return try SocketAddress.makeAddressResolvingHost(host, port: port)
      } catch {
        throw Refusal(reason: "the name \(host) cannot be resolved")
      }
    }.cascade(to: found)
    defer { patience.cancel() }
    return try await found.futureResult.get()
  }

  private func exchange(
    _ url: ReceiverURL, address: String, _ payload: Payload,
    _ fields: [(name: String, value: String)], _ authorityFile: String?, _ version: String
  ) async throws -> Answer {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.dnsOverride = [url.host: address]
    configuration.connectionPool.retryConnectionEstablishment = false
    let limit = TimeAmount.seconds(Int64(Self.timeout - Self.resolutionTimeout))
    configuration.timeout = .init(connect: .seconds(5), read: limit, write: limit)
    if let authorityFile {
      var security = TLSConfiguration.makeClientConfiguration()
      guard let roots = try? NIOSSLCertificate.fromPEMFile(authorityFile) else {
        throw Refusal(reason: "\(authorityFile) holds no PEM certificates")
      }
      security.trustRoots = .certificates(roots)
      configuration.tlsConfiguration = security
    }
    // A client for each attempt: its only address is the one that was looked at.
    let client = HTTPClient(
      eventLoopGroupProvider: .shared(loops), configuration: configuration)
    var request = HTTPClientRequest(url: url.description)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: payload.contentType)
    request.headers.add(name: "User-Agent", value: "Farthing/\(version)")
    for (name, value) in fields { request.headers.add(name: name, value: value) }
    request.body = .bytes(ByteBuffer(bytes: payload.body))
    do {
      let response = try await client.execute(request, timeout: limit)
      var answer = Answer(
        status: Int(response.status.code),
        retryAfter: response.headers.first(name: "retry-after").flatMap { Int64($0) }, body: [])
      for try await piece in response.body {
        answer.body += piece.readableBytesView.prefix(Self.answerBytes - answer.body.count)
        if answer.body.count >= Self.answerBytes { break }
      }
      try? await client.shutdown()
      return answer
    } catch {
      try? await client.shutdown()
      throw error
    }
  }
}

/// Why an attempt came to nothing.
struct DeliveryFailure: Error {
  /// A sentence without a full stop and without secrets.
  var message: String
  /// Seconds.
  var retryAfter: Int64?
}
