internal import FarthingCore
internal import FarthingStore

/// How far a followed file is read, and what tells the file.
///
/// A device and inode number are given to another file once theirs is gone, and a file may be cut
/// to nothing and filled anew. So the position holds hashes of the file's first bytes and of the
/// last ones before the offset: where either differs, it is another content.
struct FollowState: Sendable, Equatable {
  /// Bytes at the beginning that are hashed, once the file has as many.
  static let headLimit = 1024
  /// Bytes before the offset that are hashed.
  static let tailLimit = 256

  /// Where the file was when it was seen last.
  var path: String
  /// Everything before it is stored.
  var offset = 0
  /// Lines before the offset.
  var lines = 0
  var headLength = 0
  var headHash: UInt64 = 0
  var tailLength = 0
  var tailHash: UInt64 = 0
  /// Inside a line that is too long: its rest is thrown away.
  var isSkipping = false
  /// When the position was taken, in Unix seconds; 0 where that is not known.
  var seenAt: Int64 = 0

  init(path: String) { self.path = path }

  /// Any bytes; a fixed key, since this guards against accidents.
  static func hash(_ bytes: some Collection<UInt8>) -> UInt64 {
    // FNV-1a in two lanes would be no better: heads and tails are compared whole, not sampled.
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return sum
  }

  /// Takes the hashes of what lies around the offset.
  /// - Parameter read: bytes of the file at an offset.
  mutating func settle<Fault: Error>(
    _ read: (_ offset: Int, _ count: Int) throws(Fault) -> [UInt8]
  ) throws(Fault) {
    if headLength < Self.headLimit {
      let head = try read(0, min(Self.headLimit, offset))
      headLength = head.count
      headHash = Self.hash(head)
    }
    let length = min(Self.tailLimit, offset)
    let tail = try read(offset - length, length)
    tailLength = tail.count
    tailHash = Self.hash(tail)
  }

  /// Whether a content is the one that the position was taken in.
  func matches<Fault: Error>(
    _ read: (_ offset: Int, _ count: Int) throws(Fault) -> [UInt8]
  ) throws(Fault) -> Bool {
    let head = try read(0, headLength)
    guard head.count == headLength, Self.hash(head) == headHash else { return false }
    let tail = try read(offset - tailLength, tailLength)
    return tail.count == tailLength && Self.hash(tail) == tailHash
  }

  // MARK: At rest

  /// Version 2: numbers in decimal, a blank between them, the path last. Version 1 had no time.
  var bytes: [UInt8] {
    Array(
      ("2 \(offset) \(lines) \(headLength) \(headHash) \(tailLength) \(tailHash) "
        + "\(isSkipping ? 1 : 0) \(seenAt) \(path)").utf8)
  }

  /// nil where the bytes are of another version, or none of ours.
  init?(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    let count = text.hasPrefix("1 ") ? 9 : 10
    let parts = text.split(
      separator: " ", maxSplits: count - 1, omittingEmptySubsequences: false)
    guard parts.count == count, parts[0] == (count == 9 ? "1" : "2"),
      let offset = Int(parts[1]), let lines = Int(parts[2]),
      let headLength = Int(parts[3]), let headHash = UInt64(parts[4]),
      let tailLength = Int(parts[5]), let tailHash = UInt64(parts[6]), offset >= 0, lines >= 0,
      (0...Self.headLimit).contains(headLength), (0...Self.tailLimit).contains(tailLength),
      headLength <= offset, tailLength <= offset
    else { return nil }
    if count == 10 {
      guard let seenAt = Int64(parts[8]) else { return nil }
      self.seenAt = seenAt
    }
    self.offset = offset
    self.lines = lines
    self.headLength = headLength
    self.headHash = headHash
    self.tailLength = tailLength
    self.tailHash = tailHash
    isSkipping = parts[7] == "1"
    path = String(parts[count - 1])
  }
}
