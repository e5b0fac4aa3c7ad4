internal import FarthingCore

// What the ledger keeps besides isolations and orders: the kill switch, what was given back when, and the time.

extension IsolationBook {
  /// - Complexity: O(targets remembered).
  var state: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("heartbeat", heartbeat)
      writer.key("off")
      writer.boolean(killSwitch.isOff)
      writer.member("by", killSwitch.by)
      writer.member("at", killSwitch.at)
      writer.key("memories")
      writer.array { writer in
        for (target, memory) in memories.sorted(by: { $0.value.releasedAt < $1.value.releasedAt }) {
          writer.object { writer in
            writer.key("target")
            target.write(to: &writer)
            writer.member("repetition", memory.repetition)
            writer.member("released_at", memory.releasedAt)
            writer.key("by_person")
            writer.boolean(memory.byPerson)
            writer.member("rate", String(memory.rate.bitPattern))
            writer.member("alert", memory.alert)
            writer.member("policy", memory.policy)
          }
        }
      }
    }
    return writer.bytes
  }

  /// Takes what ``state`` wrote; what cannot be read leaves isolations on, and nothing remembered.
  mutating func restore(state bytes: [UInt8]) {
    guard let value = (try? JSONTree(bytes))?.root else { return }
    heartbeat = value["heartbeat"]?.integer ?? 0
    killSwitch = KillSwitch(
      isOff: value["off"]?.boolean ?? false, by: value["by"]?.text ?? "",
      at: value["at"]?.integer ?? 0)
    for kept in value["memories"]?.elements ?? [] {
      guard let target = kept["target"].flatMap({ IsolationTarget($0) }),
        let releasedAt = kept["released_at"]?.integer
      else { continue }
      memories[target] = Memory(
        repetition: Int(clamping: kept["repetition"]?.integer ?? 0), releasedAt: releasedAt,
        byPerson: kept["by_person"]?.boolean ?? false,
        rate: kept["rate"]?.text.flatMap { UInt64($0) }.map { Double(bitPattern: $0) } ?? 0,
        alert: kept["alert"]?.text ?? "", policy: kept["policy"]?.text ?? "")
    }
  }

  /// The kill switch of what ``state`` wrote, for readers of a folder; nil where it cannot be read.
  package static func killSwitch(of state: [UInt8]) -> KillSwitch? {
    guard let value = (try? JSONTree(state))?.root, let isOff = value["off"]?.boolean else {
      return nil
    }
    return KillSwitch(
      isOff: isOff, by: value["by"]?.text ?? "", at: value["at"]?.integer ?? 0)
  }
}
