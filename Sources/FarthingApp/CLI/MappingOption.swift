internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// Reads the mapping file that a command was given.
enum MappingOption {
  /// - Throws: ``CommandFailure`` with status 2 that tells every fault with its line.
  static func mapping(_ path: String) throws(CommandFailure) -> Mapping {
    let bytes: [UInt8]
    do {
      bytes = try WholeInput.bytes(of: path, limit: MappingFile.limit)
    } catch {
      throw .usage("the mapping \(error.message)")
    }
    do {
      return try MappingFile.parse(bytes, file: path, zone: zone)
    } catch {
      throw .usage(error.faults.map(\.description.printable).joined(separator: "\n          "))
    }
  }

  private static func zone(_ name: String) -> TimeZoneRules? {
    guard let path = TimeZoneRules.relativePath(of: name),
      let bytes = try? WholeInput.bytes(of: "/usr/share/zoneinfo/" + path, limit: 1 << 20)
    else { return nil }
    return TimeZoneRules(name: name, tzif: bytes)
  }
}
