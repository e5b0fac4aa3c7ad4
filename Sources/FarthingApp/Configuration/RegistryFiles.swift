internal import FarthingCore
package import FarthingPipeline
internal import FarthingStore

extension Configuration {
  /// Takes the files that `sites` and `calendar` name, so that both are there as values: afterwards
  /// neither is a file's name.
  ///
  /// A daemon does so when it starts and when it reads its configuration again, so a file that was
  /// written anew counts from then on.
  /// - Throws: ``CommandFailure`` with status 2 and every fault of both files.
  package mutating func readRegistries() throws(CommandFailure) {
    var faults: [String] = []
    if case .file(let path)? = sites {
      Self.read(path, setting: "sites", &faults) { bytes throws(RegistryRefusal) in
        sites = .given(try SiteRegistry.parse(bytes, file: path.printable))
      }
    }
    if case .file(let path)? = calendar {
      Self.read(path, setting: "calendar", &faults) { bytes throws(RegistryRefusal) in
        calendar = .given(try EventCalendar.parse(bytes, file: path.printable))
      }
    }
    if !faults.isEmpty { throw .usage(faults.joined(separator: "\n")) }
  }

  private static func read(
    _ path: String, setting: String, _ faults: inout [String],
    parse: ([UInt8]) throws(RegistryRefusal) -> Void
  ) {
    do {
      try parse(try WholeInput.bytes(of: path, limit: registryBytes))
    } catch let refusal as RegistryRefusal {
      faults += refusal.faults
    } catch let failure as StoreError {
      faults.append("\(setting): \(failure.message)")
    } catch {
      faults.append("\(setting): \(error)")
    }
  }

  /// Most bytes of such a file.
  private static let registryBytes = 64 << 20
}
