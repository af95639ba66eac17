import { useState } from "preact/hooks"

/** A button that copies a text, and says that it did. */
export function Copied({ text, what }: { readonly text: string | (() => string); readonly what: string }) {
  const [done, setDone] = useState(false)
  return (
    <button
      type="button"
      class="copy"
      onClick={async () => {
        await navigator.clipboard.writeText(typeof text === "string" ? text : text())
        setDone(true)
        setTimeout(() => setDone(false), 2000)
      }}
    >
      {done ? "copied" : `copy ${what}`}
    </button>
  )
}
