import FarthingCore
import Testing

@testable import FarthingDashboard

@Suite("The layout")
struct LayoutTests {
  @Test func `at any size panels stay on the screen and apart from each other`() {
    for width in [40, 60, 80, 81, 119, 120, 160, 200, 300] {
      for height in [10, 24, 25, 30, 40, 60, 100] {
        let state = TopState(board: SteeringTests.board, now: SteeringTests.now)
        let layout = Layout(state, width: width, height: height)
        for (number, place) in layout.places.enumerated() {
          let box = place.box
          #expect(box.x >= 0 && box.y >= 1 && box.right <= width && box.bottom <= height - 1)
          for other in layout.places.dropFirst(number + 1) {
            let isApart =
              other.box.x >= box.right || box.x >= other.box.right
              || other.box.y >= box.bottom || box.y >= other.box.bottom
            #expect(isApart, "\(place.id) and \(other.id) at \(width)x\(height)")
          }
        }
        let panels = Set(layout.places.map(\.id.panel) + layout.hidden.map(\.panel))
        #expect(panels == Set(state.board.panels.indices))
      }
    }
  }

  @Test func `a frame can be drawn at any size, with answers and without`() {
    var scene = SteeringTests.scene()
    for width in [1, 5, 20, 40, 80, 300] {
      for height in [1, 2, 5, 10, 24, 100] {
        for overlay in [nil, Overlay.help, .command("x"), .page(title: "t", lines: nil, offset: 9)]
        {
          scene.state.overlay = overlay
          let frame = Frame.make(
            scene, width: width, height: height, theme: Theme(depth: .none))
          #expect(frame.canvas.cells.count == width * height)
        }
      }
    }
  }

  @Test func `the width of a chart decides the width of its buckets`() {
    #expect(Buckets.width(for: CivilTime.day, columns: 100) == 900 * CivilTime.second)
    #expect(Buckets.width(for: CivilTime.hour, columns: 60) == CivilTime.minute)
    #expect(Buckets.words(900 * CivilTime.second) == "15m")
    #expect(Buckets.words(CivilTime.day) == "1d")
  }

  @Test func `figures of one window are asked for together, tasks apart`() {
    let board = Board(
      name: "x", title: "x", range: CivilTime.day,
      rows: [
        BoardRow(
          panels: ["cost", "requests", "latency_p95", "cost_per_successful_task"].map {
            Panel(.stat, metrics: [$0])
          })
      ])
    let list = Frame.questions(
      TopState(board: board, now: SteeringTests.now), width: 120, height: 40)
    // Now, the window before, and over time; and tasks now and before.
    #expect(list.ordered.count == 5)
    #expect(list.ordered.map { $0.isSlow } == [false, false, false, true, true])
    #expect(
      list.metrics[list.ordered[0]] == ["cost", "requests", "unpriced_requests", "latency_p95"])
  }
}
