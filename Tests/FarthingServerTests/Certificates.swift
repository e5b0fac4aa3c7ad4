import FarthingPipeline
import Foundation
import NIOSSL

/// Certificates that the `openssl` program makes for a test, each its own root, for `localhost`.
struct Certificates {
  let folder: String

  /// Whether there is such a program.
  static let canBeMade = FileManager.default.isExecutableFile(atPath: program)
  private static let program = "/usr/bin/openssl"

  struct Failure: Error { var words: [String] }

  /// Writes `NAME.crt` and `NAME.key` into the folder, over those that are there.
  @discardableResult
  func make(_ name: String) throws -> TLSFiles {
    let files = files(name)
    try openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
      "-days", "3650", "-keyout", files.key, "-out", files.certificate,
    ])
    return files
  }

  /// The same with a certificate that ended yesterday.
  func makeExpired(_ name: String) throws -> TLSFiles {
    let files = try make(name)
    try openssl([
      "x509", "-in", files.certificate, "-signkey", files.key, "-days", "-1",
      "-out", folder + "/expired.crt",
    ])
    return TLSFiles(certificate: folder + "/expired.crt", key: files.key)
  }

  func files(_ name: String) -> TLSFiles {
    TLSFiles(certificate: "\(folder)/\(name).crt", key: "\(folder)/\(name).key")
  }

  /// Runs the program.
  func openssl(_ words: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: Self.program)
    process.arguments = words
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(words: words) }
  }

  /// A client that trusts one certificate and no other.
  func client(trusting name: String) throws -> TLSConfiguration {
    var client = TLSConfiguration.makeClientConfiguration()
    client.trustRoots = .certificates(
      try NIOSSLCertificate.fromPEMFile(files(name).certificate))
    return client
  }
}
