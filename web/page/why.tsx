import { useState } from "preact/hooks"
import type { DerivationAsked, Questions } from "../messages.js"
import { readable } from "./numbers.js"
import { useAnswer } from "./useAnswer.js"

type Reason = Questions["why"]["answer"]["reasons"][number]

/** Where each inequality of a statement comes from; the chosen one is told operation by operation. */
export function Why({
  asked,
  of,
  show,
}: {
  readonly asked: DerivationAsked
  readonly of: string
  readonly show: (claim: string) => void
}) {
  const { answer, refusal } = useAnswer("why", { ...asked, of }, of !== "")
  const [chosen, setChosen] = useState("")
  if (of === "" || (answer === null && refusal === null)) return null
  // Another refusal is told beside the diagram already.
  if (answer === null || refusal !== null)
    return refusal?.field === "--why" ? <p class="refusal">{refusal.message}</p> : null
  const reasons = distinct(answer.reasons)
  const told = reasons.find(({ claim }) => claim === chosen) ?? reasons[0]
  return (
    <section class="why" aria-labelledby="why" aria-live="polite">
      <h3 id="why">Why {of}: the walls</h3>
      <fieldset class="walls" aria-label="Inequalities">
        {reasons.map(({ claim }) => (
          <button
            key={claim}
            type="button"
            aria-pressed={claim === told?.claim}
            onClick={() => {
              setChosen(claim)
              show(claim)
            }}
            onPointerEnter={() => show(claim)}
            onPointerLeave={() => show("")}
            onFocus={() => show(claim)}
            onBlur={() => show("")}
          >
            <code>{readable(claim)}</code>
          </button>
        ))}
      </fieldset>
      {told !== undefined && <Chain reason={told} />}
    </section>
  )
}

function Chain({ reason: { because, chain, using } }: { readonly reason: Reason }) {
  return (
    <>
      <p>
        Because {readable(because)}
        {using.length > 0 && `, with ${using.map(readable).join(" and ")}`}.
      </p>
      {chain.length > 0 && (
        <div class="wide">
          <table>
            <thead>
              <tr>
                <th scope="col">t</th>
                <th scope="col">tensor</th>
                <th scope="col">exponent</th>
                <th scope="col">rule</th>
              </tr>
            </thead>
            <tbody>
              {chain.map(({ t, tensor, formula, exponent, rule }, i) => (
                <tr key={i}>
                  <td>{t}</td>
                  <td>
                    <code>{tensor === formula ? tensor : `${tensor} = ${formula}`}</code>
                  </td>
                  <td>
                    <code>{readable(exponent)}</code>
                  </td>
                  <td>{rule}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}

/** Each inequality once: pieces of a statement share them. */
function distinct(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map((reason) => [reason.claim, reason])).values()]
}
