package import FarthingDetection

/// Section `detection` of the configuration.
package struct MonitoringSettings: Sendable, Equatable {
  /// Whether the stream is watched for anomalies.
  package var isEnabled = true
  /// Least cents beyond expectation that an alert of spend is about.
  package var minimumCents = 200
  /// Dollars an hour beyond expectation from which an incident is a warning, and critical.
  package var warningRate = 1
  package var criticalRate = 20
  /// Identities, and a tenth as many workloads and tenants, that are told apart.
  package var maximumSeries = 100_000

  package init() {}

  /// What the engine goes by; nil where it is turned off.
  ///
  /// - Parameter calendar: announced events.
  package func settings(calendar: EventCalendar?) -> DetectionSettings? {
    guard isEnabled else { return nil }
    var settings = DetectionSettings()
    settings.minUSD = Double(minimumCents) / 100
    settings.warningUSDPerHour = Double(warningRate)
    settings.criticalUSDPerHour = Double(criticalRate)
    settings.maximumSeries = maximumSeries
    settings.calendar = (calendar?.entries ?? []).map { entry in
      AnnouncedEvent(
        start: entry.start, end: entry.end, factor: Double(entry.expectedMillionths) / 1e6,
        reason: entry.reason ?? "",
        dimensions: entry.dimensions.sorted { $0.key < $1.key }
          .map { DimensionValue(dimension: $0.key, value: $0.value) })
    }
    return settings
  }
}
