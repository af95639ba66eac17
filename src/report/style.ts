/** The style sheet of the HTML report: the reader's own fonts, nothing fetched. */
export const STYLE = `
:root { color-scheme: light; --ink: #1d2126; --soft: #5c646e; --line: #d9dde2; --blue: #00598c; --paper: #fff; --tint: #f5f7f9;
  --serif: "Iowan Old Style", Charter, "Source Serif 4", Georgia, "DejaVu Serif", serif;
  --sans: -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; }
* { box-sizing: border-box; }
body { max-width: 60rem; margin: 0 auto; padding: 1.4rem 1.2rem 4rem; font: 1rem/1.55 var(--serif); color: var(--ink); background: var(--paper); font-variant-numeric: lining-nums; }
h1, h2, h3, nav, .title, .filter { font-family: var(--sans); font-weight: 600; line-height: 1.25; }
h1 { font-size: 1.7rem; letter-spacing: -0.01em; margin: 0.2rem 0 0.5rem; text-wrap: balance; }
h2 { font-size: 1.3rem; margin: 3.2rem 0 0.8rem; padding-bottom: 0.3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.6rem 0 0.4rem; }
a { color: var(--blue); text-decoration-thickness: 1px; text-underline-offset: 0.15em; }
code { font: 0.86em ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; background: var(--tint); padding: 0.05em 0.25em; border-radius: 3px; }
pre code { background: none; padding: 0; }
nav { font-weight: 400; font-size: 0.88rem; margin-top: 2.4rem; }
nav ol { columns: 2; column-gap: 2.4rem; padding-left: 1.6rem; }
nav li { margin: 0.15rem 0; break-inside: avoid; }
nav span, .summary, .why { color: var(--soft); }
nav span { display: block; font-size: 0.8rem; }
.opening { width: min(76rem, 100vw - 2.4rem); margin-left: 50%; transform: translateX(-50%); display: grid; grid-template-columns: minmax(0, 1.72fr) minmax(0, 1fr); column-gap: 2.2rem; }
.opening > .title, .opening > h1, .opening > .lead { grid-column: 1 / -1; }
.title { margin: 0; font-size: 0.78rem; font-weight: 400; color: var(--soft); letter-spacing: 0.02em; }
.lead { font-size: 1.08rem; line-height: 1.45; max-width: 72rem; }
.lead p { margin: 0 0 0.7rem; }
.opening td { white-space: nowrap; } .opening sup { font-size: 0.75em; line-height: 0; }
.opening figure { margin: 0.4rem 0 0; }
.opening figcaption { font-size: 0.78rem; line-height: 1.4; }
.opening .table { margin: 0; }
.opening table { width: 100%; font-size: 0.76rem; line-height: 1.3; }
.opening aside { font-size: 0.9rem; line-height: 1.45; border-left: 1px solid var(--line); padding-left: 1.4rem; }
.opening aside h2 { font-size: 0.98rem; border: 0; padding: 0; margin: 0 0 0.3rem; }
.opening aside p { margin: 0 0 0.6rem; }
.opening aside ul { margin: 0 0 0.4rem; padding-left: 1.1rem; }
.opening aside * + h2 { margin-top: 1rem; }
@media (max-width: 62rem) { .opening { display: block; width: auto; margin: 0; transform: none; } .opening aside { border: 0; padding: 0; margin-top: 1.4rem; } nav ol { columns: 1; } }
.question { font: 600 1.05rem/1.4 var(--sans); margin: 0.2rem 0; }
.answer { font-size: 1.05rem; } .answer p { margin: 0.2rem 0 0.4rem; }
.summary { font: 0.85rem/1.4 var(--sans); margin: 0.2rem 0 1rem; }
.claim { border-left: 3px solid var(--line); padding-left: 1rem; color: #3a414a; }
.table { overflow-x: auto; margin: 0.7rem 0 1.4rem; }
table { border-collapse: collapse; font: 0.82rem/1.4 var(--sans); font-variant-numeric: tabular-nums lining-nums; }
th { text-align: left; border-bottom: 1px solid #8a929b; font-weight: 400; color: var(--soft); }
th, td { padding: 0.22rem 0.9rem 0.22rem 0; vertical-align: top; }
tbody tr { border-bottom: 1px solid #eceff2; }
.caption, figcaption, summary { font-size: 0.9rem; color: var(--soft); }
summary { cursor: pointer; font-family: var(--sans); margin: 0.5rem 0; }
td summary { margin: 0; font: inherit; color: inherit; }
td ul { margin: 0.3rem 0; padding-left: 1.1rem; }
figure { margin: 1.5rem 0; }
figure svg { max-width: 100%; height: auto; }
svg text { font-family: "DejaVu Sans", Verdana, sans-serif; }
.made { font-size: 0.82rem; color: var(--soft); }
.agrees, .contradicts, .inconclusive { white-space: nowrap; }
.agrees { color: #00694a; } .contradicts { color: #a33b00; font-weight: 600; } .inconclusive { color: var(--soft); font-style: italic; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: left; }
th button::after { content: " ↕"; color: #aab1b9; } th[aria-sort=ascending] button::after { content: " ↑"; } th[aria-sort=descending] button::after { content: " ↓"; }
.filter { font-weight: 400; font-size: 0.85rem; } .filter input, .filter select { font: inherit; padding: 0.25rem 0.5rem; border: 1px solid #b6bdc5; border-radius: 4px; background: #fff; } .filter input { width: 18rem; max-width: 60%; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
@media print { body { max-width: none; } details { display: block; } .filter { display: none; } }
`
