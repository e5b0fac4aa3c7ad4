internal import FarthingStore

/// What is followed: a path, a path whose last part has `*` or `?`, or a folder's files.
struct FollowPattern: Sendable, Equatable {
  let text: String

  /// The files that a pattern names, each kind in the order of the names.
  struct Files: Sendable, Equatable {
    var plain: [String] = []
    /// What is certainly compressed, where a star or a folder stands for it.
    var compressed: [String] = []
  }

  /// The files that it names now, by one listing of the folder. Hidden files are left out where a star or a folder
  /// stands for them.
  func files() -> Files {
    if GrowingFile.isFolder(text) { return files(in: text, matching: "*") }
    let slash = text.lastIndex(of: "/")
    let folder = slash.map { String(text[..<$0]) } ?? "."
    let name = slash.map { String(text[text.index(after: $0)...]) } ?? text
    guard name.contains("*") || name.contains("?"), GrowingFile.look(at: text) == nil else {
      return Files(plain: [text])
    }
    return files(in: slash == text.startIndex ? "/" : folder, matching: name)
  }

  private func files(in folder: String, matching pattern: String) -> Files {
    let names = ((try? PosixFileSystem().list(folder)) ?? nil) ?? []
    let isHere = folder == "." && !text.hasPrefix("./") && text != "."
    var files = Files()
    for name in names
    where !name.hasPrefix(".") && Self.matches(Array(name.utf8)[...], Array(pattern.utf8)[...]) {
      let path = isHere ? name : (folder.hasSuffix("/") ? folder : folder + "/") + name
      if Self.isCompressed(name) {
        files.compressed.append(path)
      } else {
        files.plain.append(path)
      }
    }
    return files
  }

  static func isCompressed(_ name: String) -> Bool {
    [".gz", ".zst", ".xz", ".bz2"].contains { name.hasSuffix($0) }
  }

  /// `*` is any run of characters, `?` one. Linear but for the last star, which alone is tried anew.
  static func matches(_ name: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
    var at = name.startIndex
    var place = pattern.startIndex
    var star: (pattern: Int, name: Int)?
    while at < name.endIndex {
      if place < pattern.endIndex, pattern[place] == UInt8(ascii: "*") {
        star = (place, at)
        place += 1
      } else if place < pattern.endIndex,
        pattern[place] == name[at] || pattern[place] == UInt8(ascii: "?")
      {
        place += 1
        at += 1
      } else if let last = star {
        place = last.pattern + 1
        at = last.name + 1
        star = (last.pattern, at)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

extension FollowPattern {
  /// Whether the pattern names a path, whatever is there now.
  func covers(_ path: String) -> Bool {
    if path == text { return true }
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let folder = path[..<slash]
    if folder == text || folder + "/" == text { return true }
    guard let end = text.lastIndex(of: "/"), text[..<end] == folder else { return false }
    return Self.matches(
      Array(path[path.index(after: slash)...].utf8)[...],
      Array(text[text.index(after: end)...].utf8)[...])
  }

  /// The files beside a path whose names begin with its name, as rotations call them.
  static func siblings(of path: String) -> [String] {
    guard let slash = path.lastIndex(of: "/") else { return [] }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    let name = path[path.index(after: slash)...]
    let names = ((try? PosixFileSystem().list(folder)) ?? nil) ?? []
    return names.filter { $0.hasPrefix(name) && $0 != name }
      .map { (folder == "/" ? "/" : folder + "/") + $0 }
  }
}
