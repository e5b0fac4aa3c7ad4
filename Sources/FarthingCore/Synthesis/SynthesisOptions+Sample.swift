extension SynthesisOptions {
  /// What `SampleData/` holds: a fortnight with four incidents, told in `SampleData/README.md`.
  ///
  /// - Throws: ``SynthesisError`` never in practice; its incidents go the way of all text.
  package static func sample() throws(SynthesisError) -> SynthesisOptions {
    var options = SynthesisOptions(seed: 2029, requestsPerDay: 4200)
    for text in sampleIncidents {
      options.incidents.append(try IncidentSpecification.parse(text))
    }
    return options
  }

  /// The incidents of ``sample()`` in the words of the command line.
  package static let sampleIncidents = [
    "prompt_bloat@2026-03-05T08:00Z+11d,workload=doc-search,factor=2.4,ramp=3d",
    "cache_collapse@2026-03-09T09:20Z+2d6h,workload=code-agent,share=0.95",
    "retry_storm@2026-03-11T13:40Z+4h30m,workload=support-assistant,factor=8",
    "denial_of_wallet@2026-03-14T22:15Z+5h,workload=research-agent,factor=150",
  ]
}
