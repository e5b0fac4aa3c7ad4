import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Foundation
import NIOSSL
import Testing

@Suite(
  .timeLimit(.minutes(5)),
  .enabled(if: Certificates.canBeMade, "the openssl program makes the certificates"))
struct `A daemon that is sent SIGHUP` {
  private let folder: TemporaryDirectory
  private let certificates: Certificates
  private static let token = "frt_" + String(repeating: "a", count: 43)

  init() throws {
    folder = try TemporaryDirectory()
    certificates = Certificates(folder: folder.path)
  }

  private var file: String { folder.path + "/farthing.yaml" }

  private func configure(_ tls: TLSFiles?, tokens: String = "", further: String = "") throws {
    var text = "data: \(folder.path)/store\nagent: {spool: {folder: \(folder.path)/spool}}\n"
    text += "server:\n  limits: {body_mib: 20}\n"
    if let tls { text += "  tls: {certificate: \(tls.certificate), key: \(tls.key)}\n" }
    if !tokens.isEmpty { text += "access:\n  tokens: \(tokens)\n" }
    try (text + further).write(toFile: file, atomically: true, encoding: .utf8)
  }

  private static var tokens: String {
    let digest = TokenText.digest(of: token).hexadecimal
    return "[{name: app, hash: \"sha256:\(digest)\", scopes: [ingest, read]}]"
  }

  private func status(
    _ server: ServerProcess, trusting name: String, token: String? = nil
  ) async throws -> Int? {
    let connection = try await TestConnection(
      port: server.port, security: certificates.client(trusting: name))
    await connection.send(
      TestServer.request(
        "POST", "/v1/events", Array(event(name).utf8),
        headers: token.map { ["Authorization: Bearer \($0)"] } ?? []))
    let reply = await connection.reply()
    await connection.close()
    return reply?.status
  }

  @Test(arguments: [["serve"], ["agent", "--server", "http://127.0.0.1:9", "--name", "a"]])
  func `takes certificates and callers, and keeps those of before where the new are wrong`(
    _ command: [String]
  ) async throws {
    let files = try certificates.make("a")
    try configure(files)
    let server = try ServerProcess(
      command + ["--config", file, "--listen", "127.0.0.1:0"])
    try #require(server.port > 0, "\(server.said)")
    #expect(server.isSecure)
    #expect(try await status(server, trusting: "a") == 200)
    // The same paths, other content; and callers are to be known.
    let renewed = try certificates.make("b")
    for (new, old) in [(renewed.certificate, files.certificate), (renewed.key, files.key)] {
      try FileManager.default.removeItem(atPath: old)
      try FileManager.default.copyItem(atPath: new, toPath: old)
    }
    try configure(files, tokens: Self.tokens)
    server.reload()
    #expect(
      server.line(after: "farthing: the configuration was read again: applied access.tokens") == "")
    #expect(
      server.line(after: "farthing: new connections get the certificate in \(files.certificate)")?
        .hasPrefix(", valid until ") == true)
    // Its answer comes after both, so what follows sees both.
    #expect(try await status(server, trusting: "b") == 401)
    #expect(try await status(server, trusting: "b", token: Self.token) == 200)
    // A key that does not belong to it: the certificate stays, the rest is taken.
    try FileManager.default.removeItem(atPath: files.key)
    try configure(files, tokens: Self.tokens, further: "listed_errors: 7\n")
    server.reload()
    #expect(
      server.line(after: "farthing: the configuration was read again: ")
        == "a restart is needed for listed_errors")
    #expect(
      server.line(after: "farthing: warning: the certificate that was in use stays so: ")?
        .contains("server.tls.key: ") == true)
    #expect(try await status(server, trusting: "b", token: Self.token) == 200)
    // A configuration that makes no sense.
    try configure(files, tokens: "nonsense")
    server.reload()
    #expect(
      server.line(
        after: "farthing: warning: the configuration is wrong; what ran goes on unchanged")
        != nil)
    #expect(try await status(server, trusting: "b", token: Self.token) == 200)
    #expect(try await status(server, trusting: "b") == 401)
    server.terminate()
    #expect(server.end().status == 0)
  }

  @Test(arguments: [["serve"], ["agent", "--server", "http://127.0.0.1:9", "--name", "a"]])
  func `does not start with a certificate that cannot be used`(_ command: [String]) throws {
    let files = try certificates.make("a")
    let other = try certificates.make("b")
    try configure(TLSFiles(certificate: files.certificate, key: other.key))
    let server = try ServerProcess(command + ["--config", file, "--listen", "127.0.0.1:0"])
    #expect(server.port == 0)
    #expect(server.end().status == 2)
    #expect(
      server.said.contains {
        $0.hasPrefix("farthing: server.tls: the key in \(other.key) does not")
      },
      "\(server.said)")
  }

  @Test func `warns of a certificate that has expired, and serves with it`() throws {
    try configure(try certificates.makeExpired("a"))
    let server = try ServerProcess(["serve", "--config", file, "--listen", "127.0.0.1:0"])
    #expect(server.port > 0)
    #expect(
      server.said.contains {
        $0.hasPrefix(
          "farthing: warning: the certificate in \(folder.path)/expired.crt expired at 20")
      }, "\(server.said)")
    server.terminate()
    #expect(server.end().status == 0)
  }
}
