/// The small file beside the spool's records: who the spool is, and what the server has acknowledged.
///
/// It is replaced as a whole. Should the newest acknowledgement be lost, records are sent again that the
/// server then knows.
struct SpoolState: Sendable, Equatable {
  static let name = "state"

  /// What the checksums of the records include.
  var identity: UInt64
  /// Under what the server keeps how far it has this spool's records.
  var stream: UInt64
  /// Every record up to this one is stored by the server, set aside, or lost to damage.
  var acknowledged: Int64

  init(identity: UInt64, stream: UInt64, acknowledged: Int64) {
    self.identity = identity
    self.stream = stream
    self.acknowledged = acknowledged
  }

  // MARK: At rest

  private var body: String {
    "farthing spool 1\nidentity \(identity)\nstream \(stream)\nacknowledged \(acknowledged)\n"
  }

  var bytes: [UInt8] {
    let body = Array(body.utf8)
    return body + Array("checksum \(CRC32C.checksum(body.span))\n".utf8)
  }

  /// nil where the bytes are not what ``bytes`` wrote.
  init?(_ bytes: [UInt8]) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count == 5, let identity = Self.number(lines[1], { UInt64($0) }),
      let stream = Self.number(lines[2], { UInt64($0) }),
      let acknowledged = Self.number(lines[3], { Int64($0) }), acknowledged >= 0
    else { return nil }
    self.init(identity: identity, stream: stream, acknowledged: acknowledged)
    guard self.bytes == bytes else { return nil }
  }

  private static func number<Value>(
    _ line: Substring, _ parse: (Substring) -> Value?
  ) -> Value? {
    line.split(separator: " ").last.flatMap(parse)
  }

  /// Replaces the file durably.
  func write(_ directory: String, _ fileSystem: any FileSystem) throws(StoreError) {
    let temporary = "\(directory)/\(Self.name).tmp"
    try fileSystem.unlink(temporary)
    let file = try fileSystem.open(temporary, .create)
    defer { file.close() }
    try file.write(bytes[...], offset: 0)
    try file.dataSync()
    try fileSystem.rename(temporary, to: "\(directory)/\(Self.name)")
    try fileSystem.syncDirectory(directory)
  }

  /// nil where there is none, or it is damaged.
  static func read(
    _ directory: String, _ fileSystem: any FileSystem
  ) throws(StoreError) -> SpoolState? {
    do throws(StoreError) {
      return SpoolState(try fileSystem.contents(of: "\(directory)/\(name)"))
    } catch {
      guard error.code == .notFound else { throw error }
      return nil
    }
  }
}
