import FarthingCore
import FarthingPipeline
import Foundation
import Testing

@testable import FarthingApp
@testable import FarthingStore

@Suite("The doctor's verdicts")
struct DoctorVerdictTests {
  private static let gib: Int64 = 1 << 30
  private static let now: Int64 = 1_795_000_000_000_000_000

  private func volume(
    free: Int64, isReadOnly: Bool = false, kind: String? = nil, files: Int64 = 1_000_000
  ) -> HostMachine.Volume {
    HostMachine.Volume(
      freeBytes: free, totalBytes: 100 * Self.gib, freeFiles: files, isReadOnly: isReadOnly,
      kind: kind)
  }

  @Test func `space is enough, short or gone`() {
    let states = [50 * Self.gib, Self.gib / 2, 1 << 20].map {
      MachineCheckup.disk(volume(free: $0), storeBytes: Self.gib)[0].state
    }
    #expect(states == [.ok, .warning, .fault])
    // A tenth of a large store is needed too.
    #expect(
      MachineCheckup.disk(volume(free: 3 * Self.gib), storeBytes: 40 * Self.gib)[0].state
        == .warning)
  }

  @Test func `a volume that forgets, shares or refuses is told`() {
    #expect(
      MachineCheckup.disk(volume(free: 50 * Self.gib, isReadOnly: true), storeBytes: 0)[0].state
        == .fault)
    for kind in ["tmpfs", "nfs"] {
      let findings = MachineCheckup.disk(volume(free: 50 * Self.gib, kind: kind), storeBytes: 0)
      #expect(findings.map(\.state) == [.ok, .warning])
      #expect(findings[1].text.contains(kind))
    }
    let crowded = MachineCheckup.disk(volume(free: 50 * Self.gib, files: 10), storeBytes: 0)
    #expect(crowded.map(\.state) == [.ok, .warning])
  }

  @Test func `a disk that answers too soon or too late is told`() {
    let times: [Int64] = [2_000, 180_000, 45_000_000]
    #expect(
      times.map { MachineCheckup.sync($0, isInMemory: false).state } == [.warning, .ok, .warning])
    #expect(MachineCheckup.sync(2_000, isInMemory: true).state == .ok)
  }

  @Test func `a clock before the events that are stored is at fault`() {
    let day: Int64 = 86_400_000_000_000
    func state(_ newest: Int64?, now: Int64 = Self.now) -> Finding.State {
      MachineCheckup.clock(now: now, newest: newest).state
    }
    #expect(state(nil) == .ok)
    #expect(state(Self.now + day / 2) == .ok)
    #expect(state(Self.now + 2 * day) == .fault)
    #expect(state(nil, now: 0) == .fault)
    // The farthest times neither trap nor wrap.
    #expect(state(.min, now: .max) == .ok)
    #expect(state(.max, now: .min) == .fault)
  }

  @Test func `limits below what a query needs are told`() {
    func states(_ files: Int, _ memory: Int?) -> [Finding.State] {
      MachineCheckup.limits(
        openFiles: files, segments: 1000, memory: memory, queryBytes: 400 << 20
      ).map(\.state)
    }
    #expect(states(1024, nil) == [.fault])
    #expect(states(65_536, 512 << 20) == [.warning])
    #expect(states(.max, 8 << 30) == [.ok])
  }

  @Test func `old prices, unreadable lists and requests without a cost are told`() {
    func states(_ lists: [StoredPriceList], days: Int64, unpriced: Int64) -> [Finding.State] {
      StoreCheckup.prices(
        lists: lists, catalogueDate: Self.now - days * 86_400_000_000_000, now: Self.now,
        requests: 10, unpriced: unpriced
      ).map(\.state)
    }
    #expect(states([], days: 1, unpriced: 0) == [.ok])
    #expect(states([], days: 200, unpriced: 0) == [.warning])
    #expect(states([], days: 1, unpriced: 3) == [.warning])
    let broken = StoredPriceList(
      id: 1, name: "broken.json", format: .litellm, importedAt: Self.now, bytes: Array("[".utf8))
    #expect(states([broken], days: 1, unpriced: 0) == [.fault])
  }

  @Test func `findings for people stand in columns with the remedy below`() {
    let lines = Finding.lines([
      .ok("disk", "50 GiB free"), .warning("clock", "no time service", "run one"),
    ])
    #expect(
      lines == [
        "ok       disk   50 GiB free", "warning  clock  no time service",
        "                → run one",
      ])
  }
}

@Suite("The doctor's visit")
struct DoctorCommandTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func `a sound store gives no fault and nothing is left behind`() throws {
    try folder.write(
      "events.ndjson",
      #"{"time":"2026-03-09T10:00:00Z","model":"gpt-4o","provider":"openai","input_tokens":5,"output_tokens":1}"#
    )
    _ = try folder.farthing("ingest", "events.ndjson")
    let run = try folder.farthing("doctor", "--output", "csv")
    #expect(run.status == 0, "\(run.output)\(run.error)")
    #expect(run.output.hasPrefix("check,state,finding,remedy\nconfiguration,ok,"))
    #expect(run.output.contains("\nstore,ok,1 events in 1 segments,\n"))
    #expect(run.output.contains("\nprices,ok,"))
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appending(path: "data").path)
    #expect(names.filter { $0.hasPrefix(".doctor") } == [])
  }

  @Test func `a wrong configuration is told key by key and ends with 2`() throws {
    try folder.write("farthing.yaml", "dat: /x\nlisted_errors: 0\n")
    let run = try folder.farthing("doctor", "--config", "farthing.yaml")
    #expect(run.status == 2)
    #expect(run.output.contains("unknown setting \"dat\"; did you mean \"data\"?"))
    #expect(run.output.contains("listed_errors \"0\": expected a whole number from 1 to 1000000"))
  }

  @Test func `a damaged store is a fault and ends with 1`() throws {
    try folder.write(
      "events.ndjson",
      #"{"time":"2026-03-09T10:00:00Z","model":"gpt-4o","input_tokens":5,"output_tokens":1}"#)
    _ = try folder.farthing("ingest", "events.ndjson")
    let segments = folder.url.appending(path: "data/segments")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: segments.path).first)
    try FileManager.default.removeItem(at: segments.appending(path: name))
    let run = try folder.farthing("doctor")
    #expect(run.status == 1)
    #expect(run.output.contains("fault    store"))
  }

  @Test func `a folder without a store is no fault`() throws {
    let run = try folder.farthing("doctor", "--data", "nowhere/yet")
    #expect(run.status == 0, "\(run.output)\(run.error)")
    #expect(run.output.contains("there is no store in nowhere/yet yet"))
  }
}
