// The fixed part of a synthetic company: who calls, for whom, from where, with what.

/// A workload identity: it calls for one tenant and one workload.
struct FleetClient: Sendable {
  var identity: String
  var tenant: Int
  var workload: Int
  var homeSite: Int
  var secondSite: Int
  /// Tasks (or calls outside tasks) per nanosecond in the mean of a week.
  var rate: Double
  /// Coefficient of variation of the times between its tasks.
  var burstiness: Double
  /// Whether it writes its prompt cache in the long (one-hour) class.
  var cachesLong: Bool
}

/// All names and rates of a synthetic company, decided by its options alone.
struct Fleet: Sendable {
  let models = ModelShape.all
  var sites: [SiteShape]
  var workloads: [WorkloadShape]
  var tenants: [String]
  var clients: [FleetClient]

  /// Keys of the draws that shape the fleet, apart from those of its traffic.
  private static let shapeKey: UInt64 = 0xF1EE_7000

  init(_ options: SynthesisOptions) {
    sites = (0..<options.sites).map(SiteShape.numbered)
    workloads = (0..<options.workloads).map { index in
      var shape = WorkloadShape.all[index % WorkloadShape.all.count]
      if index >= WorkloadShape.all.count {
        shape.name += "-\(index / WorkloadShape.all.count + 1)"
      }
      return shape
    }
    tenants = (0..<options.tenants).map { "tenant-\(Self.padded($0 + 1, options.tenants))" }
    clients = []
    clients.reserveCapacity(options.identities)
    var weights: [Double] = []
    for index in 0..<options.identities {
      let (client, weight) = makeClient(index, options)
      clients.append(client)
      weights.append(weight)
    }
    spreadRates(weights, options)
  }

  private func makeClient(
    _ index: Int, _ options: SynthesisOptions
  ) -> (FleetClient, weight: Double) {
    var random = KeyedRandom(options.seed, Self.shapeKey, UInt64(index))
    // The first identities give each tenant one; the others go to tenants by size.
    let tenant = index < tenants.count ? index : Self.zipf(&random, tenants.count)
    // Every workload in turn, so that even a small fleet has them all.
    let workload = index % workloads.count
    let home = (tenant &* 5 + random.below(2)) % sites.count
    let client = FleetClient(
      identity: "spiffe://farthing.example/ns/\(tenants[tenant])/sa/"
        + "\(workloads[workload].name)-\(Self.padded(index + 1, options.identities))",
      tenant: tenant, workload: workload, homeSite: home,
      secondSite: (home + 1 + random.below(max(1, sites.count - 1))) % sites.count,
      rate: 0,
      // Median and ninth decile as measured over ServeGen's clients and windows: 1.26 and 6.
      burstiness: min(8, 1 + random.logNormal(-1.35, 2.3)),
      cachesLong: random.chance(0.15))
    let size = ReproducibleMath.exponential(
      -Self.zipfExponent * ReproducibleMath.logarithm(Double(tenant + 1)))
    return (client, size * random.logNormal(0, 0.5))
  }

  /// Gives each client its rate, so that the workloads keep their shares of the requests.
  private mutating func spreadRates(_ weights: [Double], _ options: SynthesisOptions) {
    var weightOfWorkload = [Double](repeating: 0, count: workloads.count)
    for (client, weight) in zip(clients, weights) { weightOfWorkload[client.workload] += weight }
    var shares = 0.0
    for (workload, weight) in zip(workloads, weightOfWorkload) where weight > 0 {
      shares += workload.share
    }
    let requests = Double(options.requestsPerDay) / Double(CivilTime.day)
    for index in clients.indices {
      let shape = workloads[clients[index].workload]
      let part = weights[index] / weightOfWorkload[clients[index].workload]
      clients[index].rate = requests * shape.share / shares * part / shape.meanRequests
    }
  }

  /// Slope of an identity's traffic over the rank of its tenant.
  ///
  /// Large tenants have more identities too; together the identities' shares fall off as those of
  /// ServeGen's m-large clients, the first with 14 % of all traffic.
  private static let zipfExponent = 0.6

  /// A tenant by size: rank r with a probability of about 1 ÷ (r + 1).
  private static func zipf(_ random: inout KeyedRandom, _ count: Int) -> Int {
    let rank = ReproducibleMath.exponential(
      random.unit() * ReproducibleMath.logarithm(Double(count + 1)))
    return min(count - 1, max(0, Int(rank) - 1))
  }

  /// A number with as many digits as the largest of its series, at least three.
  private static func padded(_ number: Int, _ largest: Int) -> String {
    let text = String(number)
    let width = max(3, String(largest).utf8.count)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }

  /// The endpoint that serves a model at a site.
  func endpoint(model: Int, site: Int) -> String {
    "\(models[model].endpoint)-\(sites[site].name)"
  }
}
