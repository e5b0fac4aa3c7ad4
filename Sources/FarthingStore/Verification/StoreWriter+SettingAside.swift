internal import FarthingCore

extension StoreWriter {
  /// Takes a damaged segment out of service: its file becomes `NAME.bad`, and every later answer
  /// that may lack its rows says so without being told anew.
  ///
  /// The file gets its new name first, so that no step and no crash removes its bytes: between the
  /// two steps it counts as missing, which says the same.
  /// - Parameters:
  ///   - what: what is wrong with it.
  ///   - date: today as people write it, for the record.
  /// - Returns: the record; nil where the catalogue does not list the segment any more.
  /// - Throws: `io`, `diskFull`, `accessDenied`, `closed`.
  package func setAside(
    _ entry: SegmentEntry, what: String, date: String
  ) async throws(StoreError) -> DamageReport? {
    while isMerging { await withCheckedContinuation { mergeWaiters.append($0) } }
    guard !isAbandoned else { throw Self.closedError }
    try catalog.refresh()
    guard catalog.state.segments.contains(entry) else { return nil }
    let name = StoreLayout.segmentName(entry.id)
    var hasFile = false
    for candidate in [name, name + ".new"] where try fileSystem.size(layout.path(candidate)) != nil
    {
      try fileSystem.rename(layout.path(candidate), to: layout.path(name) + ".bad")
      hasFile = true
    }
    try fileSystem.syncDirectory(layout.segmentDirectory)
    let report = DamageReport(
      file: name,
      message: "\(name) was set aside on \(date)\(hasFile ? " as \(name).bad" : ""): \(what); "
        + "its \(entry.rowCount) \(entry.kind) rows are in no answer",
      lostRows: entry.rowCount, kind: entry.kind)
    var change = CatalogChange()
    change.removedSegments = [entry.id]
    change.addedDamage = [report]
    try catalog.commit(change)
    try? forgetRemovals()
    return report
  }
}
