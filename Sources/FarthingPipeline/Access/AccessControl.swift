// Decides from a call's Authorization header and two clocks whether it may pass.
//
// A token is looked up by its SHA-256: the caller chooses the token, but nobody can choose digests,
// so what the time of a lookup tells of them is of no use. The digests found are then compared
// in the same time whatever they are.
//
// The decision needs nothing of a body, so it comes before any byte of one is read. What a body
// held is known only afterwards and charged then: see `TokenBucket` for what that means for rates.

internal import FarthingStore

/// Admits and refuses calls, and keeps the accounts of what each token has used.
///
/// Its memory is one account for each token of the policy and one for calls without a token;
/// no call adds to it. Accounts begin anew with the process.
package struct AccessControl: Sendable {
  package private(set) var policy: AccessPolicy
  private var accounts: [Account]
  /// The places in `accounts` of the digests with the same first eight bytes.
  private var places: [UInt64: [Int]] = [:]

  private struct Account: Sendable {
    /// nil for calls without a token.
    let name: String?
    var counts = AccessCounts()
    var requests: TokenBucket?
    var events: TokenBucket?
    var today = DailyCount()
  }

  /// - Parameter monotonicNow: Monotonic nanoseconds, for buckets that are full now.
  package init(_ policy: AccessPolicy, monotonicNow: Int64) {
    self.policy = AccessPolicy()
    accounts = [Account(name: nil)]
    replace(policy, monotonicNow: monotonicNow)
  }

  /// Goes on by another policy. A token that keeps its name keeps what it has used and its counts;
  /// grants of before stay good.
  package mutating func replace(_ policy: AccessPolicy, monotonicNow: Int64) {
    let known = Dictionary(accounts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.policy = policy
    accounts = [known[nil] ?? Account(name: nil)]
    places = [:]
    for token in policy.tokens {
      var account = known[token.name] ?? Account(name: token.name)
      let allowance = token.allowance
      account.requests = Self.bucket(
        account.requests, allowance.requestsPerSecond, allowance, monotonicNow)
      account.events = Self.bucket(
        account.events, allowance.eventsPerSecond, allowance, monotonicNow)
      places[token.digest.prefix, default: []].append(accounts.count)
      accounts.append(account)
    }
  }

  private static func bucket(
    _ old: TokenBucket?, _ rate: Int?, _ allowance: AccessAllowance, _ now: Int64
  ) -> TokenBucket? {
    guard let rate else { return nil }
    guard var bucket = old else {
      return TokenBucket(rate: rate, burstSeconds: allowance.burstSeconds, now: now)
    }
    bucket.change(rate: rate, burstSeconds: allowance.burstSeconds, now: now)
    return bucket
  }

  /// Decides a call by its head.
  ///
  /// - Parameters:
  ///   - authorization: The values of all its `Authorization` headers.
  ///   - scope: What the call needs. A call that needs nothing (`/healthz`) does not ask.
  /// - Complexity: O(n) in the header's bytes, at most 512; one lookup.
  package mutating func authorise(
    _ authorization: [String], needs scope: AccessScope, at time: AccessTime
  ) -> AccessVerdict {
    let slot: Int
    switch caller(authorization, time) {
    case .known(let place): slot = place
    case .refused(let reason, let place):
      return refuse(reason, slot: place, scope: scope)
    }
    let scopes = slot == 0 ? policy.anonymousScopes : policy.tokens[slot - 1].scopes
    guard scopes.allows(scope) else {
      return refuse(slot == 0 ? .tokenMissing : .scopeMissing, slot: slot, scope: scope)
    }
    if let refusal = exhausted(slot, scope, time) { return refusal }
    accounts[slot].requests?.take(1, now: time.monotonicNanoseconds)
    accounts[slot].counts.admitted += 1
    return .admitted(AccessGrant(token: accounts[slot].name, slot: slot))
  }

  /// Charges the events that an admitted call stored, duplicates left out.
  package mutating func charge(_ events: Int, to grant: AccessGrant, at time: AccessTime) {
    guard let slot = place(of: grant) else { return }
    accounts[slot].events?.take(events, now: time.monotonicNanoseconds)
    accounts[slot].today.add(events, now: time.unixNanoseconds)
    let (sum, isLarge) = accounts[slot].counts.events.addingReportingOverflow(max(events, 0))
    accounts[slot].counts.events = isLarge ? .max : sum
  }

  /// The counts of every caller, in the order of the policy; the first, without a name, are those of
  /// calls without a token and with one that is not known.
  package var counts: [(token: String?, counts: AccessCounts)] {
    accounts.map { ($0.name, $0.counts) }
  }

  // MARK: Details

  private enum Caller {
    /// The place of its account; 0 for a call without a token.
    case known(Int)
    case refused(AccessRefusal.Reason, Int)
  }

  private func caller(_ authorization: [String], _ time: AccessTime) -> Caller {
    guard !authorization.isEmpty else { return .known(0) }
    // Without tokens there is nothing to be wrong: clients keep the header that they had.
    if policy.tokens.isEmpty { return .known(0) }
    guard authorization.count == 1, let token = Self.bearerToken(authorization[0]) else {
      return .refused(.tokenUnknown, 0)
    }
    let digest = TokenText.digest(of: token)
    for place in places[digest.prefix] ?? [] where policy.tokens[place - 1].digest == digest {
      if let expires = policy.tokens[place - 1].expires, time.unixNanoseconds >= expires {
        return .refused(.tokenExpired, place)
      }
      return .known(place)
    }
    return .refused(.tokenUnknown, 0)
  }

  /// The token of `Bearer TOKEN`; nil for another scheme or what can be no token.
  static func bearerToken(_ header: String) -> Substring? {
    let scheme = "bearer"
    let bytes = header.utf8
    guard bytes.count <= scheme.utf8.count + 16 + TokenText.greatestLength,
      bytes.count > scheme.utf8.count,
      zip(bytes, scheme.utf8).allSatisfy({ $0 | 0x20 == $1 })
    else { return nil }
    let rest = header[bytes.index(bytes.startIndex, offsetBy: scheme.utf8.count)...]
    guard rest.utf8.first == 0x20 else { return nil }
    let token = rest.drop { $0 == " " }
    return TokenText.isWellFormed(token) ? token : nil
  }

  private mutating func exhausted(
    _ slot: Int, _ scope: AccessScope, _ time: AccessTime
  ) -> AccessVerdict? {
    let now = time.monotonicNanoseconds
    if let wait = accounts[slot].requests?.wait(for: 1, now: now) {
      return refuse(.rate, slot: slot, scope: scope, retryAfter: wait)
    }
    guard scope == .ingest, slot > 0 else { return nil }
    if let wait = accounts[slot].events?.wait(for: 0, now: now) {
      return refuse(.rate, slot: slot, scope: scope, retryAfter: wait)
    }
    if let limit = policy.tokens[slot - 1].allowance.eventsPerDay,
      let wait = accounts[slot].today.wait(limit: limit, now: time.unixNanoseconds)
    {
      return refuse(.quota, slot: slot, scope: scope, retryAfter: wait)
    }
    return nil
  }

  private mutating func refuse(
    _ reason: AccessRefusal.Reason, slot: Int, scope: AccessScope, retryAfter: Int? = nil
  ) -> AccessVerdict {
    accounts[slot].counts.refused[reason, default: 0] += 1
    return .refused(
      AccessRefusal(
        reason: reason, token: accounts[slot].name, scope: scope, retryAfter: retryAfter))
  }

  /// After a change of the policy the account may stand elsewhere, or be gone.
  private func place(of grant: AccessGrant) -> Int? {
    if grant.slot < accounts.count, accounts[grant.slot].name == grant.token { return grant.slot }
    return accounts.firstIndex { $0.name == grant.token }
  }
}
