internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// What the data folder and its price lists are like.
enum StoreCheckup {
  /// Segments of fewer rows than this on average are worth merging; a full one has 262,144.
  static let smallSegmentRows = 32_768
  /// Damaged files told one by one; of more the first are enough to act upon.
  static let toldDamages = 8
  /// Public prices change every few weeks.
  static let oldPriceDays: Int64 = 90

  /// Whether the folder can be used, and by whom it is.
  static func folder(
    _ path: String, exists: Bool, isWritable: Bool, holder: LockHolder?, holderRuns: Bool
  ) -> Finding {
    let name = path.printable
    guard exists else {
      return .warning(
        "folder", "there is no store in \(name) yet",
        "farthing ingest makes one; or name it with --data")
    }
    guard isWritable else {
      return .warning(
        "folder", "\(name) can be read but not written",
        "run commands that write as the folder's owner")
    }
    if let holder, holderRuns {
      let server = holder.serverAddress.map { ", the server at \($0)" } ?? ""
      return .ok("folder", "\(name), written by process \(holder.processID)\(server) now")
    }
    return .ok("folder", name)
  }

  /// What to do where the store cannot be opened for this reason.
  static func remedy(_ code: StoreError.Code) -> String {
    switch code {
    case .diskFull: "free some space; nothing that is stored is damaged by this"
    case .accessDenied: "run farthing as the folder's owner, or change its mode"
    case .unsupportedVersion: "use the newer build"
    case .locked: "wait until the other command ends"
    default: "farthing store verify says what is damaged"
    }
  }

  /// The segments, logs and catalogue as a query meets them.
  static func contents(_ snapshot: StoreSnapshot) -> [Finding] {
    let remedy = "farthing store verify reads everything and names all that is damaged"
    var findings = snapshot.damage.prefix(toldDamages).map { report in
      Finding.fault("store", report.message, remedy)
    }
    if snapshot.damage.count > toldDamages {
      findings.append(
        .fault("store", "\(snapshot.damage.count - toldDamages) more files are damaged", remedy))
    }
    let segments = snapshot.requests + snapshot.outcomes + snapshot.capacities
    let rows = segments.reduce(0) { $0 + $1.rowCount }
    let text = "\(rows) events in \(segments.count) segments"
    let small =
      snapshot.requests.count > 16
      && snapshot.requests.reduce(0) { $0 + $1.rowCount } / snapshot.requests.count
        < smallSegmentRows
    if small {
      findings.append(
        .warning("store", text + ", which are small", "merge them with farthing store compact"))
    } else if findings.isEmpty {
      findings.append(.ok("store", text))
    }
    return findings
  }

  /// Whether the lists can be read, how old they are, and what they leave unpriced.
  ///
  /// - Parameters:
  ///   - lists: The imported lists.
  ///   - catalogueDate: Unix nanoseconds of the built-in prices.
  ///   - requests: Stored requests.
  ///   - unpriced: Of them, those without a cost.
  static func prices(
    lists: [StoredPriceList], catalogueDate: Int64?, now: Int64, requests: Int64, unpriced: Int64
  ) -> [Finding] {
    var findings: [Finding] = []
    for list in lists {
      do throws(PriceListRefusal) {
        _ = try list.opened()
      } catch {
        findings.append(
          .fault(
            "prices",
            "the list \(list.name.printable) cannot be read any more: "
              + (error.faults.first?.message ?? ""), "import it again"))
      }
    }
    let dates = lists.map(\.importedAt) + [catalogueDate].compactMap { $0 }
    if let newest = dates.max() {
      let age = max(0, now - newest) / 86_400_000_000_000
      if age > oldPriceDays {
        findings.append(
          .warning(
            "prices", "the newest prices are \(age) days old",
            "import a list of today with farthing prices import, or update Farthing"))
      }
    }
    if unpriced > 0 {
      findings.append(
        .warning(
          "prices", "\(unpriced) of \(requests) stored requests have no cost",
          "farthing prices missing names their models"))
    }
    if findings.isEmpty {
      let own =
        lists.isEmpty ? "the built-in prices" : "\(lists.count) imported and the built-in lists"
      findings.append(.ok("prices", own))
    }
    return findings
  }
}
