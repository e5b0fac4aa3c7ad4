internal import FarthingStore

/// Section `inventory` of the configuration.
package struct InventorySettings: Sendable, Equatable {
  /// File of what there should be, read anew for each question; nil for none.
  package var registryFile: String?
  /// The tag that names owners.
  package var ownerTag = "owner"
  /// After how long without a call something is idle, and a zombie when it is called again.
  package var idleAfter = Duration.seconds(30 * 86_400)
  /// For how long something counts as new.
  package var newWithin = Duration.seconds(7 * 86_400)

  package init() {}

  /// - Throws: ``RegistryRefusal`` where the file cannot be read or is wrong.
  package func registry() throws(RegistryRefusal) -> InventoryRegistry? {
    guard let registryFile else { return nil }
    let bytes: [UInt8]
    do throws(StoreError) {
      bytes = try PosixFileSystem().contents(of: registryFile)
    } catch {
      throw RegistryRefusal(faults: ["\(registryFile): \(error.message)"])
    }
    return try InventoryRegistry.parse(bytes, file: registryFile)
  }
}
