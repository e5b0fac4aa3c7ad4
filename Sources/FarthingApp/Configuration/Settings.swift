package import FarthingStore
internal import Yams

/// What a command works with, whoever said so: an option, the environment, the configuration file
/// or, last, a default.
package struct Settings: Sendable, Equatable {
  /// The store's folder.
  package var dataFolder: String
  /// URL of the server that is to be asked instead; nil for the embedded store.
  package var server: String?
  /// Most refusals that a receipt lists; the others are only counted.
  package var listedErrors = 1000
  /// Longest line, array element or single JSON value of an input, in bytes.
  package var eventBytes = 20 << 20
  /// Most bytes that a query may hold at once.
  package var queryBytes = 400 << 20
  /// How much of the past is kept; all of it unless something is set.
  package var retention = Retention()

  /// The greatest number of days or GiB: far above what anybody keeps, far below what overflows.
  static let greatestRetention = 100_000
  static let retentionExpectation =
    "expected a whole number from 0 (keep all) to \(greatestRetention)"

  /// The names of the configuration file.
  enum Key: String, CaseIterable {
    case data
    case server
    case listedErrors = "listed_errors"
    case eventMebibytes = "event_limit_mib"
    case queryMebibytes = "query_memory_mib"
    case retentionDays = "retention_days"
    case retentionGibibytes = "retention_gib"
  }

  /// - Parameter environment: The value of a variable; nil where it is not set or empty.
  /// - Throws: ``CommandFailure`` with status 2 that names the file, the key and what was expected.
  package static func resolved(
    data: String?, config: String?, environment: (String) -> String?
  ) throws(CommandFailure) -> Settings {
    var settings = Settings(dataFolder: "")
    if let file = config ?? environment("FARTHING_CONFIG") { try settings.read(file) }
    if let folder = data ?? environment("FARTHING_DATA") { settings.dataFolder = folder }
    if settings.dataFolder.isEmpty { settings.dataFolder = try defaultFolder(environment) }
    return settings
  }

  private static func defaultFolder(
    _ environment: (String) -> String?
  ) throws(CommandFailure) -> String {
    if let base = environment("XDG_DATA_HOME"), base.hasPrefix("/") { return base + "/farthing" }
    if let home = environment("HOME") { return home + "/.local/share/farthing" }
    throw .usage("there is no folder for the store: give --data DIR or set FARTHING_DATA")
  }

  private mutating func read(_ file: String) throws(CommandFailure) {
    let bytes: [UInt8]
    do {
      bytes = try WholeInput.bytes(of: file, limit: 1 << 20)
    } catch {
      throw .usage("the configuration \(error.message)")
    }
    let root: Node?
    do {
      root = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw .usage("\(file): not YAML: \(String(describing: error).printable)")
    }
    guard let root else { return }
    guard let mapping = root.mapping else {
      throw .usage("\(file): expected a mapping of settings, such as `data: /var/lib/farthing`")
    }
    var faults: [String] = []
    for (key, value) in mapping {
      if let fault = take(key.string ?? "", value, file: file) { faults.append(fault) }
    }
    guard faults.isEmpty else { throw .usage(faults.joined(separator: "\n          ")) }
  }

  /// - Returns: What is wrong, or nil.
  private mutating func take(_ name: String, _ value: Node, file: String) -> String? {
    let line = value.mark.map { " line \($0.line)" } ?? ""
    guard let key = Key(rawValue: name) else {
      let near = Suggestion.nearest(to: name, among: Key.allCases.map(\.rawValue))
      let hint = near.map { "did you mean \"\($0)\"?" } ?? "docs/farthing.yaml lists all settings"
      return "\(file)\(line): unknown setting \"\(name.printable)\"; \(hint)"
    }
    guard let text = value.string, !text.isEmpty else {
      return "\(file)\(line): \(name) has no value"
    }
    switch key {
    case .data: dataFolder = text
    case .server: server = text
    case .retentionDays, .retentionGibibytes:
      guard let number = Int(text), (0...Self.greatestRetention).contains(number) else {
        return "\(file)\(line): \(name) \"\(text.printable)\": \(Self.retentionExpectation)"
      }
      if key == .retentionDays {
        retention.age = number == 0 ? nil : Int64(number) * TimeText.nanosecondsPerDay
      } else {
        retention.byteLimit = number == 0 ? nil : number << 30
      }
    case .listedErrors, .eventMebibytes, .queryMebibytes:
      guard let number = Int(text), number >= 1, number <= 1_000_000 else {
        return
          "\(file)\(line): \(name) \"\(text.printable)\": expected a whole number from 1 to 1000000"
      }
      switch key {
      case .listedErrors: listedErrors = number
      case .eventMebibytes: eventBytes = number << 20
      default: queryBytes = number << 20
      }
    }
    return nil
  }
}

/// The environment of the process.
enum EnvironmentVariables {
  /// The variables that are read, with what they mean.
  static let documented: [(name: String, meaning: String)] = [
    ("FARTHING_DATA", "Folder of the store, where --data does not name it."),
    ("FARTHING_CONFIG", "Configuration file, where --config does not name it."),
    ("FARTHING_SERVER", "Server to ask, where --server does not name it."),
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
