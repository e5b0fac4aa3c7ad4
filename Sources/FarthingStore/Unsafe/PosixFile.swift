internal import Glibc
internal import Synchronization

/// A file descriptor of the operating system, closed with its owner.
final class PosixFile: StoreFile {
  private let path: String
  /// −1 once closed. A call in flight on another thread keeps using the number it read, so
  /// owners close only what no other thread still reads; segments close on release.
  private let descriptor: Atomic<Int32>

  init(descriptor: Int32, path: String) {
    self.descriptor = Atomic(descriptor)
    self.path = path
  }

  deinit { close() }

  func close() {
    let number = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
    if number >= 0 { _ = Glibc.close(number) }
  }

  private func openDescriptor() throws(StoreError) -> Int32 {
    let number = descriptor.load(ordering: .acquiring)
    guard number >= 0 else { throw StoreError(.closed, "\(path) is closed already") }
    return number
  }

  func read(into buffer: inout [UInt8], offset: Int, count: Int) throws(StoreError) -> Int {
    let number = try openDescriptor()
    if buffer.count < count {
      buffer.append(contentsOf: repeatElement(0, count: count - buffer.count))
    }
    var done = 0
    while done < count {
      // The buffer holds at least `count` bytes, so `count − done` at `done` stay inside it.
      let result = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(
          number, bytes.baseAddress.unsafelyUnwrapped + done, count - done, off_t(offset + done))
      }
      if result == 0 { break }
      if result < 0 {
        if errno == EINTR { continue }
        throw PosixFileSystem.failure("reading", path, errno)
      }
      done += result
    }
    buffer.removeLast(buffer.count - done)
    return done
  }

  func write(_ bytes: ArraySlice<UInt8>, offset: Int) throws(StoreError) {
    let number = try openDescriptor()
    var done = 0
    let count = bytes.count
    while done < count {
      // The slice is contiguous and `count` long.
      let result = unsafe bytes.withUnsafeBytes { bytes in
        unsafe pwrite(
          number, bytes.baseAddress.unsafelyUnwrapped + done, count - done, off_t(offset + done))
      }
      if result < 0 {
        if errno == EINTR { continue }
        throw PosixFileSystem.failure("writing", path, errno)
      }
      done += result
    }
  }

  func dataSync() throws(StoreError) {
    // No retry, not even after EINTR: a failed sync may have dropped the dirty pages already.
    guard fdatasync(try openDescriptor()) == 0 else {
      throw PosixFileSystem.failure("syncing", path, errno)
    }
  }

  func truncate(to size: Int) throws(StoreError) {
    guard ftruncate(try openDescriptor(), off_t(size)) == 0 else {
      throw PosixFileSystem.failure("resizing", path, errno)
    }
  }

  func size() throws(StoreError) -> Int {
    var status = stat()
    guard unsafe fstat(try openDescriptor(), &status) == 0 else {
      throw PosixFileSystem.failure("examining", path, errno)
    }
    return Int(status.st_size)
  }
}
