import Testing

@testable import FarthingDashboard

@Suite("Figures")
struct FigureTextTests {
  private static let dollar: Int128 = 1_000_000_000_000

  @Test(arguments: [
    (Figure.money(1_234_560_000_000_000), "$1,234.56"), (.money(4_213_000_000), "$0.004213"),
    (.money(0), "$0.00"), (.money(123_456 * dollar), "$123.46k"),
    (.money(12_345_678 * dollar), "$12.346M"), (.money(-5 * dollar), "-$5.000"),
    (.missing, "–"), (.ratio(0.1234), "12.3%"), (.ratio(0.00001), "<0.1%"), (.ratio(0), "0.0%"),
    (.milliseconds(840.4), "840 ms"), (.milliseconds(123_456), "123.5 s"),
    (.count(123_456), "123,456"), (.count(1_234_567), "1,234.6k"),
    (.count(123_456_789_012), "123.5G"), (.text("a"), "a"),
    (.money(1), "<$0.0000001"),
  ])
  func `a figure has a unit that fits it`(figure: Figure, text: String) {
    #expect(FigureFormat(figure).text(figure) == text)
  }

  @Test func `figures of a column have as many digits each`() {
    let column: [Figure] = [.money(12 * Self.dollar), .money(Self.dollar / 3), .missing]
    let format = FigureFormat(column)
    #expect(column.map(format.text) == ["$12.000", "$0.333", "–"])
  }

  @Test func `the exact figure has all its digits`() {
    #expect(FigureFormat.exact(.money(1_234_567_890_123)) == "$1.234567890123")
    #expect(FigureFormat.exact(.count(1_234_567)) == "1,234,567")
    #expect(FigureFormat.exact(.missing) == "–")
  }

  @Test func `an incomplete cover is never rounded up to a whole one`() {
    #expect(Coverage.text(0.99999) == "99% priced")
    #expect(Coverage.text(0.0351) == "3.5% priced")
    #expect(Coverage.text(0) == "0.0% priced")
  }

  @Test func `a rate of money stays whole`() {
    let figure = FigureMath.rate(.money(10), over: 300, per: 60)
    #expect(figure == .money(2))
    #expect(FigureMath.rate(.missing, over: 300, per: 60) == .missing)
  }

  @Test func `a trend needs something to compare with`() {
    #expect(TrendText.text(from: .missing, to: .count(3), .unicode) == nil)
    #expect(TrendText.text(from: .count(0), to: .count(3), .unicode) == nil)
    #expect(TrendText.text(from: .count(10), to: .count(12), .unicode) == "▲ 20%")
    #expect(TrendText.text(from: .count(10), to: .count(5), .ascii) == "v 50%")
    #expect(TrendText.text(from: .count(1), to: .count(30), .unicode) == "▲ ×30")
  }
}
