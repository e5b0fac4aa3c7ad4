internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery

/// The settings of section `inventory`.
enum InventorySchema {
  static let settings: [Setting<InventorySettings>] = [
    .text("registry", \.registryFile),
    .value(
      "owner_tag", \.ownerTag, expected: "a tag's name",
      parse: { RequestField.named("tags.\($0)") == nil ? nil : $0 }),
    IsolationSchema.duration("idle_after", \.idleAfter, 86_400...315_360_000),
    IsolationSchema.duration("new_within", \.newWithin, 60...315_360_000),
  ]
}
