internal import FarthingCore

/// Reads a JSON array of flat objects and collects what is wrong with it.
///
/// A class, since the closures that read one element report to it.
final class RegistryReader {
  /// Most bytes of a file.
  static let limit = 64 << 20
  /// Faults that are told; the others are counted.
  static let listed = 50

  private let file: String
  private let keys: [String]
  private var faults: [String] = []
  private var faultCount = 0

  /// One element with its place in the array, from 1.
  struct Element {
    let number: Int
    let value: JSONValue
  }

  init(file: String, keys: [String]) {
    self.file = file
    self.keys = keys
  }

  func fault(_ element: Element?, _ message: String) {
    faultCount += 1
    guard faults.count < Self.listed else { return }
    faults.append(
      element.map { "\(file) element \($0.number): \(message)" } ?? "\(file): \(message)")
  }

  /// The objects of the array; none where it is no array.
  func elements(_ bytes: [UInt8]) -> [Element] {
    let tree: JSONTree
    do {
      tree = try JSONTree(bytes, from: JSONTree.afterBlanks(bytes, 0))
    } catch {
      fault(nil, "not JSON at byte \(error.offset): expected \(error.expected)")
      return []
    }
    guard JSONTree.afterBlanks(bytes, tree.end) == bytes.count else {
      fault(nil, "something stands behind the array, at byte \(tree.end)")
      return []
    }
    guard tree.root.isArray else {
      fault(nil, "expected an array of objects with \(keys.joined(separator: ", "))")
      return []
    }
    var result: [Element] = []
    for (index, value) in tree.root.elements.enumerated() {
      let element = Element(number: index + 1, value: value)
      guard value.isObject else {
        fault(element, "expected an object with \(keys.joined(separator: ", "))")
        continue
      }
      if check(element) { result.append(element) }
    }
    return result
  }

  /// Each key is known and there once, and each value is one value.
  private func check(_ element: Element) -> Bool {
    var seen: Set<String> = []
    var isSound = true
    for (key, value) in element.value.members {
      if !keys.contains(key) {
        fault(
          element,
          "unknown key \"\(Excerpt.shortened(key))\"; expected \(keys.joined(separator: ", "))")
        isSound = false
      } else if !seen.insert(key).inserted {
        fault(element, "\(key) is given twice; keep one")
        isSound = false
      } else if value.isObject || value.isArray || value.boolean != nil {
        fault(element, "\(key): expected one text")
        isSound = false
      }
    }
    return isSound
  }

  /// The value at a key as it is written; nil where it is absent, null or empty.
  func text(_ element: Element, _ key: String) -> String? {
    element.value.member(Array(key.utf8))?.literal.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// - Throws: ``RegistryRefusal`` where anything was wrong.
  func finish() throws(RegistryRefusal) {
    guard faultCount > 0 else { return }
    let more = faultCount > faults.count ? ["and \(faultCount - faults.count) more"] : []
    throw RegistryRefusal(faults: faults + more)
  }
}
