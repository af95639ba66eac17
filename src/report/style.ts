/** The style sheet of the HTML report: the reader's own fonts, nothing fetched. */
export const STYLE = `
:root { color-scheme: light; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 Georgia, "DejaVu Serif", serif; color: #222; background: #fff; }
h1, h2, h3 { font-family: "DejaVu Sans", Verdana, sans-serif; font-weight: normal; line-height: 1.25; }
h1 { font-size: 1.8rem; } h2 { font-size: 1.35rem; margin-top: 3rem; border-bottom: 1px solid #ccc; } h3 { font-size: 1.05rem; }
nav ol { columns: 2; padding-left: 1.5rem; }
a { color: #00598c; }
code { font: 0.88em "DejaVu Sans Mono", Consolas, monospace; }
.claim { border-left: 3px solid #999; padding-left: 1rem; }
.table { overflow-x: auto; margin: 0.7rem 0 1.4rem; }
table { border-collapse: collapse; font: 0.82rem/1.4 "DejaVu Sans", Verdana, sans-serif; }
th { text-align: left; border-bottom: 1px solid #555; font-weight: normal; color: #555; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; vertical-align: top; }
tbody tr:nth-child(even) { background: #f6f6f6; }
.caption, figcaption, summary { font-size: 0.92rem; color: #444; }
summary { cursor: pointer; }
figure { margin: 1.5rem 0; }
figure svg { max-width: 100%; height: auto; }
svg text { font-family: "DejaVu Sans", Verdana, sans-serif; }
.made { font-size: 0.85rem; color: #666; }
.agrees, .contradicts, .inconclusive { white-space: nowrap; }
.agrees { color: #00694a; } .contradicts { color: #a33b00; font-weight: bold; } .inconclusive { color: #555; font-style: italic; }
@media print { body { max-width: none; } details { display: block; } }
`
