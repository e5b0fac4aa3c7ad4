import FarthingPipeline
import Foundation
import Testing

@testable import FarthingApp

@Suite("Reading the configuration again")
struct ConfigurationReloadTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func resolve(_ text: String) throws -> Settings {
    try folder.write("f.yaml", text)
    return try resolve()
  }

  private func resolve() throws(CommandFailure) -> Settings {
    try Settings.resolved(
      data: "data", config: folder.url.appending(path: "f.yaml").path, environment: { _ in nil })
  }

  private func reload(_ running: Settings, _ text: String) throws -> ConfigurationReload.Outcome {
    try folder.write("f.yaml", text)
    return ConfigurationReload.outcome(running: running) { () throws(CommandFailure) in
      try resolve()
    }
  }

  private static let hash = "sha256:" + String(repeating: "ab", count: 32)

  @Test func `what may change is applied and what may not waits`() throws {
    let running = try resolve("server: {listen: 127.0.0.1:1}\nquery_memory_mib: 10")
    let outcome = try reload(
      running,
      """
      server: {listen: 127.0.0.1:2, limits: {body_mib: 3}}
      query_memory_mib: 11
      access: {tokens: [{name: a, hash: \(Self.hash), scopes: read}]}
      """)
    guard case .changed(let settings, let changes) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(changes.applied == ["query_memory_mib", "server.limits.body_mib", "access.tokens"])
    #expect(changes.waiting == ["server.listen"])
    #expect(settings.configuration.server.listen.port == 1)
    #expect(settings.configuration.server.limits.bodyBytes == 3 << 20)
    #expect(settings.configuration.access.tokens.map(\.name) == ["a"])
    #expect(
      outcome.note
        == "the configuration was read again: applied query_memory_mib, server.limits.body_mib, "
        + "access.tokens; a restart is needed for server.listen")
    // The next one says again what waits, and nothing that was applied.
    let again = ConfigurationReload.outcome(running: settings) { () throws(CommandFailure) in
      try resolve()
    }
    #expect(again == .changed(settings, ReloadChanges(waiting: ["server.listen"])))
  }

  @Test func `nothing new changes nothing`() throws {
    let text = "server: {tls: {certificate: a, key: b}}\nsites: x.json\nretention_days: 3"
    let running = try resolve(text)
    let outcome = try reload(running, text)
    #expect(outcome == .changed(running, ReloadChanges()))
    #expect(outcome.note == "the configuration was read again: nothing changed")
  }

  @Test func `a wrong file keeps what runs`() throws {
    let running = try resolve("query_memory_mib: 10")
    let outcome = try reload(running, "query_memory_mib: x\nlisted_errors: 5")
    #expect(
      outcome.note.hasSuffix(
        "f.yaml line 1: query_memory_mib \"x\": expected a whole number from 1 to 1000000"))
    #expect(outcome.note.hasPrefix("the configuration is wrong; what ran goes on unchanged: "))
    guard case .kept = outcome else {
      Issue.record("a wrong file changes nothing")
      return
    }
  }

  @Test func `the last token of a server that others reach is not taken away`() throws {
    let running = try resolve(
      "server: {listen: '0.0.0.0:1'}\naccess: {tokens: [{name: a, hash: \(Self.hash), scopes: read}]}"
    )
    let outcome = try reload(running, "server: {listen: 127.0.0.1:1}")
    #expect(
      outcome.note.hasPrefix(
        "the configuration is wrong; what ran goes on unchanged: server.listen 0.0.0.0:1 is open to "
          + "other machines"))
  }

  @Test func `certificates are exchanged, and TLS itself waits for a restart`() throws {
    let running = try resolve("server: {tls: {certificate: a, key: b}}")
    guard
      case .changed(let next, let changes) = try reload(
        running, "server: {tls: {certificate: c, key: d}}")
    else {
      Issue.record("new files are no fault")
      return
    }
    #expect(changes == ReloadChanges(applied: ["server.tls"]))
    guard case .changed(let last, let off) = try reload(next, "data: x") else {
      Issue.record("no TLS is no fault")
      return
    }
    #expect(off == ReloadChanges(waiting: ["server.tls"]))
    #expect(last.configuration.server.tls == TLSFiles(certificate: "c", key: "d"))
  }

  @Test func `what a process takes at its start waits, and what it does not work by is not told`()
    throws
  {
    let running = try resolve("query_memory_mib: 10")
    try folder.write(
      "f.yaml", "query_memory_mib: 11\nsites: x.json\nserver: {limits: {queries_at_once: 3}}")
    let outcome = ConfigurationReload.outcome(
      running: running,
      scope: ConfigurationReload.Scope(live: ["server"], fixed: ["query_memory_mib"])
    ) { () throws(CommandFailure) in try resolve() }
    #expect(
      outcome
        == .changed(
          running,
          ReloadChanges(waiting: ["query_memory_mib", "server.limits.queries_at_once"])))
  }

  @Test func `where a process listens elsewhere, the last token is kept for that place`() throws {
    let running = try resolve("access: {tokens: [{name: a, hash: \(Self.hash), scopes: read}]}")
    try folder.write("f.yaml", "")
    let outcome = ConfigurationReload.outcome(
      running: running, listen: ListenAddress(host: "0.0.0.0", port: 1)
    ) { () throws(CommandFailure) in try resolve() }
    #expect(outcome.note.contains("0.0.0.0:1 is open to other machines"))
  }

  @Test func `tokens do not all go by a file that is empty`() throws {
    let running = try resolve("access: {tokens: [{name: a, hash: \(Self.hash), scopes: read}]}")
    #expect(
      try reload(running, "")
        == .kept(
          faults:
            "access names no tokens any more, so everybody who reaches the server could write and "
            + "read; name one, say what calls without a token may do with access.anonymous, or restart if "
            + "that is meant"))
    guard case .changed = try reload(running, "access: {anonymous: [read]}") else {
      Issue.record("what is meant is refused")
      return
    }
  }
}
