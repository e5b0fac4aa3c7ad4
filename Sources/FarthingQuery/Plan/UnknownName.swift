internal import FarthingCore

/// What is said of a metric or field that is not there.
enum UnknownName {
  static func metric(_ name: String) -> String {
    message("metric", name, Suggestion.nearest(to: name, among: Metric.catalogue.map(\.name)))
  }

  static func field(_ name: String) -> String {
    message(
      "field", name,
      Suggestion.nearest(
        to: name, among: RequestField.all.map(\.name) + ["tags.NAME", "units.NAME"]))
  }

  private static func message(_ what: String, _ name: String, _ nearest: String?) -> String {
    let shortened = name.count > 64 ? name.prefix(64) + "…" : name[...]
    let topic = what == "metric" ? "metrics" : "fields"
    guard let nearest else {
      return "unknown \(what) \"\(shortened)\"; \"farthing help \(topic)\" lists them"
    }
    return "unknown \(what) \"\(shortened)\"; did you mean \"\(nearest)\"?"
  }
}
