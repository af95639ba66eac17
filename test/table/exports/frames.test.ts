/** Tables as libraries, databases and spreadsheets write them. */
import { csv, WIDTHS } from "../made.js"
import { readRight } from "./readRight.js"
import { cells, failed, HEADER, type Kind, rows, runs, text } from "./sweep.js"

const comma = (x: number | string) => String(x).replace(".", ",")
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le")
/** Columns padded to one width, as printed. */
const printed = (table: readonly (readonly (string | number)[])[]) =>
  table.map((row) => row.map((cell) => String(cell).padStart(22)).join("")).join("\n")

const KINDS: Kind[] = [
  [
    "pandas: its index without a name",
    () =>
      csv(
        ["Unnamed: 0", ...HEADER],
        rows(({ width, lr, loss }, i) => [i, width, lr, loss]),
        { word: "" },
      ),
    {},
    /4 missing/,
  ],
  [
    "pandas: records by index",
    () =>
      JSON.stringify(
        Object.fromEntries(rows(({ width, lr, loss }, i) => [i, { width, lr, loss: failed(runs[i]!) ? null : loss }])),
      ),
  ],
  [
    "pandas: orient table",
    () =>
      JSON.stringify({
        schema: {
          fields: [
            { name: "index", type: "integer" },
            { name: "width", type: "integer" },
          ],
          primaryKey: ["index"],
          pandas_version: "1.4.0",
        },
        data: rows(({ width, lr, loss }, index) => ({ index, width, lr, loss })),
      }),
  ],
  [
    "pandas: printed, with the index",
    () =>
      printed([["", ...HEADER], ...rows(({ width, lr, loss }, i) => [i, width, lr, text(loss, "NaN")])]).replace(
        /^ {14}/,
        "",
      ),
    {},
    /row labels/,
  ],
  [
    "pandas: to_markdown with the index",
    () =>
      `|    |   width |      lr |    loss |\n|---:|--------:|--------:|--------:|\n${rows(({ width, lr, loss }, i) => `| ${i} | ${width} | ${lr} | ${text(loss)} |`).join("\n")}\n`,
  ],
  [
    "tabulate: a grid",
    () =>
      `+---------+---------+--------+\n|   width |      lr |   loss |\n+=========+=========+========+\n${rows(({ width, lr, loss }) => `| ${width} | ${lr} | ${text(loss)} |\n+---------+---------+--------+`).join("\n")}\n`,
  ],
  [
    "psql",
    () =>
      ` width |   lr    |  loss\n-------+---------+--------\n${rows(({ width, lr, loss }) => `   ${width} | ${lr} | ${text(loss, "NaN")}`).join("\n")}\n(${runs.length} rows)\n`,
  ],
  ["sqlite: columns with a ruler", () => `${printed([HEADER, HEADER.map(() => "------"), ...cells(runs)])}\n`],
  [
    "R: write.table, row names without a header",
    () =>
      `${HEADER.map((name) => `"${name}"`).join(" ")}\n${rows(({ width, lr, loss }, i) => `"${i + 1}" ${width} ${lr} ${text(loss, "NA")}`).join("\n")}\n`,
    {},
    /row labels/,
  ],
  [
    "files put one after another, each with its header",
    () => WIDTHS.map((width) => csv(HEADER, cells(runs.filter((run) => run.width === width)))).join(""),
    {},
    /5 lines repeat the header/,
  ],
  [
    "Excel, German: sep=, decimal comma, Windows-1252",
    () =>
      Buffer.from(
        `sep=;\r\nBreite;Lernrate;Größe des Verlusts\r\n${rows(({ width, lr, loss }) => `${width};${comma(lr.toExponential(5).toUpperCase())};${comma(text(loss, "#ZAHL!"))}`).join("\r\n")}\r\n`,
        "latin1",
      ),
    { width: "Breite", rate: "Lernrate", loss: "Größe des Verlusts" },
    /Windows-1252/,
  ],
  [
    "Excel, French: thousands by narrow spaces",
    () =>
      `largeur;taux;perte\n${rows(({ width, lr, loss }) => `${width.toLocaleString("fr-FR")};${comma(lr.toExponential(5))};${comma(text(loss))}`).join("\n")}\n`,
    { width: "largeur", rate: "taux", loss: "perte" },
  ],
  [
    "Excel, American: thousands in quotes, a mark, 3.16E-05",
    () =>
      `\uFEFFWidth,LR,Loss\r\n${rows(({ width, lr, loss }) => `"${width.toLocaleString("en-US")}",${lr.toExponential(5).toUpperCase()},${text(loss, "#NUM!")}`).join("\r\n")}\r\n`,
    { width: "Width", rate: "LR", loss: "Loss" },
    /4 diverged \(#NUM!\)/,
  ],
  [
    "Excel: Unicode text",
    () => utf16(csv(["Width", "LR", "Loss"], cells(runs), { separator: "\t" }).replaceAll("\n", "\r\n")),
    { width: "Width", rate: "LR", loss: "Loss" },
  ],
  [
    "Excel: empty rows and columns around",
    () =>
      `${csv(
        [...HEADER, "", ""],
        rows(({ width, lr, loss }) => [width, lr, loss, "", ""]),
      )},,,,\n,,,,\n`,
  ],
]

readRight(KINDS)
