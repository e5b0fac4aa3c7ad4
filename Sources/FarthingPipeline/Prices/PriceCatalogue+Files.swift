// The text of `Catalogue/*.yaml`; `PriceCatalogueTests` keeps it equal to them and can write it anew.

extension PriceCatalogue {
  /// The catalogue's files by name, in rising order of their names.
  static let files: [(name: String, text: String)] = [
    ("anthropic.yaml", anthropic),
    ("bedrock.yaml", bedrock),
    ("cohere.yaml", cohere),
    ("deepseek.yaml", deepseek),
    ("google.yaml", google),
    ("groq.yaml", groq),
    ("mistral.yaml", mistral),
    ("openai.yaml", openai),
    ("perplexity.yaml", perplexity),
    ("voyage.yaml", voyage),
    ("xai.yaml", xai),
  ]

  private static let anthropic = #"""
    # Anthropic: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: [anthropic, gcp.vertex_ai]
    source: https://www.anthropic.com/pricing#api
    read: 2026-11-20
    cards:
      - model: claude-3-haiku
        aliases: ["claude-3-haiku-20*", "claude-3-haiku@20*", claude-3-haiku-latest]
        prices:
          input: 0.25
          cached_input: 0.03
          cache_write: 0.3
          cache_write_1h: 0.5
          output: 1.25
      - model: claude-3-5-haiku-latest
        aliases: ["claude-3-5-haiku-20*", "claude-3-5-haiku@20*", claude-3-5-haiku]
        prices:
          input: 0.8
          cached_input: 0.08
          cache_write: 1
          cache_write_1h: 1.6
          output: 4
        units: {web_search: 0.01}
      - model: claude-3-5-sonnet
        aliases: ["claude-3-5-sonnet-20*", "claude-3-5-sonnet@20*", claude-3-5-sonnet-latest]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
        units: {web_search: 0.01}
      - model: claude-3-7-sonnet-latest
        aliases: ["claude-3-7-sonnet-20*", "claude-3-7-sonnet@20*", claude-3-7-sonnet]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
        units: {web_search: 0.01}
      - model: claude-haiku-4-5
        aliases: ["claude-haiku-4-5-20*", "claude-haiku-4-5@20*", claude-haiku-4-5-latest]
        prices:
          input: 1
          cached_input: 0.1
          cache_write: 1.25
          cache_write_1h: 2
          output: 5
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-haiku-5-5
        aliases: ["claude-haiku-5-5-20*", "claude-haiku-5-5@20*", claude-haiku-5-5-latest]
        prices:
          input: 0.1
          cached_input: 0.01
          cache_write: 0.125
          cache_write_1h: 0.2
          output: 0.5
          above:
            - input_tokens: 100000
              input: 0.5
              cached_input: 0.05
              cache_write: 0.625
              cache_write_1h: 1
              output: 2.5
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-sonnet-4-0
        aliases: ["claude-sonnet-4-20*", "claude-sonnet-4@20*", claude-sonnet-4, "claude-4-sonnet-20*"]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
        units: {web_search: 0.01}
      - model: claude-sonnet-4-5
        aliases: ["claude-sonnet-4-5-20*", "claude-sonnet-4-5@20*", claude-sonnet-4-5-latest]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
          above:
            - input_tokens: 200000
              input: 6
              cached_input: 0.6
              cache_write: 7.5
              cache_write_1h: 12
              output: 22.5
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-sonnet-4-6
        aliases: ["claude-sonnet-4-6-20*", "claude-sonnet-4-6@20*", claude-sonnet-4-6-latest]
        until: 2026-03-13
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
          above:
            - input_tokens: 200000
              input: 6
              cached_input: 0.6
              cache_write: 7.5
              cache_write_1h: 12
              output: 22.5
        units: {web_search: 0.01}
      - model: claude-sonnet-4-6
        aliases: ["claude-sonnet-4-6-20*", "claude-sonnet-4-6@20*", claude-sonnet-4-6-latest]
        from: 2026-03-13
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-sonnet-5
        aliases: ["claude-sonnet-5-20*", "claude-sonnet-5@20*", claude-sonnet-5-latest]
        prices:
          input: 2
          cached_input: 0.2
          cache_write: 2.5
          cache_write_1h: 4
          output: 10
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-sonnet-5-5
        aliases: ["claude-sonnet-5-5-20*", "claude-sonnet-5-5@20*", claude-sonnet-5-5-latest]
        prices:
          input: 2
          cached_input: 0.1
          cache_write: 2.5
          cache_write_1h: 4
          output: 10
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-opus-4-0
        aliases: ["claude-opus-4-20*", "claude-opus-4@20*", claude-opus-4, "claude-4-opus-20*"]
        prices:
          input: 15
          cached_input: 1.5
          cache_write: 18.75
          cache_write_1h: 30
          output: 75
        units: {web_search: 0.01}
      - model: claude-opus-4-1
        aliases: ["claude-opus-4-1-20*", "claude-opus-4-1@20*", claude-opus-4-1-latest]
        prices:
          input: 15
          cached_input: 1.5
          cache_write: 18.75
          cache_write_1h: 30
          output: 75
        units: {web_search: 0.01}
      - model: claude-opus-4-5
        aliases: ["claude-opus-4-5-20*", "claude-opus-4-5@20*", claude-opus-4-5-latest]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-opus-4-6
        aliases: ["claude-opus-4-6-20*", "claude-opus-4-6@20*", claude-opus-4-6-latest]
        until: 2026-03-13
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
          above:
            - input_tokens: 200000
              input: 10
              cached_input: 1
              cache_write: 12.5
              cache_write_1h: 20
              output: 37.5
        units: {web_search: 0.01}
      - model: claude-opus-4-6
        aliases: ["claude-opus-4-6-20*", "claude-opus-4-6@20*", claude-opus-4-6-latest]
        from: 2026-03-13
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-opus-4-7
        aliases: ["claude-opus-4-7-20*", "claude-opus-4-7@20*", claude-opus-4-7-latest]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-opus-4-8
        aliases: ["claude-opus-4-8-20*", "claude-opus-4-8@20*", claude-opus-4-8-latest]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
        batch: {discount: 50%}
        tiers:
          fast:
            input: 10
            cached_input: 1
            cache_write: 12.5
            cache_write_1h: 20
            output: 50
        units: {web_search: 0.01}
      - model: claude-opus-5
        aliases: ["claude-opus-5-20*", "claude-opus-5@20*", claude-opus-5-latest]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
        batch: {discount: 50%}
        tiers:
          fast:
            input: 10
            cached_input: 1
            cache_write: 12.5
            cache_write_1h: 20
            output: 50
        units: {web_search: 0.01}
      - model: claude-opus-5-5
        aliases: ["claude-opus-5-5-20*", "claude-opus-5-5@20*", claude-opus-5-5-latest]
        prices:
          input: 4
          cached_input: 0.2
          cache_write: 5
          cache_write_1h: 8
          output: 20
        batch: {discount: 50%}
        tiers:
          fast:
            input: 8
            cached_input: 0.4
            cache_write: 10
            cache_write_1h: 16
            output: 40
        units: {web_search: 0.01}
      - model: claude-fable-5
        aliases: ["claude-fable-5-20*", "claude-fable-5@20*", claude-fable-5-latest]
        prices:
          input: 10
          cached_input: 1
          cache_write: 12.5
          cache_write_1h: 20
          output: 50
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-fable-5-1
        aliases: ["claude-fable-5-1-20*", "claude-fable-5-1@20*", claude-fable-5-1-latest]
        prices:
          input: 10
          cached_input: 0.25
          cache_write: 12.5
          cache_write_1h: 20
          output: 50
        batch: {discount: 50%}
        units: {web_search: 0.01}
      - model: claude-fable-5-2
        aliases: ["claude-fable-5-2-20*", "claude-fable-5-2@20*", claude-fable-5-2-latest]
        prices:
          input: 8
          cached_input: 0.2
          cache_write: 10
          cache_write_1h: 16
          output: 40
        batch: {discount: 50%}
        tiers:
          fast:
            input: 16
            cached_input: 0.4
            cache_write: 20
            cache_write_1h: 32
            output: 80
        units: {web_search: 0.01}
      - model: claude-mythos-5-2
        aliases: ["claude-mythos-5-2-20*", "claude-mythos-5-2@20*", claude-mythos-5-2-latest]
        prices:
          input: 8
          cached_input: 0.2
          cache_write: 10
          cache_write_1h: 16
          output: 40
        batch: {discount: 50%}
        tiers:
          fast:
            input: 16
            cached_input: 0.4
            cache_write: 20
            cache_write_1h: 32
            output: 80
        units: {web_search: 0.01}

    """#

  private static let bedrock = #"""
    # Amazon Bedrock: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: aws.bedrock
    source: https://aws.amazon.com/bedrock/pricing/
    read: 2026-11-20
    cards:
      - model: amazon.nova-2-lite-v1:0
        aliases: [global.amazon.nova-2-lite-v1:0]
        prices:
          input: 0.3
          cached_input: 0.075
          output: 2.5
        batch:
          input: 0.15
          output: 1.25
      - model: apac.amazon.nova-2-lite-v1:0
        prices:
          input: 0.396
          cached_input: 0.099
          output: 3.311
      - model: eu.amazon.nova-2-lite-v1:0
        prices:
          input: 0.429
          cached_input: 0.10725
          output: 3.597
      - model: us.amazon.nova-2-lite-v1:0
        prices:
          input: 0.33
          cached_input: 0.0825
          output: 2.75
        batch:
          input: 0.165
          output: 1.375
      - model: jp.amazon.nova-2-lite-v1:0
        prices:
          input: 0.396
          cached_input: 0.099
          output: 3.311
        batch:
          input: 0.198
          output: 1.6555
      - model: amazon.nova-lite-v1:0
        aliases: [us.amazon.nova-lite-v1:0]
        prices:
          input: 0.06
          cached_input: 0.015
          output: 0.24
        batch:
          input: 0.03
          output: 0.12
      - model: apac.amazon.nova-lite-v1:0
        prices:
          input: 0.063
          cached_input: 0.01575
          output: 0.252
      - model: eu.amazon.nova-lite-v1:0
        prices:
          input: 0.078
          cached_input: 0.0195
          output: 0.312
      - model: amazon.nova-micro-v1:0
        aliases: [us.amazon.nova-micro-v1:0]
        prices:
          input: 0.035
          cached_input: 0.00875
          output: 0.14
        batch:
          input: 0.0175
          output: 0.07
      - model: apac.amazon.nova-micro-v1:0
        prices:
          input: 0.037
          cached_input: 0.00925
          output: 0.148
      - model: eu.amazon.nova-micro-v1:0
        prices:
          input: 0.046
          cached_input: 0.0115
          output: 0.184
      - model: amazon.nova-premier-v1:0
        prices:
          input: 2.5
          cached_input: 0.625
          output: 12.5
        batch:
          input: 1.25
          output: 6.25
      - model: amazon.nova-pro-v1:0
        aliases: [us.amazon.nova-pro-v1:0]
        prices:
          input: 0.8
          cached_input: 0.2
          output: 3.2
        batch:
          input: 0.4
          output: 1.6
      - model: apac.amazon.nova-pro-v1:0
        prices:
          input: 0.84
          cached_input: 0.21
          output: 3.36
      - model: eu.amazon.nova-pro-v1:0
        prices:
          input: 1.05
          cached_input: 0.2625
          output: 4.2
      - model: amazon.titan-embed-text-v1
        prices:
          input: 0.1
          output: 0
      - model: amazon.titan-embed-text-v2:0
        prices:
          input: 0.02
          output: 0
      - model: anthropic.claude-3-5-haiku-20241022-v1:0
        aliases: [eu.anthropic.claude-3-5-haiku-20241022-v1:0, us.anthropic.claude-3-5-haiku-20241022-v1:0]
        prices:
          input: 0.8
          cached_input: 0.08
          cache_write: 1
          output: 4
      - model: anthropic.claude-3-5-sonnet-20240620-v1:0
        aliases: [eu.anthropic.claude-3-5-sonnet-20240620-v1:0, us.anthropic.claude-3-5-sonnet-20240620-v1:0]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          output: 15
      - model: anthropic.claude-3-5-sonnet-20241022-v2:0
        aliases: [eu.anthropic.claude-3-5-sonnet-20241022-v2:0, us.anthropic.claude-3-5-sonnet-20241022-v2:0]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          output: 15
      - model: anthropic.claude-3-7-sonnet-20240620-v1:0
        prices:
          input: 3.6
          cached_input: 0.36
          cache_write: 4.5
          output: 18
      - model: anthropic.claude-3-7-sonnet-20250219-v1:0
        aliases: [eu.anthropic.claude-3-7-sonnet-20250219-v1:0, us.anthropic.claude-3-7-sonnet-20250219-v1:0]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          output: 15
      - model: anthropic.claude-fable-5
        aliases: [global.anthropic.claude-fable-5]
        prices:
          input: 10
          cached_input: 1
          cache_write: 12.5
          cache_write_1h: 20
          output: 50
      - model: us.anthropic.claude-fable-5
        aliases: [eu.anthropic.claude-fable-5, au.anthropic.claude-fable-5, apac.anthropic.claude-fable-5]
        prices:
          input: 11
          cached_input: 1.1
          cache_write: 13.75
          cache_write_1h: 22
          output: 55
      - model: anthropic.claude-fable-5-1
        aliases: [global.anthropic.claude-fable-5-1]
        prices:
          input: 10
          cached_input: 0.25
          cache_write: 12.5
          cache_write_1h: 20
          output: 50
      - model: us.anthropic.claude-fable-5-1
        aliases: [eu.anthropic.claude-fable-5-1]
        prices:
          input: 11
          cached_input: 0.275
          cache_write: 13.75
          cache_write_1h: 22
          output: 55
      - model: anthropic.claude-haiku-4-5-20251001-v1:0
        aliases: [global.anthropic.claude-haiku-4-5-20251001-v1:0]
        prices:
          input: 1
          cached_input: 0.1
          cache_write: 1.25
          cache_write_1h: 2
          output: 5
        batch:
          input: 0.5
          output: 2.5
      - model: apac.anthropic.claude-haiku-4-5-20251001-v1:0
        prices:
          input: 1.1
          cached_input: 0.11
          cache_write: 1.375
          output: 5.5
        batch:
          input: 0.55
          output: 2.75
      - model: eu.anthropic.claude-haiku-4-5-20251001-v1:0
        aliases: [jp.anthropic.claude-haiku-4-5-20251001-v1:0, us.anthropic.claude-haiku-4-5-20251001-v1:0, au.anthropic.claude-haiku-4-5-20251001-v1:0]
        prices:
          input: 1.1
          cached_input: 0.11
          cache_write: 1.375
          cache_write_1h: 2.2
          output: 5.5
        batch:
          input: 0.55
          output: 2.75
      - model: anthropic.claude-haiku-5-5
        aliases: [global.anthropic.claude-haiku-5-5]
        prices:
          input: 0.1
          cached_input: 0.01
          cache_write: 0.125
          cache_write_1h: 0.2
          output: 0.5
          above:
            - input_tokens: 100000
              input: 0.5
              cached_input: 0.05
              cache_write: 0.625
              cache_write_1h: 1
              output: 2.5
      - model: au.anthropic.claude-haiku-5-5
        aliases: [eu.anthropic.claude-haiku-5-5, jp.anthropic.claude-haiku-5-5, us.anthropic.claude-haiku-5-5, apac.anthropic.claude-haiku-5-5]
        prices:
          input: 0.11
          cached_input: 0.011
          cache_write: 0.1375
          cache_write_1h: 0.22
          output: 0.55
          above:
            - input_tokens: 100000
              input: 0.55
              cached_input: 0.055
              cache_write: 0.6875
              cache_write_1h: 1.1
              output: 2.75
      - model: anthropic.claude-opus-4-1-20250805-v1:0
        aliases: [eu.anthropic.claude-opus-4-1-20250805-v1:0, us.anthropic.claude-opus-4-1-20250805-v1:0]
        prices:
          input: 15
          cached_input: 1.5
          cache_write: 18.75
          output: 75
      - model: anthropic.claude-opus-4-20250514-v1:0
        aliases: [eu.anthropic.claude-opus-4-20250514-v1:0, us.anthropic.claude-opus-4-20250514-v1:0]
        prices:
          input: 15
          cached_input: 1.5
          cache_write: 18.75
          output: 75
      - model: anthropic.claude-opus-4-5-20251101-v1:0
        aliases: [global.anthropic.claude-opus-4-5-20251101-v1:0]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
      - model: us.anthropic.claude-opus-4-5-20251101-v1:0
        aliases: [eu.anthropic.claude-opus-4-5-20251101-v1:0]
        prices:
          input: 5.5
          cached_input: 0.55
          cache_write: 6.875
          cache_write_1h: 11
          output: 27.5
      - model: anthropic.claude-opus-4-6-v1
        aliases: [global.anthropic.claude-opus-4-6-v1]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
      - model: us.anthropic.claude-opus-4-6-v1
        aliases: [eu.anthropic.claude-opus-4-6-v1, au.anthropic.claude-opus-4-6-v1]
        prices:
          input: 5.5
          cached_input: 0.55
          cache_write: 6.875
          cache_write_1h: 11
          output: 27.5
      - model: anthropic.claude-opus-4-7
        aliases: [global.anthropic.claude-opus-4-7]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
      - model: us.anthropic.claude-opus-4-7
        aliases: [eu.anthropic.claude-opus-4-7, au.anthropic.claude-opus-4-7, jp.anthropic.claude-opus-4-7, apac.anthropic.claude-opus-4-7]
        prices:
          input: 5.5
          cached_input: 0.55
          cache_write: 6.875
          cache_write_1h: 11
          output: 27.5
      - model: anthropic.claude-opus-4-8
        aliases: [global.anthropic.claude-opus-4-8]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
      - model: us.anthropic.claude-opus-4-8
        aliases: [eu.anthropic.claude-opus-4-8, au.anthropic.claude-opus-4-8, jp.anthropic.claude-opus-4-8, apac.anthropic.claude-opus-4-8]
        prices:
          input: 5.5
          cached_input: 0.55
          cache_write: 6.875
          cache_write_1h: 11
          output: 27.5
      - model: anthropic.claude-opus-5
        aliases: [global.anthropic.claude-opus-5]
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          cache_write_1h: 10
          output: 25
      - model: us.anthropic.claude-opus-5
        aliases: [eu.anthropic.claude-opus-5, au.anthropic.claude-opus-5, jp.anthropic.claude-opus-5, apac.anthropic.claude-opus-5]
        prices:
          input: 5.5
          cached_input: 0.55
          cache_write: 6.875
          cache_write_1h: 11
          output: 27.5
      - model: anthropic.claude-opus-5-5
        aliases: [global.anthropic.claude-opus-5-5]
        prices:
          input: 4
          cached_input: 0.2
          cache_write: 5
          cache_write_1h: 8
          output: 20
      - model: us.anthropic.claude-opus-5-5
        aliases: [eu.anthropic.claude-opus-5-5, au.anthropic.claude-opus-5-5, jp.anthropic.claude-opus-5-5, apac.anthropic.claude-opus-5-5]
        prices:
          input: 4.4
          cached_input: 0.22
          cache_write: 5.5
          cache_write_1h: 8.8
          output: 22
      - model: anthropic.claude-sonnet-4-20250514-v1:0
        aliases: [eu.anthropic.claude-sonnet-4-20250514-v1:0, us.anthropic.claude-sonnet-4-20250514-v1:0, apac.anthropic.claude-sonnet-4-20250514-v1:0, global.anthropic.claude-sonnet-4-20250514-v1:0]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          output: 15
          above:
            - input_tokens: 200000
              input: 6
              cached_input: 0.6
              cache_write: 7.5
              output: 22.5
      - model: anthropic.claude-sonnet-4-5-20250929-v1:0
        aliases: [global.anthropic.claude-sonnet-4-5-20250929-v1:0]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
          above:
            - input_tokens: 200000
              input: 6
              cached_input: 0.6
              cache_write: 7.5
              cache_write_1h: 12
              output: 22.5
        batch:
          input: 1.5
          output: 7.5
      - model: au.anthropic.claude-sonnet-4-5-20250929-v1:0
        aliases: [eu.anthropic.claude-sonnet-4-5-20250929-v1:0, jp.anthropic.claude-sonnet-4-5-20250929-v1:0, us.anthropic.claude-sonnet-4-5-20250929-v1:0]
        prices:
          input: 3.3
          cached_input: 0.33
          cache_write: 4.125
          cache_write_1h: 6.6
          output: 16.5
          above:
            - input_tokens: 200000
              input: 6.6
              cached_input: 0.66
              cache_write: 8.25
              cache_write_1h: 13.2
              output: 24.75
        batch:
          input: 1.65
          output: 8.25
      - model: anthropic.claude-sonnet-4-6
        aliases: [global.anthropic.claude-sonnet-4-6]
        prices:
          input: 3
          cached_input: 0.3
          cache_write: 3.75
          cache_write_1h: 6
          output: 15
      - model: us.anthropic.claude-sonnet-4-6
        aliases: [eu.anthropic.claude-sonnet-4-6, au.anthropic.claude-sonnet-4-6, jp.anthropic.claude-sonnet-4-6, apac.anthropic.claude-sonnet-4-6]
        prices:
          input: 3.3
          cached_input: 0.33
          cache_write: 4.125
          cache_write_1h: 6.6
          output: 16.5
      - model: anthropic.claude-sonnet-5
        aliases: [global.anthropic.claude-sonnet-5]
        prices:
          input: 2
          cached_input: 0.2
          cache_write: 2.5
          cache_write_1h: 4
          output: 10
      - model: us.anthropic.claude-sonnet-5
        aliases: [eu.anthropic.claude-sonnet-5, au.anthropic.claude-sonnet-5, jp.anthropic.claude-sonnet-5, apac.anthropic.claude-sonnet-5]
        prices:
          input: 2.2
          cached_input: 0.22
          cache_write: 2.75
          cache_write_1h: 4.4
          output: 11
      - model: anthropic.claude-sonnet-5-5
        aliases: [global.anthropic.claude-sonnet-5-5]
        prices:
          input: 2
          cached_input: 0.1
          cache_write: 2.5
          cache_write_1h: 4
          output: 10
      - model: au.anthropic.claude-sonnet-5-5
        aliases: [eu.anthropic.claude-sonnet-5-5, jp.anthropic.claude-sonnet-5-5, us.anthropic.claude-sonnet-5-5, apac.anthropic.claude-sonnet-5-5]
        prices:
          input: 2.2
          cached_input: 0.11
          cache_write: 2.75
          cache_write_1h: 4.4
          output: 11
      - model: cohere.embed-english-v3
        prices:
          input: 0.1
          output: 0
      - model: cohere.embed-multilingual-v3
        prices:
          input: 0.1
          output: 0
      - model: cohere.embed-v4:0
        aliases: [us.cohere.embed-v4:0, global.cohere.embed-v4:0]
        prices:
          input: 0.12
          output: 0
      - model: meta.llama3-3-70b-instruct-v1:0
        aliases: [us.meta.llama3-3-70b-instruct-v1:0]
        prices:
          input: 0.72
          output: 0.72
        batch: {discount: 50%}
      - model: meta.llama4-maverick-17b-instruct-v1:0
        aliases: [us.meta.llama4-maverick-17b-instruct-v1:0]
        prices:
          input: 0.24
          output: 0.97
        batch: {discount: 50%}
      - model: meta.llama4-scout-17b-instruct-v1:0
        aliases: [us.meta.llama4-scout-17b-instruct-v1:0]
        prices:
          input: 0.17
          output: 0.66
        batch: {discount: 50%}
      - model: mistral.mistral-large-2402-v1:0
        prices:
          input: 4
          output: 12
      - model: mistral.mistral-large-2407-v1:0
        prices:
          input: 2
          output: 6
      - model: mistral.mistral-large-3-675b-instruct
        prices:
          input: 0.5
          output: 1.5
        batch: {discount: 50%}

    """#

  private static let cohere = #"""
    # Cohere: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: cohere
    source: https://cohere.com/pricing
    read: 2026-11-20
    cards:
      - model: command-a
        aliases: [command-a-03-2025]
        prices:
          input: 2.5
          output: 10
      - model: command-r
        aliases: [command-r-08-2024]
        prices:
          input: 0.15
          output: 0.6
      - model: command-r-plus
        aliases: [command-r-plus-08-2024]
        prices:
          input: 2.5
          output: 10
      - model: command-r7b
        aliases: [command-r7b-12-2024]
        prices:
          input: 0.0375
          output: 0.15
      - model: embed-v4.0
        prices:
          input: 0.12

    """#

  private static let deepseek = #"""
    # DeepSeek: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: deepseek
    source: https://api-docs.deepseek.com/quick_start/pricing
    read: 2026-11-20
    cards:
      - model: deepseek-chat
        # The dearest hours; other hours of the day cost less.
        approximate: true
        prices:
          input: 0.27
          cached_input: 0.07
          output: 1.1
      - model: deepseek-reasoner
        # The dearest hours; other hours of the day cost less.
        approximate: true
        prices:
          input: 0.55
          cached_input: 0.14
          output: 2.19
      - model: deepseek-flash
        # The dearest hours; other hours of the day cost less.
        approximate: true
        prices:
          input: 0.3
          cached_input: 0.006
          output: 1.2
      - model: deepseek-v4-flash
        # The dearest hours; other hours of the day cost less.
        approximate: true
        prices:
          input: 0.3
          cached_input: 0.006
          output: 1.2
      - model: deepseek-v4-pro
        # The dearest hours; other hours of the day cost less.
        approximate: true
        prices:
          input: 1.32
          cached_input: 0.044
          output: 3.96
      - model: deepseek-v3.2
        prices:
          input: 0.2288
          output: 0.3432

    """#

  private static let google = #"""
    # Google: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: [gcp.gemini, gcp.vertex_ai, gcp.gen_ai]
    source: https://ai.google.dev/gemini-api/docs/pricing
    read: 2026-11-20
    cards:
      - model: gemini-1.5-flash
        aliases: ["gemini-1.5-flash-00*"]
        prices:
          input: 0.075
          cached_input: 0.01875
          output: 0.3
          above:
            - input_tokens: 128000
              input: 0.15
              cached_input: 0.0375
              output: 0.6
      - model: gemini-1.5-pro
        aliases: ["gemini-1.5-pro-00*"]
        prices:
          input: 1.25
          output: 5
          above:
            - input_tokens: 128000
              input: 2.5
              output: 10
      - model: gemini-2.0-flash
        aliases: ["gemini-2.0-flash-00*"]
        prices:
          input: 0.1
          cached_input: 0.025
          output: 0.4
          input_audio: 0.7
        units: {web_search: 0.035}
      - model: gemini-2.0-flash-lite
        aliases: ["gemini-2.0-flash-lite-00*"]
        prices:
          input: 0.075
          output: 0.3
      - model: gemini-2.5-flash
        aliases: ["gemini-2.5-flash-00*"]
        prices:
          input: 0.3
          cached_input: 0.03
          output: 2.5
          input_audio: 1
        batch:
          input: 0.15
          output: 1.25
          input_audio: 0.5
        units: {web_search: 0.035}
      - model: gemini-2.5-flash-lite
        aliases: ["gemini-2.5-flash-lite-00*"]
        prices:
          input: 0.1
          cached_input: 0.01
          output: 0.4
          input_audio: 0.3
        batch:
          input: 0.05
          output: 0.2
          input_audio: 0.15
        units: {web_search: 0.035}
      - model: gemini-2.5-pro
        aliases: ["gemini-2.5-pro-00*"]
        prices:
          input: 1.25
          cached_input: 0.125
          output: 10
          above:
            - input_tokens: 200000
              input: 2.5
              cached_input: 0.25
              output: 15
        batch:
          input: 0.625
          output: 5
          above:
            - input_tokens: 200000
              input: 1.25
              output: 7.5
        units: {web_search: 0.035}
      - model: gemini-3-flash-preview
        until: 2026-01-05
        prices:
          input: 0.5
          cached_input: 0.05
          output: 3
          input_audio: 1
      - model: gemini-3-flash-preview
        from: 2026-01-05
        prices:
          input: 0.5
          cached_input: 0.05
          output: 3
          input_audio: 1
        batch:
          input: 0.25
          output: 1.5
          input_audio: 0.5
        units: {web_search: 0.014}
      - model: gemini-3-pro-preview
        until: 2026-01-05
        prices:
          input: 2
          cached_input: 0.2
          output: 12
          above:
            - input_tokens: 200000
              input: 4
              cached_input: 0.4
              output: 18
      - model: gemini-3-pro-preview
        from: 2026-01-05
        prices:
          input: 2
          cached_input: 0.2
          output: 12
          above:
            - input_tokens: 200000
              input: 4
              cached_input: 0.4
              output: 18
        units: {web_search: 0.014}
      - model: gemini-3.1-flash-lite
        prices:
          input: 0.25
          cached_input: 0.025
          output: 1.5
          input_audio: 0.5
        batch: {discount: 50%}
        units: {web_search: 0.014}
      - model: gemini-3.1-pro-preview
        prices:
          input: 2
          cached_input: 0.2
          output: 12
          above:
            - input_tokens: 200000
              input: 4
              cached_input: 0.4
              output: 18
        batch:
          input: 1
          output: 6
          above:
            - input_tokens: 200000
              input: 2
              output: 9
        units: {web_search: 0.014}
      - model: gemini-3.5-flash
        prices:
          input: 1.5
          cached_input: 0.15
          output: 9
        units: {web_search: 0.014}
      - model: gemini-3.5-flash-lite
        prices:
          input: 0.3
          cached_input: 0.03
          output: 2.5
        batch:
          input: 0.15
          cached_input: 0.02
          output: 1.25
        units: {web_search: 0.014}
      - model: gemini-3.6-flash
        until: 2027-01-01
        prices:
          input: 0.75
          cached_input: 0.075
          output: 3.75
        batch: {discount: 50%}
        units: {web_search: 0.014}
      - model: gemini-3.6-flash
        from: 2027-01-01
        prices:
          input: 1.5
          cached_input: 0.15
          output: 7.5
        batch: {discount: 50%}
        units: {web_search: 0.014}
      - model: gemini-3.7-flash
        until: 2027-01-01
        prices:
          input: 0.75
          cached_input: 0.075
          output: 3.75
        units: {web_search: 0.014}
      - model: gemini-3.7-flash
        from: 2027-01-01
        prices:
          input: 1.5
          cached_input: 0.15
          output: 7.5
        units: {web_search: 0.014}
      - model: gemini-3.8-flash
        until: 2027-01-01
        prices:
          input: 0.75
          cached_input: 0.075
          output: 3.75
        batch: {discount: 50%}
        units: {web_search: 0.014}
      - model: gemini-3.8-flash
        from: 2027-01-01
        prices:
          input: 1.5
          cached_input: 0.15
          output: 7.5
        batch: {discount: 50%}
        units: {web_search: 0.014}
      - model: gemini-3.8-live
        prices:
          input: 0.75
          output: 4.5
          input_audio: 3
          output_audio: 12
          input_image: 1
        units: {web_search: 0.014}
      - model: gemini-4-argon
        until: 2026-12-01
        prices:
          input: 2
          cached_input: 0.1
          output: 10
        batch: {discount: 50%}
        units: {web_search: 0.014}
      - model: gemini-4-argon
        from: 2026-12-01
        prices:
          input: 4
          cached_input: 0.2
          output: 20
        batch: {discount: 50%}
        units: {web_search: 0.014}
      - model: gemini-embedding-001
        prices:
          input: 0.15
      - model: gemini-embedding-2
        prices:
          input: 0.2
          input_audio: 6.5
          input_image: 0.45
        batch: {discount: 50%}

    """#

  private static let groq = #"""
    # Groq: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: groq
    source: https://groq.com/pricing
    read: 2026-11-20
    cards:
      - model: llama-3.1-8b-instant
        prices:
          input: 0.05
          output: 0.08
      - model: llama-3.3-70b-versatile
        prices:
          input: 0.59
          output: 0.79
      - model: meta-llama/llama-4-maverick-17b-128e-instruct
        prices:
          input: 0.2
          output: 0.6
      - model: meta-llama/llama-4-scout-17b-16e-instruct
        prices:
          input: 0.11
          output: 0.34
      - model: moonshotai/kimi-k2-instruct
        prices:
          input: 1
          cached_input: 0.5
          output: 3
      - model: openai/gpt-oss-120b
        prices:
          input: 0.15
          cached_input: 0.075
          output: 0.6
        batch:
          input: 0.075
          cached_input: 0.075
          output: 0.3
      - model: openai/gpt-oss-20b
        prices:
          input: 0.075
          cached_input: 0.0375
          output: 0.3
        batch:
          input: 0.0375
          cached_input: 0.0375
          output: 0.15
      - model: qwen/qwen3-32b
        prices:
          input: 0.29
          output: 0.59

    """#

  private static let mistral = #"""
    # Mistral AI: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: mistral_ai
    source: https://mistral.ai/pricing/api
    read: 2026-11-20
    cards:
      - model: codestral
        aliases: [codestral-latest]
        prices:
          input: 0.3
          output: 0.9
        batch: {discount: 50%}
      - model: codestral-2508
        prices:
          input: 0.3
          cached_input: 0.03
          output: 0.9
        batch: {discount: 50%}
      - model: codestral-embed-2505
        prices:
          input: 0.15
          cached_input: 0.015
      - model: ministral-3b-2512
        prices:
          input: 0.1
          cached_input: 0.01
          output: 0.1
        batch: {discount: 50%}
      - model: ministral-8b-2512
        prices:
          input: 0.15
          cached_input: 0.015
          output: 0.15
        batch: {discount: 50%}
      - model: ministral-14b-2512
        prices:
          input: 0.2
          cached_input: 0.02
          output: 0.2
        batch: {discount: 50%}
      - model: mistral-embed
        prices:
          input: 0.1
          output: 0.1
        batch: {discount: 50%}
      - model: mistral-large-2512
        prices:
          input: 0.5
          cached_input: 0.05
          output: 1.5
        batch: {discount: 50%}
      - model: mistral-large-4
        until: 2026-10-20
        prices:
          input: 0.68
          cached_input: 0.07
          output: 2.09
        batch: {discount: 50%}
      - model: mistral-large-4
        from: 2026-10-20
        until: 2026-10-29
        prices:
          input: 1.36
          cached_input: 0.14
          output: 4.18
        batch: {discount: 50%}
      - model: mistral-large-4
        from: 2026-10-29
        prices:
          input: 0.7
          cached_input: 0.07
          output: 2.1
        batch: {discount: 50%}
      - model: mistral-medium-latest
        until: 2026-06-16
        prices:
          input: 0.4
          cached_input: 0.04
          output: 2
      - model: mistral-medium-latest
        from: 2026-06-16
        prices:
          input: 1.5
          cached_input: 0.15
          output: 7.5
        batch: {discount: 50%}
      - model: mistral-medium-3-5
        prices:
          input: 1.5
          cached_input: 0.15
          output: 7.5
        batch: {discount: 50%}
      - model: mistral-nemo
        aliases: [open-mistral-nemo]
        prices:
          input: 0.15
          output: 0.15
      - model: mistral-small-latest
        until: 2026-03-16
        prices:
          input: 0.1
          output: 0.3
      - model: mistral-small-latest
        from: 2026-03-16
        prices:
          input: 0.15
          cached_input: 0.015
          output: 0.6
        batch: {discount: 50%}
      - model: mistral-small-2603
        prices:
          input: 0.15
          cached_input: 0.015
          output: 0.6
        batch: {discount: 50%}
      - model: magistral-medium
        prices:
          input: 2
          output: 5
      - model: magistral-small
        prices:
          input: 0.5
          output: 1.5
      - model: pixtral-large
        prices:
          input: 2
          output: 6

    """#

  private static let openai = #"""
    # OpenAI: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: [openai, azure.ai.openai]
    source: https://developers.openai.com/api/docs/pricing
    read: 2026-11-20
    cards:
      - model: gpt-3.5-turbo
        aliases: ["gpt-3.5-turbo-20*"]
        prices:
          input: 0.5
          output: 1.5
        batch: {discount: 50%}
      - model: gpt-4
        aliases: ["gpt-4-20*"]
        prices:
          input: 30
          output: 60
        batch: {discount: 50%}
      - model: gpt-4-turbo
        aliases: ["gpt-4-turbo-20*"]
        prices:
          input: 10
          output: 30
        batch: {discount: 50%}
      - model: gpt-4.1
        aliases: ["gpt-4.1-20*"]
        prices:
          input: 2
          cached_input: 0.5
          output: 8
        batch:
          input: 1
          output: 4
        tiers:
          fast:
            input: 3.5
            cached_input: 0.875
            output: 14
          priority:
            input: 3.5
            cached_input: 0.875
            output: 14
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-4.1-mini
        aliases: ["gpt-4.1-mini-20*"]
        prices:
          input: 0.4
          cached_input: 0.1
          output: 1.6
        batch:
          input: 0.2
          output: 0.8
        tiers:
          fast:
            input: 0.7
            cached_input: 0.175
            output: 2.8
          priority:
            input: 0.7
            cached_input: 0.175
            output: 2.8
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-4.1-nano
        aliases: ["gpt-4.1-nano-20*"]
        prices:
          input: 0.1
          cached_input: 0.025
          output: 0.4
        batch:
          input: 0.05
          output: 0.2
        tiers:
          fast:
            input: 0.2
            cached_input: 0.05
            output: 0.8
          priority:
            input: 0.2
            cached_input: 0.05
            output: 0.8
      - model: gpt-4o
        aliases: ["gpt-4o-20*"]
        prices:
          input: 2.5
          cached_input: 1.25
          output: 10
        batch:
          input: 1.25
          output: 5
        tiers:
          fast:
            input: 4.25
            cached_input: 2.125
            output: 17
          priority:
            input: 4.25
            cached_input: 2.125
            output: 17
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-4o-2024-05-13
        prices:
          input: 5
          output: 15
        batch: {discount: 50%}
        tiers:
          fast:
            input: 8.75
            output: 26.25
          priority:
            input: 8.75
            output: 26.25
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-4o-mini
        aliases: ["gpt-4o-mini-20*"]
        prices:
          input: 0.15
          cached_input: 0.075
          output: 0.6
        batch:
          input: 0.075
          output: 0.3
        tiers:
          fast:
            input: 0.25
            cached_input: 0.125
            output: 1
          priority:
            input: 0.25
            cached_input: 0.125
            output: 1
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-4o-audio-preview
        aliases: ["gpt-4o-audio-preview-20*"]
        prices:
          input: 2.5
          output: 10
      - model: gpt-4o-mini-audio-preview
        aliases: ["gpt-4o-mini-audio-preview-20*"]
        prices:
          input: 0.15
          output: 0.6
      - model: gpt-4o-realtime-preview
        aliases: ["gpt-4o-realtime-preview-20*"]
        prices:
          input: 5
          cached_input: 2.5
          output: 20
          input_audio: 40
          output_audio: 80
      - model: gpt-4o-transcribe
        aliases: ["gpt-4o-transcribe-20*"]
        prices:
          input: 2.5
          output: 10
          input_audio: 6
      - model: gpt-5
        aliases: ["gpt-5-20*"]
        prices:
          input: 1.25
          cached_input: 0.125
          output: 10
        batch: {discount: 50%}
        tiers:
          fast:
            input: 2.5
            cached_input: 0.25
            output: 20
          flex: {discount: 50%}
          priority:
            input: 2.5
            cached_input: 0.25
            output: 20
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5-mini
        aliases: ["gpt-5-mini-20*"]
        prices:
          input: 0.25
          cached_input: 0.025
          output: 2
        batch: {discount: 50%}
        tiers:
          fast:
            input: 0.45
            cached_input: 0.045
            output: 3.6
          flex: {discount: 50%}
          priority:
            input: 0.45
            cached_input: 0.045
            output: 3.6
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5-nano
        aliases: ["gpt-5-nano-20*"]
        prices:
          input: 0.05
          cached_input: 0.005
          output: 0.4
        batch: {discount: 50%}
        tiers:
          flex: {discount: 50%}
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5-pro
        aliases: ["gpt-5-pro-20*"]
        prices:
          input: 15
          output: 120
        batch: {discount: 50%}
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.1
        aliases: ["gpt-5.1-20*"]
        prices:
          input: 1.25
          cached_input: 0.125
          output: 10
        batch: {discount: 50%}
        tiers:
          fast:
            input: 2.5
            cached_input: 0.25
            output: 20
          flex: {discount: 50%}
          priority:
            input: 2.5
            cached_input: 0.25
            output: 20
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.1-codex-mini
        aliases: ["gpt-5.1-codex-mini-20*", gpt-5-codex-mini]
        prices:
          input: 0.25
          cached_input: 0.025
          output: 2
      - model: gpt-5.2
        aliases: ["gpt-5.2-20*"]
        prices:
          input: 1.75
          cached_input: 0.175
          output: 14
        batch: {discount: 50%}
        tiers:
          fast:
            input: 3.5
            cached_input: 0.35
            output: 28
          flex: {discount: 50%}
          priority:
            input: 3.5
            cached_input: 0.35
            output: 28
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.2-pro
        aliases: ["gpt-5.2-pro-20*"]
        prices:
          input: 21
          output: 168
        batch: {discount: 50%}
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.3-codex
        aliases: ["gpt-5.3-codex-20*"]
        prices:
          input: 1.75
          cached_input: 0.175
          output: 14
        tiers:
          fast:
            input: 3.5
            cached_input: 0.35
            output: 28
          priority:
            input: 3.5
            cached_input: 0.35
            output: 28
      - model: gpt-5.4
        aliases: ["gpt-5.4-20*"]
        prices:
          input: 2.5
          cached_input: 0.25
          output: 15
          above:
            - input_tokens: 272000
              input: 5
              cached_input: 0.5
              output: 22.5
        batch:
          input: 1.25
          cached_input: 0.13
          output: 7.5
          above:
            - input_tokens: 272000
              input: 2.5
              cached_input: 0.25
              output: 11.25
        tiers:
          fast:
            input: 5
            cached_input: 0.5
            output: 30
          flex:
            input: 1.25
            cached_input: 0.13
            output: 7.5
            above:
              - input_tokens: 272000
                input: 2.5
                cached_input: 0.25
                output: 11.25
          priority:
            input: 5
            cached_input: 0.5
            output: 30
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.4-mini
        aliases: ["gpt-5.4-mini-20*"]
        prices:
          input: 0.75
          cached_input: 0.075
          output: 4.5
        batch: {discount: 50%}
        tiers:
          fast:
            input: 1.5
            cached_input: 0.15
            output: 9
          flex: {discount: 50%}
          priority:
            input: 1.5
            cached_input: 0.15
            output: 9
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.4-nano
        aliases: ["gpt-5.4-nano-20*"]
        prices:
          input: 0.2
          cached_input: 0.02
          output: 1.25
        batch: {discount: 50%}
        tiers:
          flex: {discount: 50%}
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.4-pro
        aliases: ["gpt-5.4-pro-20*"]
        prices:
          input: 30
          output: 180
          above:
            - input_tokens: 272000
              input: 60
              output: 270
        batch: {discount: 50%}
        tiers:
          flex: {discount: 50%}
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.5
        aliases: ["gpt-5.5-20*"]
        prices:
          input: 5
          cached_input: 0.5
          output: 30
          above:
            - input_tokens: 272000
              input: 10
              cached_input: 1
              output: 45
        batch: {discount: 50%}
        tiers:
          fast:
            input: 12.5
            cached_input: 1.25
            output: 75
          flex: {discount: 50%}
          priority:
            input: 12.5
            cached_input: 1.25
            output: 75
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.5-pro
        aliases: ["gpt-5.5-pro-20*"]
        prices:
          input: 30
          output: 180
          above:
            - input_tokens: 272000
              input: 60
              output: 270
        batch:
          input: 15
          output: 90
        tiers:
          flex:
            input: 15
            output: 90
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.6-luna
        aliases: ["gpt-5.6-luna-20*"]
        until: 2026-07-30
        prices:
          input: 1
          cached_input: 0.1
          cache_write: 1.25
          output: 6
          above:
            - input_tokens: 272000
              input: 2
              cached_input: 0.2
              cache_write: 2.5
              output: 9
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.6-luna
        aliases: ["gpt-5.6-luna-20*"]
        from: 2026-07-30
        prices:
          input: 0.2
          cached_input: 0.02
          cache_write: 0.25
          output: 1.2
          above:
            - input_tokens: 272000
              input: 0.4
              cached_input: 0.04
              cache_write: 0.5
              output: 1.8
        batch: {discount: 50%}
        tiers:
          fast:
            input: 0.4
            cached_input: 0.04
            cache_write: 0.5
            output: 2.4
            above:
              - input_tokens: 272000
                input: 0.8
                cached_input: 0.08
                cache_write: 1
                output: 3.6
          flex: {discount: 50%}
          priority:
            input: 0.4
            cached_input: 0.04
            cache_write: 0.5
            output: 2.4
            above:
              - input_tokens: 272000
                input: 0.8
                cached_input: 0.08
                cache_write: 1
                output: 3.6
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.6-sol
        aliases: ["gpt-5.6-sol-20*", gpt-5.6]
        until: 2026-08-21
        prices:
          input: 5
          cached_input: 0.5
          cache_write: 6.25
          output: 30
          above:
            - input_tokens: 272000
              input: 10
              cached_input: 1
              cache_write: 12.5
              output: 45
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.6-sol
        aliases: ["gpt-5.6-sol-20*", gpt-5.6]
        from: 2026-08-21
        prices:
          input: 4
          cached_input: 0.4
          cache_write: 5
          output: 20
          above:
            - input_tokens: 272000
              input: 8
              cached_input: 0.8
              cache_write: 10
              output: 30
        batch: {discount: 50%}
        tiers:
          fast:
            input: 8
            cached_input: 0.8
            cache_write: 10
            output: 40
            above:
              - input_tokens: 272000
                input: 16
                cached_input: 1.6
                cache_write: 20
                output: 60
          flex: {discount: 50%}
          priority:
            input: 8
            cached_input: 0.8
            cache_write: 10
            output: 40
            above:
              - input_tokens: 272000
                input: 16
                cached_input: 1.6
                cache_write: 20
                output: 60
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.6-terra
        aliases: ["gpt-5.6-terra-20*"]
        until: 2026-07-30
        prices:
          input: 2.5
          cached_input: 0.25
          cache_write: 3.125
          output: 15
          above:
            - input_tokens: 272000
              input: 5
              cached_input: 0.5
              cache_write: 6.25
              output: 22.5
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-5.6-terra
        aliases: ["gpt-5.6-terra-20*"]
        from: 2026-07-30
        prices:
          input: 2
          cached_input: 0.2
          cache_write: 2.5
          output: 12
          above:
            - input_tokens: 272000
              input: 4
              cached_input: 0.4
              cache_write: 5
              output: 18
        batch: {discount: 50%}
        tiers:
          fast:
            input: 4
            cached_input: 0.4
            cache_write: 5
            output: 24
            above:
              - input_tokens: 272000
                input: 8
                cached_input: 0.8
                cache_write: 10
                output: 36
          flex: {discount: 50%}
          priority:
            input: 4
            cached_input: 0.4
            cache_write: 5
            output: 24
            above:
              - input_tokens: 272000
                input: 8
                cached_input: 0.8
                cache_write: 10
                output: 36
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-6-astra
        aliases: ["gpt-6-astra-20*"]
        prices:
          input: 10
          cached_input: 1
          cache_write: 12.5
          output: 50
          above:
            - input_tokens: 272000
              input: 20
              cached_input: 2
              cache_write: 25
              output: 75
        batch: {discount: 50%}
        tiers:
          fast:
            input: 20
            cached_input: 2
            cache_write: 25
            output: 100
            above:
              - input_tokens: 272000
                input: 40
                cached_input: 4
                cache_write: 50
                output: 150
          flex: {discount: 50%}
          priority:
            input: 20
            cached_input: 2
            cache_write: 25
            output: 100
            above:
              - input_tokens: 272000
                input: 40
                cached_input: 4
                cache_write: 50
                output: 150
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-6-luna
        aliases: ["gpt-6-luna-20*"]
        prices:
          input: 0.1
          cached_input: 0.01
          cache_write: 0.125
          output: 0.5
          above:
            - input_tokens: 272000
              input: 0.2
              cached_input: 0.02
              cache_write: 0.25
              output: 0.75
        batch: {discount: 50%}
        tiers:
          fast:
            input: 0.2
            cached_input: 0.02
            cache_write: 0.25
            output: 1
            above:
              - input_tokens: 272000
                input: 0.4
                cached_input: 0.04
                cache_write: 0.5
                output: 1.5
          flex: {discount: 50%}
          priority:
            input: 0.2
            cached_input: 0.02
            cache_write: 0.25
            output: 1
            above:
              - input_tokens: 272000
                input: 0.4
                cached_input: 0.04
                cache_write: 0.5
                output: 1.5
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-6-sol
        aliases: ["gpt-6-sol-20*"]
        prices:
          input: 2
          cached_input: 0.2
          cache_write: 2.5
          output: 10
          above:
            - input_tokens: 272000
              input: 4
              cached_input: 0.4
              cache_write: 5
              output: 15
        batch: {discount: 50%}
        tiers:
          fast:
            input: 4
            cached_input: 0.4
            cache_write: 5
            output: 20
            above:
              - input_tokens: 272000
                input: 8
                cached_input: 0.8
                cache_write: 10
                output: 30
          flex: {discount: 50%}
          priority:
            input: 4
            cached_input: 0.4
            cache_write: 5
            output: 20
            above:
              - input_tokens: 272000
                input: 8
                cached_input: 0.8
                cache_write: 10
                output: 30
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-6.1-sol
        aliases: ["gpt-6.1-sol-20*"]
        prices:
          input: 2
          cached_input: 0.1
          cache_write: 2.5
          output: 10
          above:
            - input_tokens: 272000
              input: 4
              cached_input: 0.2
              cache_write: 5
              output: 15
        batch: {discount: 50%}
        tiers:
          fast:
            input: 4
            cached_input: 0.2
            cache_write: 5
            output: 20
            above:
              - input_tokens: 272000
                input: 8
                cached_input: 0.4
                cache_write: 10
                output: 30
          flex: {discount: 50%}
          priority:
            input: 4
            cached_input: 0.2
            cache_write: 5
            output: 20
            above:
              - input_tokens: 272000
                input: 8
                cached_input: 0.4
                cache_write: 10
                output: 30
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-6.1-terra
        aliases: ["gpt-6.1-terra-20*"]
        prices:
          input: 1
          cached_input: 0.05
          cache_write: 1.25
          output: 5
          above:
            - input_tokens: 272000
              input: 2
              cached_input: 0.1
              cache_write: 2.5
              output: 7.5
        batch: {discount: 50%}
        tiers:
          fast:
            input: 2
            cached_input: 0.1
            cache_write: 2.5
            output: 10
            above:
              - input_tokens: 272000
                input: 4
                cached_input: 0.2
                cache_write: 5
                output: 15
          flex: {discount: 50%}
          priority:
            input: 2
            cached_input: 0.1
            cache_write: 2.5
            output: 10
            above:
              - input_tokens: 272000
                input: 4
                cached_input: 0.2
                cache_write: 5
                output: 15
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: gpt-audio
        aliases: ["gpt-audio-20*"]
        prices:
          input: 2.5
          output: 10
          input_audio: 32
          output_audio: 64
      - model: gpt-audio-mini
        aliases: ["gpt-audio-mini-20*"]
        prices:
          input: 0.6
          output: 2.4
          input_audio: 10
          output_audio: 20
      - model: gpt-realtime
        aliases: ["gpt-realtime-20*"]
        prices:
          input: 4
          cached_input: 0.4
          output: 16
          input_audio: 32
          output_audio: 64
          input_image: 5
      - model: gpt-realtime-mini
        aliases: ["gpt-realtime-mini-20*"]
        prices:
          input: 0.6
          cached_input: 0.06
          output: 2.4
          input_audio: 10
          output_audio: 20
          input_image: 0.8
      - model: o1
        aliases: ["o1-20*"]
        prices:
          input: 15
          cached_input: 7.5
          output: 60
        batch:
          input: 7.5
          output: 30
      - model: o1-mini
        aliases: ["o1-mini-20*"]
        prices:
          input: 1.1
          cached_input: 0.55
          output: 4.4
      - model: o1-pro
        aliases: ["o1-pro-20*"]
        prices:
          input: 150
          output: 600
        batch: {discount: 50%}
      - model: o3
        aliases: ["o3-20*"]
        from: 2025-06-10
        prices:
          input: 2
          cached_input: 0.5
          output: 8
        batch:
          input: 1
          output: 4
        tiers:
          fast:
            input: 3.5
            cached_input: 0.875
            output: 14
          flex: {discount: 50%}
          priority:
            input: 3.5
            cached_input: 0.875
            output: 14
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: o3-mini
        aliases: ["o3-mini-20*"]
        prices:
          input: 1.1
          cached_input: 0.55
          output: 4.4
        batch:
          input: 0.55
          output: 2.2
      - model: o3-pro
        aliases: ["o3-pro-20*"]
        prices:
          input: 20
          output: 80
        batch: {discount: 50%}
      - model: o4-mini
        aliases: ["o4-mini-20*"]
        prices:
          input: 1.1
          cached_input: 0.275
          output: 4.4
        batch:
          input: 0.55
          output: 2.2
        tiers:
          fast:
            input: 2
            cached_input: 0.5
            output: 8
          flex:
            input: 0.55
            cached_input: 0.138
            output: 2.2
          priority:
            input: 2
            cached_input: 0.5
            output: 8
        units: {web_search: 0.01, storage_search: 0.0025}
      - model: text-embedding-3-large
        prices:
          input: 0.13
      - model: text-embedding-3-small
        prices:
          input: 0.02
      - model: text-embedding-ada-002
        prices:
          input: 0.1

    """#

  private static let perplexity = #"""
    # Perplexity: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: perplexity
    source: https://docs.perplexity.ai/docs/getting-started/pricing
    read: 2026-11-20
    cards:
      - model: sonar
        prices:
          input: 1
          output: 1
        per_request: 0.012
      - model: sonar-pro
        prices:
          input: 3
          output: 15
        per_request: 0.014
      - model: sonar-reasoning
        prices:
          input: 1
          output: 5
        per_request: 0.012
      - model: sonar-reasoning-pro
        prices:
          input: 2
          output: 8
        per_request: 0.014

    """#

  private static let voyage = #"""
    # Voyage AI: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: voyageai
    source: https://docs.voyageai.com/docs/pricing
    read: 2026-11-20
    cards:
      - model: voyage-3
        prices:
          input: 0.06
      - model: voyage-3-large
        prices:
          input: 0.18
      - model: voyage-3.5
        prices:
          input: 0.06
      - model: voyage-3.5-lite
        prices:
          input: 0.02
      - model: voyage-4
        prices:
          input: 0.06
      - model: voyage-4-large
        prices:
          input: 0.12
      - model: voyage-4-lite
        prices:
          input: 0.02
      - model: voyage-code-3
        prices:
          input: 0.18

    """#

  private static let xai = #"""
    # xAI: public list prices in US dollars a million tokens.
    #
    # The rates were read on the date below from community price lists that name the page as their source.
    provider: x_ai
    source: https://docs.x.ai/docs/models
    read: 2026-11-20
    cards:
      - model: grok-3
        aliases: [grok-3-latest]
        prices:
          input: 3
          cached_input: 0.75
          output: 15
      - model: grok-3-fast
        prices:
          input: 5
          cached_input: 1.25
          output: 25
      - model: grok-3-mini
        prices:
          input: 0.3
          cached_input: 0.075
          output: 0.5
      - model: grok-4-0709
        aliases: [grok-4, grok-4-latest]
        prices:
          input: 3
          cached_input: 0.75
          output: 15
      - model: grok-4-1-fast-non-reasoning
        prices:
          input: 0.2
          cached_input: 0.05
          output: 0.5
      - model: grok-4-1-fast-reasoning
        prices:
          input: 0.2
          cached_input: 0.05
          output: 0.5
      - model: grok-4-fast-non-reasoning
        prices:
          input: 0.2
          cached_input: 0.05
          output: 0.5
      - model: grok-4-fast-reasoning
        prices:
          input: 0.2
          cached_input: 0.05
          output: 0.5
      - model: grok-4.20
        until: 2026-04-30
        prices:
          input: 2
          cached_input: 0.2
          output: 6
          above:
            - input_tokens: 199999
              input: 4
              cached_input: 0.4
              output: 12
      - model: grok-4.20
        from: 2026-04-30
        prices:
          input: 1.25
          cached_input: 0.2
          output: 2.5
          above:
            - input_tokens: 199999
              input: 2.5
              cached_input: 0.4
              output: 5
        batch: {discount: 20%}
      - model: grok-4.3
        prices:
          input: 1.25
          cached_input: 0.2
          output: 2.5
          above:
            - input_tokens: 199999
              input: 2.5
              cached_input: 0.4
              output: 5
        batch: {discount: 20%}
      - model: grok-4.5
        prices:
          input: 2
          cached_input: 0.3
          output: 6
          above:
            - input_tokens: 199999
              input: 4
              cached_input: 0.6
              output: 12
      - model: grok-4.6
        prices:
          input: 2
          cached_input: 0.5
          output: 6
          above:
            - input_tokens: 199999
              input: 4
              cached_input: 1
              output: 12
      - model: grok-4.7
        prices:
          input: 2
          cached_input: 0.5
          output: 6
          above:
            - input_tokens: 199999
              input: 4
              cached_input: 1
              output: 12
      - model: grok-code-fast-1
        prices:
          input: 0.2
          cached_input: 0.02
          output: 1.5

    """#
}
