internal import FarthingCore

/// What an agent says of a batch beside its events: header fields of `POST /v1/forward`.
package struct ForwardHead: Sendable, Equatable {
  /// What people call the agent.
  package var agent: String
  package var version: String
  /// Under what the server keeps how far it has the agent's records.
  package var stream: UInt64
  /// The sequence number of the first record, and how many there are; 0 where the agent only tells how it
  /// stands.
  package var first: Int64
  package var records: Int
  /// Every record up to this one is settled: stored by this server once, set aside, or lost.
  package var settled: Int64
  /// What waits at the agent behind this batch, and the age of the oldest of it in milliseconds.
  package var waitingEvents: Int
  package var lagMilliseconds: Int64
  /// Bytes of the spool, and how many it may have.
  package var spoolBytes: Int
  package var spoolCapacity: Int
  /// Records that damage took at the agent since it was started.
  package var lostRecords: Int64

  package init(
    agent: String, version: String, stream: UInt64, first: Int64, records: Int, settled: Int64,
    waitingEvents: Int, lagMilliseconds: Int64, spoolBytes: Int, spoolCapacity: Int,
    lostRecords: Int64
  ) {
    self.agent = agent
    self.version = version
    self.stream = stream
    self.first = first
    self.records = records
    self.settled = settled
    self.waitingEvents = waitingEvents
    self.lagMilliseconds = lagMilliseconds
    self.spoolBytes = spoolBytes
    self.spoolCapacity = spoolCapacity
    self.lostRecords = lostRecords
  }

  package var last: Int64 { first + Int64(records) - 1 }

  /// Numbers that records may have: none stored yet, up to what no spool ever reaches.
  package static let sequences: ClosedRange<Int64> = 0...(1 << 53)
  /// The media type of sections.
  package static let contentType = "application/vnd.farthing.sections"
  /// In replies: the last record that the server has stored.
  package static let storedField = "Farthing-Stored"
  /// In replies: how many events of the batch were refused; absent for none.
  package static let rejectedField = "Farthing-Rejected"
  /// In replies of the server itself, not of what stands before it: `batch` where the same batch will never
  /// be taken, `body` where a body is too large.
  package static let refusedField = "Farthing-Refused"
  /// Most events and lost records of a spool: the sum over all agents that are kept stays exact.
  private static let greatestCount = 1 << 40
  /// A hundred years in milliseconds: as nanoseconds it is a number still.
  private static let greatestLag: Int64 = 100 * 366 * 86_400_000
  /// The longest name of an agent, in bytes.
  package static let nameBytes = 128

  // MARK: Fields

  package var fields: [(name: String, value: String)] {
    [
      ("Farthing-Agent", Self.escaped(agent)), ("Farthing-Agent-Version", Self.escaped(version)),
      ("Farthing-Spool", Self.text(stream: stream)), ("Farthing-First", "\(first)"),
      ("Farthing-Records", "\(records)"), ("Farthing-Settled", "\(settled)"),
      ("Farthing-Waiting-Events", "\(waitingEvents)"),
      ("Farthing-Lag-Milliseconds", "\(lagMilliseconds)"),
      ("Farthing-Spool-Bytes", "\(spoolBytes)"), ("Farthing-Spool-Capacity", "\(spoolCapacity)"),
      ("Farthing-Lost-Records", "\(lostRecords)"),
    ]
  }

  /// What the fields of a request say.
  ///
  /// - Parameter value: a field's value by its name; nil where it is absent.
  /// - Returns: nil with the field at fault where one is missing or is not what it should be.
  package static func read(
    _ value: (String) -> String?
  ) -> Result<ForwardHead, ForwardHeadFault> {
    func number<Value: FixedWidthInteger>(
      _ name: String, upTo limit: Value = 1 << 53
    ) throws(ForwardHeadFault) -> Value {
      guard let text = value(name) else { throw ForwardHeadFault(field: name) }
      guard let number = Value(text), number >= 0, text.utf8.first != UInt8(ascii: "+"),
        number <= limit
      else { throw ForwardHeadFault(field: name) }
      return number
    }
    do throws(ForwardHeadFault) {
      guard let agent = value("Farthing-Agent").flatMap(unescaped), !agent.isEmpty,
        agent.utf8.count <= nameBytes
      else { throw ForwardHeadFault(field: "Farthing-Agent") }
      guard let stream = value("Farthing-Spool").flatMap(stream(text:)) else {
        throw ForwardHeadFault(field: "Farthing-Spool")
      }
      let head = ForwardHead(
        agent: agent, version: value("Farthing-Agent-Version").flatMap(unescaped) ?? "",
        stream: stream, first: try number("Farthing-First"),
        records: try number("Farthing-Records"), settled: try number("Farthing-Settled"),
        waitingEvents: try number("Farthing-Waiting-Events", upTo: greatestCount),
        lagMilliseconds: try number("Farthing-Lag-Milliseconds", upTo: greatestLag),
        spoolBytes: try number("Farthing-Spool-Bytes"),
        spoolCapacity: try number("Farthing-Spool-Capacity"),
        lostRecords: try number("Farthing-Lost-Records", upTo: Int64(greatestCount)))
      guard head.records == 0 || head.first > head.settled else {
        throw ForwardHeadFault(field: "Farthing-First")
      }
      return .success(head)
    } catch {
      return .failure(error)
    }
  }

  /// Sixteen hexadecimal digits.
  package static func text(stream: UInt64) -> String {
    let digits = String(stream, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  package static func stream(text: String) -> UInt64? {
    guard text.utf8.count == 16 else { return nil }
    return UInt64(text, radix: 16)
  }

  // MARK: Names in fields

  /// A text as printable ASCII: other bytes, and `%`, as `%XX`.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }

  private static func unescaped(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
        rest.count >= 2
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    guard let name = String(validating: bytes, as: UTF8.self),
      !name.unicodeScalars.contains(where: EventLimits.forbids)
    else { return nil }
    return name
  }
}

/// A field of a forward that is missing or not what it should be.
package struct ForwardHeadFault: Error, Sendable, Equatable {
  package var field: String
}
