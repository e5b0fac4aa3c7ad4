internal import FarthingCore

// Counting once, within a body. Spans tell of one call where
//  1. one call span stands under another in a trace, directly or with spans between that are no part
//     of GenAI (HTTP clients, web frameworks);
//  2. they name the same answer of a provider;
//  3. a framework's span holds another source's in time, and both count the same tokens, though
//     nothing else ties them.
// The longest span gives times; what it lacks comes from the others, the longer before the shorter.

/// The calls that a body's spans tell of.
struct CallGroups {
  /// One call: its spans' drafts as indices, the one that gives the times first.
  struct Group {
    var first: Int
    /// Those that tell of the same call; nearly always none.
    var others: [Int] = []
    /// Where the group's list of ``unresolved`` begins; −1 where it is empty.
    var firstUnresolved = -1
  }

  /// A span above a group that this body does not hold, and where the group's next one stands.
  struct Unresolved {
    var draft: Int
    var parent: SpanID
    var next = -1
  }

  private(set) var groups: [Group] = []
  private(set) var unresolved: [Unresolved] = []

  /// Spans between two calls that a search passes at most.
  private static let passageLimit = 16
  /// Pairs of spans that the third rule compares at most in a body.
  private static let pairLimit = 1 << 18

  /// - Complexity: O(n) in the drafts, but for the third rule, which compares each call of a
  ///   framework with each other call.
  init(_ drafts: [CallDraft], passages: [SpanID: UInt64], _ arena: TextArena) {
    var heads = Array(drafts.indices)
    if drafts.contains(where: { $0.parent != 0 }) {
      Self.joinFamilies(drafts, passages, &heads, &unresolved)
    }
    Self.joinAnswers(drafts, arena, &heads)
    Self.joinFrameworks(drafts, &heads)
    // The group of each head.
    var places = Array(repeating: -1, count: drafts.count)
    groups.reserveCapacity(drafts.count)
    for index in drafts.indices {
      let head = Self.head(of: index, &heads)
      if places[head] >= 0 {
        groups[places[head]].others.append(index)
      } else {
        places[head] = groups.count
        groups.append(Group(first: index))
      }
    }
    for index in unresolved.indices {
      let place = places[Self.head(of: unresolved[index].draft, &heads)]
      unresolved[index].next = groups[place].firstUnresolved
      groups[place].firstUnresolved = index
    }
    for index in groups.indices where !groups[index].others.isEmpty {
      let members = ([groups[index].first] + groups[index].others).sorted {
        (drafts[$1].duration, $0) < (drafts[$0].duration, $1)
      }
      groups[index].first = members[0]
      groups[index].others = Array(members.dropFirst())
    }
  }

  /// Calls with each span above the group that this body does not hold.
  func forEachUnresolvedParent(of group: Group, _ body: (SpanID) -> Void) {
    var at = group.firstUnresolved
    while at >= 0 {
      body(unresolved[at].parent)
      at = unresolved[at].next
    }
  }

  private static func head(of index: Int, _ heads: inout [Int]) -> Int {
    var at = index
    while heads[at] != at {
      heads[at] = heads[heads[at]]
      at = heads[at]
    }
    return at
  }

  private static func join(_ first: Int, _ second: Int, _ heads: inout [Int]) {
    let one = head(of: first, &heads)
    let other = head(of: second, &heads)
    // The earlier stays the head, so that calls keep the order of the body.
    if one != other { heads[max(one, other)] = min(one, other) }
  }

  private static func joinFamilies(
    _ drafts: [CallDraft], _ passages: [SpanID: UInt64], _ heads: inout [Int],
    _ unresolved: inout [Unresolved]
  ) {
    var indices: [SpanID: Int] = [:]
    indices.reserveCapacity(drafts.count)
    for index in drafts.indices where drafts[index].id.isValid {
      // The same span twice is one call.
      if let known = indices.updateValue(index, forKey: drafts[index].id) {
        join(known, index, &heads)
      }
    }
    for index in drafts.indices where drafts[index].parent != 0 {
      var above = drafts[index].id
      above.span = drafts[index].parent
      for _ in 0..<passageLimit {
        if let parent = indices[above] {
          if parent != index { join(parent, index, &heads) }
          break
        }
        unresolved.append(Unresolved(draft: index, parent: above))
        guard let next = passages[above] else { break }
        above.span = next
      }
    }
  }

  private static func joinAnswers(
    _ drafts: [CallDraft], _ arena: TextArena, _ heads: inout [Int]
  ) {
    var indices: [UInt64: Int] = [:]
    indices.reserveCapacity(drafts.count)
    for index in drafts.indices {
      guard let id = drafts[index].responseID else { continue }
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in arena.slice(id) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      guard let known = indices.updateValue(index, forKey: hash),
        let other = drafts[known].responseID,
        arena.slice(other).elementsEqual(arena.slice(id))
      else { continue }
      join(known, index, &heads)
    }
  }

  private static func joinFrameworks(_ drafts: [CallDraft], _ heads: inout [Int]) {
    let frameworks = drafts.indices.filter { drafts[$0].isFramework }
    guard !frameworks.isEmpty, frameworks.count * drafts.count <= pairLimit else { return }
    for outer in frameworks {
      for inner in drafts.indices where !drafts[inner].isFramework {
        let (one, other) = (drafts[outer], drafts[inner])
        let differs =
          one.responseID != nil && other.responseID != nil
          && head(of: outer, &heads) != head(of: inner, &heads)
        guard !differs, one.start <= other.start, one.end >= other.end,
          let input = one.event.integer(.inputTokens), input > 0,
          input == other.event.integer(.inputTokens),
          let output = one.event.integer(.outputTokens), output > 0,
          output == other.event.integer(.outputTokens)
        else { continue }
        join(outer, inner, &heads)
      }
    }
  }
}
