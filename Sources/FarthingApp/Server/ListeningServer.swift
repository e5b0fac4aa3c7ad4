internal import Dispatch
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore
internal import Synchronization

/// A server that listens, and the settings that it goes by until SIGHUP brings others.
actor ListeningServer {
  nonisolated let server: Server
  /// Where it listens, with the port that it got.
  nonisolated let address: ListenAddress
  nonisolated let url: String
  /// Where it listens as well, for OTLP over gRPC; nil for nowhere else.
  nonisolated let grpcAddress: ListenAddress?
  /// What it goes by now; `server.listen` is what was asked for.
  private(set) var settings: Settings
  /// How much of the past it keeps now; read without waiting for a reload that is at work.
  nonisolated var retention: Retention { currentRetention.withLock { $0 } }
  private nonisolated let currentRetention: Mutex<Retention>
  private let scope: ConfigurationReload.Scope
  private var security: TransportSecurity?

  /// Binds the address.
  ///
  /// - Parameters:
  ///   - address: where to listen, whatever `server.listen` says.
  ///   - grpcAddress: where to listen as well; nil for nowhere else.
  ///   - scope: the settings that this process works by.
  /// - Throws: ``CommandFailure`` with status 2 where the address would be open to everybody and
  ///   where the certificate or its key cannot be used; ``StoreError`` where the address cannot be bound.
  init(
    _ settings: Settings, at address: ListenAddress, grpcAt grpcAddress: ListenAddress? = nil,
    scope: ConfigurationReload.Scope, around: ServerSurroundings
  ) async throws {
    if let objection = settings.access.objection(to: address, grpc: grpcAddress) {
      throw CommandFailure.usage(objection)
    }
    let configuration = settings.configuration.server
    var security: TransportSecurity?
    do throws(StoreError) {
      if let files = configuration.tls { security = try TransportSecurity(reading: files) }
    } catch {
      throw CommandFailure.usage("\(error)")
    }
    Self.warn(of: security, in: configuration)
    let server = Server(
      configuration, policy: settings.access, security: security,
      listedErrors: settings.listedErrors, around: around,
      threads: min(8, max(1, HostProcess.processorCount())))
    let bound = try await Self.listen(server, at: address)
    if let grpcAddress {
      self.grpcAddress = try await Self.listen(server, at: grpcAddress)
    } else {
      self.grpcAddress = nil
    }
    self.server = server
    self.address = bound
    url = "\(security == nil ? "http" : "https")://\(bound)"
    self.settings = settings
    currentRetention = Mutex(settings.retention)
    self.scope = scope
    self.security = security
  }

  private static func listen(
    _ server: Server, at address: ListenAddress
  ) async throws(StoreError) -> ListenAddress {
    ListenAddress(
      host: address.host,
      port: try await server.listen(host: address.host, port: address.port))
  }

  /// Reads the configuration and the files of TLS again, goes on by what is right of them, and says
  /// on standard error what came of it.
  ///
  /// - Parameter wanted: what the file, the environment and the options say now.
  func reload(to wanted: Result<Settings, CommandFailure>) {
    let outcome = ConfigurationReload.outcome(
      running: settings, scope: scope, listen: address, grpcListen: grpcAddress
    ) { () throws(CommandFailure) in try wanted.get() }
    guard case .changed(var next, _) = outcome else {
      return Console.note("farthing: warning: \(outcome.note)")
    }
    server.reload(next.configuration.server, policy: next.access)
    Console.note("farthing: \(outcome.note)")
    if !readCertificate(next.configuration.server) {
      // Named again by the next reload.
      next.configuration.server.tls = settings.configuration.server.tls
    }
    settings = next
    let retention = next.retention
    currentRetention.withLock { $0 = retention }
  }

  /// - Returns: false where the files cannot be used and those of before stay in use.
  private func readCertificate(_ configuration: ServerSettings) -> Bool {
    guard let before = security, let files = configuration.tls else { return true }
    do throws(StoreError) {
      let read = try TransportSecurity(reading: files)
      if !read.isSame(as: before) {
        server.replace(read)
        security = read
        Console.note(
          "farthing: new connections get the certificate in \(files.certificate.printable), valid "
            + "until \(Self.time(read.expires))")
      }
    } catch {
      Console.note(
        "farthing: warning: the certificate that was in use stays so: \("\(error)".printable)")
      return false
    }
    Self.warn(of: security, in: configuration)
    return true
  }

  /// Seconds before a certificate's end from which on it is warned of: longer than what renews them
  /// by itself leaves over.
  private static let noticeSeconds: Int64 = 7 * 86_400

  private static func warn(of security: TransportSecurity?, in configuration: ServerSettings) {
    guard let security, let file = configuration.tls?.certificate.printable else { return }
    let now = HostProcess.now() / 1_000_000_000
    let warning: String
    if security.expires <= now {
      warning = "expired at \(time(security.expires)); clients refuse it"
    } else if security.begins > now {
      warning = "is not valid before \(time(security.begins)); clients refuse it until then"
    } else if security.expires - now < noticeSeconds {
      warning = "expires at \(time(security.expires))"
    } else {
      return
    }
    Console.note("farthing: warning: the certificate in \(file) \(warning)")
  }

  /// RFC 3339; a time that no event can have as Unix seconds.
  private static func time(_ seconds: Int64) -> String {
    let (nanoseconds, isLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return isLarge ? "\(seconds) s" : TimeText.rfc3339(nanoseconds)
  }
}

/// What signals ask of a daemon.
enum DaemonSignals {
  /// Reloads at each element, one after the other, until the elements end: it does not wait for files
  /// that cannot be read to their end then, such as those of a file system that hangs.
  static func reload(
    _ listening: ListeningServer, until requests: AsyncStream<Void>,
    by resolution: @escaping @Sendable () throws(CommandFailure) -> Settings,
    then heed: @escaping @Sendable (Settings) async -> Void = { _ in }
  ) async {
    var last: Task<Void, Never>?
    for await _ in requests {
      last = Task { [last] in
        await last?.value
        await listening.reload(to: Result { () throws(CommandFailure) in try resolution() })
        await heed(await listening.settings)
      }
    }
  }

  /// One element for each request to read the configuration again; it ends when the daemon is to.
  /// `Interruption.watch()` and `watchReload()` come first.
  static func reloads() -> AsyncStream<Void> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      // Blocks, so not on a thread that tasks share.
      DispatchQueue(label: "farthing.signals").async {
        while Interruption.wait() == .reload { continuation.yield() }
        continuation.finish()
      }
    }
  }
}
