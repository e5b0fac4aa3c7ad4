internal import FarthingPipeline
internal import FarthingStore
internal import Yams

/// All settings of the configuration file. docs/farthing.yaml says what each means; a test holds the
/// two together.
enum ConfigurationSchema {
  /// The greatest number of days or GiB: far above what anybody keeps, far below what overflows.
  static let greatestRetention = 100_000
  static let retentionExpectation = "a whole number from 0 (keep all) to \(greatestRetention)"

  /// The settings of the file's first level.
  static let root: [Setting<Configuration>] = [
    .text("data", \.data, .restart),
    .whole("listed_errors", \.listedErrors, 1...1_000_000),
    .whole("event_limit_mib", \.eventBytes, 1...1_000_000, times: 1 << 20),
    .whole("query_memory_mib", \.queryBytes, 1...1_000_000, times: 1 << 20),
    .value(
      "retention_days", \.retention.age, expected: retentionExpectation,
      parse: { kept($0).map { $0 == 0 ? nil : Int64($0) * TimeText.nanosecondsPerDay } }),
    .value(
      "retention_gib", \.retention.byteLimit, expected: retentionExpectation,
      parse: { kept($0).map { $0 == 0 ? nil : $0 << 30 } }),
    serverOrURL,
    .section("access", \.access, access, check: { AccessRules.check(&$0, $1, $2) }),
    .section("client", \.client, client),
    .section("agent", \.agent, agent),
    .section(
      "alerting", \.alerting, AlertingSchema.settings,
      check: { AlertingSchema.check(&$0, $1, $2) }),
    .section("detection", \.monitoring, detection),
    .section(
      "isolation", \.isolation, IsolationSchema.settings,
      check: { IsolationSchema.check(&$0, $1, $2) }),
    .section("inventory", \.inventory, InventorySchema.settings),
    .node("sites", \.sites, below: SiteRegistry.keys, read: { RegistrySetting.sites(&$0, $1) }),
    .node(
      "calendar", \.calendar, below: EventCalendar.ownKeys,
      read: { RegistrySetting.calendar(&$0, $1) }),
    .node(
      "budgets", \.budgets, below: BudgetSettings.all.flatMap(\.paths),
      read: { BudgetSettings.budgets(&$0, $1) }),
    .node(
      "rules", \.rules, below: RuleSettings.all.flatMap(\.paths),
      read: { RuleSettings.rules(&$0, $1) }),
  ]

  /// The paths of all keys, `server.limits.body_mib`.
  static let paths: [String] = root.flatMap(\.paths)
  /// Those of them that are one value.
  static let scalars: [String] = root.flatMap(\.scalars)

  private static func kept(_ text: String) -> Int? {
    WholeNumber.parse(text, 0...greatestRetention)
  }

  /// `server: URL` is short for the setting `client.server`.
  private static var serverOrURL: Setting<Configuration> {
    let section = Setting<Configuration>.section("server", \.server, server)
    return Setting(
      name: section.name, paths: section.paths, scalars: section.scalars,
      read: { reader, node, configuration in
        guard let text = node.scalar?.string, !text.isEmpty else {
          section.read(&reader, node, &configuration)
          return
        }
        if let url = ServerURL(text) {
          configuration.client.server = url
        } else {
          reader.fault(
            node,
            "server: expected settings of the daemon below it, such as listen, or the URL "
              + "that commands ask")
        }
      }, merge: section.merge)
  }

  private static let server: [Setting<ServerSettings>] = [
    .value(
      "listen", \.listen, .restart, expected: ListenAddress.expectation,
      parse: { ListenAddress($0) }),
    .value(
      "otlp_grpc_listen", \.grpcListen, .restart, expected: ListenAddress.expectation,
      parse: { ListenAddress($0).map { .some($0) } }),
    .tls,
    .section("limits", \.limits, limits, check: { AccessRules.checkLimits(&$0, $1, $2) }),
    .seconds("drain_timeout_s", \.drainTimeout, 0...3600),
  ]

  private static let limits: [Setting<ServerLimits>] = [
    .whole("body_mib", \.bodyBytes, 1...1024, times: 1 << 20),
    .whole("bodies_in_flight_mib", \.bodiesInFlightBytes, 1...65_536, times: 1 << 20),
    .whole("uploads_waiting", \.uploadsWaiting, 1...100_000),
    .whole("connections", \.connections, 1...100_000),
    .whole("headers", \.headers, 10...1000),
    .whole("header_kib", \.headerBytes, 4...64, times: 1 << 10),
    .whole("target_kib", \.targetBytes, 1...64, times: 1 << 10),
    .seconds("idle_timeout_s", \.idleTimeout, 1...86_400),
    .seconds("header_timeout_s", \.headerTimeout, 1...3600),
    .seconds("body_timeout_s", \.bodyTimeout, 1...86_400),
    .whole("body_rate_kib", \.bodyBytesPerSecond, 1...1_000_000, times: 1 << 10),
    .seconds("write_timeout_s", \.writeTimeout, 1...3600),
    .whole("queries_at_once", \.queriesAtOnce, 1...256, .restart),
    .whole("queries_waiting", \.queriesWaiting, 0...10_000),
  ]

  private static let access: [Setting<AccessPolicy>] = [
    .node(
      "tokens", \.tokens, below: TokenSettings.all.map(\.name),
      read: { TokenSettings.tokens(&$0, $1) }),
    .node("anonymous", \.anonymous, read: { TokenSettings.scopes(&$0, $1) }),
    .flag("open", \.isOpen, .restart),
  ]

  private static let client: [Setting<ClientSettings>] = [
    .value(
      "server", \.server, expected: ServerURL.expectation, isSecret: true,
      parse: { ServerURL($0).map { .some($0) } }),
    .text("token_file", \.tokenFile),
    .text("ca_file", \.authorityFile),
  ]

  private static let agent: [Setting<AgentSettings>] = [
    .value(
      "server", \.server, .restart, expected: ServerURL.expectation, isSecret: true,
      parse: { ServerURL($0).map { .some($0) } }),
    .text("token_file", \.tokenFile),
    .text("ca_file", \.authorityFile),
    .text("site", \.site),
    .value(
      "listen", \.listen, .restart, expected: ListenAddress.expectation,
      parse: { ListenAddress($0) }),
    .node("follow", \.follow, .restart, read: { RegistrySetting.texts(&$0, $1) }),
    .section("spool", \.spool, spool),
    .section("batch", \.batch, batch),
    .seconds("longest_retry_s", \.longestRetry, 1...86_400),
  ]

  private static let detection: [Setting<MonitoringSettings>] = [
    .flag("enabled", \.isEnabled),
    .value(
      "min_usd", \.minimumCents, expected: centsExpectation, parse: { cents($0) }),
    .whole("warning_usd_per_hour", \.warningRate, 0...1_000_000),
    .whole("critical_usd_per_hour", \.criticalRate, 0...1_000_000),
    .whole("max_series", \.maximumSeries, 1000...1_000_000),
  ]

  static let centsExpectation = "US dollars from 0.01 to 1000000 with at most two decimals"

  /// Whole cents of an amount such as 2, 0.5 or 1000000; nil for anything else.
  static func cents(_ text: String) -> Int? {
    guard let millionths = EventCalendar.millionths(text) ?? whole(text), millionths > 0,
      millionths % 10_000 == 0
    else { return nil }
    return millionths / 10_000
  }

  private static func whole(_ text: String) -> Int? {
    WholeNumber.parse(text, 0...1_000_000).map { $0 * 1_000_000 }
  }

  private static let spool: [Setting<AgentSettings.Spool>] = [
    .text("folder", \.folder, .restart),
    .whole("limit_mib", \.limitBytes, 16...1_000_000, times: 1 << 20, .restart),
  ]

  private static let batch: [Setting<AgentSettings.Batch>] = [
    .whole("events", \.events, 1...100_000),
    .whole("mib", \.bytes, 1...64, times: 1 << 20),
    .milliseconds("wait_ms", \.wait, 10...60_000),
  ]
}

/// The files of TLS while they are read.
private struct TLSDraft: Sendable {
  var certificate: String?
  var key: String?
}

extension Setting where Section == ServerSettings {
  /// Both files or neither. New files are taken by a running server; turning TLS on or off is not.
  static var tls: Setting<ServerSettings> {
    let settings: [Setting<TLSDraft>] = [
      .text("certificate", \.certificate), .text("key", \.key),
    ]
    return Setting(
      name: "tls", paths: ["tls", "tls.certificate", "tls.key"],
      scalars: ["tls.certificate", "tls.key"],
      read: { reader, node, section in
        var draft = TLSDraft()
        reader.read(node, settings, into: &draft)
        guard let certificate = draft.certificate, let key = draft.key else {
          if node.mapping != nil {
            reader.fault(
              node, "\(reader.path): expected both files, certificate and key, or no \(reader.path)"
            )
          }
          return
        }
        section.tls = TLSFiles(certificate: certificate, key: key)
      },
      merge: { running, wanted, path, changes in
        guard running.tls != wanted.tls else { return }
        if running.tls == nil || wanted.tls == nil {
          changes.waiting.append(path)
        } else {
          running.tls = wanted.tls
          changes.applied.append(path)
        }
      })
  }
}

/// What must hold between settings.
enum AccessRules {
  static func check(_ reader: inout SettingReader, _ node: Node, _ policy: AccessPolicy) {
    if policy.isOpen, !policy.tokens.isEmpty {
      reader.fault(
        node,
        "\(reader.name(of: "open")): true says that no token is needed, and tokens are given; keep "
          + "one of the two, or name what is open in \(reader.name(of: "anonymous"))")
    }
  }

  static func checkLimits(_ reader: inout SettingReader, _ node: Node, _ limits: ServerLimits) {
    if limits.bodiesInFlightBytes < limits.bodyBytes {
      reader.fault(
        node,
        "\(reader.name(of: "bodies_in_flight_mib")) \(limits.bodiesInFlightBytes >> 20): expected "
          + "at least \(reader.name(of: "body_mib")), \(limits.bodyBytes >> 20)")
    }
  }
}
