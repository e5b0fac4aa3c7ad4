internal import Yams

/// One key of a section of the configuration: what may stand there, where it goes, and whether a
/// running process takes a change of it.
struct Setting<Section: Sendable>: Sendable {
  /// What a change needs.
  typealias Effect = SettingEffect

  let name: String
  /// The paths of the keys below it, from its own name on; only its name where there are none.
  let paths: [String]
  /// Those of them that are one value, which the environment can give too.
  let scalars: [String]
  let read: @Sendable (inout SettingReader, Node, inout Section) -> Void
  /// Brings what may change from the wanted section into the running one, and notes what differs.
  let merge: @Sendable (inout Section, Section, String, inout ReloadChanges) -> Void
}

/// What a change of a setting needs.
enum SettingEffect: Sendable { case reload, restart }

/// The keys, by path, that differ between what runs and what the file wants.
package struct ReloadChanges: Sendable, Equatable {
  /// These are in force now.
  package var applied: [String] = []
  /// These need a restart; what runs keeps its old values.
  package var waiting: [String] = []

  package init(applied: [String] = [], waiting: [String] = []) {
    self.applied = applied
    self.waiting = waiting
  }
}

extension Setting {
  typealias Place<Value> = any WritableKeyPath<Section, Value> & Sendable

  /// One value that `parse` understands.
  ///
  /// - Parameters:
  ///   - expected: What may stand there, behind "expected".
  ///   - isSecret: Whether a wrong value may be one that must not be shown.
  static func value<Value: Equatable & Sendable>(
    _ name: String, _ place: Place<Value>, _ effect: Effect = .reload, expected: String,
    isSecret: Bool = false, parse: @escaping @Sendable (String) -> Value?
  ) -> Setting {
    Setting(
      name: name, paths: [name], scalars: [name],
      read: { reader, node, section in
        guard let text = reader.text(node) else { return }
        guard let value = parse(text) else {
          let shown = isSecret ? "(withheld)" : text.shownValue
          reader.fault(node, "\(reader.path) \(shown): expected \(expected)")
          return
        }
        section[keyPath: place] = value
      },
      merge: { running, wanted, path, changes in
        Self.merge(place, effect, &running, wanted, path, &changes)
      })
  }

  private static func merge<Value: Equatable>(
    _ place: WritableKeyPath<Section, Value>, _ effect: Effect, _ running: inout Section,
    _ wanted: Section, _ path: String, _ changes: inout ReloadChanges
  ) {
    guard running[keyPath: place] != wanted[keyPath: place] else { return }
    switch effect {
    case .reload:
      running[keyPath: place] = wanted[keyPath: place]
      changes.applied.append(path)
    case .restart: changes.waiting.append(path)
    }
  }

  /// A whole number in a range, times what one of its unit is.
  static func whole(
    _ name: String, _ place: Place<Int>, _ range: ClosedRange<Int>, times unit: Int = 1,
    _ effect: Effect = .reload
  ) -> Setting {
    value(
      name, place, effect,
      expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      parse: { WholeNumber.parse($0, range).map { $0 * unit } })
  }

  /// The same where nothing is a value of its own.
  static func optionalWhole(
    _ name: String, _ place: Place<Int?>, _ range: ClosedRange<Int>
  ) -> Setting {
    value(
      name, place, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      parse: { WholeNumber.parse($0, range).map { .some($0) } })
  }

  /// Whole seconds.
  static func seconds(
    _ name: String, _ place: Place<Duration>, _ range: ClosedRange<Int>,
    _ effect: Effect = .reload
  ) -> Setting {
    value(
      name, place, effect,
      expected: "a whole number of seconds from \(range.lowerBound) to \(range.upperBound)",
      parse: { WholeNumber.parse($0, range).map { .seconds($0) } })
  }

  /// Whole milliseconds.
  static func milliseconds(
    _ name: String, _ place: Place<Duration>, _ range: ClosedRange<Int>
  ) -> Setting {
    value(
      name, place,
      expected: "a whole number of milliseconds from \(range.lowerBound) to \(range.upperBound)",
      parse: { WholeNumber.parse($0, range).map { .milliseconds($0) } })
  }

  /// Any text, such as a file's name.
  static func text(
    _ name: String, _ place: Place<String?>, _ effect: Effect = .reload
  ) -> Setting {
    value(
      name, place, effect, expected: "text without control characters, at most 4096 bytes",
      parse: { text in
        text.utf8.count <= 4096 && text.unicodeScalars.allSatisfy { $0.value >= 0x20 }
          ? .some(text) : nil
      })
  }

  /// true or false.
  static func flag(_ name: String, _ place: Place<Bool>, _ effect: Effect = .reload) -> Setting {
    value(
      name, place, effect, expected: "true or false",
      parse: { ["true": true, "false": false][$0] })
  }

  /// A section below this one.
  ///
  /// - Parameter check: Looks at the section after it was read.
  static func section<Inner: Sendable>(
    _ name: String, _ place: Place<Inner>, _ settings: [Setting<Inner>],
    check: @escaping @Sendable (inout SettingReader, Node, Inner) -> Void = { _, _, _ in }
  ) -> Setting {
    Setting(
      name: name, paths: [name] + settings.flatMap { $0.paths.map { "\(name).\($0)" } },
      scalars: settings.flatMap { $0.scalars.map { "\(name).\($0)" } },
      read: { reader, node, section in
        reader.read(node, settings, into: &section[keyPath: place])
        check(&reader, node, section[keyPath: place])
      },
      merge: { running, wanted, path, changes in
        for setting in settings {
          setting.merge(
            &running[keyPath: place], wanted[keyPath: place], "\(path).\(setting.name)", &changes)
        }
      })
  }

  /// Something that is read from a node of any shape; compared as a whole.
  static func node<Value: Equatable & Sendable>(
    _ name: String, _ place: Place<Value>, _ effect: Effect = .reload, below: [String] = [],
    read: @escaping @Sendable (inout SettingReader, Node) -> Value?
  ) -> Setting {
    Setting(
      name: name, paths: [name] + below.map { "\(name).\($0)" }, scalars: [],
      read: { reader, node, section in
        if let value = read(&reader, node) { section[keyPath: place] = value }
      },
      merge: { running, wanted, path, changes in
        Self.merge(place, effect, &running, wanted, path, &changes)
      })
  }
}

/// Whole numbers of the configuration: decimal digits and nothing else.
enum WholeNumber {
  static func parse(_ text: String, _ range: ClosedRange<Int>) -> Int? {
    guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int(text), range.contains(number)
    else { return nil }
    return number
  }
}
