package import FarthingPipeline
package import FarthingStore
internal import NIOCore
internal import NIOSSL

/// What a server proves itself by in TLS: its certificate, those between it and a root, and its key.
///
/// It is what the files held when they were read; files that are written anew have to be read anew.
package struct TransportSecurity: Sendable {
  let context: NIOSSLContext
  private let chain: [NIOSSLCertificate]
  private let key: NIOSSLPrivateKey
  /// Unix seconds from which the server's own certificate holds.
  package let begins: Int64
  /// Unix seconds until which the server's own certificate holds.
  package let expires: Int64

  /// Most bytes of a file of certificates or of a key.
  private static let fileBytes = 1 << 20
  /// How long a peer may take to say farewell on a connection that ends.
  private static let shutdownSeconds: Int64 = 2

  /// Reads both files and sees whether they belong together. Blocks; not for event loops.
  ///
  /// - Throws: ``StoreError`` with `invalidArgument` that names the setting, the file and what is
  ///   wrong with it. A certificate that has expired is no fault here; see ``expires``.
  package init(reading files: TLSFiles) throws(StoreError) {
    let chainBytes = try Self.bytes(of: files.certificate, setting: "server.tls.certificate")
    let keyBytes = try Self.bytes(of: files.key, setting: "server.tls.key")
    guard let chain = try? NIOSSLCertificate.fromPEMBytes(chainBytes), let own = chain.first else {
      throw StoreError(
        .invalidArgument,
        "server.tls.certificate: \(files.certificate) holds no certificates in PEM form")
    }
    guard let key = try? NIOSSLPrivateKey(bytes: keyBytes, format: .pem) else {
      let isEncrypted = String(decoding: keyBytes, as: UTF8.self).contains("ENCRYPTED")
      throw StoreError(
        .invalidArgument,
        isEncrypted
          ? "server.tls.key: \(files.key) is encrypted, and nobody is there to type its password; "
            + "openssl pkey -in FILE -out FILE writes it without"
          : "server.tls.key: \(files.key) holds no private key in PEM form")
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["h2", "http/1.1"]
    configuration.shutdownTimeout = .seconds(Self.shutdownSeconds)
    do {
      context = try NIOSSLContext(configuration: configuration)
    } catch NIOSSLError.failedToLoadPrivateKey {
      throw StoreError(
        .invalidArgument,
        "server.tls: the key in \(files.key) does not belong to the certificate in "
          + "\(files.certificate), of which the first in the file is the server's own")
    } catch {
      throw StoreError(
        .invalidArgument,
        "server.tls: \(files.certificate) and \(files.key) cannot be used", cause: "\(error)")
    }
    self.chain = chain
    self.key = key
    begins = Int64(own.notValidBefore)
    expires = Int64(own.notValidAfter)
  }

  /// Whether both hold the same certificates and the same key.
  package func isSame(as other: TransportSecurity) -> Bool {
    chain == other.chain && key == other.key
  }

  private static func bytes(of path: String, setting: String) throws(StoreError) -> [UInt8] {
    var bytes: [UInt8] = []
    do throws(StoreError) {
      let source = try ByteSource.open(path, regularOnly: true)
      while bytes.count <= fileBytes,
        try source.read(appendingTo: &bytes, count: 1 << 14) > 0
      {}
    } catch {
      throw StoreError(.invalidArgument, "\(setting): \(error.message)", cause: error.cause)
    }
    guard bytes.count <= fileBytes else {
      throw StoreError(
        .invalidArgument, "\(setting): \(path) has more than \(fileBytes >> 20) MiB")
    }
    return bytes
  }
}
