internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore

/// The server that a command was told to ask.
struct RemoteServer: Sendable {
  let url: ServerURL
  private let caller: ServerCaller
  /// Where the token is from, for messages; nil where none is sent.
  private let tokenOrigin: String?

  /// - Throws: ``CommandFailure`` with status 2 where the token or the file of roots cannot be read.
  init(_ url: ServerURL, _ options: GlobalOptions, _ settings: Settings) throws {
    self.url = url
    let token = try options.bearer(settings.client.tokenFile)
    tokenOrigin = token.origin
    do throws(StoreError) {
      caller = try ServerCaller(
        url: url.description, token: token.read,
        authorityFile: options.ca ?? settings.client.authorityFile, retriesConnecting: false)
    } catch {
      throw CommandFailure.usage(error.description)
    }
  }

  /// Does what a command has to do with the server, and closes the connections, whatever came of it.
  func use<Result>(_ body: (RemoteServer) async throws -> Result) async throws -> Result {
    do {
      let result = try await body(self)
      await caller.close()
      return result
    } catch {
      await caller.close()
      throw error
    }
  }

  /// Longest that an answer to a question may take; the server bounds its work itself.
  private static let questionSeconds: Int64 = 3600
  /// Most bytes of an answer that is held whole to be drawn.
  private static let heldBytes = 1 << 30

  /// Asks once.
  ///
  /// - Parameters:
  ///   - onPiece: takes the answer as it comes; nil to get it whole.
  ///   - body: what is asked where the target is not all of it; nil for a call without one.
  ///   - types: what the answer may be.
  /// - Throws: ``CommandFailure`` where there is no answer; what `onPiece` throws.
  func answer(
    _ target: String, body: [UInt8]? = nil, types: [String] = usualTypes,
    onPiece: (([UInt8]) throws -> Void)? = nil
  ) async throws -> ServerCaller.Answer {
    var fault: (any Error)?
    let answer: ServerCaller.Answer
    do {
      answer = try await caller.call(
        body == nil ? "GET" : "POST", target,
        fields: body == nil ? [] : [("Content-Type", "text/plain; charset=utf-8")], body: body,
        seconds: Self.questionSeconds, limit: Self.heldBytes,
        onPiece: onPiece.map { take in
          { head, piece in
            do {
              try expectFarthing(head, types)
              try take(piece)
            } catch {
              fault = error
              throw error
            }
          }
        })
    } catch {
      throw fault ?? unreachable(error)
    }
    guard answer.status == 200 else { throw refusal(answer) }
    try expectFarthing(answer, types)
    return answer
  }

  static let usualTypes = ["application/json", "text/csv", "text/plain"]

  private func expectFarthing(
    _ answer: ServerCaller.Answer, _ types: [String] = usualTypes
  ) throws(CommandFailure) {
    let type = answer.fields["content-type"] ?? ""
    guard types.contains(where: type.hasPrefix) else { throw isNoFarthing }
  }

  /// Writes an answer as the server renders it, and tells standard error what is said beside it.
  ///
  /// - Parameter body: as ``answer(_:body:onPiece:)`` takes it.
  /// - Throws: ``CommandFailure`` where there is no answer, or where it lacks rows.
  func print(_ question: RemoteQuestion, body: [UInt8]? = nil) async throws {
    let reply = try await answer(question.target, body: body) { try Console.result($0) }
    for note in reply.notes { Console.note(note.printable) }
    if Self.warn(reply) { throw CommandFailure.failed(nil) }
  }

  /// Has the server take something that is no event.
  ///
  /// - Throws: ``CommandFailure`` where it does not.
  func send(_ target: String, _ body: [UInt8]) async throws {
    let reply: ServerCaller.Answer
    do {
      reply = try await post(target, body, type: "application/octet-stream")
    } catch {
      throw unreachable(error)
    }
    guard reply.status == 200 else { throw refusal(reply) }
  }

  /// One body.
  ///
  /// - Throws: what keeps the server from being reached.
  func post(
    _ path: String, _ body: [UInt8], type: String?
  ) async throws -> ServerCaller.Answer {
    var fields: [(name: String, value: String)] = []
    if let type { fields.append(("Content-Type", type)) }
    var body = body
    // On the machine itself compressing costs more than it saves.
    if !url.address.isLoopback {
      var packed: [UInt8] = []
      if ZstdCompressor().compress(body.span, limit: body.count, into: &packed) {
        body = packed
        fields.append(("Content-Encoding", "zstd"))
      }
    }
    return try await caller.call("POST", path, fields: fields, body: body, seconds: 120)
  }

  /// Has something done there.
  ///
  /// - Parameter body: JSON; nil for none.
  /// - Returns: the answer's body.
  /// - Throws: ``CommandFailure`` where it was not done.
  func act(_ method: String, _ path: String, _ body: [UInt8]? = nil) async throws -> [UInt8] {
    let answer: ServerCaller.Answer
    do {
      answer = try await caller.call(
        method, path, fields: body == nil ? [] : [("Content-Type", "application/json")],
        body: body, seconds: 60)
    } catch {
      throw unreachable(error)
    }
    guard answer.status == 200 else {
      // A conflict, or an id that is not there, is said by the server in full.
      if answer.status == 409 || answer.status == 404, answer.fields["content-type"] != nil {
        throw CommandFailure.failed(Self.message(answer))
      }
      throw refusal(answer)
    }
    try expectFarthing(answer)
    return answer.body
  }

  // MARK: What went wrong

  func unreachable(_ error: any Error) -> CommandFailure {
    .failed("\(url) cannot be reached: \(ServerCaller.words(of: error).printable)")
  }

  var isNoFarthing: CommandFailure {
    .failed("\(url) is no Farthing server: its answer cannot be read")
  }

  /// What a reply other than the one that was hoped for means.
  func refusal(_ answer: ServerCaller.Answer) -> CommandFailure {
    let words = Self.message(answer)
    switch answer.status {
    case 400: return .usage(words)
    case 401:
      guard let tokenOrigin else {
        return .failed(
          "\(url) asks for a token: set FARTHING_TOKEN, or client.token_file of the configuration")
      }
      return .failed("\(url) does not take the token of \(tokenOrigin): \(words)")
    case 403:
      guard let tokenOrigin else {
        return .failed("\(url) does not allow this without a token: \(words)")
      }
      return .failed("\(url) does not allow this to the token of \(tokenOrigin): \(words)")
    case 422: return .failed(words)
    case 300..<400:
      let place = answer.fields["location"].map { " to \($0.printable)" } ?? ""
      return .failed("\(url) sends elsewhere\(place); name that server itself with --server")
    case 404:
      return .failed("\(url) has nothing there (\(words)); is the URL right, with its path?")
    case 429, 503:
      let pause = Self.pause(answer).map { "; try again in \($0) s" } ?? ""
      return .failed("\(url): \(words)\(pause)")
    default: return .failed("\(url): \(words)")
    }
  }

  /// Seconds of `Retry-After`.
  static func pause(_ answer: ServerCaller.Answer) -> Int64? {
    answer.fields["retry-after"].flatMap { Int64($0) }.map { max(0, $0) }
  }

  /// The sentence of an error's JSON, or the beginning of whatever came.
  static func message(_ answer: ServerCaller.Answer) -> String {
    let tree = try? JSONTree(answer.body)
    guard let text = tree?.root["error.message"]?.text else { return answer.words.printable }
    return text.split(separator: "\n").map { String($0).printable }
      .joined(separator: "\n          ")
  }
}
