internal import FarthingPipeline
internal import FarthingStore
internal import Yams

/// Reads the configuration: a file, and above it the environment.
///
/// The order, weakest first: defaults, the file, the environment, the options of a command.
enum ConfigurationFile {
  /// What a file says, and which keys stand in it.
  struct Reading {
    var configuration = Configuration()
    var keys: Set<String> = []
  }

  /// Reads the file, where there is one, and the environment.
  ///
  /// A variable is named after the path of its key: `FARTHING_SERVER_LIMITS_BODY_MIB`. Lists can
  /// only be given in the file.
  /// - Throws: ``CommandFailure`` with status 2 and every fault that could be found.
  static func read(
    _ file: String?, environment: (String) -> String?
  ) throws(CommandFailure) -> Reading {
    var reading = Reading()
    var faults: [ConfigurationFault] = []
    if let file { faults = take(try bytes(of: file), file: file, into: &reading) }
    faults += take(environment, into: &reading.configuration)
    guard faults.isEmpty else { throw .usage(ConfigurationFault.text(faults)) }
    return reading
  }

  private static func bytes(of file: String) throws(CommandFailure) -> [UInt8] {
    do {
      return try WholeInput.bytes(of: file, limit: YAMLDocument.limit)
    } catch {
      throw .usage("the configuration \(error.message)")
    }
  }

  /// - Returns: What is wrong, by line.
  static func take(
    _ bytes: [UInt8], file: String, into reading: inout Reading
  ) -> [ConfigurationFault] {
    let root: Node?
    do throws(ConfigurationFault) {
      root = try YAMLDocument.root(bytes, file: file)
    } catch {
      return [error]
    }
    guard let root else { return [] }
    var reader = SettingReader(place: file)
    reader.read(root, ConfigurationSchema.root, into: &reading.configuration)
    reading.keys = reader.seen
    return reader.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
  }

  /// The variable that stands for a key.
  static func variable(of path: String) -> String {
    "FARTHING_" + path.uppercased().replacing(".", with: "_")
  }

  /// Takes what the environment says, as if it were a file.
  static func take(
    _ environment: (String) -> String?, into configuration: inout Configuration
  ) -> [ConfigurationFault] {
    let said = ConfigurationSchema.scalars.compactMap {
      path -> (path: ArraySlice<Substring>, text: String)? in
      environment(variable(of: path)).map { (path.split(separator: ".")[...], $0) }
    }
    guard !said.isEmpty else { return [] }
    var reader = SettingReader(place: "the environment")
    reader.read(tree(said), ConfigurationSchema.root, into: &configuration)
    return reader.faults
  }

  /// The texts as one mapping of mappings.
  private static func tree(_ said: [(path: ArraySlice<Substring>, text: String)]) -> Node {
    if let only = said.first, only.path.isEmpty { return Node(only.text) }
    var names: [Substring] = []
    for entry in said {
      if let name = entry.path.first, !names.contains(name) { names.append(name) }
    }
    return Node(
      names.map { name in
        let below = said.filter { $0.path.first == name }.map { ($0.path.dropFirst(), $0.text) }
        return (Node(String(name)), tree(below))
      })
  }
}
