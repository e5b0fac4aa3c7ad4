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
    // The library tells them apart in its words only.
    let words = "\(error)".uppercased()
    if words.contains("HTTP_REQUEST") {
      self = .plainHTTP
    } else if words.contains("EOF") {
      self = .closed
    } else {
      self = .refused
    }
  }
}
