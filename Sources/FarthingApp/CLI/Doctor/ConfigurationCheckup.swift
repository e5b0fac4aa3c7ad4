internal import FarthingPipeline
internal import FarthingStore

/// What the doctor finds in the files, folders and sizes that a configuration names.
///
/// Only what the configuration sets is looked at: a machine that runs no agent has no spool.
struct ConfigurationCheckup {
  let settings: Settings
  /// Unix nanoseconds.
  let now: Int64
  /// Bytes of memory that there are; nil where unknown.
  let memory: Int?
  /// Files that a process may have open.
  let openFiles: Int
  private var findings: [Finding] = []

  /// All findings, in the order of the file's sections.
  static func findings(_ settings: Settings, now: Int64, memory: Int?, openFiles: Int) -> [Finding]
  {
    var checkup = ConfigurationCheckup(
      settings: settings, now: now, memory: memory, openFiles: openFiles)
    checkup.checkServer()
    checkup.checkTokens()
    checkup.checkClients()
    checkup.checkSpool()
    checkup.checkRegistries()
    return checkup.findings
  }

  private init(settings: Settings, now: Int64, memory: Int?, openFiles: Int) {
    self.settings = settings
    self.now = now
    self.memory = memory
    self.openFiles = openFiles
  }

  // MARK: The server

  private mutating func checkServer() {
    let server = settings.configuration.server
    let access = settings.configuration.access
    if let objection = access.objection(to: server.listen, grpc: server.grpcListen) {
      findings.append(
        .fault("server", objection, "farthing token create NAME --scopes ingest prints an element"))
    }
    if let tls = server.tls {
      checkPEM("server.tls.certificate", tls.certificate, label: "CERTIFICATE")
      checkPEM("server.tls.key", tls.key, label: "PRIVATE KEY")
      checkSecret("server.tls.key", tls.key)
    } else if !server.listen.isLoopback, !access.tokens.isEmpty {
      findings.append(
        .warning(
          "server", "tokens come to \(server.listen) over plain HTTP",
          "set server.tls, unless a proxy before it speaks TLS"))
    }
    guard settings.file != nil else { return }
    checkSizes(server.limits)
  }

  private mutating func checkSizes(_ limits: ServerLimits) {
    let queries = settings.configuration.queryBytes.multipliedReportingOverflow(
      by: limits.queriesAtOnce)
    let (sum, isLarge) = queries.partialValue.addingReportingOverflow(limits.bodiesInFlightBytes)
    if let memory, queries.overflow || isLarge || sum > memory {
      findings.append(
        .warning(
          "server",
          "queries_at_once × query_memory_mib and bodies_in_flight_mib may come to more than the "
            + "\(ByteCountText.text(memory)) of memory", "lower one of them"))
    }
    if openFiles < limits.connections {
      findings.append(
        .warning(
          "server",
          "\(openFiles) files may be open, and server.limits.connections is "
            + "\(limits.connections)", "raise the limit with ulimit -n, or lower connections"))
    }
  }

  private mutating func checkTokens() {
    let soon = now.addingReportingOverflow(14 * TimeText.nanosecondsPerDay).partialValue
    for token in settings.configuration.access.tokens {
      guard let expires = token.expires, expires <= soon else { continue }
      let day = TimeText.rfc3339(expires)
      let remedy = "make another with farthing token create \(token.name)"
      findings.append(
        expires <= now
          ? .warning("access", "the token \"\(token.name)\" expired at \(day)", remedy)
          : .warning("access", "the token \"\(token.name)\" expires at \(day)", remedy))
    }
  }

  // MARK: Clients and agents

  private mutating func checkClients() {
    let client = settings.configuration.client
    let agent = settings.configuration.agent
    for (name, server, token, roots) in [
      ("client", client.server, client.tokenFile, client.authorityFile),
      ("agent", agent.server, agent.tokenFile, agent.authorityFile),
    ] {
      if let token {
        do throws(CommandFailure) {
          _ = try SecretText.token(file: token)
          checkSecret("\(name).token_file", token)
        } catch {
          findings.append(
            .fault(name, error.message ?? "", "write the token into \(name).token_file"))
        }
        if let server, !server.isSecure, !server.address.isLoopback {
          findings.append(
            .warning(
              name, "the token goes to \(server) over plain HTTP",
              "use https, unless the network between is yours"))
        }
      }
      if let roots { checkPEM("\(name).ca_file", roots, label: "CERTIFICATE") }
    }
  }

  private mutating func checkSpool() {
    guard let folder = settings.configuration.agent.spool.folder else { return }
    let exists = ((try? PosixFileSystem().list(folder)) ?? nil) != nil
    if !exists {
      findings.append(
        .warning(
          "agent", "agent.spool.folder \(folder) is not there", "make it, for the agent to write"))
    } else if !HostMachine.mayWrite(folder) {
      findings.append(
        .fault(
          "agent", "agent.spool.folder \(folder) may not be written", "change its owner or mode"))
    }
  }

  // MARK: Files

  private mutating func checkRegistries() {
    if case .file(let file)? = settings.configuration.sites {
      check("sites", file) { bytes throws(RegistryRefusal) in
        "\(try SiteRegistry.parse(bytes, file: file).entries.count) sites in \(file)"
      }
    }
    if case .file(let file)? = settings.configuration.calendar {
      check("calendar", file) { bytes throws(RegistryRefusal) in
        "\(try EventCalendar.parse(bytes, file: file).entries.count) announced events in \(file)"
      }
    }
  }

  private mutating func check(
    _ name: String, _ file: String, _ parse: ([UInt8]) throws(RegistryRefusal) -> String
  ) {
    guard let bytes = bytes(name, file) else { return }
    do throws(RegistryRefusal) {
      findings.append(.ok(name, try parse(bytes)))
    } catch {
      for fault in error.faults { findings.append(.fault(name, fault, "mend the file")) }
    }
  }

  private mutating func bytes(_ name: String, _ file: String) -> [UInt8]? {
    do throws(StoreError) {
      return try WholeInput.bytes(of: file, limit: 64 << 20)
    } catch {
      findings.append(.fault(name, error.message, "name a file that this user may read"))
      return nil
    }
  }

  private mutating func checkPEM(_ name: String, _ file: String, label: String) {
    guard let bytes = bytes(name, file) else { return }
    let text = String(decoding: bytes, as: UTF8.self)
    let hasBegin = text.split(separator: "\n").contains {
      $0.hasPrefix("-----BEGIN ") && $0.contains("\(label)-----")
    }
    if hasBegin {
      findings.append(.ok(name, "\(file) is PEM"))
    } else {
      findings.append(
        .fault(
          name, "\(file) is no PEM file: no line -----BEGIN \(label)----- is in it",
          "name the file in PEM form; openssl converts others"))
    }
  }

  /// A secret that every user of the machine can read is none.
  private mutating func checkSecret(_ name: String, _ file: String) {
    guard let mode = try? HostMachine.fileMode(of: file), mode & 0o007 != 0 else { return }
    findings.append(
      .warning(
        name, "\(file) can be read or written by every user of this machine", "chmod o= \(file)"))
  }
}
