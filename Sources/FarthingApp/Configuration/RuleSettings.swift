internal import FarthingPipeline
internal import FarthingStore
internal import Yams

/// The elements of `rules`.
enum RuleSettings {
  static let all: [Setting<AlertRule.Words>] = [
    .text("name", \.name), .text("expr", \.expression), .text("where", \.filter),
    .node("by", \.by, read: { RegistrySetting.texts(&$0, $1) }),
    .text("window", \.window), .text("for", \.pendingFor),
    .text("keep_firing_for", \.keepFiringFor), .text("interval", \.interval),
    .text("delay", \.delay), .text("min_requests", \.minimumRequests),
    .text("missing", \.missing), .text("severity", \.severity),
    .node("labels", \.labels, read: { NamedElements.texts(&$0, $1) }),
    .text("summary", \.summary),
  ]

  static func rules(_ reader: inout SettingReader, _ node: Node) -> [AlertRule]? {
    NamedElements.read(
      &reader, node, all, AlertRule.Words(), limit: AlertRule.limit, expected: "name and expr",
      name: \.name
    ) { words, fault in AlertRule(words, fault: fault) }
  }
}

/// The elements of `budgets`.
enum BudgetSettings {
  /// A budget while it is read.
  struct Draft: Sendable {
    var words = Budget.Words()
    var zone: String?
  }

  private static let burnRates: [Setting<Budget.Words.BurnWords>] = [
    .text("long", \.long), .text("short", \.short), .text("rate", \.rate),
    .text("severity", \.severity),
  ]

  static let all: [Setting<Draft>] = [
    .text("name", \.words.name), .text("owner", \.words.owner), .text("where", \.words.filter),
    .text("amount", \.words.amount), .text("period", \.words.period),
    .text("time_zone", \.zone),
    .node("soft", \.words.soft, read: { RegistrySetting.texts(&$0, $1) }),
    .node("hard", \.words.hard, read: { RegistrySetting.texts(&$0, $1) }),
    .text("forecast", \.words.forecast),
    .node(
      "burn_rates", \.words.burnRates, below: burnRates.map(\.name),
      read: { reader, node in
        NamedElements.read(
          &reader, node, burnRates, Budget.Words.BurnWords(), limit: 10,
          expected: "long, short and rate", name: nil
        ) { words, _ in words }
      }),
    .node("labels", \.words.labels, read: { NamedElements.texts(&$0, $1) }),
  ]

  static func budgets(_ reader: inout SettingReader, _ node: Node) -> [Budget]? {
    NamedElements.read(
      &reader, node, all, Draft(), limit: Budget.limit, expected: "name, amount and period",
      name: \.words.name
    ) { draft, fault in
      var options = WindowOptions()
      options.zone = draft.zone
      do throws(CommandFailure) {
        return Budget(draft.words, zone: try options.timeZone(), fault: fault)
      } catch {
        fault("time_zone: \(error.message ?? "unknown")")
        return nil
      }
    }
  }
}

/// Lists of mappings whose elements have names.
enum NamedElements {
  /// Reads each element by its settings, then makes a value of it.
  ///
  /// - Parameters:
  ///   - expected: what an element must have, for messages.
  ///   - name: what may be there once only; nil where elements have no names.
  ///   - make: understands the draft, telling what is wrong.
  /// - Returns: nil where the node is no list.
  static func read<Draft: Sendable, Value>(
    _ reader: inout SettingReader, _ node: Node, _ settings: [Setting<Draft>],
    _ empty: Draft, limit: Int, expected: String, name: KeyPath<Draft, String?>?,
    make: (Draft, (String) -> Void) -> Value?
  ) -> [Value]? {
    guard let sequence = node.sequence else {
      if node.scalar?.string.isEmpty == true { return [] }
      reader.fault(node, "\(reader.path): expected a list, each with \(expected) behind a dash")
      return nil
    }
    guard sequence.count <= limit else {
      reader.fault(node, "\(reader.path): more than \(limit) elements")
      return nil
    }
    var values: [Value] = []
    var names: Set<String> = []
    let outer = reader.path
    defer { reader.path = outer }
    for (index, element) in sequence.enumerated() {
      reader.path = "\(outer)[\(index + 1)]"
      let before = reader.faults.count
      var draft = empty
      reader.read(element, settings, into: &draft)
      guard element.mapping != nil else {
        if reader.faults.count == before {
          reader.fault(element, "\(reader.path): expected \(expected)")
        }
        continue
      }
      guard reader.faults.count == before else { continue }
      var messages: [String] = []
      if let value = make(draft, { messages.append($0) }) { values.append(value) }
      for message in messages { reader.fault(element, "\(reader.path) \(message)") }
      if let name, let word = draft[keyPath: name], !names.insert(word).inserted {
        reader.fault(
          element, "\(reader.path): the name \(word.shownValue) is given twice; keep one")
      }
    }
    return values
  }

  /// A mapping of names to texts.
  static func texts(_ reader: inout SettingReader, _ node: Node) -> [String: String]? {
    guard let mapping = node.mapping else {
      if node.scalar?.string.isEmpty == true { return [:] }
      reader.fault(node, "\(reader.path): expected a mapping, such as team: checkout")
      return nil
    }
    var texts: [String: String] = [:]
    for (key, value) in mapping {
      guard let word = key.scalar?.string, let text = value.scalar?.string else {
        reader.fault(value, "\(reader.path): expected one text for each name")
        return nil
      }
      texts[word] = text
    }
    return texts
  }
}

/// A file of rules and budgets on its own, for `--rules FILE`.
struct WatchFile: Sendable, Equatable {
  var rules: [AlertRule] = []
  var budgets: [Budget] = []

  private static let settings: [Setting<WatchFile>] = [
    .node("rules", \.rules, read: { RuleSettings.rules(&$0, $1) }),
    .node("budgets", \.budgets, read: { BudgetSettings.budgets(&$0, $1) }),
  ]

  /// - Throws: ``CommandFailure`` with status 2 and every fault of the file.
  static func read(_ file: String) throws(CommandFailure) -> WatchFile {
    let bytes: [UInt8]
    do throws(StoreError) {
      bytes = try WholeInput.bytes(of: file, limit: YAMLDocument.limit)
    } catch {
      throw .usage("the rules \(error.message)")
    }
    var watched = WatchFile()
    let root: Node?
    do throws(ConfigurationFault) {
      root = try YAMLDocument.root(bytes, file: file)
    } catch {
      throw .usage(error.description)
    }
    guard let root else { return watched }
    var reader = SettingReader(place: file)
    reader.read(root, settings, into: &watched)
    guard reader.faults.isEmpty else {
      throw .usage(
        ConfigurationFault.text(reader.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) }))
    }
    return watched
  }
}
