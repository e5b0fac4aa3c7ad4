import Foundation

/// One run of the real command, from the folder that the tests were built into.
struct CommandRun {
  var status: Int32
  var output: String
  var error: String

  /// The built command, beside the running test program.
  static var binary: URL {
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return program.deletingLastPathComponent().appending(path: "farthing")
  }

  /// Runs `farthing` with an environment of its own and waits for its end.
  ///
  /// - Parameters:
  ///   - words: What follows the program's name.
  ///   - input: Standard input; empty where absent.
  init(
    _ words: [String], in folder: URL, input: String = "", environment: [String: String] = [:]
  ) throws {
    let process = Process()
    process.executableURL = Self.binary
    process.arguments = words
    process.currentDirectoryURL = folder
    let inherited = ProcessInfo.processInfo.environment
    process.environment = [
      "HOME": folder.path, "PATH": inherited["PATH"] ?? "",
      "LD_LIBRARY_PATH": inherited["LD_LIBRARY_PATH"] ?? "", "FARTHING_DATA": "data",
    ].merging(environment) { $1 }
    let files = ["input", "output", "error"].map {
      folder.appending(path: ".\($0)-\(UInt64.random(in: 0 ... .max))")
    }
    for file in files { try Data().write(to: file) }
    try Data(input.utf8).write(to: files[0])
    // Files instead of pipes: neither side can wait for the other.
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    status = process.terminationStatus
    output = try String(decoding: Data(contentsOf: files[1]), as: UTF8.self)
    error = try String(decoding: Data(contentsOf: files[2]), as: UTF8.self)
    for file in files { try FileManager.default.removeItem(at: file) }
  }
}

/// A folder that is gone with the last test that holds it.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appending(path: "farthing-cli-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
  }

  func write(_ name: String, bytes: [UInt8]) throws {
    try Data(bytes).write(to: url.appending(path: name))
  }

  @discardableResult
  func farthing(
    _ words: String..., input: String = "", environment: [String: String] = [:]
  ) throws -> CommandRun {
    try CommandRun(words, in: url, input: input, environment: environment)
  }
}
