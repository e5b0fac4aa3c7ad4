/// Bounds that nobody has a reason to set; those of the configuration are in `ServerLimits`.
enum ServerBounds {
  /// Bytes of a refused request that are read and thrown away, so that its client sees the reply.
  static let discardedBytes = 64 << 20
  /// Largest body after decompression of a call that takes none.
  static let strayBytes = 1 << 16
}
