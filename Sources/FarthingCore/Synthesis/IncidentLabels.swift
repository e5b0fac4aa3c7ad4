extension EventSynthesis {
  /// The ground truth of the stream so far: what was done, when and to whom, as JSON.
  ///
  /// An array of one object an incident, in the order of the options: `kind`, `anomalous` (whether
  /// a detector ought to alert), `start` and `end` (RFC 3339), `dimensions` (the narrowest slice that
  /// it touches; empty for the whole fleet), `factor` or `share`, and three counts: requests that
  /// were made different, tasks that were added, and tasks or requests that were kept from the
  /// stream. Complete once the stream has ended.
  package func labelsJSON() -> [UInt8] {
    var text = "["
    for (index, incident) in incidents.incidents.enumerated() {
      let specification = incident.specification
      let dimensions = incident.dimensions.map { #""\#($0.name)":"\#($0.value)""# }
      let thousandths = Int((specification.magnitude * 1000).rounded())
      text += index == 0 ? "\n" : ",\n"
      text += #" {"kind":"\#(specification.kind.rawValue)","#
      text += #""anomalous":\#(specification.kind.isAnomalous),"#
      text += #""start":"\#(CivilTime.text(specification.start))","#
      text += #""end":"\#(CivilTime.text(specification.end))","#
      text += #""dimensions":{\#(dimensions.joined(separator: ","))},"#
      text += #""\#(specification.kind.defaultShare == nil ? "factor" : "share")":"#
      text += Self.decimal(thousandths)
      text += #","changed_requests":\#(incident.changed),"added_tasks":\#(incident.added),"#
      text += #""withheld":\#(incident.lost)}"#
    }
    text += incidents.incidents.isEmpty ? "]\n" : "\n]\n"
    return Array(text.utf8)
  }

  /// Thousandths as a decimal number without trailing zeros.
  private static func decimal(_ thousandths: Int) -> String {
    var fraction = String(String(1000 + thousandths % 1000).dropFirst())
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(thousandths / 1000)" + (fraction.isEmpty ? "" : ".\(fraction)")
  }
}
