import type { Nodes } from "mdast"
import { fromMarkdown } from "mdast-util-from-markdown"
import { escapeLatex } from "./escapeLatex.js"

/** Markdown as LaTeX: paragraphs, emphasis, code, lists, links and headings. */
export function markdownToLatex(markdown: string): string {
  return latexOf(fromMarkdown(markdown)).trim()
}

function latexOf(node: Nodes): string {
  const inside = () => ("children" in node ? node.children.map((child) => latexOf(child)).join("") : "")
  switch (node.type) {
    case "paragraph":
      return `${inside()}\n\n`
    case "heading":
      return `\\paragraph{${inside()}}\n`
    case "text":
    case "html":
      return escapeLatex(node.value)
    case "emphasis":
      return `\\emph{${inside()}}`
    case "strong":
      return `\\textbf{${inside()}}`
    case "inlineCode":
      return `\\texttt{${escapeLatex(node.value)}}`
    case "code":
      return `\\begin{verbatim}\n${node.value.replaceAll("\\end{verbatim}", "")}\n\\end{verbatim}\n\n`
    case "list":
      return environment(node.ordered ? "enumerate" : "itemize", inside())
    case "listItem":
      return `\\item ${inside().trim()}\n`
    case "blockquote":
      return environment("quote", inside())
    case "link":
      return `\\href{${node.url.replace(/[\\%#{}&]/g, (c) => `\\${c}`)}}{${inside()}}`
    case "break":
      return "\\\\\n"
    default:
      return inside()
  }
}

function environment(name: string, body: string): string {
  return `\\begin{${name}}\n${body.trim()}\n\\end{${name}}\n\n`
}
