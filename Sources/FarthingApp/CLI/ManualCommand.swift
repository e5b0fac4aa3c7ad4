package import ArgumentParser

/// `farthing manual`: the manual page as a file for man(1).
package struct ManualCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Write the manual page, for man(1).",
    discussion: """
      farthing manual > ~/.local/share/man/man1/farthing.1

      "make install" puts it and the completions of bash, zsh and fish where they are found. By hand: \
      farthing --generate-completion-script bash.
      """)

  package init() {}

  package mutating func run() throws {
    try Console.result(Array(try ManualPage.rendered().utf8))
  }
}
