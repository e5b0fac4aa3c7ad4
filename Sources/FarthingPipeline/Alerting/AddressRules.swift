/// The bytes of an IP address: 4 or 16 of them.
package struct NetworkAddress: Sendable, Equatable {
  package let bytes: [UInt8]

  /// nil where it is neither of 4 bytes nor of 16.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// Reads an address as systems write it: dotted decimals, or groups of hexadecimal digits with at most
  /// one `::`; an interface behind a percent sign is passed over.
  ///
  /// - Returns: nil for anything else, names among it.
  package init?(_ text: some StringProtocol) {
    let text = text.prefix { $0 != "%" }
    guard text.contains(":") else {
      guard let bytes = Self.dotted(text) else { return nil }
      self.bytes = bytes
      return
    }
    var halves: [[UInt8]] = []
    let parts = Self.halves(of: String(text))
    guard (1...2).contains(parts.count) else { return nil }
    for part in parts {
      guard let bytes = Self.groups(part) else { return nil }
      halves.append(bytes)
    }
    let count = halves.reduce(0) { $0 + $1.count }
    if halves.count == 1 {
      guard count == 16 else { return nil }
      bytes = halves[0]
    } else {
      guard count <= 14 else { return nil }
      bytes = halves[0] + [UInt8](repeating: 0, count: 16 - count) + halves[1]
    }
  }

  private static func halves(of text: String) -> [Substring] {
    guard let gap = text.firstRange(of: "::") else { return [text[...]] }
    let rest = text[gap.upperBound...]
    return rest.contains("::") ? [] : [text[..<gap.lowerBound], rest]
  }

  private static func groups(_ text: Substring) -> [UInt8]? {
    if text.isEmpty { return [] }
    var bytes: [UInt8] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (place, part) in parts.enumerated() {
      if place == parts.count - 1, part.contains(".") {
        guard let inner = dotted(part) else { return nil }
        bytes += inner
        continue
      }
      guard (1...4).contains(part.utf8.count), let word = UInt16(part, radix: 16) else {
        return nil
      }
      bytes += [UInt8(word >> 8), UInt8(word & 0xFF)]
    }
    return bytes.count <= 16 ? bytes : nil
  }

  private static func dotted(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let byte = UInt8(part)
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}

/// Which addresses a receiver's URL may lead to.
///
/// Looked at is the very address that is connected to, after the name was resolved: neither another
/// spelling of an address nor a name that changes what it means gets around it.
package enum AddressRules {
  /// Why an address may not be called; nil where it may.
  ///
  /// Networks of one's own (10.0.0.0/8 and such) may be: receivers live there.
  package static func objection(
    to address: NetworkAddress, allowsLoopback: Bool
  ) -> String? {
    let bytes = address.bytes
    if bytes.count == 4 { return objection(bytes, allowsLoopback) }
    if let inner = embedded(bytes) { return objection(inner, allowsLoopback) }
    let words = stride(from: 0, to: 16, by: 2).map {
      UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
    }
    if words.dropLast().allSatisfy({ $0 == 0 }) {
      switch words[7] {
      case 0: return "it is no address of a machine"
      case 1: return allowsLoopback ? nil : loopback
      default: return "it is a reserved address"
      }
    }
    switch words[0] {
    case 0xFE80...0xFEBF: return "it is a link-local address"
    case 0xFEC0...0xFEFF: return "it is a site-local address, which is of no use any more"
    case 0xFF00...0xFFFF: return "it is a multicast address"
    default: break
    }
    if metadata.contains(words) { return "it is an address of cloud metadata" }
    return nil
  }

  private static let loopback =
    "it is an address of this machine; allow_loopback of the receiver allows it"

  /// Amazon's (also as an instance's own name server and clock), Google's.
  private static let metadata: [[UInt16]] = [
    [0xFD00, 0x0EC2, 0, 0, 0, 0, 0, 0x0254], [0xFD00, 0x0EC2, 0, 0, 0, 0, 0, 0x0253],
    [0xFD00, 0x0EC2, 0, 0, 0, 0, 0, 0x0123], [0xFD20, 0x00CE, 0, 0, 0, 0, 0, 0x0254],
  ]

  private static func objection(_ bytes: [UInt8], _ allowsLoopback: Bool) -> String? {
    switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
    case (0, _, _, _): "it is no address of a machine"
    case (127, _, _, _): allowsLoopback ? nil : loopback
    case (169, 254, _, _): "it is a link-local address, as cloud metadata has"
    // Alibaba's, Azure's and Oracle's.
    case (100, 100, 100, 200), (168, 63, 129, 16), (192, 0, 0, 192):
      "it is an address of cloud metadata"
    case (224...239, _, _, _): "it is a multicast address"
    case (240..., _, _, _): "it is a reserved address"
    default: nil
    }
  }

  /// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (NAT64), of a
  /// tunnel (6to4, Teredo).
  private static func embedded(_ bytes: [UInt8]) -> [UInt8]? {
    if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
      return Array(bytes[12...])
    }
    // ::1 and :: are addresses of their own.
    if bytes[..<12].allSatisfy({ $0 == 0 }), bytes[12] != 0 || bytes[13] != 0 {
      return Array(bytes[12...])
    }
    if bytes[..<12].elementsEqual([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0])
      || bytes[..<6].elementsEqual([0, 0x64, 0xFF, 0x9B, 0, 1])
    {
      return Array(bytes[12...])
    }
    // IPv4-translated, of SIIT.
    if bytes[..<8].allSatisfy({ $0 == 0 }), bytes[8..<12].elementsEqual([0xFF, 0xFF, 0, 0]) {
      return Array(bytes[12...])
    }
    if bytes[0] == 0x20, bytes[1] == 0x02 { return Array(bytes[2..<6]) }
    if bytes[..<4].elementsEqual([0x20, 0x01, 0, 0]) { return bytes[12...].map { ~$0 } }
    return nil
  }
}

/// A receiver's URL, taken apart.
package struct ReceiverURL: Sendable, Equatable {
  package static let expectation =
    "an http or https URL without a user name, such as https://alerts.example.com/hook"

  package var isSecure: Bool
  /// Without brackets.
  package var host: String
  package var port: Int
  /// Path and query, at least `/`.
  package var target: String

  /// nil for what is no such URL.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      let web = WebAddress(text), !web.rest.contains("#"), !web.rest.contains("\\"),
      !web.address.host.contains("%")
    else { return nil }
    isSecure = web.isSecure
    host = web.address.host.lowercased()
    port = web.address.port
    target = web.rest.hasPrefix("/") ? web.rest : "/" + web.rest
  }

  package var description: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return "\(isSecure ? "https" : "http")://\(shown):\(port)\(target)"
  }

  /// Without path and query, which may be secret.
  package var origin: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return "\(isSecure ? "https" : "http")://\(shown):\(port)"
  }
}
