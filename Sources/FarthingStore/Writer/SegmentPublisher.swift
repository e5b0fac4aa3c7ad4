internal import FarthingCore

/// Puts sealed segments on disk.
///
/// A segment is written as `ID.seg.tmp`, synced, and renamed to `ID.seg.new`; its folder is synced;
/// the catalogue lists it; it gets its final name `ID.seg`. So a `.tmp` or unlisted `.new` holds
/// nothing that was acknowledged and may go, while an unlisted `.seg` proves that the catalogue
/// lost a transaction.
struct SegmentPublisher: Sendable {
  let layout: StoreLayout
  let fileSystem: any FileSystem

  /// Makes the segment durable under its `.new` name.
  func write(_ sealed: SealedSegment) throws(StoreError) -> SegmentEntry {
    let path = layout.path(StoreLayout.segmentName(sealed.id))
    try fileSystem.unlink(path + ".tmp")
    do throws(StoreError) {
      let file = try fileSystem.open(path + ".tmp", .create)
      defer { file.close() }
      try file.write(sealed.bytes[...], offset: 0)
      try file.dataSync()
    } catch {
      // Space is the likely trouble; give back what this attempt took.
      try? fileSystem.unlink(path + ".tmp")
      throw error
    }
    try fileSystem.rename(path + ".tmp", to: path + ".new")
    try fileSystem.syncDirectory(layout.segmentDirectory)
    return SegmentEntry(
      id: sealed.id, kind: sealed.kind, rowCount: sealed.rowCount,
      byteCount: sealed.bytes.count, time: sealed.time, receivedTime: sealed.receivedTime)
  }

  /// Gives a file that the catalogue lists its final name.
  ///
  /// A failure is no harm: whoever opens it looks for both names, and the next start tries again.
  func settle(_ name: String) {
    try? fileSystem.rename(layout.path(name) + ".new", to: layout.path(name))
  }

  /// Removes files that the catalogue gave up.
  ///
  /// - Returns: those that are gone durably, so that a power cut brings none of them back after the
  ///   catalogue has forgotten its name.
  func remove(_ names: [String]) -> [String] {
    let gone = names.filter { name in
      do throws(StoreError) {
        try fileSystem.unlink(layout.path(name))
        try fileSystem.unlink(layout.path(name) + ".new")
        return true
      } catch {
        return false
      }
    }
    do throws(StoreError) {
      for folder in ["segments", "log"] where gone.contains(where: { $0.hasPrefix(folder + "/") }) {
        try fileSystem.syncDirectory(layout.path(folder))
      }
      return gone
    } catch {
      return []
    }
  }
}

extension StoreLayout {
  /// Opens a listed file under its final name or, where a crash came between, its first one.
  func open(
    _ name: String, _ access: FileAccess, _ fileSystem: any FileSystem
  ) throws(StoreError) -> any StoreFile {
    do throws(StoreError) {
      return try fileSystem.open(path(name), access)
    } catch {
      guard error.code == .notFound else { throw error }
      do throws(StoreError) {
        return try fileSystem.open(path(name) + ".new", access)
      } catch let second {
        guard second.code == .notFound else { throw second }
      }
      // Renamed between the two looks.
      return try fileSystem.open(path(name), access)
    }
  }
}

/// A buffer on its way to the sealing thread.
///
/// `@unchecked Sendable`: whoever makes one gives up its own reference, and seal jobs are worked
/// one at a time, so one thread at a time touches the buffer; the hand-over between actors orders
/// the accesses.
final class SealableBuffer: @unchecked Sendable {
  let buffer: WriteBuffer

  init(_ buffer: WriteBuffer) { self.buffer = buffer }
}

/// Seals and writes segments on a thread of its own, while appends go on.
actor SegmentSealer {
  private let executor: ThreadExecutor
  let publisher: SegmentPublisher

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  init(publisher: SegmentPublisher) throws(StoreError) {
    executor = try ThreadExecutor()
    self.publisher = publisher
  }

  /// - Returns: what to list; nil for a buffer without rows.
  func seal(_ box: SealableBuffer, id: Int64) throws(StoreError) -> SegmentEntry? {
    guard let sealed = box.buffer.sealed(id: id) else { return nil }
    return try publisher.write(sealed)
  }
}
