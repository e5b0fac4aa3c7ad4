/// Who writes a data folder.
package struct LockHolder: Sendable, Equatable {
  package var processID: Int
  /// The address of the server that holds the folder; nil where it is another command.
  package var serverAddress: String?

  package init(processID: Int, serverAddress: String? = nil) {
    self.processID = processID
    self.serverAddress = serverAddress
  }

  /// The text of the LOCK file: `pid N`, then `server URL` where there is one.
  var text: String {
    "pid \(processID)\n" + (serverAddress.map { "server \($0)\n" } ?? "")
  }

  /// Reads what ``text`` wrote; nil where it is something else.
  init?(text: String) {
    var pid: Int?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2 else { return nil }
      if words[0] == "pid" { pid = Int(words[1]) }
      if words[0] == "server" { serverAddress = String(words[1]) }
    }
    guard let pid else { return nil }
    processID = pid
  }

  /// Who holds the folder, as its LOCK file says; nil where that is not readable.
  package static func current(
    directory: String, fileSystem: any FileSystem = PosixFileSystem()
  ) -> LockHolder? {
    let path = StoreLayout(directory: directory).lockPath
    guard let bytes = try? fileSystem.contents(of: path) else { return nil }
    return LockHolder(text: String(decoding: bytes, as: UTF8.self))
  }

  /// Takes the folder's lock.
  ///
  /// - Throws: `locked`, naming the holder, where another process has it.
  static func take(
    layout: StoreLayout, fileSystem: any FileSystem, holder: LockHolder
  ) throws(StoreError) -> any FileLock {
    guard let lock = try fileSystem.lock(layout.lockPath) else {
      throw StoreError(
        .locked,
        refusal(
          directory: layout.directory,
          holder: current(directory: layout.directory, fileSystem: fileSystem)))
    }
    try lock.write(holder.text)
    return lock
  }

  private static func refusal(directory: String, holder: LockHolder?) -> String {
    switch holder {
    case .some(let holder):
      if let server = holder.serverAddress {
        return "\(directory) is held by the server at \(server) (process \(holder.processID)); "
          + "send the command there with --server \(server)"
      }
      return "\(directory) is being written by process \(holder.processID); "
        + "wait until it ends, or name another folder"
    case .none:
      return "\(directory) is being written by another process; wait until it ends"
    }
  }
}
