// One incident for one cause.
//
// Alarms come and go; an incident gathers those that one cause explains. It is pending for a short hold, in which
// a more telling alarm may still give it its name, fires, and is resolved when the last of its alarms is over.
//
//     pending → firing → resolved          pending → dropped (its alarms ended within the hold)
//
// Another alarm of the same cause soon after its end makes the next incident of it, under a new id.
//
// An alarm that names another identity is never swallowed by the incident of its tenant or workload: that would hide
// a stolen key.

internal import FarthingCore

/// An incident with what it rests on.
struct OpenIncident: Sendable, Archivable {
  var id = ""
  var kind = AlertKind.spendSpike
  var metric = "cost"
  var slice: [SliceName] = []
  var start: Int64 = 0
  var detected: Int64 = 0
  var fireAt: Int64 = 0
  var isFiring = false
  var resolved: Int64 = -1
  var lastAlarm: Int64 = 0
  var lastTold: Int64 = 0
  var expected: Double?
  var actual: Double?
  var excess = 0.0
  var perHour = 0.0
  var peakPerHour = 0.0
  var isFast = false
  var evidence: [String] = []
  var explained: Double?
  var examples: [String] = []
  var members: [MemberAlarm] = []
  var task = ""

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&id)
    archive.field(&kind)
    archive.field(&metric)
    archive.field(&slice, SliceName())
    archive.field(&start)
    archive.field(&detected)
    archive.field(&fireAt)
    archive.field(&isFiring)
    archive.field(&resolved)
    archive.field(&lastAlarm)
    archive.field(&lastTold)
    archive.optional(&expected, 0) { $1.field(&$0) }
    archive.optional(&actual, 0) { $1.field(&$0) }
    archive.field(&excess)
    archive.field(&perHour)
    archive.field(&peakPerHour)
    archive.field(&isFast)
    archive.field(&evidence)
    archive.optional(&explained, 0) { $1.field(&$0) }
    archive.field(&examples)
    archive.field(&members, MemberAlarm())
    archive.field(&task)
  }

  /// Whether it is about the series itself.
  func names(_ dimension: ObservedDimension, _ name: ObservedName) -> Bool {
    slice.contains { $0.dimension == dimension && $0.name == name }
  }

  var isOpen: Bool { resolved < 0 }
}

/// A value of a dimension, by number and as text: the text outlives the number.
struct SliceName: Sendable, Hashable, Archivable {
  var dimension = ObservedDimension.identity
  var name = ObservedName.absent
  var text = ""

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&dimension)
    archive.field(&name)
    archive.field(&text)
  }
}

/// An alarm that an incident rests on.
struct MemberAlarm: Sendable, Archivable {
  var key = AlarmKey()
  var isOpen = true
  var closedAt: Int64 = 0
  var excess = 0.0
  var perHour = 0.0

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&key)
    archive.field(&isOpen)
    archive.field(&closedAt)
    archive.field(&excess)
    archive.field(&perHour)
  }
}

/// An alarm with its cause as localised.
struct LocatedAlarm: Sendable {
  var alarm: Alarm
  var slice: [SliceName]
  var explained: Double?
  var examples: [String]
  /// Slices that hold most of the alarm's excess besides: incidents about them may explain it.
  var around: [SliceName]
  /// Whether requests themselves grew in number.
  var isVolume: Bool
}

struct IncidentBoard: Sendable, Archivable {
  private(set) var incidents: [OpenIncident] = []
  /// Alarms that made no incident because as many as are kept in mind were open.
  private(set) var untoldCount = 0
  /// How many incidents each kind and slice had, so that ids differ.
  private var counts: [UInt64: UInt64] = [:]
  private let settings: DetectionSettings

  /// Windows within which a further alarm of one cause joins, in buckets.
  private static let spendWindow: Int64 = 540
  private static let otherWindow: Int64 = 2160
  /// How often the figures of a firing incident are told anew.
  private static let tellEvery: Int64 = 30
  private static let maximumIncidents = 4096
  /// Multiples of its usual spend from which an identity's is an attack.
  private static let attackRatio = 10.0
  /// Share of an incident's excess that an alarm has to explain.
  private static let renamingShare = 0.25

  init(_ settings: DetectionSettings) { self.settings = settings }

  var isBusy: Bool { incidents.contains { $0.isOpen } }

  // MARK: Alarms

  /// Takes an alarm into the incident of its cause, or opens one.
  mutating func open(_ located: LocatedAlarm) -> [IncidentChange] {
    let place = place(for: located)
    if let place, incidents[place].isOpen { return join(located, place) }
    let last = place.map { incidents.remove(at: $0) }
    if incidents.count >= Self.maximumIncidents {
      incidents.removeAll { !$0.isOpen }
      if incidents.count >= Self.maximumIncidents {
        untoldCount += 1
        return []
      }
    }
    let alarm = located.alarm
    var incident = OpenIncident()
    incident.kind = alarm.kind
    incident.metric = alarm.metric
    incident.slice = located.slice
    incident.start = alarm.start
    incident.detected = alarm.detected
    incident.lastAlarm = alarm.detected
    incident.lastTold = alarm.detected
    incident.expected = alarm.expected
    incident.actual = alarm.actual
    incident.evidence = [alarm.evidence]
    incident.explained = located.explained
    incident.examples = located.examples
    incident.isFast = alarm.isFast
    incident.task = alarm.text
    incident.members = [
      MemberAlarm(key: alarm.key, excess: alarm.excess, perHour: alarm.perHour)
    ]
    incident.fireAt = alarm.detected + hold(alarm)
    if let last { goOn(&incident, with: located, after: last) }
    incident.id = identifier(incident)
    sum(&incident)
    incidents.append(incident)
    if incident.fireAt <= alarm.detected { return [fire(incidents.count - 1)] }
    return [.pending(value(incident))]
  }

  /// Makes an incident the next one of a cause that was over: it has an id of its own, since nobody is told
  /// again of what is resolved, and the name that the cause has already.
  private func goOn(
    _ incident: inout OpenIncident, with located: LocatedAlarm, after last: OpenIncident
  ) {
    guard last.isFiring else { return }
    incident.start = max(incident.start, last.resolved + 1)
    incident.fireAt = incident.detected
    incident.evidence.append(
      "it was over at \(IncidentWording.time(last.resolved + 1)) and goes on: \(last.id)")
    guard !renames(located.alarm, last) else { return }
    incident.kind = last.kind
    incident.slice = last.slice
    incident.task = last.task
    incident.explained = last.explained
  }

  /// How long a more telling alarm is waited for; attacks are told at once.
  private func hold(_ alarm: Alarm) -> Int64 {
    switch alarm.key.family {
    case .spend: alarm.isFast ? 0 : 3
    case .task, .prompt, .fallback, .pool, .trouble, .price: 0
    case .traffic, .driver, .taskFailure: 6
    }
  }

  private func place(for located: LocatedAlarm) -> Int? {
    let alarm = located.alarm
    var found: (place: Int, rank: Int)?
    for (place, incident) in incidents.enumerated() {
      let isSpend = alarm.key.family == .spend || alarm.key.family == .traffic
      let window = isSpend && Self.isSpend(incident.kind) ? Self.spendWindow : Self.otherWindow
      let since = incident.isOpen ? incident.lastAlarm : incident.resolved
      guard incident.isOpen || alarm.detected - since <= window else { continue }
      guard let rank = affinity(located, incident) else { continue }
      if rank < found?.rank ?? .max { found = (place, rank) }
    }
    return found?.place
  }

  /// How closely an alarm belongs to an incident, the smaller the closer; nil where it does not.
  private func affinity(_ located: LocatedAlarm, _ incident: OpenIncident) -> Int? {
    let alarm = located.alarm
    if alarm.kind == .spendDrop || incident.kind == .spendDrop {
      guard alarm.kind == incident.kind else { return nil }
      if incident.slice.first == located.slice.first { return 0 }
      return incident.isOpen && located.around.contains { incident.slice.first == $0 } ? 1 : nil
    }
    if let member = incident.members.first(where: { $0.key == alarm.key }),
      member.isOpen || alarm.kind == incident.kind && alarm.start - member.closedAt <= Self.rearm
        || alarm.start - member.closedAt <= Self.flap
    {
      return 0
    }
    guard let cause = located.slice.first, let about = incident.slice.first else { return nil }
    // A mechanism that was over and begins anew is another cause.
    if Self.isPrimary(alarm.kind), incident.members.contains(where: { $0.key == alarm.key }) {
      return nil
    }
    if Self.isPrimary(alarm.kind), Self.isPrimary(incident.kind), alarm.kind != incident.kind,
      alarm.start - incident.start > Self.sameOnset
    {
      // Another mechanism that began later is another cause, wherever it is.
      return nil
    }
    if cause == about {
      let isLateGrowth =
        located.isVolume && Self.isSpend(alarm.kind) && Self.isPrimary(incident.kind)
        && alarm.start - incident.start > Self.sameOnset
      return isLateGrowth ? nil : 1
    }
    // The same identity, whatever is said of it first.
    let identity = located.slice.first { $0.dimension == .identity }
    let known = incident.slice.first { $0.dimension == .identity }
    if let identity, let known { return identity == known ? 2 : nil }
    if let identity, cause == identity, located.isVolume {
      // Its own growth: no wider incident may hide it.
      return nil
    }
    // What was over is taken up again by its own series only.
    guard incident.isOpen else { return nil }
    if alarm.key.family == .spend || alarm.key.family == .traffic,
      incident.names(cause.dimension, cause.name)
    {
      return 3
    }
    if located.around.contains(about) {
      return Self.isWide(incident.kind) || !located.isVolume ? 3 : 4
    }
    return Self.isSibling(located, incident) ? 5 : nil
  }

  /// Whether an alarm is about what goes wrong elsewhere at the same time: an outage of a provider shows at each of
  /// its endpoints, and in each workload that calls them.
  private static func isSibling(_ located: LocatedAlarm, _ incident: OpenIncident) -> Bool {
    let outages: [AlertKind] = [.retryStorm, .errorSurge, .fallbackCascade, .latencySurge]
    guard incident.isOpen, outages.contains(located.alarm.kind), outages.contains(incident.kind)
    else { return false }
    let names = [located.slice.first?.dimension, incident.slice.first?.dimension]
    return !names.contains(.identity)
      && (located.alarm.detected - incident.detected).magnitude <= UInt64(sameOutage)
  }

  private static func isSpend(_ kind: AlertKind) -> Bool {
    kind == .spendSpike || kind == .denialOfWallet || kind == .newIdentitySpend
  }

  /// Within how long of its end an alarm of the same series goes on with the same incident: an hour.
  private static let rearm: Int64 = 360
  /// The same where the incident is about something else: a quarter of an hour.
  private static let flap: Int64 = 90
  /// Within how long of each other alarms of one outage are raised: half an hour.
  private static let sameOutage: Int64 = 180
  /// How long an incident stays open after its last alarm: ten minutes.
  private static let linger: Int64 = 60
  /// How much later another mechanism may begin and still be the same cause: three hours.
  private static let sameOnset: Int64 = 1080

  /// Kinds that name a mechanism, rather than money that any cause may move.
  private static func isPrimary(_ kind: AlertKind) -> Bool {
    switch kind {
    case .retryStorm, .errorSurge, .fallbackCascade, .cacheCollapse, .promptBloat, .outputBloat,
      .reasoningCreep, .modelMix, .quietReliability, .runawayTask, .repeatedPrompt, .latencySurge:
      true
    default: false
    }
  }

  /// Causes whose money shows in every series that they touch.
  private static func isWide(_ kind: AlertKind) -> Bool {
    switch kind {
    case .retryStorm, .errorSurge, .fallbackCascade, .cacheCollapse, .promptBloat, .outputBloat,
      .reasoningCreep, .modelMix, .unitCostDrift, .priceChange, .spendSpike:
      true
    default: false
    }
  }

  private mutating func join(_ located: LocatedAlarm, _ place: Int) -> [IncidentChange] {
    let alarm = located.alarm
    var incident = incidents[place]
    if let member = incident.members.firstIndex(where: { $0.key == alarm.key }) {
      incident.members[member].isOpen = true
      incident.members[member].excess = max(incident.members[member].excess, alarm.excess)
      incident.members[member].perHour = alarm.perHour
    } else if incident.members.count < 64 {
      incident.members.append(
        MemberAlarm(key: alarm.key, excess: alarm.excess, perHour: alarm.perHour))
    }
    let renamed = renames(alarm, incident)
    if renamed {
      // The first member is the one that the incident's metric is of.
      if let member = incident.members.firstIndex(where: { $0.key == alarm.key }) {
        incident.members.swapAt(0, member)
      }
      incident.kind = alarm.kind
      incident.metric = alarm.metric
      incident.expected = alarm.expected
      incident.actual = alarm.actual
      if !incident.isFiring {
        incident.slice = located.slice
        incident.explained = located.explained
      }
    }
    if incident.task.isEmpty { incident.task = alarm.text }
    let evidence = Self.evidence(located, of: incident)
    if incident.evidence.count < 6, !incident.evidence.contains(evidence) {
      incident.evidence.append(evidence)
    }
    if !located.examples.isEmpty, incident.examples.isEmpty { incident.examples = located.examples }
    // What another detector saw earlier, of a wider slice mostly, is not when this began.
    if renamed || incident.members.first?.key.family == alarm.key.family {
      incident.start = min(incident.start, alarm.start)
    }
    incident.lastAlarm = alarm.detected
    incident.isFast = incident.isFast || alarm.isFast
    sum(&incident)
    incidents[place] = incident
    return incident.isFiring ? [tell(place, alarm.detected)] : []
  }

  /// An alarm's evidence, with what it is about where that is something else.
  private static func evidence(_ located: LocatedAlarm, of incident: OpenIncident) -> String {
    guard let cause = located.slice.first, cause != incident.slice.first else {
      return located.alarm.evidence
    }
    return "\(cause.dimension.contractName) \(cause.text): \(located.alarm.evidence)"
  }

  /// Whether an alarm says better than those before it what an incident is. What people were told is not
  /// renamed by what explains little of the money.
  private func renames(_ alarm: Alarm, _ incident: OpenIncident) -> Bool {
    Self.rank(alarm.kind) < Self.rank(incident.kind)
      && (!incident.isFiring || alarm.excess >= incident.excess * Self.renamingShare)
  }

  /// Which kind names an incident where several alarms tell of it: the smaller the more telling.
  private static func rank(_ kind: AlertKind) -> Int {
    switch kind {
    case .runawayTask: 0
    case .repeatedPrompt: 1
    case .newIdentitySpend: 2
    case .fallbackCascade: 3
    case .retryStorm: 4
    case .errorSurge: 5
    case .denialOfWallet: 6
    // Prompts that grow lower the share that is cached, not the other way round.
    case .reasoningCreep, .modelMix, .promptBloat, .outputBloat: 7
    case .cacheCollapse, .idleCapacity: 8
    case .latencySurge: 11
    case .quietReliability: 9
    case .unitCostDrift: 12
    default: 10
    }
  }

  // MARK: Time

  /// Takes what an open alarm says of itself.
  mutating func update(_ progress: AlarmProgress) {
    for place in incidents.indices where incidents[place].isOpen {
      guard let member = incidents[place].members.firstIndex(where: { $0.key == progress.key })
      else { continue }
      incidents[place].members[member].excess = max(
        incidents[place].members[member].excess, progress.excess)
      incidents[place].members[member].perHour = progress.perHour
      if (progress.towering ?? 0) > Self.attackRatio { nameAttack(place, progress.key) }
      // What it was while it lasted, not what is left of it at its end.
      let isSpend = progress.key.family == .spend || progress.key.family == .traffic
      if member == 0, let actual = progress.actual {
        incidents[place].actual = isSpend ? max(actual, incidents[place].actual ?? 0) : actual
      }
    }
  }

  /// An identity that begins as any spike and grows to many times its usual spend is an attack.
  private mutating func nameAttack(_ place: Int, _ key: AlarmKey) {
    guard incidents[place].kind == .spendSpike, incidents[place].names(.identity, key.name)
    else { return }
    incidents[place].kind = .denialOfWallet
    incidents[place].isFast = true
    // Whoever was told of a spike is told at once.
    incidents[place].lastTold = .min / 2
  }

  /// Notes that an alarm is over.
  mutating func close(_ key: AlarmKey, at bucket: Int64) {
    for place in incidents.indices where incidents[place].isOpen {
      guard let member = incidents[place].members.firstIndex(where: { $0.key == key }) else {
        continue
      }
      guard incidents[place].members[member].isOpen else { continue }
      incidents[place].members[member].isOpen = false
      incidents[place].members[member].closedAt = bucket
      incidents[place].members[member].perHour = 0
    }
  }

  /// Fires what was held, resolves what is over, tells what changed.
  mutating func advance(_ bucket: Int64) -> [IncidentChange] {
    var changes: [IncidentChange] = []
    var isForgotten = false
    for place in incidents.indices {
      guard incidents[place].isOpen else {
        if bucket - incidents[place].resolved > Self.otherWindow { isForgotten = true }
        continue
      }
      if Self.isOver(incidents[place], bucket) {
        incidents[place].resolved = bucket
        sum(&incidents[place])
        if incidents[place].isFiring {
          changes.append(.resolved(value(incidents[place])))
        } else {
          changes.append(.dropped(id: incidents[place].id))
        }
      } else if !incidents[place].isFiring {
        if bucket >= incidents[place].fireAt { changes.append(fire(place)) }
      } else if bucket - incidents[place].lastTold >= Self.tellEvery {
        changes.append(tell(place, bucket))
      }
    }
    if isForgotten {
      incidents.removeAll { !$0.isOpen && bucket - $0.resolved > Self.otherWindow }
    }
    return changes
  }

  /// Whether all of its alarms are over, and have been for a while where people were told: what flaps is one
  /// incident.
  private static func isOver(_ incident: OpenIncident, _ bucket: Int64) -> Bool {
    if incident.members.contains(where: \.isOpen) { return false }
    let last = incident.members.map(\.closedAt).max() ?? bucket
    return !incident.isFiring || bucket - last >= linger
  }

  private mutating func fire(_ place: Int) -> IncidentChange {
    incidents[place].isFiring = true
    incidents[place].lastTold = max(incidents[place].fireAt, incidents[place].detected)
    sum(&incidents[place])
    return .fired(value(incidents[place]))
  }

  private mutating func tell(_ place: Int, _ bucket: Int64) -> IncidentChange {
    incidents[place].lastTold = bucket
    sum(&incidents[place])
    return .updated(value(incidents[place]))
  }

  /// The excess of an incident is that of its largest alarm: they tell of the same money.
  private func sum(_ incident: inout OpenIncident) {
    incident.excess = max(incident.excess, incident.members.map(\.excess).max() ?? 0)
    incident.perHour = incident.members.filter(\.isOpen).map(\.perHour).max() ?? 0
    incident.peakPerHour = max(incident.peakPerHour, incident.perHour)
  }

  // MARK: Values

  private mutating func identifier(_ incident: OpenIncident) -> String {
    let slice = incident.slice.map { "\($0.dimension.contractName)=\($0.text)" }
      .joined(separator: ",")
    let day = CivilTime.floorDivide(incident.start, SpendSeries.bucketsPerDay)
    let key = StableHash.of("\(incident.kind.rawValue)|\(slice)|\(day)")
    let number = (counts[key] ?? 0) + 1
    if counts.count < 65_536 || number > 1 { counts[key] = number }
    let digest = StableHash.of("\(incident.kind.rawValue)|\(slice)|\(day)|\(number)")
    let text = String(digest, radix: 16)
    return "inc-" + String(repeating: "0", count: 16 - text.utf8.count) + text
  }

  /// The incident as others see it.
  func value(_ incident: OpenIncident) -> Incident {
    let words = IncidentWording(incident)
    var dimensions = incident.slice.map {
      DimensionValue(dimension: $0.dimension.contractName, value: $0.text)
    }
    if !incident.task.isEmpty, incident.kind == .runawayTask {
      dimensions.append(DimensionValue(dimension: "task", value: incident.task))
    }
    return Incident(
      id: incident.id, kind: incident.kind, severity: severity(incident),
      metric: incident.metric, dimensions: dimensions,
      startedAt: incident.start * OpenBucket.nanoseconds,
      detectedAt: (incident.isFiring ? max(incident.detected, incident.fireAt) : incident.detected)
        * OpenBucket.nanoseconds + OpenBucket.nanoseconds,
      resolvedAt: incident.isOpen ? nil : (incident.resolved + 1) * OpenBucket.nanoseconds,
      expected: incident.expected, actual: incident.actual,
      excess: Picodollars(Int128(min(max(incident.excess, 0), 1e15) * 1e6) * 1_000_000),
      usdPerHour: incident.perHour, summary: words.summary, explanation: words.explanation,
      examples: incident.examples, isContainable: incident.isFast)
  }

  private func severity(_ incident: OpenIncident) -> AlertSeverity {
    if incident.peakPerHour >= settings.criticalUSDPerHour { return .critical }
    if incident.peakPerHour >= settings.warningUSDPerHour || incident.isFast { return .warning }
    switch incident.kind {
    case .errorSurge, .retryStorm, .fallbackCascade, .quietReliability: return .warning
    default: return .info
    }
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&incidents, OpenIncident())
    archive.field(&untoldCount)
    var keys = counts.keys.sorted()
    archive.array(&keys, 0) { $1.field(&$0) }
    for key in keys {
      var count = counts[key] ?? 0
      archive.field(&count)
      counts[key] = count
    }
  }
}
