package import FarthingStore

/// Everything that the configuration file can say, with what holds where it says nothing.
///
/// A value: two of them can be compared, and one process may hold an old one and a new one.
package struct Configuration: Sendable, Equatable {
  /// The store's folder; nil where the file does not name one.
  package var data: String?
  /// Most refusals that a receipt lists; the others are only counted.
  package var listedErrors = 1000
  /// Longest line, array element or single JSON value of an input, in bytes.
  package var eventBytes = 20 << 20
  /// Most bytes that a query may hold at once.
  package var queryBytes = 400 << 20
  /// How much of the past is kept; all of it unless something is set.
  package var retention = Retention()
  package var server = ServerSettings()
  package var access = AccessPolicy()
  package var client = ClientSettings()
  package var agent = AgentSettings()
  package var alerting = AlertingSettings()
  package var monitoring = MonitoringSettings()
  package var isolation = IsolationSettings()
  package var inventory = InventorySettings()
  /// The site registry; nil for none.
  package var sites: Listing<SiteRegistry>?
  /// Announced events; nil for none.
  package var calendar: Listing<EventCalendar>?
  /// What may be spent in which time.
  package var budgets: [Budget] = []
  /// Conditions that somebody wants to be told of.
  package var rules: [AlertRule] = []

  package init() {}

  /// What is known of sites; nil where there is no registry, or its file has not been read.
  package var siteRegistry: SiteRegistry? { sites?.value }

  /// What was announced; nil where there is no calendar, or its file has not been read.
  package var eventCalendar: EventCalendar? { calendar?.value }
}
