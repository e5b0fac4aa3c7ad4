internal import FarthingCore
internal import Yams

/// Where the reading of a configuration stands, and what it found wrong.
struct SettingReader {
  /// The file, or the variable of the environment.
  var place: String
  /// The section that is being read: `server.limits`, empty for the file itself.
  var path = ""
  var faults: [ConfigurationFault] = []
  /// The keys that were there, by their paths, elements of lists without their numbers.
  var seen: Set<String> = []

  init(place: String) { self.place = place }

  mutating func fault(_ node: Node?, _ message: String) {
    faults.append(ConfigurationFault(place: place, line: node?.mark?.line, message: message))
  }

  /// The full name of a key of the section.
  func name(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Reads the members of a mapping by the settings that the section knows.
  mutating func read<Section>(
    _ node: Node, _ settings: [Setting<Section>], into section: inout Section
  ) {
    guard let mapping = node.mapping else {
      let example = settings.first.map { ", such as \($0.name)" } ?? ""
      if node.scalar?.string.isEmpty == true { return }
      fault(node, "\(path.isEmpty ? "the file" : path): expected a mapping of settings\(example)")
      return
    }
    for (key, value) in mapping {
      let word = key.scalar?.string ?? ""
      guard let setting = settings.first(where: { $0.name == word }) else {
        unknown(word, key, among: settings.map(\.name))
        continue
      }
      let outer = path
      path = name(of: word)
      seen.insert(path.filter { !"[]0123456789".contains($0) })
      setting.read(&self, value, &section)
      path = outer
    }
  }

  /// The one value that stands at a key; nil where there is none, which is a fault.
  mutating func text(_ node: Node) -> String? {
    guard let text = node.scalar?.string, !text.isEmpty else {
      fault(node, node.scalar == nil ? "\(path): expected one value" : "\(path) has no value")
      return nil
    }
    return text
  }

  /// The values of a list, or the one value that stands where a list may.
  mutating func elements(_ node: Node) -> [Node] {
    if let sequence = node.sequence { return Array(sequence) }
    return text(node) == nil ? [] : [node]
  }

  private mutating func unknown(_ word: String, _ node: Node, among names: [String]) {
    let full = name(of: word)
    let hint: String
    if let near = Suggestion.nearest(to: word, among: names) {
      hint = "did you mean \"\(name(of: near))\"?"
    } else if let elsewhere = ConfigurationSchema.paths.first(where: {
      $0.hasSuffix("." + word) || ($0 == word && !path.isEmpty)
    }) {
      hint = "there is \"\(elsewhere)\""
    } else {
      hint = "docs/farthing.yaml lists all settings"
    }
    fault(node, "unknown setting \(full.shownValue); \(hint)")
  }
}
