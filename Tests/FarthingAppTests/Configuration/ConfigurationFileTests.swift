import FarthingPipeline
import FarthingStore
import Testing

@testable import FarthingApp

@Suite("The configuration file")
struct ConfigurationFileTests {
  private func read(_ text: String) -> (Configuration, [String]) {
    var reading = ConfigurationFile.Reading()
    let faults = ConfigurationFile.take(Array(text.utf8), file: "f.yaml", into: &reading)
    return (reading.configuration, faults.map(\.description))
  }

  private func faults(_ text: String) -> [String] { read(text).1 }

  private static let hash = "sha256:" + String(repeating: "ab", count: 32)

  @Test func `an empty file, comments alone and empty sections say nothing`() {
    for text in ["", "\n", "# nothing\n", "---\n", "server:\n", "server: {}\nclient:\naccess:\n"] {
      let (configuration, faults) = read(text)
      #expect(faults == [], "\(text)")
      #expect(configuration == Configuration())
    }
  }

  @Test func `values go to their places in their units`() {
    let (configuration, faults) = read(
      """
      data: /d
      retention_days: 30
      retention_gib: 2
      server:
        listen: "[::1]:0"
        tls: {certificate: c.pem, key: k.pem}
        drain_timeout_s: 5
        limits: {body_mib: 1, header_kib: 8, idle_timeout_s: 7}
      access:
        anonymous: read
        tokens:
          - {name: a, hash: \(Self.hash), scopes: [ingest, act], requests_per_second: 3, expires: 2027-01-31}
      agent:
        batch: {wait_ms: 20}
        spool: {limit_mib: 20}
        follow: /var/log/*.log
      sites: sites.json
      """)
    #expect(faults == [])
    #expect(configuration.data == "/d")
    #expect(configuration.retention == Retention(age: 30 * 86_400_000_000_000, byteLimit: 2 << 30))
    #expect(configuration.server.listen == ListenAddress(host: "::1", port: 0))
    #expect(configuration.server.tls == TLSFiles(certificate: "c.pem", key: "k.pem"))
    #expect(configuration.server.drainTimeout == .seconds(5))
    #expect(configuration.server.limits.bodyBytes == 1 << 20)
    #expect(configuration.server.limits.headerBytes == 8 << 10)
    #expect(configuration.server.limits.idleTimeout == .seconds(7))
    #expect(configuration.access.anonymousScopes == AccessScopes([.read]))
    let token = configuration.access.tokens.first
    #expect(token?.scopes == AccessScopes([.ingest, .act]))
    #expect(token?.allowance.requestsPerSecond == 3)
    #expect(token?.expires == 1_801_353_600_000_000_000)
    #expect(configuration.agent.batch.wait == .milliseconds(20))
    #expect(configuration.agent.spool.limitBytes == 20 << 20)
    #expect(configuration.agent.follow == ["/var/log/*.log"])
    #expect(configuration.sites == .file("sites.json"))
  }

  @Test func `all faults are told at once, each with its line and what was expected`() {
    let text = """
      dat: /x
      listed_errors: 0
      server:
        listn: 1
        listen: 7878
        limits:
          body_mib: 20 MiB
          bodies_in_flight_mib: 10
          headers: [1]
          connections:
        tls:
          key: k.pem
      body_mib: 5
      access:
        open: yes
        anonymous: [reed]
        tokens: {}
      agent:
        spool: {limit_mib: explode}
        batch: 3
      retention_days: -1
      """
    #expect(
      faults(text) == [
        "f.yaml line 1: unknown setting \"dat\"; did you mean \"data\"?",
        "f.yaml line 2: listed_errors \"0\": expected a whole number from 1 to 1000000",
        "f.yaml line 4: unknown setting \"server.listn\"; did you mean \"server.listen\"?",
        "f.yaml line 5: server.listen \"7878\": expected HOST:PORT such as 127.0.0.1:7878, "
          + "[::1]:7878, or 0.0.0.0:7878 for all addresses; port 0 picks a free one",
        "f.yaml line 7: server.limits.body_mib \"20 MiB\": expected a whole number from 1 to 1024",
        "f.yaml line 7: server.limits.bodies_in_flight_mib 10: expected at least "
          + "server.limits.body_mib, 20",
        "f.yaml line 9: server.limits.headers: expected one value",
        "f.yaml line 10: server.limits.connections has no value",
        "f.yaml line 12: server.tls: expected both files, certificate and key, or no server.tls",
        "f.yaml line 13: unknown setting \"body_mib\"; there is \"server.limits.body_mib\"",
        "f.yaml line 15: access.open \"yes\": expected true or false",
        "f.yaml line 16: access.anonymous \"reed\": expected one of ingest, read, act; did you mean read?",
        "f.yaml line 17: access.tokens: expected a list, each with name, hash and scopes behind a dash",
        "f.yaml line 19: agent.spool.limit_mib \"explode\": expected a whole number from 16 to 1000000",
        "f.yaml line 20: agent.batch: expected a mapping of settings, such as events",
        "f.yaml line 21: retention_days \"-1\": expected a whole number from 0 (keep all) to 100000",
      ])
  }

  @Test func `tokens are checked one by one and among each other`() {
    let other = "sha256:" + String(repeating: "cd", count: 32)
    let text = """
      access:
        open: true
        tokens:
          - {name: a, hash: \(Self.hash), scopes: [ingest]}
          - {name: a, hash: \(other), scopes: [ingest]}
          - {name: b, hash: \(Self.hash), scopes: [read]}
          - {name: "b c", hash: frt_9Zt, scopes: []}
          - {name: d, scopes: [read]}
          - {name: e, hash: \(other), scopes: [], burst_s: 0}
          - text
      """
    #expect(
      faults(text) == [
        "f.yaml line 2: access.open: true says that no token is needed, and tokens are given; keep "
          + "one of the two, or name what is open in access.anonymous",
        "f.yaml line 5: access.tokens[2]: the name \"a\" is given twice; keep one",
        "f.yaml line 6: access.tokens[3]: the hash of \"b\" is that of another token too",
        "f.yaml line 7: access.tokens[4].name \"b c\": expected 1 to 64 letters, digits, dots, dashes "
          + "and underscores",
        "f.yaml line 7: access.tokens[4].hash (withheld): expected sha256: and 64 hexadecimal digits, "
          + "as farthing token create or farthing token hash prints; never the token itself",
        "f.yaml line 8: access.tokens[5]: expected name, hash and at least one of scopes",
        "f.yaml line 9: access.tokens[6].burst_s \"0\": expected a whole number from 1 to 600",
        "f.yaml line 10: access.tokens[7]: expected a mapping of settings, such as name",
      ])
  }

  @Test func `a secret that stands where it should not is never repeated`() {
    let secret = "frt_c2VjcmV0IHNlY3JldA"
    for text in [
      "access: {tokens: [{name: \(secret), hash: \(secret), scopes: \(secret)}]}",
      "\(secret): 1", "client: {token_file: [\(secret)]}",
      "client: {server: \"http://\(secret)@h\"}",
      "client: {token: \(secret)}", "server: {listen: \(secret)}", "server: http://\(secret)@h",
      "a: \(secret)\na: 1", "\(secret): 1\n\(secret): 2", "- \(secret)\n\t- x", "x: \(secret): y",
    ] {
      let told = faults(text)
      #expect(!told.isEmpty, "\(text)")
      #expect(!told.joined().contains("c2Vj"), "\(told)")
    }
  }

  @Test func `the registries are read where they stand`() {
    let text = """
      sites:
        - {site: ber1, tier: edge, country: DE, jurisdiction: EU}
        - {site: sin1, teir: edge}
        - {site: lhr1, tier: middle, country: gb}
        - {site: ber1}
        - {tier: edge}
      calendar:
        - {start: 2026-11-27, end: 2026-11-26, expected_factor: 2}
        - {start: 2026-11-27, end: 2026-11-28, expected_factor: lots, workload: shop}
        - {start: soon, end: 2026-11-28, expected_factor: 0.5, workloud: shop}
      """
    #expect(
      faults(text) == [
        "f.yaml line 3: unknown setting \"sites.teir\"; did you mean \"sites.tier\"?",
        "f.yaml line 4: sites: tier \"middle\": expected one of edge, region, central, device",
        "f.yaml line 4: sites: country \"gb\": expected two capital letters of ISO 3166, such as DE",
        "f.yaml line 5: sites: \"ber1\" is given twice, or one site too many",
        "f.yaml line 6: sites: site: expected text of 1 to 1024 bytes without control characters",
        "f.yaml line 8: calendar: end is not after start",
        "f.yaml line 9: calendar: expected_factor \"lots\": expected a decimal number from 0 to 1000 "
          + "with at most six decimals, such as 2.5",
        "f.yaml line 10: unknown setting \"calendar.workloud\"; did you mean \"calendar.workload\"?",
      ])
  }

  @Test func `the short form of the server to ask stays`() {
    #expect(read("server: http://h:1").0.client.server?.description == "http://h:1")
    #expect(
      faults("server: h") == [
        "f.yaml line 1: server: expected settings of the daemon below it, such as listen, or the URL "
          + "that commands ask"
      ])
  }

  @Test func `the environment wins over the file, and its faults are told beside the file's`()
    throws
  {
    var reading = ConfigurationFile.Reading()
    _ = ConfigurationFile.take(
      Array("server: {limits: {body_mib: 3, headers: 50}}".utf8), file: "f", into: &reading)
    let variables = [
      "FARTHING_SERVER_LIMITS_BODY_MIB": "4", "FARTHING_SERVER_TLS_CERTIFICATE": "c",
      "FARTHING_SERVER_TLS_KEY": "k", "FARTHING_ACCESS_OPEN": "true", "FARTHING_SERVER": "http://h",
    ]
    #expect(ConfigurationFile.take({ variables[$0] }, into: &reading.configuration) == [])
    #expect(reading.configuration.server.limits.bodyBytes == 4 << 20)
    #expect(reading.configuration.server.limits.headers == 50)
    #expect(reading.configuration.server.tls == TLSFiles(certificate: "c", key: "k"))
    #expect(reading.configuration.access.isOpen)
    let wrong = ["FARTHING_AGENT_BATCH_MIB": "x", "FARTHING_SERVER_TLS_KEY": "k"]
    var fresh = Configuration()
    #expect(
      ConfigurationFile.take({ wrong[$0] }, into: &fresh).map(\.description) == [
        "the environment: server.tls: expected both files, certificate and key, or no server.tls",
        "the environment: agent.batch.mib \"x\": expected a whole number from 1 to 64",
      ])
  }

  @Test(arguments: [
    ("a: &x 1", 1), ("k: 1\n&a b: 1", 2), ("[&a x]", 1), ("{\"k\":&a x}", 1),
    ("# note: \"\n# done\": &a x", 2), ("k: |\n  &a text", 2), ("k:\u{2028}&a x", 1),
    ("! &a x", 1), ("k: 1\r&a : 2", 1),
  ])
  func `an anchor is refused before it is parsed`(text: String, line: Int) {
    #expect(
      faults(text) == [
        "f.yaml line \(line): \"&\" before a name begins an anchor of YAML, which this file may not "
          + "have; write the value out"
      ])
  }

  @Test(arguments: ["data: AT&T", "data: a & b", "# R&D and &x", "data: x?a=1&b=2"])
  func `an ampersand that is none is taken`(text: String) {
    #expect(faults(text) == [])
  }

  @Test func `hostile texts are refused and end nothing`() {
    let bombs = (1...30).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(
      separator: "\n")
    let hostile: [(String, String)] = [
      ("alias bomb", "a0: &a0 x\n" + bombs), ("alias", "a: *b"),
      ("deep flow", String(repeating: "[", count: 100_000)),
      (
        "deep flow that ends",
        String(repeating: "[", count: 990) + String(repeating: "]", count: 990)
      ),
      (
        "deep mapping",
        "data: " + String(repeating: "{a: ", count: 900) + String(repeating: "}", count: 900)
      ),
      ("deep key", String(repeating: "{? ", count: 900) + String(repeating: "}", count: 900)),
      (
        "deep block",
        (0..<2000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n")
      ),
      ("tab", "server:\n\tlisten: x"), ("NUL", "data: a\u{0}b"), ("bell", "data: a\u{7}b"),
      ("two documents", "data: a\n---\ndata: b"), ("a list", "- data"), ("a scalar", "data"),
      ("twice", "data: a\ndata: b"), ("twice below", "server: {listen: a, listen: b}"),
      ("huge integer", "listed_errors: 99999999999999999999999999999999"),
      ("signed", "listed_errors: +5"), ("hex", "listed_errors: 0x10"),
      ("float", "listed_errors: 1e3"),
      ("infinity", "listed_errors: .inf"), ("arabic digits", "listed_errors: ٣"),
      ("null", "listed_errors: ~"), ("empty", "listed_errors: \"\""), ("merge", "<<: {data: x}"),
      ("complex key", "? [a, b]\n: c"), ("null key", "~: 1"), ("empty key", "\"\": 1"),
      ("tag", "data: !!binary AAAA\nx: 1"), ("directive", "%YAML 9.9\n---\ndata: x\ny: 1"),
      ("unterminated", "data: \"x"), ("indent", "data: x\n y: z"),
      ("control in a name", "data: \"a\\u0000b\""),
      ("long", "data: " + String(repeating: "a", count: 5000)),
      ("too large", String(repeating: "# comment\n", count: 110_000)),
      ("many faults", (0..<1000).map { "k\($0): 1" }.joined(separator: "\n")),
    ]
    for (name, text) in hostile {
      #expect(!faults(text).isEmpty, "\(name)")
    }
    var reading = ConfigurationFile.Reading()
    #expect(
      ConfigurationFile.take([0x64, 0xFF, 0xFE], file: "f", into: &reading).map(\.description)
        == ["f: not YAML: expected UTF-8 text"])
    let many = (0..<60).map { ConfigurationFault(place: "f", line: $0, message: "m") }
    #expect(ConfigurationFault.text(many).hasSuffix("\n          and 10 more"))
  }

  @Test func `what is no YAML is told by its line and without its text`() {
    #expect(
      faults("server:\n\tlisten: s3cret") == [
        "f.yaml line 2: not YAML: found character that cannot start any token; indent with blanks, "
          + "not with tabs"
      ])
    #expect(faults("data: a\ndata: b") == ["f.yaml line 1: \"data\" is given twice; keep one"])
  }
}
