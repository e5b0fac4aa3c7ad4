/// What a disk holds durably, and what is on its way there.
struct DiskModel: Sendable {
  private enum Change: Sendable {
    case write(offset: Int, bytes: [UInt8])
    case truncate(size: Int)
  }

  private struct Inode: Sendable {
    var durable: [UInt8] = []
    var unsynced: [Change] = []
  }

  private enum NameChange: Sendable {
    case set(String, inode: Int)
    case move(String, to: String, inode: Int)
    case remove(String)
  }

  private var inodes: [Int: Inode] = [:]
  /// Names as the running system sees them.
  private var names: [String: Int] = [:]
  private var durableNames: [String: Int] = [:]
  private var unsyncedNames: [NameChange] = []
  private var nextInode = 0

  mutating func create(_ path: String) {
    nextInode += 1
    inodes[nextInode] = Inode()
    names[path] = nextInode
    unsyncedNames.append(.set(path, inode: nextInode))
  }

  mutating func rename(_ source: String, to destination: String) {
    guard let inode = names.removeValue(forKey: source) else { return }
    names[destination] = inode
    unsyncedNames.append(.move(source, to: destination, inode: inode))
  }

  mutating func unlink(_ path: String) {
    names[path] = nil
    unsyncedNames.append(.remove(path))
  }

  mutating func syncDirectory(_ path: String) {
    func isInside(_ name: String) -> Bool {
      name.hasPrefix(path + "/") && !name.dropFirst(path.count + 1).contains("/")
    }
    unsyncedNames.removeAll { change in
      guard isInside(Self.place(of: change)) else { return false }
      Self.apply(change, to: &durableNames)
      return true
    }
  }

  mutating func write(_ bytes: ArraySlice<UInt8>, to path: String, offset: Int) {
    guard let inode = names[path] ?? opened(path) else { return }
    inodes[inode]?.unsynced.append(.write(offset: offset, bytes: Array(bytes)))
  }

  mutating func truncate(_ path: String, to size: Int) {
    guard let inode = names[path] ?? opened(path) else { return }
    inodes[inode]?.unsynced.append(.truncate(size: size))
  }

  mutating func sync(_ path: String) {
    guard let inode = names[path] ?? opened(path), var file = inodes[inode] else { return }
    for change in file.unsynced { Self.apply(change, to: &file.durable) }
    file.unsynced = []
    inodes[inode] = file
  }

  mutating func dropUnsynced(_ path: String) {
    guard let inode = names[path] ?? opened(path) else { return }
    inodes[inode]?.unsynced = []
  }

  /// A file that was renamed since it was opened goes by the name that it has now: the store
  /// opens `NAME.new` and renames it to `NAME`.
  private func opened(_ path: String) -> Int? {
    path.hasSuffix(".new") ? names[String(path.dropLast(4))] : nil
  }

  /// The files after a power cut: what is durable and any subset of the rest.
  func survivors(_ random: inout SplitMix) -> [String: [UInt8]] {
    var names = durableNames
    for change in unsyncedNames where random.next() & 1 == 0 { Self.apply(change, to: &names) }
    var files: [String: [UInt8]] = [:]
    for (path, inode) in names.sorted(by: { $0.key < $1.key }) {
      guard let file = inodes[inode] else { continue }
      var bytes = file.durable
      for change in file.unsynced {
        switch change {
        case .truncate: if random.next() & 1 == 0 { Self.apply(change, to: &bytes) }
        case .write(let offset, let content):
          // A disk writes sectors of 512 bytes; each may survive without its neighbours.
          var start = 0
          while start < content.count {
            let end = min(content.count, ((offset + start) / 512 + 1) * 512 - offset)
            if random.next() & 1 == 0 {
              Self.apply(
                .write(offset: offset + start, bytes: Array(content[start..<end])), to: &bytes)
            }
            start = end
          }
        }
      }
      files[path] = bytes
    }
    return files
  }

  private static func place(of change: NameChange) -> String {
    switch change {
    case .set(let path, _), .remove(let path): path
    case .move(_, let path, _): path
    }
  }

  private static func apply(_ change: NameChange, to names: inout [String: Int]) {
    switch change {
    case .set(let path, let inode): names[path] = inode
    case .move(let source, let destination, let inode):
      names[source] = nil
      names[destination] = inode
    case .remove(let path): names[path] = nil
    }
  }

  private static func apply(_ change: Change, to bytes: inout [UInt8]) {
    switch change {
    case .truncate(let size):
      if size < bytes.count { bytes.removeLast(bytes.count - size) }
      bytes += repeatElement(0, count: size - bytes.count)
    case .write(let offset, let content):
      if bytes.count < offset + content.count {
        bytes += repeatElement(0, count: offset + content.count - bytes.count)
      }
      bytes.replaceSubrange(offset..<offset + content.count, with: content)
    }
  }
}
