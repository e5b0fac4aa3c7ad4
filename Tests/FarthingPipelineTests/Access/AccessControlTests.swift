import FarthingTestSupport
import Testing

@testable import FarthingPipeline
@testable import FarthingStore

@Suite("Access to a server")
struct AccessControlTests {
  private static let second: Int64 = 1_000_000_000
  private static let start = AccessTime(
    unixNanoseconds: 1_795_000_000 * second, monotonicNanoseconds: 0)

  private static func later(_ seconds: Int64) -> AccessTime {
    AccessTime(
      unixNanoseconds: start.unixNanoseconds + seconds * second,
      monotonicNanoseconds: seconds * second)
  }

  private static func token(
    _ name: String, _ scopes: [AccessScope], _ allowance: AccessAllowance = AccessAllowance(),
    expires: Int64? = nil
  ) -> AccessToken {
    AccessToken(
      name: name, digest: TokenText.digest(of: "frt_\(name)"), scopes: AccessScopes(scopes),
      allowance: allowance, expires: expires)
  }

  private func control(
    _ tokens: [AccessToken], anonymous: AccessScopes? = nil
  ) -> AccessControl {
    AccessControl(AccessPolicy(tokens: tokens, anonymous: anonymous), monotonicNow: 0)
  }

  private func refusal(_ verdict: AccessVerdict) -> AccessRefusal? {
    if case .refused(let refusal) = verdict { refusal } else { nil }
  }

  @Test func `a token is admitted for its scopes and no other`() {
    var control = control([Self.token("app", [.ingest]), Self.token("board", [.read])])
    for (name, allowed) in [("app", AccessScope.ingest), ("board", .read)] {
      for scope in AccessScope.allCases {
        let verdict = control.authorise(["Bearer frt_\(name)"], needs: scope, at: Self.start)
        if scope == allowed {
          guard case .admitted(let grant) = verdict else {
            Issue.record("\(name) is to be admitted for \(scope)")
            continue
          }
          #expect(grant.token == name)
        } else {
          #expect(refusal(verdict)?.status == 403)
        }
      }
    }
  }

  @Test(arguments: [
    "", "Bearer", "Bearer ", "Bearer  ", "bearer", "Basic ZnJ0X2FwcA==", "frt_app", "Bearerfrt_app",
    "Bearer frt_ap", "Bearer frt_appp", "Bearer FRT_APP", "Bearer frt_app frt_app",
    "Bearer frt_app,", "Bearer frt_app\u{0}", "Bearer\tfrt_app", "Bearer \u{200B}frt_app",
    "Token frt_app", "Bearer " + String(repeating: "a", count: 513),
    "Bearer " + String(repeating: "a", count: 1_000_000), "Bearer ü", " Bearer frt_app",
    "Bearer \"frt_app\"", "Bearer sha256:0", "Bearer null", "Bearer \r\nfrt_app",
  ])
  func `a wrong token is admitted nowhere`(header: String) {
    // Even where a call without a token may do everything: a wrong one is a mistake to be told.
    for anonymous in [AccessScopes?.none, .all] {
      var control = control([Self.token("app", [.ingest, .read, .act])], anonymous: anonymous)
      for scope in AccessScope.allCases {
        let verdict = control.authorise([header], needs: scope, at: Self.start)
        #expect(refusal(verdict)?.reason == .tokenUnknown, "\(header.prefix(40))")
        #expect(refusal(verdict)?.status == 401)
      }
    }
  }

  @Test func `the digest of a token is no token`() {
    var control = control([Self.token("app", [.ingest])])
    let digest = TokenText.digest(of: "frt_app").hexadecimal
    for text in [digest, "sha256:\(digest)"] {
      let verdict = control.authorise(["Bearer \(text)"], needs: .ingest, at: Self.start)
      #expect(refusal(verdict)?.status == 401)
    }
  }

  @Test func `the scheme is known in any case and after any blanks`() {
    var control = control([Self.token("app", [.ingest])])
    for header in ["bearer frt_app", "BEARER frt_app", "Bearer   frt_app"] {
      let verdict = control.authorise([header], needs: .ingest, at: Self.start)
      #expect(refusal(verdict) == nil)
    }
  }

  @Test func `two headers are one too many`() {
    var control = control([Self.token("app", [.ingest])])
    let headers = ["Bearer frt_app", "Bearer frt_app"]
    #expect(refusal(control.authorise(headers, needs: .ingest, at: Self.start))?.status == 401)
  }

  @Test func `a token ends when it expires`() {
    var control = control([
      Self.token("app", [.ingest], expires: Self.later(10).unixNanoseconds)
    ])
    let header = ["Bearer frt_app"]
    #expect(refusal(control.authorise(header, needs: .ingest, at: Self.later(9))) == nil)
    let late = refusal(control.authorise(header, needs: .ingest, at: Self.later(10)))
    #expect(late?.reason == .tokenExpired)
    #expect(late?.token == "app")
  }

  @Test func `without tokens every call passes, and so do headers left over`() {
    var control = control([])
    for scope in AccessScope.allCases {
      #expect(refusal(control.authorise([], needs: scope, at: Self.start)) == nil)
      #expect(
        refusal(control.authorise(["Bearer old"], needs: scope, at: Self.start)) == nil)
    }
  }

  @Test func `with tokens a call without one may what the configuration says`() {
    var closed = control([Self.token("app", [.ingest])])
    #expect(
      refusal(closed.authorise([], needs: .read, at: Self.start))?.reason == .tokenMissing)
    var readable = control([Self.token("app", [.ingest])], anonymous: AccessScopes([.read]))
    #expect(refusal(readable.authorise([], needs: .read, at: Self.start)) == nil)
    #expect(refusal(readable.authorise([], needs: .ingest, at: Self.start))?.status == 401)
  }

  @Test func `what is answered says what to do and nothing of what was sent`() {
    var control = control([
      Self.token("app", [.ingest], AccessAllowance(requestsPerSecond: 1, burstSeconds: 1))
    ])
    let missing = refusal(control.authorise([], needs: .read, at: Self.start))
    #expect(
      missing?.message
        == "This call needs a token with the scope read: send Authorization: Bearer TOKEN.")
    #expect(missing?.code == "unauthorized")
    #expect(missing?.headers.map(\.value) == ["Bearer realm=\"farthing\""])
    let unknown = refusal(control.authorise(["Bearer s3cret"], needs: .read, at: Self.start))
    #expect(
      unknown?.message
        == "The token is not known here; it may have been replaced. Tokens stand under "
        + "access.tokens of the server's configuration.")
    #expect(unknown?.headers.map(\.value) == ["Bearer realm=\"farthing\", error=\"invalid_token\""])
    let scope = refusal(control.authorise(["Bearer frt_app"], needs: .act, at: Self.start))
    #expect(scope?.message == "This call needs the scope act, which the caller does not have.")
    #expect(scope?.code == "forbidden")
    #expect(
      scope?.headers.map(\.value)
        == ["Bearer realm=\"farthing\", error=\"insufficient_scope\", scope=\"act\""])
    _ = control.authorise(["Bearer frt_app"], needs: .ingest, at: Self.start)
    let rate = refusal(control.authorise(["Bearer frt_app"], needs: .ingest, at: Self.start))
    #expect(rate?.message == "The rate of this token is used up; repeat after 1 s.")
    #expect(rate?.code == "rate_limited")
    #expect(rate?.headers.map(\.name) == ["Retry-After"])
    #expect(rate?.headers.map(\.value) == ["1"])
    #expect(rate?.status == 429)
  }

  @Test func `events beyond the rate are waited for, and reading goes on meanwhile`() {
    var control = control([
      Self.token("app", [.ingest, .read], AccessAllowance(eventsPerSecond: 100, burstSeconds: 1))
    ])
    let header = ["Bearer frt_app"]
    guard case .admitted(let grant) = control.authorise(header, needs: .ingest, at: Self.start)
    else {
      Issue.record("a full bucket admits")
      return
    }
    control.charge(1100, to: grant, at: Self.start)
    #expect(
      refusal(control.authorise(header, needs: .ingest, at: Self.start))?.retryAfter == 11)
    #expect(refusal(control.authorise(header, needs: .read, at: Self.start)) == nil)
    #expect(refusal(control.authorise(header, needs: .ingest, at: Self.later(11))) == nil)
  }

  @Test func `a day's events are a quota until midnight`() {
    var control = control([Self.token("app", [.ingest], AccessAllowance(eventsPerDay: 10))])
    let header = ["Bearer frt_app"]
    guard case .admitted(let grant) = control.authorise(header, needs: .ingest, at: Self.start)
    else {
      Issue.record("an unused quota admits")
      return
    }
    control.charge(9, to: grant, at: Self.start)
    #expect(refusal(control.authorise(header, needs: .ingest, at: Self.start)) == nil)
    control.charge(5, to: grant, at: Self.start)
    let spent = refusal(control.authorise(header, needs: .ingest, at: Self.start))
    #expect(spent?.reason == .quota)
    #expect(spent?.code == "quota_exceeded")
    // 1,795,000,000 is 11:06:40 UTC; 46,400 seconds are left of that day.
    #expect(spent?.retryAfter == 46_400)
    #expect(
      spent?.message == "The day's events of this token are used up; repeat after 46400 s.")
    #expect(refusal(control.authorise(header, needs: .ingest, at: Self.later(46_400))) == nil)
  }

  @Test func `another policy keeps accounts by name, and grants of before stay good`() {
    let quota = AccessAllowance(eventsPerDay: 10)
    var control = control([Self.token("gone", [.ingest]), Self.token("app", [.ingest], quota)])
    guard
      case .admitted(let grant) = control.authorise(
        ["Bearer frt_app"], needs: .ingest, at: Self.start),
      case .admitted(let lost) = control.authorise(
        ["Bearer frt_gone"], needs: .ingest, at: Self.start)
    else {
      Issue.record("both are admitted")
      return
    }
    // The same name with another token: rotated.
    var rotated = Self.token("app", [.ingest], quota)
    rotated.digest = TokenText.digest(of: "frt_new")
    control.replace(AccessPolicy(tokens: [rotated]), monotonicNow: 0)
    control.charge(10, to: grant, at: Self.start)
    control.charge(1000, to: lost, at: Self.start)
    #expect(
      refusal(control.authorise(["Bearer frt_app"], needs: .ingest, at: Self.start))?.reason
        == .tokenUnknown)
    #expect(
      refusal(control.authorise(["Bearer frt_new"], needs: .ingest, at: Self.start))?.reason
        == .quota)
    #expect(control.counts.map(\.token) == [nil, "app"])
    #expect(control.counts[1].counts.events == 10)
    #expect(control.counts[1].counts.admitted == 1)
    #expect(control.counts[1].counts.refused == [.quota: 1])
    #expect(control.counts[0].counts.refused == [.tokenUnknown: 1])
  }

  @Test func `no call adds an account`() {
    var control = control([Self.token("app", [.ingest])])
    for number in 0..<1000 {
      _ = control.authorise(["Bearer frt_\(number)"], needs: .ingest, at: Self.start)
    }
    #expect(control.counts.count == 2)
    #expect(control.counts[0].counts.refused == [.tokenUnknown: 1000])
  }

  @Test func `a server without tokens may listen to others only where that is said`() throws {
    let open = AccessPolicy()
    let everywhere = try #require(ListenAddress("0.0.0.0:7878"))
    #expect(open.objection(to: try #require(ListenAddress("127.0.0.1:7878"))) == nil)
    let here = try #require(ListenAddress("127.0.0.1:7878"))
    #expect(
      open.objection(to: here, grpc: everywhere)?.hasPrefix("server.otlp_grpc_listen ") == true)
    #expect(AccessPolicy(isOpen: true).objection(to: everywhere) == nil)
    #expect(AccessPolicy(tokens: [Self.token("a", [.read])]).objection(to: everywhere) == nil)
    #expect(
      open.objection(to: everywhere)
        == "server.listen 0.0.0.0:7878 is open to other machines and access names no tokens, so "
        + "anybody could write and read; add access.tokens (farthing token create NAME), listen "
        + "on 127.0.0.1, or say access.open: true if that is meant")
  }
}

@Suite("Tokens")
struct TokenTextTests {
  @Test func `a new token has 256 random bits and its prefix`() {
    var random = SplitMix(seed: 1)
    let tokens = (0..<100).map { _ in TokenText.make(using: &random) }
    #expect(Set(tokens).count == 100)
    for token in tokens {
      #expect(token.hasPrefix("frt_"))
      #expect(token.utf8.count == 47)
      #expect(TokenText.isWellFormed(token))
    }
  }

  /// Source of the cases: RFC 4648, §10, without padding.
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
    ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
  ])
  func `bytes are written in base64url`(text: String, encoded: String) {
    #expect(TokenText.base64url(Array(text.utf8)) == encoded)
  }

  @Test func `the last two characters are the ones of addresses`() {
    #expect(TokenText.base64url([0xFB, 0xFF, 0xFE]) == "-__-")
  }

  /// Source of the cases: FIPS 180-4 examples, NIST's "SHA256.pdf".
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `the digest is SHA-256`(text: String, hexadecimal: String) throws {
    let digest = TokenText.digest(of: text)
    #expect(digest.hexadecimal == hexadecimal)
    #expect(SHA256Digest(hexadecimal: hexadecimal.uppercased()) == digest)
    for cut in [hexadecimal.dropLast(), hexadecimal.dropLast(2)] {
      #expect(SHA256Digest(hexadecimal: cut) == nil)
    }
    #expect(SHA256Digest(hexadecimal: hexadecimal + "00") == nil)
    #expect(SHA256Digest(hexadecimal: "g" + hexadecimal.dropFirst()) == nil)
    // Each of the 64 digits counts.
    for place in 0..<64 {
      var other = Array(hexadecimal)
      other[place] = other[place] == "0" ? "1" : "0"
      #expect(SHA256Digest(hexadecimal: String(other)) != digest)
    }
  }
}
