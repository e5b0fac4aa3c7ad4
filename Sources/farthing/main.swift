import FarthingApp

await CommandLineTool.main(Array(CommandLine.arguments.dropFirst()))
