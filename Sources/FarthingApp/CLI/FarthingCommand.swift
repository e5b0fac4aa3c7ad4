package import ArgumentParser

/// The command `farthing`: its verbs are the commands below it, one file each.
package struct FarthingCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "farthing",
    abstract: "Exact unit costs of LLM inference: what a token, a query and a finished task cost.",
    discussion: """
      Start with your own events (docs/events.md), a LiteLLM callback log or saved API responses:

        farthing ingest calls.ndjson
        farthing query cost,cost_per_1m_tokens,price_coverage --by model

      Lists of what can be asked: farthing help metrics, fields, filters, times, sql.

      Results go to standard output, everything else to standard error. Exit status: 0 done; \
      1 ran and failed; 2 wrong usage or configuration.
      """,
    version: Version.text,
    subcommands: [
      IngestCommand.self, QueryCommand.self, ExplainCommand.self, ReportCommand.self,
      EventsCommand.self, SQLCommand.self, TopCommand.self, DashboardCommand.self,
      BacktestCommand.self,
      ServeCommand.self, AgentCommand.self, AgentsCommand.self, AlertsCommand.self,
      IsolationsCommand.self,
      BudgetsCommand.self, InventoryCommand.self,
      PricesCommand.self,
      StoreCommand.self, GenerateCommand.self, DetectCommand.self,
      TokenCommand.self,
      DoctorCommand.self, ManualCommand.self,
    ])

  package init() {}
}

/// What this build calls itself.
package enum Version {
  package static let text = "0.1.0"
}
