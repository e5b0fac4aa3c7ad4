internal import FarthingCore
internal import FarthingStore

/// One record's values by path, whatever its format.
struct MappedRecord {
  /// A value as its bytes; `isComposite` where an object or array stands there.
  struct Value {
    var bytes: ArraySlice<UInt8>
    var isComposite = false
  }

  /// By the number of the path; nil where nothing stands there.
  private(set) var values: [Value?]
  /// The members of a flat record, or the object that a JSON record is.
  private(set) var members: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = []
  private(set) var root: JSONValue?
  private let absent: [[UInt8]]

  init(_ mapping: Mapping) {
    values = Array(repeating: nil, count: mapping.paths.count)
    absent = mapping.absent
  }

  /// Forgets the values.
  mutating func clear() {
    for place in values.indices { values[place] = nil }
    members.removeAll(keepingCapacity: true)
    root = nil
  }

  /// Sets a value that is not one of the texts that stand for absence.
  mutating func set(_ path: Int, _ bytes: ArraySlice<UInt8>) {
    if absent.contains(where: { $0.count == bytes.count && bytes.elementsEqual($0) }) { return }
    values[path] = Value(bytes: bytes)
  }

  /// Finds the paths in a JSON record.
  mutating func fill(_ tree: JSONTree, _ paths: [MappedPath], except extracted: Set<Int>) {
    let root = tree.root
    self.root = root
    for (place, path) in paths.enumerated() where !extracted.contains(place) {
      guard let value = Self.find(path, in: root), !value.isNull else { continue }
      if let bytes = value.scalar {
        set(place, bytes)
      } else {
        values[place] = Value(bytes: [], isComposite: true)
      }
    }
  }

  static func find(_ path: MappedPath, in root: JSONValue) -> JSONValue? {
    if path.steps.count > 1, let value = root.member(path.key) { return value }
    var value = root
    for step in path.steps {
      switch step {
      case .key(let key):
        guard let next = value.member(key) else { return nil }
        value = next
      case .index(let index):
        let elements = value.elements
        guard index < elements.count else { return nil }
        value = elements[index]
      }
    }
    return value
  }

  /// Adds a pair of a flat record, and its value to the paths of its name.
  mutating func add(
    _ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, _ paths: [MappedPath],
    except extracted: Set<Int>, keepsMembers: Bool
  ) {
    if keepsMembers { members.append((key, value)) }
    for (place, path) in paths.enumerated()
    where path.key.count == key.count && !extracted.contains(place) && key.elementsEqual(path.key) {
      set(place, value)
    }
  }

  /// The names and values below a member path.
  func members(below path: MemberPath) -> [(name: String, value: Value)] {
    if let root {
      let object = path.object.map { Self.find($0, in: root) } ?? root
      return (object?.members ?? []).compactMap { key, value in
        if value.isNull { return nil }
        guard let bytes = value.scalar else { return (key, Value(bytes: [], isComposite: true)) }
        return isAbsent(bytes) ? nil : (key, Value(bytes: bytes))
      }
    }
    return members.compactMap { key, value in
      guard key.count > path.prefix.count + path.suffix.count, key.starts(with: path.prefix),
        key.suffix(path.suffix.count).elementsEqual(path.suffix), !isAbsent(value)
      else { return nil }
      let name = key.dropFirst(path.prefix.count).dropLast(path.suffix.count)
      return (String(decoding: name, as: UTF8.self), Value(bytes: value))
    }
  }

  private func isAbsent(_ bytes: ArraySlice<UInt8>) -> Bool {
    absent.contains { $0.count == bytes.count && bytes.elementsEqual($0) }
  }
}
