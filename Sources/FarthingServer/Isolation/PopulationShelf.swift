package import FarthingCore
package import FarthingPipeline
internal import Synchronization

/// The active population, which the monitor feeds and isolations measure by.
package final class PopulationShelf: Sendable {
  private let population: Mutex<ActivePopulation>

  package init(window: Duration) { population = Mutex(ActivePopulation(window: window)) }

  /// Takes the new events of a batch.
  ///
  /// - Parameter now: Unix nanoseconds.
  package func observe(_ batch: ChargedBatch, _ places: [Int], now: Int64) {
    population.withLock { $0.observe(batch, places, now: now) }
  }

  /// The population as it is. The copy is cheap unless events come while it is held.
  package var current: ActivePopulation { population.withLock { $0 } }

  package func change(window: Duration) {
    population.withLock { $0.window = window.wholeNanoseconds }
  }
}
