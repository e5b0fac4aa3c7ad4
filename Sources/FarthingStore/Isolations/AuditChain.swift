// The audit log as a chain: each entry carries the SHA-256 of the one before it and of itself, so nothing in
// the middle can be changed, taken out, put in or moved without all hashes after it changing. What is cut off at
// the end is seen by the head, which the ledger keeps beside the log and which anybody may note elsewhere: whoever can
// write the file can write a whole new chain, but not one that ends in a head that somebody else knows.
//
//     hash(n) = SHA-256( "farthing audit 1\n" ‖ hash(n−1) ‖ n ‖ at ‖ event ‖ isolation ‖ actor ‖ detail )
//
// Numbers are eight bytes, the highest first; texts and the detail have their length in bytes before them; hashes
// stand as 64 hexadecimal digits, that of nothing as 64 zeros.

/// Where the audit log ends: the number of its entries and the hash of the last.
package struct AuditHead: Sendable, Equatable, CustomStringConvertible {
  package var count: Int64
  /// 64 hexadecimal digits.
  package var hash: String

  /// That of an empty log.
  package static let empty = AuditHead(count: 0, hash: String(repeating: "0", count: 64))

  package init(count: Int64, hash: String) {
    self.count = count
    self.hash = hash
  }

  /// Reads `COUNT:HASH`; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let count = Int64(parts[0]), count >= 0,
      let digest = SHA256Digest(hexadecimal: parts[1])
    else { return nil }
    self.init(count: count, hash: digest.hexadecimal)
  }

  package var description: String { "\(count):\(hash)" }

  /// The head once an entry stands behind it.
  ///
  /// - Complexity: O(n) in the entry's bytes.
  func adding(_ entry: AuditEntry) -> AuditHead {
    var bytes = Array("farthing audit 1\n\(hash)".utf8)
    func add(_ number: Int64) {
      let word = UInt64(bitPattern: number)
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    func add(_ text: some Collection<UInt8>) {
      add(Int64(text.count))
      bytes += text
    }
    add(count + 1)
    add(entry.at)
    add(entry.event.utf8)
    add(entry.isolation.utf8)
    add(entry.actor.utf8)
    add(entry.detail)
    return AuditHead(
      count: count + 1, hash: SHA256Digest(hashing: bytes.span).hexadecimal)
  }
}

/// An entry as the log has it.
package struct AuditRow: Sendable, Equatable {
  /// From 1, without a gap.
  package var sequence: Int64
  package var entry: AuditEntry
  /// 64 hexadecimal digits.
  package var hash: String

  init?(_ row: [SQLiteValue]) {
    guard row.count >= 7, let sequence = row[0].number, let at = row[1].number,
      let event = row[2].text, let isolation = row[3].text, let actor = row[4].text,
      let detail = row[5].bytes, let hash = row[6].text
    else { return nil }
    self.sequence = sequence
    self.hash = hash
    entry = AuditEntry(at: at, event: event, isolation: isolation, actor: actor, detail: detail)
  }

  static func values(_ entry: AuditEntry, _ head: AuditHead) -> [SQLiteValue] {
    [
      .integer(head.count), .integer(entry.at), .text(entry.event), .text(entry.isolation),
      .text(entry.actor), .blob(entry.detail), .text(head.hash),
    ]
  }
}

/// What checking the audit log found.
package struct AuditFinding: Sendable, Equatable {
  /// Where it ends, as far as the chain holds.
  package var head: AuditHead
  /// What does not fit, a sentence; nil where all of it does.
  package var fault: String?
}

extension IsolationReader {
  /// The head that is kept beside the log.
  package func auditHead() throws(StoreError) -> AuditHead {
    guard let bytes = try blob(IsolationLedger.headBlob) else { return .empty }
    guard let head = AuditHead(String(decoding: bytes, as: UTF8.self)) else {
      throw StoreError(.damaged, "the head of the audit log in \(path) cannot be read")
    }
    return head
  }

  /// Goes through the whole log.
  ///
  /// - Parameter noted: a head that somebody kept elsewhere: the log has to go through it.
  /// - Returns: the first thing that does not fit.
  /// - Complexity: O(entries); a page of them in memory at once.
  package func verifyAudit(noted: AuditHead? = nil) throws(StoreError) -> AuditFinding {
    var head = AuditHead.empty
    func broken(_ fault: String) -> AuditFinding { AuditFinding(head: head, fault: fault) }
    var isNotedFound = noted.map { $0 == .empty } ?? true
    while true {
      let page = try connection.run(
        """
        SELECT sequence, at, event, isolation, actor, detail, hash, checksum FROM audit
        WHERE sequence > ? ORDER BY sequence LIMIT 512
        """, .integer(head.count))
      if page.isEmpty { break }
      for values in page {
        guard let row = AuditRow(values) else {
          return broken("entry \(head.count + 1) has values of other kinds than were written")
        }
        guard row.sequence == head.count + 1 else {
          return broken("entry \(head.count + 1) is missing; the next is \(row.sequence)")
        }
        let next = head.adding(row.entry)
        guard next.hash == row.hash else {
          return broken("entry \(row.sequence) was changed: its hash does not fit it")
        }
        guard values.last?.number == LedgerTable.audit.checksum(values.dropLast()) else {
          return broken("entry \(row.sequence) fails its row's checksum")
        }
        head = next
        if head == noted { isNotedFound = true }
      }
    }
    // A number below the first is never reached by the pages above.
    let count = try connection.run("SELECT count(*) FROM audit").first?.first?.number ?? 0
    guard count == head.count else {
      return broken("there are \(count - head.count) entries that no one wrote")
    }
    let kept: AuditHead
    do throws(StoreError) {
      kept = try auditHead()
    } catch {
      if error.code == .damaged { return broken("the head that is kept cannot be read") }
      throw error
    }
    guard kept == head else {
      return broken(
        kept.count > head.count
          ? "the last \(kept.count - head.count) entries are missing"
          : "the head that is kept, \(kept), is not that of the log")
    }
    if let noted, !isNotedFound {
      return broken("the log does not go through the head \(noted)")
    }
    return AuditFinding(head: head, fault: nil)
  }

  /// Entries, the earliest first: those of one isolation, or the newest so many.
  package func audit(
    of isolation: String? = nil, limit: Int
  ) throws(StoreError) -> [AuditRow] {
    let condition = isolation == nil ? "" : "WHERE isolation = ?"
    let parameters: [SQLiteValue] = isolation.map { [.text($0)] } ?? []
    return try LedgerTable.audit.rows(
      connection, path: path, "\(condition) ORDER BY sequence DESC LIMIT ?",
      parameters + [.integer(Int64(limit))]
    ).compactMap { AuditRow($0) }.reversed()
  }
}
