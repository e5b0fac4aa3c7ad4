/// The two clocks that access is decided by.
package struct AccessTime: Sendable, Equatable {
  /// The wall clock: expiry and the quota's day go by it.
  package var unixNanoseconds: Int64
  /// A clock that never goes back: rates go by it.
  package var monotonicNanoseconds: Int64

  package init(unixNanoseconds: Int64, monotonicNanoseconds: Int64) {
    self.unixNanoseconds = unixNanoseconds
    self.monotonicNanoseconds = monotonicNanoseconds
  }
}

/// What is answered to a caller's words.
package enum AccessVerdict: Sendable, Equatable {
  case admitted(AccessGrant)
  case refused(AccessRefusal)
}

/// Who was admitted; what the call then took is charged to it.
package struct AccessGrant: Sendable, Equatable {
  /// The name of the token; nil for a call without one.
  package var token: String?
  /// Where the account of the token was when it was admitted.
  var slot: Int
}

/// Why a call is not admitted, as HTTP says it. Nothing in it comes from the caller's words.
package struct AccessRefusal: Sendable, Equatable {
  package enum Reason: String, Sendable, CaseIterable {
    /// No token, where one is needed.
    case tokenMissing = "token_missing"
    /// A token that is not known, or a header that holds none.
    case tokenUnknown = "token_unknown"
    case tokenExpired = "token_expired"
    /// A token that may do other things.
    case scopeMissing = "scope_missing"
    /// More than the token's requests or events a second.
    case rate
    /// More than the token's events a day.
    case quota
  }

  package var reason: Reason
  /// The name of the token; nil where it is not known.
  package var token: String?
  /// The scope that the call needed.
  package var scope: AccessScope
  /// Whole seconds, at least 1, after which a repetition has a chance; nil where it has none.
  package var retryAfter: Int?

  /// The status of the answer: 401, 403 or 429.
  package var status: Int {
    switch reason {
    case .tokenMissing, .tokenUnknown, .tokenExpired: 401
    case .scopeMissing: 403
    case .rate, .quota: 429
    }
  }

  /// The `code` of the error in the answer.
  package var code: String {
    switch reason {
    case .tokenMissing, .tokenUnknown, .tokenExpired: "unauthorized"
    case .scopeMissing: "forbidden"
    case .rate: "rate_limited"
    case .quota: "quota_exceeded"
    }
  }

  /// The `message` of the error in the answer: a sentence.
  package var message: String {
    switch reason {
    case .tokenMissing:
      "This call needs a token with the scope \(scope.rawValue): send Authorization: Bearer TOKEN."
    case .tokenUnknown:
      "The token is not known here; it may have been replaced. Tokens stand under access.tokens "
        + "of the server's configuration."
    case .tokenExpired: "The token has expired; ask for a new one."
    case .scopeMissing:
      "This call needs the scope \(scope.rawValue), which the caller does not have."
    case .rate: "The rate of this token is used up; repeat after \(retryAfter ?? 1) s."
    case .quota: "The day's events of this token are used up; repeat after \(retryAfter ?? 1) s."
    }
  }

  /// The headers that the answer needs besides its usual ones. Source: RFC 6750, §3.
  package var headers: [(name: String, value: String)] {
    var result: [(name: String, value: String)] = []
    switch reason {
    case .tokenMissing: result.append(("WWW-Authenticate", "Bearer realm=\"farthing\""))
    case .tokenUnknown, .tokenExpired:
      result.append(
        ("WWW-Authenticate", "Bearer realm=\"farthing\", error=\"invalid_token\""))
    case .scopeMissing:
      result.append(
        (
          "WWW-Authenticate",
          "Bearer realm=\"farthing\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""
        ))
    case .rate, .quota: break
    }
    if let retryAfter { result.append(("Retry-After", "\(retryAfter)")) }
    return result
  }
}

/// What one caller's calls came to, since the server began to know it. Only ever greater.
package struct AccessCounts: Sendable, Equatable {
  package var admitted = 0
  package var events = 0
  /// Refusals by their reason.
  package var refused: [AccessRefusal.Reason: Int] = [:]
}
