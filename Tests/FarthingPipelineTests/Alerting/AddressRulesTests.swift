import Testing

@testable import FarthingPipeline

@Suite("Which addresses receivers may have")
struct AddressRulesTests {
  static let forbidden = [
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.169.254",
    "169.254.0.1", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::2",
    "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "fd00:ec2::254",
    "fd00:ec2::253", "fd20:ce::254", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe", "::127.0.0.1", "::169.254.169.254", "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2002:a9fe:a9fe::",
    "2001:0:1:2:3:4:80ff:fffe", "::ffff:0:127.0.0.1", "::ffff:0.0.0.0", "::ffff:224.0.0.1",
  ]

  @Test(arguments: forbidden)
  func `forbidden ones are not called`(text: String) throws {
    let address = try #require(NetworkAddress(text))
    #expect(AddressRules.objection(to: address, allowsLoopback: false) != nil)
  }

  @Test(arguments: ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
  func `those of this machine are where it is allowed`(text: String) throws {
    let address = try #require(NetworkAddress(text))
    #expect(AddressRules.objection(to: address, allowsLoopback: true) == nil)
  }

  @Test(arguments: [
    "8.8.8.8", "10.1.2.3", "192.168.1.1", "172.16.0.1", "2606:4700::1111", "fd12:3456::1",
    "2001:db8::1", "64:ff9b::808:808",
  ])
  func `others are`(text: String) throws {
    let address = try #require(NetworkAddress(text))
    #expect(AddressRules.objection(to: address, allowsLoopback: false) == nil)
  }

  @Test(arguments: [
    "", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1:2:3", "::1::2", "12345::", "1.2.3.-4",
    "0x7f.0.0.1", "::ffff:1.2.3", ":", ":::",
  ])
  func `what is no address is none`(text: String) {
    #expect(NetworkAddress(text) == nil)
  }

  @Test func `a URL has a host and no user, and reads as it is called`() throws {
    let url = try #require(ReceiverURL("https://Hooks.Example.com/a/b?c=d"))
    #expect(url.description == "https://hooks.example.com:443/a/b?c=d")
    #expect(ReceiverURL("http://[::1]:80")?.description == "http://[::1]:80/")
    for text in [
      "ftp://a", "http://u:p@a/", "http://a b/", "//a", "http://", "http://a/#x", "http://a\\@b/",
      "http://a:99999/", "http://[fe80::1%25eth0]/",
    ] {
      #expect(ReceiverURL(text) == nil, "\(text)")
    }
  }
}
