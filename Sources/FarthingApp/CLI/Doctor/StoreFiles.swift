internal import FarthingStore

/// The files of a data folder, seen from outside.
enum StoreFiles {
  /// The bytes of the catalogue, the segments and the logs; what cannot be read counts nothing.
  static func bytes(of folder: String) -> Int64 {
    let system = PosixFileSystem()
    let layout = StoreLayout(directory: folder)
    var bytes = 0
    for directory in [layout.directory, layout.segmentDirectory, layout.logDirectory] {
      for name in ((try? system.list(directory)) ?? nil) ?? [] {
        bytes += ((try? system.size("\(directory)/\(name)")) ?? nil) ?? 0
      }
    }
    return Int64(clamping: bytes)
  }

  /// What writing 4 KiB and waiting until the disk has them takes, in nanoseconds: the middle of nine.
  ///
  /// - Throws: as creating, writing and syncing a file do. The file is removed in any case.
  static func syncNanoseconds(in folder: String) throws(StoreError) -> Int64 {
    let system = PosixFileSystem()
    let path = "\(folder)/.doctor-\(PosixFileSystem.processID)"
    let file = try system.open(path, .create)
    defer { file.close() }
    // Its name is not needed while it is open, and does not outlive a kill.
    try system.unlink(path)
    let block = [UInt8](repeating: 0x5A, count: 4096)
    var times: [Int64] = []
    for index in 0..<9 {
      let start = HostProcess.now()
      try file.write(block[...], offset: index * block.count)
      try file.dataSync()
      times.append(HostProcess.now() - start)
    }
    return times.sorted()[times.count / 2]
  }
}
