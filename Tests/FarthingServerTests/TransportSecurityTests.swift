import FarthingPipeline
import FarthingServer
import FarthingStore
import FarthingTestSupport
import Foundation
import NIOSSL
import Testing

@Suite(
  .timeLimit(.minutes(2)),
  .enabled(if: Certificates.canBeMade, "the openssl program makes the certificates"))
struct `A server with a certificate` {
  private let folder: TemporaryDirectory
  private let certificates: Certificates

  init() throws {
    folder = try TemporaryDirectory()
    certificates = Certificates(folder: folder.path)
  }

  private func call(
    _ server: TestServer, _ security: TLSConfiguration, _ method: String, _ target: String,
    _ body: [UInt8] = []
  ) async throws -> WireReply? {
    let connection = try await TestConnection(port: server.port, security: security)
    await connection.send(TestServer.request(method, target, body))
    let reply = await connection.reply()
    await connection.close()
    return reply
  }

  @Test func `speaks TLS 1.2 and 1.3, and nothing older`() async throws {
    let security = try TransportSecurity(reading: certificates.make("a"))
    try await withServer(security: security) { server in
      for version in [TLSVersion.tlsv12, .tlsv13] {
        var client = try certificates.client(trusting: "a")
        client.minimumTLSVersion = version
        client.maximumTLSVersion = version
        let lines = (0..<2000).map { event("\(version)-\($0)") }.joined(separator: "\n")
        let reply = try await call(server, client, "POST", "/v1/events", Array(lines.utf8))
        #expect(reply?.text.hasPrefix("{\"accepted\":2000,\"duplicates\":0,") == true)
      }
      var old = try certificates.client(trusting: "a")
      old.minimumTLSVersion = .tlsv1
      old.maximumTLSVersion = .tlsv11
      #expect(try await call(server, old, "GET", "/healthz") == nil)
      let client = try certificates.client(trusting: "a")
      let page = try #require(try await call(server, client, "GET", "/metrics")?.text)
      #expect(page.contains("\nfarthing_tls_certificate_expiry_seconds \(security.expires)\n"))
      #expect(
        page.contains("\nfarthing_tls_handshake_failures_total{reason=\"refused\"} 1\n"), "\(page)")
      #expect(page.contains("farthing_events_accepted_total{source=\"events\"} 4000\n"), "\(page)")
    }
  }

  @Test func `ends who speaks plain HTTP, says nothing or hangs up, and counts them`()
    async throws
  {
    let security = try TransportSecurity(reading: certificates.make("a"))
    var limits = ServerLimits()
    limits.headerTimeout = .seconds(1)
    try await withServer(limits: limits, security: security) { server in
      let plain = try await server.connect()
      await plain.send(TestServer.request("GET", "/healthz"))
      let answer = String(decoding: await plain.end(), as: UTF8.self)
      #expect(!answer.contains("HTTP/"))
      let gone = try await server.connect()
      await gone.close()
      let noise = try await server.connect()
      await noise.send([UInt8](repeating: 0, count: 100))
      _ = await noise.end()
      let silent = try await server.connect()
      _ = await silent.end()
      let client = try certificates.client(trusting: "a")
      // Through the handshake, and silent then.
      let idle = try await TestConnection(port: server.port, security: client)
      #expect(await idle.end().isEmpty)
      let page = try #require(try await call(server, client, "GET", "/metrics")?.text)
      for reason in ["plain_http", "closed", "timeout", "refused"] {
        #expect(
          page.contains("\nfarthing_tls_handshake_failures_total{reason=\"\(reason)\"} 1\n"),
          "\(reason): \(page)")
      }
    }
  }

  @Test func `gives new connections a new one, and goes on with those that are open`() async throws
  {
    try certificates.make("a")
    try await withServer(security: TransportSecurity(reading: certificates.files("a"))) { server in
      let open = try await TestConnection(
        port: server.port, security: certificates.client(trusting: "a"))
      await open.send(TestServer.request("GET", "/healthz"))
      #expect(await open.reply()?.status == 200)
      server.server.replace(try TransportSecurity(reading: try certificates.make("b")))
      await open.send(TestServer.request("GET", "/readyz"))
      #expect(await open.reply()?.status == 200)
      let (old, new) = try (
        certificates.client(trusting: "a"), certificates.client(trusting: "b")
      )
      #expect(try await call(server, old, "GET", "/healthz") == nil)
      #expect(try await call(server, new, "GET", "/healthz")?.status == 200)
      await open.close()
    }
  }

  @Test func `does not start with files that cannot be used, and says what is wrong`() throws {
    let files = try certificates.make("a")
    let other = try certificates.make("b")
    let locked = folder.path + "/locked.key"
    try certificates.openssl(
      ["pkey", "-in", files.key, "-aes256", "-passout", "pass:x", "-out", locked])
    let missing = folder.path + "/none"
    func fault(_ certificate: String, _ key: String) -> String {
      do throws(StoreError) {
        _ = try TransportSecurity(reading: TLSFiles(certificate: certificate, key: key))
        return "taken"
      } catch {
        return "\(error)"
      }
    }
    #expect(fault(files.certificate, files.key) == "taken")
    #expect(
      fault(files.certificate, other.key)
        == "server.tls: the key in \(other.key) does not belong to the certificate in "
        + "\(files.certificate), of which the first in the file is the server's own")
    #expect(
      fault(files.key, files.key)
        == "server.tls.certificate: \(files.key) holds no certificates in PEM form")
    #expect(
      fault(files.certificate, files.certificate)
        == "server.tls.key: \(files.certificate) holds no private key in PEM form")
    #expect(
      fault(files.certificate, locked).hasPrefix(
        "server.tls.key: \(locked) is encrypted, and nobody is there to type its password"))
    #expect(fault(missing, files.key).hasPrefix("server.tls.certificate: "))
    #expect(fault(missing, files.key).contains("\(missing)"))
    #expect(
      fault(files.certificate, folder.path)
        == "server.tls.key: \(folder.path) is a folder, not a file")
    #expect(
      fault("/dev/null", files.key)
        == "server.tls.certificate: /dev/null is a pipe or a device, not a file")
    let pipe = folder.path + "/pipe"
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    #expect(
      fault(pipe, files.key) == "server.tls.certificate: \(pipe) is a pipe or a device, not a file")
    let large = folder.path + "/large"
    try Data(count: (1 << 20) + 1).write(to: URL(filePath: large))
    #expect(fault(large, files.key) == "server.tls.certificate: \(large) has more than 1 MiB")
  }
}

@Suite(.timeLimit(.minutes(2))) struct `New limits` {
  @Test func `hold for connections that are opened after them`() async throws {
    try await withServer { server in
      let open = try await server.connect()
      await open.send(TestServer.request("GET", "/healthz"))
      #expect(await open.reply()?.status == 200)
      var settings = ServerSettings()
      settings.limits.bodyBytes = 100
      server.server.reload(settings, policy: AccessPolicy())
      #expect(try await server.post(event("a")).status == 413)
      await open.send(TestServer.request("POST", "/v1/events", Array(event("a").utf8)))
      #expect(await open.reply()?.status == 200)
      settings.limits.connections = 1
      server.server.reload(settings, policy: AccessPolicy())
      let second = try await server.connect()
      #expect(await second.end().isEmpty)
      await open.close()
    }
  }
}
