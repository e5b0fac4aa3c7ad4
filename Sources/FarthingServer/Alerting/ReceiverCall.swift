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
  static let timeout = TimeAmount.seconds(15)

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
    /// Whether the address itself is the reason, which another attempt does not change.
    var isFinal = false
  }

  /// What is asked of a receiver.
  struct Question {
    var method = HTTPMethod.POST
    var url: ReceiverURL
    /// nil for a call without a body.
    var payload: Payload?
    var fields: [(name: String, value: String)] = []
    var allowsLoopback: Bool
    /// PEM file of the roots to trust; nil for the machine's.
    var authorityFile: String?
    /// Of this program, for `User-Agent`.
    var version: String
    /// From the beginning to the end of the answer.
    var timeout = ReceiverCall.timeout
    /// Bytes of the answer's body that are looked at.
    var answerBytes = 2048
    /// Whether the head of a 2xx says all: its body is not waited for then.
    var isHeadEnough = false

    /// Of the time at most a third, and five seconds, for the name.
    var resolutionTimeout: TimeAmount { min(.seconds(5), .nanoseconds(timeout.nanoseconds / 3)) }
  }

  /// What a receiver answered.
  struct Answer {
    var status: Int
    /// Seconds; nil where it was not said, or not as a number.
    var retryAfter: Int64?
    var body: [UInt8]
    /// Whether the body goes on behind what was looked at.
    var isCut = false
  }

  /// Asks once.
  func ask(_ question: Question) async -> Result<Answer, DeliveryFailure> {
    let url = question.url
    do {
      let address = try await resolve(url, within: question.resolutionTimeout)
      guard let text = address.ipAddress, let checked = NetworkAddress(text) else {
        throw Refusal(reason: "\(url.host) has no IP address")
      }
      if let objection = AddressRules.objection(
        to: checked, allowsLoopback: question.allowsLoopback)
      {
        let name = url.host == text ? text : "\(url.host), \(text),"
        throw Refusal(reason: "\(name) is not called: \(objection)", isFinal: true)
      }
      return .success(try await exchange(question, address: text))
    } catch let refusal as Refusal {
      return .failure(DeliveryFailure(message: refusal.reason, isFinal: refusal.isFinal))
    } catch {
      return .failure(DeliveryFailure(message: ServerCaller.words(of: error)))
    }
  }

  private func resolve(
    _ url: ReceiverURL, within timeout: TimeAmount
  ) async throws -> SocketAddress {
    let loop = loops.next()
    let found = loop.makePromise(of: SocketAddress.self)
    let patience = loop.scheduleTask(in: timeout) {
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

  private func exchange(_ question: Question, address: String) async throws -> Answer {
    let url = question.url
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.dnsOverride = [url.host: address]
    configuration.connectionPool.retryConnectionEstablishment = false
    let limit = question.timeout - question.resolutionTimeout
    configuration.timeout = .init(connect: min(.seconds(5), limit), read: limit, write: limit)
    if let authorityFile = question.authorityFile {
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
    // The client's own limit ends with the answer's head; a body may come byte by byte.
    let work = Task { try await Self.exchange(question, client, limit) }
    let patience = loops.next().scheduleTask(in: limit) { work.cancel() }
    let result = await withTaskCancellationHandler {
      await work.result
    } onCancel: {
      work.cancel()
    }
    patience.cancel()
    try? await client.shutdown()
    guard work.isCancelled else { return try result.get() }
    throw HTTPClientError.deadlineExceeded
  }

  private static func exchange(
    _ question: Question, _ client: HTTPClient, _ limit: TimeAmount
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: question.url.description)
    request.method = question.method
    if let payload = question.payload {
      request.headers.add(name: "Content-Type", value: payload.contentType)
      request.body = .bytes(ByteBuffer(bytes: payload.body))
    }
    request.headers.add(name: "User-Agent", value: "Farthing/\(question.version)")
    for (name, value) in question.fields { request.headers.add(name: name, value: value) }
    let response = try await client.execute(request, timeout: limit)
    var answer = Answer(
      status: Int(response.status.code),
      retryAfter: response.headers.first(name: "retry-after").flatMap { Int64($0) }, body: [])
    if question.isHeadEnough, (200..<300).contains(answer.status) { return answer }
    for try await piece in response.body {
      answer.body += piece.readableBytesView.prefix(question.answerBytes - answer.body.count)
      answer.isCut = answer.body.count >= question.answerBytes
      if answer.isCut { break }
    }
    return answer
  }
}

/// Why an attempt came to nothing.
struct DeliveryFailure: Error {
  /// A sentence without a full stop and without secrets.
  var message: String
  /// Seconds.
  var retryAfter: Int64?
  /// Whether another attempt cannot come to anything else.
  var isFinal = false
}
