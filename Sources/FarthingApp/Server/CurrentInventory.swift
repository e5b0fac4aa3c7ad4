internal import FarthingPipeline
internal import Synchronization

/// By what a server judges what requests named, as its configuration says it now.
final class CurrentInventory: Sendable {
  private struct Kept: Sendable {
    var settings: InventorySettings
    var sites: SiteRegistry?
  }

  private let kept: Mutex<Kept>

  init(_ configuration: Configuration) { kept = Mutex(Self.part(of: configuration)) }

  private static func part(of configuration: Configuration) -> Kept {
    Kept(settings: configuration.inventory, sites: configuration.siteRegistry)
  }

  var current: (InventorySettings, SiteRegistry?) {
    kept.withLock { ($0.settings, $0.sites) }
  }

  /// Goes on by another configuration.
  func replace(_ configuration: Configuration) {
    kept.withLock { $0 = Self.part(of: configuration) }
  }
}
