package import FarthingPipeline

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
      return .unreachable("the server cannot be reached: \(ServerCaller.words(of: error))")
    }
    return Self.meaning(of: answer)
  }

  static func meaning(of answer: ServerCaller.Answer) -> ForwardAnswer {
    let stored = answer.fields[ForwardHead.storedField.lowercased()].flatMap { text in
      Int64(text).flatMap { ForwardHead.sequences.contains($0) ? $0 : nil }
    }
    let refused = answer.fields[ForwardHead.refusedField.lowercased()]
    switch answer.status {
    case 200:
      guard let stored else {
        return .forbidden("the answer is none of a Farthing server; is the URL right?")
      }
      let rejected = answer.fields[ForwardHead.rejectedField.lowercased()].flatMap { Int($0) } ?? 0
      return .stored(
        through: stored, rejected: rejected, note: rejected > 0 ? answer.words : nil)
    case 409 where stored != nil: return .gap(stored: stored ?? 0)
    case 413: return .tooLarge(answer.words, byServer: refused == "body")
    case 400..<500 where refused == "batch": return .refused(answer.words)
    case 401, 403: return .forbidden("the server refuses the token: \(answer.words)")
    case 404, 405, 415, 501:
      return .forbidden("the server takes nothing from agents: \(answer.words)")
    default:
      let after = answer.fields["retry-after"].flatMap { Int($0) }.map { max(0, $0) }
      return .busy(retryAfter: after, "the server takes nothing now: \(answer.words)")
    }
  }
}
