package import FarthingPipeline
package import FarthingStore

/// What a command works with, whoever said so: an option, the environment, the configuration file
/// or, last, a default.
@dynamicMemberLookup
package struct Settings: Sendable, Equatable {
  /// The store's folder.
  package var dataFolder: String
  /// URL of the server that is to be asked instead; nil for the embedded store.
  package var server: String?
  /// The file that was read; nil for none.
  package var file: String?
  /// All that the file and the environment say.
  package var configuration = Configuration()

  package init(dataFolder: String) { self.dataFolder = dataFolder }

  package subscript<Value>(dynamicMember place: WritableKeyPath<Configuration, Value>) -> Value {
    get { configuration[keyPath: place] }
    set { configuration[keyPath: place] = newValue }
  }

  /// - Parameter environment: The value of a variable; nil where it is not set or empty.
  /// - Throws: ``CommandFailure`` with status 2 that names the place, the key and what was expected.
  package static func resolved(
    data: String?, config: String?, server: String? = nil, environment: (String) -> String?
  ) throws(CommandFailure) -> Settings {
    var settings = Settings(dataFolder: "")
    settings.file = config ?? environment("FARTHING_CONFIG")
    settings.configuration = try ConfigurationFile.read(
      settings.file, environment: environment
    ).configuration
    // An option wins over the variable, which the configuration has taken already.
    if let folder = data ?? settings.configuration.data {
      settings.dataFolder = folder
    } else {
      settings.dataFolder = try defaultFolder(environment)
    }
    settings.configuration.data = settings.dataFolder
    settings.server =
      server ?? environment("FARTHING_SERVER") ?? settings.configuration.client.server?.description
    return settings
  }

  private static func defaultFolder(
    _ environment: (String) -> String?
  ) throws(CommandFailure) -> String {
    if let base = environment("XDG_DATA_HOME"), base.hasPrefix("/") { return base + "/farthing" }
    if let home = environment("HOME") { return home + "/.local/share/farthing" }
    throw .usage("there is no folder for the store: give --data DIR or set FARTHING_DATA")
  }
}

/// What a daemon does with a changed configuration.
package enum ConfigurationReload {
  /// What came of reading it again.
  package enum Outcome: Sendable, Equatable {
    /// What to run by from now on. Settings that need a restart have their old values there.
    case changed(Settings, ReloadChanges)
    /// The new one is wrong; what runs goes on as it was.
    case kept(faults: String)

    /// One line for the log.
    package var note: String {
      switch self {
      case .kept(let faults):
        return "the configuration is wrong; what ran goes on unchanged: \(faults)"
      case .changed(_, let changes):
        var parts: [String] = []
        if !changes.applied.isEmpty {
          parts.append("applied \(changes.applied.joined(separator: ", "))")
        }
        if !changes.waiting.isEmpty {
          parts.append("a restart is needed for \(changes.waiting.joined(separator: ", "))")
        }
        return "the configuration was read again: "
          + (parts.isEmpty ? "nothing changed" : parts.joined(separator: "; "))
      }
    }
  }

  /// The settings that a process works by, by their names on the file's first level. What it does
  /// not work by may change without a word.
  package struct Scope: Sendable {
    /// A change is taken, or waits for a restart, as each setting says of itself.
    package var live: Set<String>
    /// A change of any of them waits for a restart.
    package var fixed: Set<String>

    package init(live: Set<String>, fixed: Set<String> = []) {
      self.live = live
      self.fixed = fixed
    }

    /// All settings, as each says of itself.
    package static let everything = Scope(live: Set(ConfigurationSchema.root.map(\.name)))
  }

  /// Compares what runs with what the file, the environment and the options say now.
  ///
  /// - Parameters:
  ///   - running: What the process works by, as it was resolved or reloaded last.
  ///   - listen: Where it listens; nil for what `server` says.
  ///   - grpcListen: Where it listens as well, where `listen` is given.
  ///   - resolve: Resolves anew, with the same options.
  package static func outcome(
    running: Settings, scope: Scope = .everything, listen: ListenAddress? = nil,
    grpcListen: ListenAddress? = nil,
    resolve: () throws(CommandFailure) -> Settings
  ) -> Outcome {
    let wanted: Settings
    do throws(CommandFailure) {
      wanted = try resolve()
    } catch {
      return .kept(faults: error.message ?? "")
    }
    var settings = running
    var changes = ReloadChanges()
    for setting in ConfigurationSchema.root {
      if scope.live.contains(setting.name) {
        setting.merge(&settings.configuration, wanted.configuration, setting.name, &changes)
      } else if scope.fixed.contains(setting.name) {
        var restarted = settings.configuration
        var further = ReloadChanges()
        setting.merge(&restarted, wanted.configuration, setting.name, &further)
        changes.waiting += further.applied + further.waiting
      }
    }
    // Each section is right by itself; a new limit may still not fit one that waits for a restart.
    let server = settings.configuration.server
    if let objection = settings.configuration.access.objection(
      to: listen ?? server.listen, grpc: listen == nil ? server.grpcListen : grpcListen)
    {
      return .kept(faults: objection)
    }
    // A file that is empty for a moment must not open what asked for tokens.
    if let objection = settings.configuration.access.objection(
      toFollow: running.configuration.access)
    {
      return .kept(faults: objection)
    }
    return .changed(settings, changes)
  }
}

/// The environment of the process.
enum EnvironmentVariables {
  /// The variables that are read, with what they mean.
  static let documented: [(name: String, meaning: String)] = [
    ("FARTHING_DATA", "Folder of the store, where --data does not name it."),
    ("FARTHING_CONFIG", "Configuration file, where --config does not name it."),
    ("FARTHING_SERVER", "Server to ask, where --server does not name it."),
    ("FARTHING_TOKEN", "Token to ask it with, where --token does not give it."),
    (
      "FARTHING_SECTION_KEY",
      "Any single setting of the configuration file, such as FARTHING_SERVER_LISTEN."
    ),
    ("NO_COLOR", "No colour where it is set and not empty."),
    ("COLUMNS", "Width of charts where standard output is no terminal."),
  ]

  static func value(of name: String) -> String? { HostProcess.environment(name) }
}

/// Small files that are read whole.
package enum WholeInput {
  /// The bytes of a file, or of standard input where the path is `-`.
  ///
  /// - Throws: as opening and reading do; `limitExceeded` above `limit` bytes.
  package static func bytes(of path: String, limit: Int) throws(StoreError) -> [UInt8] {
    let source = path == "-" ? ByteSource.standardInput() : try ByteSource.open(path)
    var bytes: [UInt8] = []
    while try source.read(appendingTo: &bytes, count: 1 << 16) > 0 {
      if bytes.count > limit {
        throw StoreError(.limitExceeded, "\(path) has more than \(limit >> 20) MiB")
      }
    }
    return bytes
  }
}
