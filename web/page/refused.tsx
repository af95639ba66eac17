import type { Refusal } from "../messages.js"

/** Why there is no answer, where there is none. */
export function Refused({ refusal }: { readonly refusal: Refusal | null }) {
  return (
    <div id="refusal" role="alert">
      {refusal !== null && (
        <p class={`refusal ${refusal.kind}`}>
          {refusal.kind === "bug" ? "This is a mistake of the explorer. Please report it: " : ""}
          {refusal.message}
        </p>
      )}
    </div>
  )
}
