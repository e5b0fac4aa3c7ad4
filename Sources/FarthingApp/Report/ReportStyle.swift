/// How the page looks: on a screen, light and dark, and on A4.
enum ReportStyle {
  static let sheet = """
    :root {
      --paper: #ffffff; --ink: #1c2530; --quiet: #5a6675; --line: #e2e7ed; --wash: #f5f7f9;
      --bar: #5b8dc2; --soft: #d3e1f0; --mark: #8b5e00; --worse: #a93b22; --better: #1f6b4a; --link: #2a5d91;
    }
    @media screen and (prefers-color-scheme: dark) {
      :root {
        --paper: #12161b; --ink: #e4e9ef; --quiet: #9ca8b5; --line: #2a323b; --wash: #1a2027;
        --bar: #4d80b5; --soft: #2c4660; --mark: #e0b04c; --worse: #ee9079; --better: #7fcaa6; --link: #8dbbe8;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body {
      margin: 0; background: var(--paper); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
    }
    main, footer { max-width: 1060px; margin: 0 auto; padding: 0 28px; }
    header { padding-top: 36px; }
    h1 { font-size: 27px; line-height: 1.2; font-weight: 650; letter-spacing: -0.012em; margin: 0 0 6px; }
    h2 { font-size: 18px; line-height: 1.3; font-weight: 650; letter-spacing: -0.005em; margin: 44px 0 8px; }
    p { margin: 6px 0; max-width: 84ch; }
    .span { font-size: 16px; margin: 0 0 4px; }
    .quiet, figcaption, caption, .legend, footer, summary { color: var(--quiet); }
    .caution { border-left: 3px solid var(--mark); background: var(--wash); padding: 8px 12px; margin: 10px 0; }
    a { color: var(--link); text-underline-offset: 2px; }
    code, pre { font: 12.5px/1.45 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; }
    pre { background: var(--wash); padding: 9px 12px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 4px; margin: 4px 0; }
    code { overflow-wrap: anywhere; }
    .f, .n, .tiles .value, .delta { font-variant-numeric: tabular-nums lining-nums; }
    .f { white-space: nowrap; }
    .findings { padding: 0; margin: 12px 0 0; list-style: none; display: grid; gap: 10px; }
    .findings li { border-left: 3px solid var(--line); padding: 1px 0 1px 14px; max-width: 92ch; overflow-wrap: anywhere; }
    .findings li.act { border-color: var(--worse); }
    .findings li.watch { border-color: var(--mark); }
    .findings li.good { border-color: var(--better); }
    .findings strong { display: block; font-weight: 650; }
    .findings a { font-size: 13px; white-space: nowrap; }
    .mark-word { float: left; margin-right: 7px; font-size: 11px; font-weight: 650; letter-spacing: 0.05em; text-transform: uppercase; padding: 3px 0; color: var(--quiet); }
    .act .mark-word { color: var(--worse); }
    .watch .mark-word { color: var(--mark); }
    .good .mark-word { color: var(--better); }
    .tiles { list-style: none; margin: 12px 0 22px; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(225px, 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
    .tiles li { background: var(--paper); padding: 12px 14px 10px; display: grid; grid-template-columns: 1fr auto; align-items: end; column-gap: 8px; }
    .tiles .label { grid-column: 1 / 3; font-size: 13px; color: var(--quiet); }
    .tiles .value { grid-column: 1 / 3; font-size: 23px; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; }
    .tiles .unit { font-size: 14px; font-weight: 400; color: var(--quiet); }
    .tiles .delta { font-size: 13px; color: var(--quiet); }
    .better { color: var(--better); }
    .worse { color: var(--worse); }
    figure { margin: 14px 0 18px; }
    figcaption { font-size: 13px; margin-bottom: 4px; }
    .legend { margin-left: 14px; white-space: nowrap; }
    .key { display: inline-block; width: 11px; height: 11px; border-radius: 2px; vertical-align: -1px; margin: 0 2px 0 8px; }
    .key.bar { background: var(--bar); }
    .key.up { background: var(--worse); }
    .key.down { background: var(--better); }
    .key.band { background: var(--soft); }
    .key.mark { height: 0; border-top: 2px solid var(--ink); border-radius: 0; vertical-align: 4px; width: 14px; }
    .key.limit { width: 0; border-left: 2px solid var(--ink); border-radius: 0; }
    svg.chart { display: block; width: 100%; max-width: 900px; height: auto; }
    svg.spark { width: 92px; height: 24px; vertical-align: middle; }
    svg .t { fill: var(--ink); font-size: 12px; }
    svg .n { font-variant-numeric: tabular-nums lining-nums; }
    svg .strong { font-weight: 600; }
    svg .bar { fill: var(--bar); }
    svg .total { fill: var(--quiet); }
    svg .up { fill: var(--worse); }
    svg .down { fill: var(--better); }
    svg .track { fill: var(--wash); stroke: var(--line); stroke-width: 1; }
    svg .band { fill: var(--soft); }
    svg line { stroke-width: 1; stroke: var(--line); }
    svg .axis, svg .thread { stroke: var(--quiet); stroke-opacity: 0.55; }
    svg .mark { stroke: var(--ink); stroke-width: 2; }
    svg .limit { stroke: var(--ink); stroke-width: 2; }
    svg .expected { stroke: var(--bar); stroke-width: 2; }
    svg .trend { stroke: var(--quiet); stroke-width: 1.4; stroke-linecap: round; }
    svg .dot { fill: var(--quiet); }
    svg .last { fill: var(--bar); }
    .scroll { overflow-x: auto; margin: 12px 0; }
    .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
    table { border-collapse: collapse; min-width: 50%; font-size: 14px; }
    caption { text-align: left; font-size: 13px; padding: 0 0 4px; }
    th, td { padding: 5px 8px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
    th:first-child, td:first-child { padding-left: 0; }
    th:last-child, td:last-child { padding-right: 0; }
    thead th { font-weight: 500; color: var(--quiet); font-size: 12.5px; vertical-align: bottom; border-bottom-color: var(--quiet); }
    tbody th { font-weight: 400; overflow-wrap: anywhere; min-width: 14ch; max-width: 46ch; }
    .n { text-align: right; white-space: nowrap; }
    .s { vertical-align: middle; }
    .p { min-width: 34ch; overflow-wrap: anywhere; }
    td:not(.n) { overflow-wrap: anywhere; }
    .total th, .total td { font-weight: 600; border-bottom-color: var(--quiet); }
    .others th, .others td { color: var(--quiet); }
    .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); column-gap: 40px; align-items: start; }
    .pair table { width: 100%; }
    .pair .wide { grid-column: 1 / -1; }
    .pair .wide tbody th { max-width: none; }
    details { margin: 8px 0; font-size: 14px; }
    summary { cursor: pointer; font-size: 13px; }
    .notes ul { padding-left: 18px; margin: 6px 0; }
    .notes li { margin: 2px 0; max-width: 96ch; }
    footer { margin: 52px auto 40px; font-size: 13px; }
    .vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 560px) { main, footer { padding: 0 16px; } .pair { grid-template-columns: 1fr; } .legend { display: block; margin: 0; } }
    @page { size: A4; margin: 14mm 13mm; }
    @media print {
      body { font-size: 10.5px; }
      main, footer { max-width: none; padding: 0; }
      header { padding-top: 0; }
      h1 { font-size: 20px; }
      h2 { font-size: 13.5px; margin: 20px 0 6px; break-after: avoid; }
      .span { font-size: 12px; }
      .tiles { grid-template-columns: repeat(4, 1fr); }
      .tiles .value { font-size: 15px; }
      .tiles .label, .tiles .delta, figcaption, caption, thead th { font-size: 9.5px; }
      table, details, .notes { font-size: 9.5px; }
      th, td { padding: 3px 6px; }
      figure, tr, .findings li, .tiles li { break-inside: avoid; }
      .scroll { overflow: visible; }
      .pair { grid-template-columns: 1fr 1fr; column-gap: 22px; }
      details, .findings a { display: none; }
      svg.chart { max-height: 82mm; }
      * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    }

    """
}
