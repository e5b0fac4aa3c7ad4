/// Where a secret is read from, anew for each use; never the secret itself.
package enum SecretSource: Sendable, Equatable {
  case file(String)
  case environment(String)
}

/// Somebody or something that is told of alerts.
package struct ReceiverSettings: Sendable, Equatable {
  /// How it is told; the raw values are the configuration's.
  package enum Kind: String, Sendable, CaseIterable {
    /// Standard Webhooks.
    case webhook
    /// An incoming webhook of Slack, or of what speaks like it.
    case slack
    /// Events API, version 2.
    case pagerduty
    /// `POST /api/v2/alerts`.
    case alertmanager
    /// Through a command such as `sendmail`.
    case email
    /// A command of one's own.
    case exec
  }

  package var name: String
  package var kind: Kind
  /// Where it is called; nil where a secret says so, and for commands.
  package var url: String?
  /// Where the URL stands if it is a secret itself.
  package var urlSource: SecretSource?
  /// The key of signatures, or PagerDuty's key of the service.
  package var secret: SecretSource?
  /// PEM file of the roots to trust; nil for the machine's.
  package var authorityFile: String?
  /// Whether an address of this machine may be called.
  package var allowsLoopback = false
  /// Of `email` and `exec`: the program and its arguments.
  package var command: [String] = []
  /// Of `email`.
  package var from: String?
  package var to: [String] = []
  /// Of `exec` and `email`: after so many seconds the command is ended.
  package var commandSeconds = 15
  /// Whether it is told that alerts are over.
  package var sendsResolved = true

  package init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }

  /// Most alerts that one notification names; the others are counted. Alertmanager keeps its own list
  /// and needs them all.
  package var listLimit: Int { kind == .alertmanager ? 1000 : 20 }
}

/// Which receivers are told of which alerts, and how often: a node of the tree.
package struct AlertRoute: Sendable, Equatable {
  /// nil for the one above, and at the root for every receiver.
  package var receiver: String?
  /// All have to hold; none for every alert.
  package var matchers: [AlertMatcher] = []
  /// Labels whose values keep alerts apart; nil for those above. Empty for one group.
  package var groupBy: [String]?
  /// How long the first alert of a group waits for others; nil for what is above.
  package var groupWait: Duration?
  /// The least time between two notifications of one group; nil for what is above.
  package var groupInterval: Duration?
  /// After how long a group in which nothing changed is told of again; nil for what is above.
  package var repeatInterval: Duration?
  /// Whether its siblings below are tried too.
  package var continues = false
  package var routes: [AlertRoute] = []

  package init(receiver: String? = nil) { self.receiver = receiver }
}

/// While an alert of the source is open, those of the target are not told of.
package struct InhibitRule: Sendable, Equatable {
  package var source: [AlertMatcher] = []
  package var target: [AlertMatcher] = []
  /// Labels that both have to share.
  package var equal: [String] = []

  package init() {}
}

/// Section `alerting` of the configuration.
package struct AlertingSettings: Sendable, Equatable {
  package var receivers: [ReceiverSettings] = []
  package var route = AlertRoute()
  package var inhibit: [InhibitRule] = []
  /// Alerts that nobody is told of: those for which all matchers of one element hold.
  package var mute: [[AlertMatcher]] = []
  /// For how long resolved alerts, their history and receipts are kept.
  package var retentionDays = 400
  /// How people reach this server, for links; nil for none.
  package var externalURL: String?

  package init() {}

  package static let defaultGroupWait = Duration.seconds(2)
  package static let defaultGroupInterval = Duration.seconds(30)
  package static let defaultRepeatInterval = Duration.seconds(4 * 3600)
}

/// Where one alert goes, and how it is grouped there.
struct RouteTarget: Sendable, Equatable {
  var receiver: String
  /// The group's labels with this alert's values.
  var labels: [String]
  var values: [String]
  /// Nanoseconds.
  var wait: Int64
  var interval: Int64
  var repeatInterval: Int64

  /// What tells the receiver's groups apart.
  var key: String {
    zip(labels, values).map { "\($0)=\($1)" }.joined(separator: "\n")
  }
}

extension AlertingSettings {
  private struct Inherited {
    var receiver: String?
    var groupBy: [String] = []
    var wait = defaultGroupWait
    var interval = defaultGroupInterval
    var repeatInterval = defaultRepeatInterval

    mutating func take(_ route: AlertRoute) {
      receiver = route.receiver ?? receiver
      groupBy = route.groupBy ?? groupBy
      wait = route.groupWait ?? wait
      interval = route.groupInterval ?? interval
      repeatInterval = route.repeatInterval ?? repeatInterval
    }
  }

  /// The receivers of an alert, each once: the first place in the tree counts.
  func targets(of alert: Alert) -> [RouteTarget] {
    var found: [Inherited] = []
    var root = Inherited()
    root.take(route)
    Self.collect(route, root, alert, &found)
    var targets: [RouteTarget] = []
    for place in found {
      let names = place.receiver.map { [$0] } ?? receivers.map(\.name)
      for name in names where !targets.contains(where: { $0.receiver == name }) {
        guard receivers.contains(where: { $0.name == name }) else { continue }
        targets.append(
          RouteTarget(
            receiver: name, labels: place.groupBy, values: place.groupBy.map { alert.label($0) },
            wait: place.wait.wholeNanoseconds, interval: place.interval.wholeNanoseconds,
            repeatInterval: place.repeatInterval.wholeNanoseconds))
      }
    }
    return targets
  }

  /// The deepest nodes that hold; a node whose children all fail stands for itself.
  private static func collect(
    _ route: AlertRoute, _ inherited: Inherited, _ alert: Alert, _ found: inout [Inherited]
  ) {
    var isTaken = false
    for child in route.routes where child.matchers.allSatisfy({ $0.holds(for: alert) }) {
      var below = inherited
      below.take(child)
      collect(child, below, alert, &found)
      isTaken = true
      if !child.continues { break }
    }
    if !isTaken { found.append(inherited) }
  }

  func mutes(_ alert: Alert) -> Bool {
    mute.contains { $0.allSatisfy { $0.holds(for: alert) } }
  }

  /// The names that routes call receivers by, for checks.
  package var routedReceivers: [String] {
    func names(_ route: AlertRoute) -> [String] {
      (route.receiver.map { [$0] } ?? []) + route.routes.flatMap(names)
    }
    return names(route)
  }

  package func receiver(_ name: String) -> ReceiverSettings? {
    receivers.first { $0.name == name }
  }
}

extension Duration {
  /// Whole nanoseconds, as far as 64 bits hold them.
  package var wholeNanoseconds: Int64 {
    let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : seconds + components.attoseconds / 1_000_000_000
  }
}
