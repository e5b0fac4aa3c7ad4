/// Byte counts for people.
package enum ByteCountText {
  /// A count in the largest binary unit that it fills: `20 MiB`, `1.5 KiB`, `12 bytes`.
  package static func text(_ bytes: Int) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"]
    guard bytes >= 1024 else { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
    var size = bytes
    var rest = 0
    var unit = -1
    while size >= 1024, unit < units.count - 1 {
      rest = size % 1024
      size /= 1024
      unit += 1
    }
    let tenth = rest * 10 / 1024
    return tenth == 0 ? "\(size) \(units[unit])" : "\(size).\(tenth) \(units[unit])"
  }
}
