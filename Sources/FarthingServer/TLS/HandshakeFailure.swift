internal import NIOSSL

/// Why a connection ended before its TLS handshake was through: a label of the metrics.
enum HandshakeFailure: String, Hashable {
  /// The caller hung up, as port scans and probes do.
  case closed
  /// The caller speaks HTTP without TLS.
  case plainHTTP = "plain_http"
  /// No version, cipher or certificate that both take, or no TLS at all.
  case refused
  case timeout

  init(_ error: any Error) {
    guard case NIOSSLError.handshakeFailed(.sslError(let errors)) = error else {
      self = .refused
      return
    }
    if errors.contains(.eofDuringHandshake) {
      self = .closed
    } else if errors.contains(where: { "\($0)".contains(":HTTP_REQUEST") }) {
      // The library tells this one from others in its words only.
      self = .plainHTTP
    } else {
      self = .refused
    }
  }
}
