/// What bounds the server; docs/limits.md says what happens at each.
package struct ServerLimits: Sendable, Equatable {
  /// Largest body after decompression, in bytes.
  package var bodyBytes = 20 << 20
  /// Bytes of all bodies that are being received or worked on. With what decoding makes of them and
  /// the store's buffers the process stays below 512 MiB.
  package var bodiesBytes = 64 << 20
  /// Uploads that wait for the log. Each is some client's open request.
  package var waitingUploads = 4096
  /// Open connections; further ones are closed as they come.
  package var connections = 4096
  /// Header fields of a request, and their bytes; the request's target counts as one field.
  package var headerFields = 100
  package var headerBytes = 32 << 10
  package var headerFieldBytes = 16 << 10
  /// Seconds from the opening of a connection, or the end of its last reply, to a whole head.
  package var headSeconds: Int64 = 10
  package var idleSeconds: Int64 = 75
  /// Seconds that a body may take, and one more for each so many bytes of it that came.
  package var bodySeconds: Int64 = 20
  package var bodyBytesPerSecond = 16 << 10
  /// Seconds in which a client has to take a piece of a reply.
  package var replySeconds: Int64 = 60
  /// Bytes of a refused request that are read and thrown away, so that its client sees the reply.
  package var discardedBytes = 64 << 20
  /// Questions that are worked on at once, and those that wait for their turn.
  package var runningQueries = 2
  package var waitingQueries = 64
  /// Refusals that a receipt lists.
  package var listedErrors = 1000
  /// Seconds that the requests at work have to end in when the server is asked to.
  package var drainSeconds: Int64 = 25

  package init() {}
}
