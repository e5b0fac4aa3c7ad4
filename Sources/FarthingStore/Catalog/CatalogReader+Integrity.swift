internal import FarthingCore

extension CatalogReader {
  /// What SQLite and the checksums of the rows find wrong with the catalogue; empty where nothing is.
  ///
  /// - Throws: `notFound` where there is no catalogue; `accessDenied`, `unsupportedVersion`.
  /// - Complexity: O(bytes of the catalogue).
  static func faults(
    layout: StoreLayout, fileSystem: any FileSystem
  ) throws(StoreError) -> [String] {
    var found: [String] = []
    do throws(StoreError) {
      found = try reading(layout: layout, fileSystem: fileSystem) {
        (connection, path) throws(StoreError) in
        // Twenty lines tell as much as a thousand: the file goes as a whole.
        try connection.run("PRAGMA integrity_check(20)").compactMap { row in
          guard case .text(let text)? = row.first, text != "ok" else { return nil }
          return text
        }
      }
      _ = try state(layout: layout, fileSystem: fileSystem)
      _ = try priceLists(layout: layout, fileSystem: fileSystem)
    } catch {
      guard error.code == .damaged else { throw error }
      found.append(error.description)
    }
    return found
  }
}
