import FarthingPipeline
import FarthingStore
import Foundation
import Testing

@testable import FarthingApp

@Suite("farthing token")
struct TokenCommandTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func `a new token and its element fit each other and the configuration`() throws {
    let run = try folder.farthing(
      "token", "create", "checkout", "--scopes", "ingest,read", "--expires", "2027-12-31")
    #expect(run.status == 0)
    let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let token = try #require(lines.first)
    let digest = TokenText.digest(of: token).hexadecimal
    #expect(
      Array(lines.dropFirst()) == [
        "", "access:", "  tokens:", "    - name: checkout", "      hash: sha256:\(digest)",
        "      scopes: [ingest, read]", "      expires: 2027-12-31", "",
      ])
    #expect(
      run.error
        == "farthing: the token on the first line is shown this once; the configuration needs the "
        + "rest\n")
    let element = lines.dropFirst(2).joined(separator: "\n")
    var reading = ConfigurationFile.Reading()
    #expect(ConfigurationFile.take(Array(element.utf8), file: "f", into: &reading) == [])
    var control = AccessControl(reading.configuration.access, monotonicNow: 0)
    let now = AccessTime(unixNanoseconds: 1_800_000_000_000_000_000, monotonicNanoseconds: 0)
    guard
      case .admitted(let grant) = control.authorise(["Bearer \(token)"], needs: .read, at: now)
    else {
      Issue.record("the token is admitted by its own element")
      return
    }
    #expect(grant.token == "checkout")
  }

  @Test func `the digest of a token on standard input is what the configuration holds`() throws {
    let run = try folder.farthing("token", "hash", input: "a-token-of-another-maker\n")
    #expect(run.status == 0)
    #expect(
      run.output
        == "sha256:\(TokenText.digest(of: "a-token-of-another-maker").hexadecimal)\n")
    let made = try folder.farthing("token", "create", "a", "--output", "csv")
    let fields = made.output.split(separator: "\n")[1].split(separator: ",").map(String.init)
    let again = try folder.farthing("token", "hash", input: fields[1])
    #expect(again.output == fields[2] + "\n")
  }

  @Test func `what could be guessed, or is no token, is refused and not repeated`() throws {
    for (input, message) in [
      (
        "hunter2",
        "farthing: the token on standard input has 7 characters, and could be guessed; expected at "
          + "least 20, or use farthing token create\n"
      ),
      (
        "a token of several words\n",
        "farthing: standard input holds no token (withheld): expected 1 to 512 letters, digits and "
          + "-._~+/= on one line and nothing else\n"
      ),
    ] {
      let run = try folder.farthing("token", "hash", input: input)
      #expect(run.status == 2)
      #expect(run.output == "")
      #expect(run.error == message)
    }
  }

  @Test func `wrong words are told`() throws {
    for (words, message) in [
      (
        ["a b"],
        "farthing: name \"a b\": expected 1 to 64 letters, digits, dots, dashes and underscores\n"
      ),
      (
        ["a", "--scopes", "reed"],
        "farthing: --scopes \"reed\": expected one of ingest, read, act; did you mean read?\n"
      ),
      (["a", "--scopes", ","], "farthing: --scopes: expected at least one of ingest, read, act\n"),
      (
        ["a", "--expires", "soon"],
        "farthing: --expires \"soon\": expected a date or an RFC 3339 time, such as 2027-01-31\n"
      ),
    ] {
      let run = try CommandRun(["token", "create"] + words, in: folder.url)
      #expect(run.status == 2)
      #expect(run.error == message)
      #expect(run.output == "")
    }
  }
}

@Suite("The doctor's look at a configuration")
struct ConfigurationCheckupTests {
  private static let now: Int64 = 1_795_000_000_000_000_000
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func path(_ name: String) -> String { folder.url.appending(path: name).path }

  private func findings(
    _ change: (inout Configuration) -> Void, memory: Int? = 64 << 30, openFiles: Int = 65_536
  ) -> [String] {
    var settings = Settings(dataFolder: "d")
    settings.file = "f.yaml"
    change(&settings.configuration)
    return ConfigurationCheckup.findings(
      settings, now: Self.now, memory: memory, openFiles: openFiles
    ).map { "\($0.state.rawValue) \($0.check): \($0.text)" }
  }

  @Test func `defaults have nothing to look at`() {
    #expect(findings { _ in } == [])
  }

  @Test func `a server that anybody could write to is at fault`() {
    let told = findings { $0.server.listen = ListenAddress(host: "0.0.0.0", port: 7878) }
    #expect(told.count == 1)
    #expect(told.first?.hasPrefix("fault server: server.listen 0.0.0.0:7878 is open to") == true)
  }

  @Test func `keys that others read, files that are no PEM and tokens in the clear are told`()
    throws
  {
    try folder.write("tls.crt", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    try folder.write(
      "tls.key", "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: path("tls.key"))
    let files = TLSFiles(certificate: path("tls.crt"), key: path("tls.key"))
    #expect(
      findings { $0.server.tls = files } == [
        "ok server.tls.certificate: \(path("tls.crt")) is PEM",
        "ok server.tls.key: \(path("tls.key")) is PEM",
        "warning server.tls.key: \(path("tls.key")) can be read or written by every user of this machine",
      ])
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: path("tls.key"))
    let swapped = TLSFiles(certificate: path("tls.key"), key: path("none.key"))
    #expect(
      findings { $0.server.tls = swapped } == [
        "fault server.tls.certificate: \(path("tls.key")) is no PEM file: no line -----BEGIN "
          + "CERTIFICATE----- is in it",
        "fault server.tls.key: \(path("none.key")) does not exist",
      ])
    try folder.write("token", "frt_secret secret\n")
    let told = findings {
      $0.client.tokenFile = path("token")
      $0.agent.server = ServerURL("http://central.example.com")
      $0.agent.tokenFile = path("missing")
    }
    #expect(told.count == 3)
    #expect(told[0].hasPrefix("fault client: \(path("token")) holds no token (withheld)"))
    #expect(told[1] == "fault agent: the token file: \(path("missing")) does not exist")
    #expect(told[2].hasPrefix("warning agent: the token goes to http://central.example.com:80"))
    #expect(!told.joined().contains("frt_secret"))
  }

  @Test func `tokens that end, sizes that do not fit and folders that are not there are told`() {
    let day: Int64 = 86_400_000_000_000
    func token(_ name: String, _ days: Int64) -> AccessToken {
      AccessToken(
        name: name, digest: TokenText.digest(of: name), scopes: .all,
        expires: Self.now + days * day)
    }
    #expect(
      findings { $0.access.tokens = [token("old", -1), token("soon", 13), token("late", 15)] } == [
        "warning access: the token \"old\" expired at 2026-11-17T11:06:40Z",
        "warning access: the token \"soon\" expires at 2026-12-01T11:06:40Z",
      ])
    #expect(
      findings({ _ in }, memory: 800 << 20, openFiles: 1024) == [
        "warning server: queries_at_once × query_memory_mib and bodies_in_flight_mib may come to more "
          + "than the 800 MiB of memory",
        "warning server: 1024 files may be open, and server.limits.connections is 4096",
      ])
    #expect(
      findings { $0.agent.spool.folder = path("spool") } == [
        "warning agent: agent.spool.folder \(path("spool")) is not there"
      ])
  }

  @Test func `registries are read to their end`() throws {
    try folder.write("sites.json", #"[{"site":"ber1","tier":"edge"},{"site":"ber1"}]"#)
    try folder.write(
      "calendar.json", #"[{"start":"2026-11-27","end":"2026-11-28","expected_factor":3}]"#)
    #expect(
      findings {
        $0.sites = .file(path("sites.json"))
        $0.calendar = .file(path("calendar.json"))
      } == [
        "fault sites: \(path("sites.json")) element 2: site \"ber1\" is given twice; keep one",
        "ok calendar: 1 announced events in \(path("calendar.json"))",
      ])
  }
}
