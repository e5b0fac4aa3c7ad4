/// Bounds that nobody has a reason to set; those of the configuration are in `ServerLimits`.
enum ServerBounds {
  /// Uploads that wait for the log. Each is some client's open request.
  static let waitingUploads = 4096
  /// Bytes of a refused request that are read and thrown away, so that its client sees the reply.
  static let discardedBytes = 64 << 20
  /// Largest body after decompression of a call that takes none.
  static let strayBytes = 1 << 16
}
