extension DetectionEngine {
  /// The text behind a number; empty for absent.
  package func text(of name: ObservedName, in dimension: ObservedDimension) -> String {
    text(dimension, name)
  }

  /// A hash of the text behind a number, the same in every process; 0 for absent. It is ``StableHash``'s.
  package func hash(of name: ObservedName, in dimension: ObservedDimension) -> UInt64 {
    names[Int(dimension.rawValue)].hash(name)
  }
}
