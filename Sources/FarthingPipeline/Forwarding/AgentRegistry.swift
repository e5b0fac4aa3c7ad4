package import FarthingStore
internal import Synchronization

/// What a server knows of one agent.
package struct AgentStatus: Sendable, Equatable {
  package var agent: String
  package var stream: UInt64
  /// Empty where it has not called since the server was started.
  package var version = ""
  /// When it called last, Unix nanoseconds; nil where it has not since the server was started.
  package var lastContact: Int64?
  /// The last of its records that is stored here.
  package var stored: Int64 = 0
  /// As it said when it called last: events that waited behind its batch, the age of the oldest of
  /// them, its spool, and records that damage took.
  package var waitingEvents = 0
  package var lagMilliseconds: Int64 = 0
  package var spoolBytes = 0
  package var spoolCapacity = 0
  package var lostRecords: Int64 = 0
  /// Since the server was started.
  package var accepted = 0
  package var duplicates = 0
  package var rejected = 0
  /// Records that it had settled with a server whose store had more than this one.
  package var missing: Int64 = 0
  /// Sites that its events named since the server was started, at most a few.
  package var sites: Set<String> = []

  package init(agent: String, stream: UInt64) {
    self.agent = agent
    self.stream = stream
  }

  /// Twice the time in which an agent without events says that it is there.
  static let silence: Int64 = 60_000_000_000

  /// The age of the oldest event that may still be at the agent, in nanoseconds; nil where it has not
  /// called since the server was started.
  ///
  /// Where something waited at its last call, that has grown older since. Where nothing did and the
  /// agent is silent for longer than an idle one is, nobody knows: then it is the silence.
  package func lag(now: Int64) -> Int64? {
    guard let lastContact else { return nil }
    let silence = max(0, now - lastContact)
    if waitingEvents > 0 {
      let lag = (lagMilliseconds * 1_000_000).addingReportingOverflow(silence)
      return lag.overflow ? .max : lag.partialValue
    }
    return silence > Self.silence ? silence : 0
  }
}

/// The agents that have forwarded to this server.
package final class AgentRegistry: Sendable {
  /// Agents that are kept; beyond, the one that was silent for the longest time is forgotten.
  package static let limit = 20_000

  private let agents: Mutex<[UInt64: AgentStatus]>

  /// - Parameter positions: of all sources of the store; those of agents among them are known from the
  ///   start.
  package init(_ positions: [SourcePosition]) {
    var known: [UInt64: AgentStatus] = [:]
    for position in positions {
      guard let stream = ForwardPosition.stream(position.source),
        let state = ForwardPosition(position.state)
      else { continue }
      var status = AgentStatus(agent: state.agent, stream: stream)
      status.stored = state.sequence
      known[stream] = status
    }
    agents = Mutex(known)
  }

  /// Takes what an agent says of itself.
  package func hear(_ head: ForwardHead, now: Int64) {
    agents.withLock { agents in
      if agents[head.stream] == nil, agents.count >= Self.limit {
        let oldest = agents.values.min { ($0.lastContact ?? 0) < ($1.lastContact ?? 0) }
        if let oldest { agents[oldest.stream] = nil }
      }
      var status =
        agents[head.stream] ?? AgentStatus(agent: head.agent, stream: head.stream)
      status.agent = head.agent
      status.version = head.version
      status.lastContact = now
      status.waitingEvents = head.waitingEvents
      status.lagMilliseconds = head.lagMilliseconds
      status.spoolBytes = head.spoolBytes
      status.spoolCapacity = head.spoolCapacity
      status.lostRecords = head.lostRecords
      agents[head.stream] = status
    }
  }

  /// Counts what became of a batch.
  func count(
    _ stream: UInt64, stored: Int64, accepted: Int, duplicates: Int, rejected: Int, missing: Int64
  ) {
    agents.withLock { agents in
      agents[stream]?.stored = stored
      agents[stream]?.accepted += accepted
      agents[stream]?.duplicates += duplicates
      agents[stream]?.rejected += rejected
      agents[stream]?.missing += missing
    }
  }

  /// Notes which sites an agent's events name.
  func note(_ stream: UInt64, sites: Set<String>) {
    agents.withLock { agents in
      guard var status = agents[stream], status.sites.count < 8 else { return }
      status.sites.formUnion(sites)
      agents[stream] = status
    }
  }

  /// Sites that are heard although they may have nothing to tell: those of agents that stand at one site, have called
  /// within the time of an idle one and hold nothing back.
  package func heardSites(now: Int64) -> [String] {
    let all = agents.withLock { Array($0.values) }
    let heard = all.filter { status in
      status.sites.count == 1 && status.waitingEvents == 0
        && status.lastContact.map { now - $0 <= AgentStatus.silence } ?? false
    }
    return Set(heard.flatMap(\.sites)).sorted()
  }

  /// All agents, by name and then by stream.
  package var all: [AgentStatus] {
    agents.withLock { Array($0.values) }.sorted {
      ($0.agent, $0.stream) < ($1.agent, $1.stream)
    }
  }
}
