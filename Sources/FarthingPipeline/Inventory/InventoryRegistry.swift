internal import FarthingCore
package import FarthingQuery
internal import Yams

/// What there should be: endpoints, models, providers, identities and sites that somebody has registered.
///
/// A YAML or JSON mapping from `endpoints`, `models`, `providers`, `identities` and `sites` to lists, whose
/// elements are names, or `{name, owner, retired}`. A name may be a pattern of `like`. Of a list that is not there
/// nothing is said: only values of dimensions that are listed can be unregistered.
package struct InventoryRegistry: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    package var name: LikePattern
    package var owner: String?
    /// Unix nanoseconds from which on nobody should call it; nil while it is in use.
    package var retiredAt: Int64?
  }

  /// By dimension; nil for those that are not listed.
  package private(set) var entries: [Inventory.Kind: [Entry]] = [:]

  package static let limit = 100_000
  private static let keys = ["name", "owner", "retired"]

  package init() {}

  /// What is registered for a value: the entry of this very name, else the first pattern that it matches; nil for
  /// none.
  package func entry(_ kind: Inventory.Kind, _ name: String) -> Entry? {
    let known = entries[kind] ?? []
    return known.first { $0.name.text == name } ?? known.first { $0.name.matches(name) }
  }

  /// Whether values of a dimension can be unregistered.
  package func lists(_ kind: Inventory.Kind) -> Bool { entries[kind] != nil }

  /// Reads a file's text.
  ///
  /// - Throws: ``RegistryRefusal`` with every fault.
  package static func parse(
    _ bytes: [UInt8], file: String
  ) throws(RegistryRefusal) -> InventoryRegistry {
    var registry = InventoryRegistry()
    var faults: [String] = []
    let node: Node?
    do {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw RegistryRefusal(faults: ["\(file): not UTF-8 text"])
      }
      node = try Yams.compose(yaml: text)
    } catch let refusal as RegistryRefusal {
      throw refusal
    } catch {
      throw RegistryRefusal(faults: ["\(file): not YAML: \(Excerpt.shortened("\(error)"))"])
    }
    guard let mapping = node?.mapping else {
      let kinds = Inventory.Kind.allCases.map(\.plural).joined(separator: ", ")
      throw RegistryRefusal(faults: ["\(file): expected a mapping of \(kinds) to lists"])
    }
    for (key, value) in mapping {
      let word = key.string ?? ""
      guard let kind = Inventory.Kind.allCases.first(where: { $0.plural == word }) else {
        let kinds = Inventory.Kind.allCases.map(\.plural).joined(separator: ", ")
        faults.append("\(file): unknown key \"\(Excerpt.shortened(word))\"; expected \(kinds)")
        continue
      }
      guard let list = value.sequence, list.count <= limit else {
        faults.append("\(file) \(word): expected a list of at most \(limit)")
        continue
      }
      var found: [Entry] = []
      for (number, element) in list.enumerated() {
        do throws(RegistryRefusal) {
          found.append(try entry(element, "\(file) \(word) element \(number + 1)"))
        } catch {
          faults += error.faults
        }
      }
      registry.entries[kind] = found
    }
    guard faults.isEmpty else { throw RegistryRefusal(faults: Array(faults.prefix(50))) }
    return registry
  }

  private static func entry(_ node: Node, _ place: String) throws(RegistryRefusal) -> Entry {
    if let name = node.scalar?.string, RegistryText.isName(name) {
      return Entry(name: LikePattern(name))
    }
    guard let mapping = node.mapping, let name = mapping["name"]?.scalar?.string,
      RegistryText.isName(name)
    else {
      throw RegistryRefusal(faults: ["\(place): expected a name, or a mapping with a name"])
    }
    for key in mapping.keys where !keys.contains(key.string ?? "") {
      throw RegistryRefusal(
        faults: [
          "\(place): unknown key \"\(Excerpt.shortened(key.string ?? ""))\"; expected "
            + keys.joined(separator: ", ")
        ])
    }
    var entry = Entry(name: LikePattern(name), owner: mapping["owner"]?.scalar?.string)
    switch mapping["retired"]?.scalar?.string {
    case nil, "false", "": break
    case "true": entry.retiredAt = .min
    case let text?:
      guard let time = InstantParser.parse(text, now: 0, zone: .utc) else {
        throw RegistryRefusal(
          faults: [
            "\(place): retired \"\(Excerpt.shortened(text))\": expected true, false, or a date"
          ])
      }
      entry.retiredAt = time
    }
    return entry
  }
}
