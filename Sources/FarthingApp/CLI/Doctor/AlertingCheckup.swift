internal import FarthingPipeline
internal import FarthingStore

/// What the doctor finds in section `alerting`: secrets that are there, commands that can be run, URLs
/// that may be called. Nothing is sent; `farthing alerts test` does that.
enum AlertingCheckup {
  /// - Parameter environment: the value of a variable; nil where it is not set.
  static func findings(
    _ settings: AlertingSettings, environment: (String) -> String?
  ) -> [Finding] {
    settings.receivers.flatMap { receiver -> [Finding] in
      let faults = faults(receiver, environment)
      let name = "alerting"
      guard faults.isEmpty else {
        return faults.map { .fault(name, "\(receiver.name): \($0.text)", $0.remedy) }
      }
      var findings: [Finding] = []
      for case .file(let file)? in [receiver.secret, receiver.urlSource] {
        if let mode = try? HostMachine.fileMode(of: file), mode & 0o007 != 0 {
          findings.append(
            .warning(
              name,
              "\(receiver.name): \(file) can be read or written by every user of this machine",
              "chmod o= \(file)"))
        }
      }
      if receiver.kind == .webhook, receiver.secret == nil {
        findings.append(
          .warning(
            name,
            "\(receiver.name): notifications are not signed; who knows its URL can forge them",
            "set secret_file, to a file made by echo whsec_$(openssl rand -base64 32)"))
      }
      if findings.isEmpty {
        findings.append(
          .ok(name, "\(receiver.name), \(receiver.kind.rawValue): its settings can be used"))
      }
      return findings
    }
  }

  private typealias Fault = (text: String, remedy: String)

  private static func faults(
    _ receiver: ReceiverSettings, _ environment: (String) -> String?
  ) -> [Fault] {
    var faults: [Fault] = []
    var url = receiver.url
    if let source = receiver.urlSource {
      switch read(source, environment) {
      case .success(let text):
        url = text
        if ReceiverURL(text) == nil {
          faults.append(("its URL (withheld) is none", "expected \(ReceiverURL.expectation)"))
        }
      case .failure(let fault): faults.append((fault.message ?? "", "write the URL there"))
      }
    }
    if let url = url.flatMap({ ReceiverURL($0) }), let address = NetworkAddress(url.host),
      let objection = AddressRules.objection(to: address, allowsLoopback: receiver.allowsLoopback)
    {
      faults.append(("\(url.host) is not called: \(objection)", "name another address"))
    }
    if let source = receiver.secret {
      switch read(source, environment) {
      case .success(let text):
        if receiver.kind == .webhook, WebhookKeys(text) == nil {
          faults.append(
            ("its secret (withheld) is none", "expected \(WebhookKeys.expectation)"))
        }
      case .failure(let fault): faults.append((fault.message ?? "", "write the secret there"))
      }
    }
    if let program = receiver.command.first, !HostMachine.mayExecute(program) {
      faults.append(("\(program) cannot be run", "install it, or name another program"))
    }
    return faults
  }

  private static func read(
    _ source: SecretSource, _ environment: (String) -> String?
  ) -> Result<String, CommandFailure> {
    switch source {
    case .environment(let name):
      guard let value = environment(name) else {
        return .failure(.failed("the variable \(name) is not set here"))
      }
      return .success(value)
    case .file(let file):
      do throws(StoreError) {
        let bytes = try WholeInput.bytes(of: file, limit: SecretText.limit)
        let text = String(decoding: bytes, as: UTF8.self)
          .split(whereSeparator: \.isNewline).joined(separator: "\n")
        return text.isEmpty ? .failure(.failed("\(file) is empty")) : .success(text)
      } catch {
        return .failure(.failed(error.message))
      }
    }
  }
}
