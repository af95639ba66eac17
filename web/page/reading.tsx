import type { Diagram } from "../messages.js"
import { minus, readable } from "./numbers.js"

/** The exponents under the cursor, or at the point. */
export function Reading({ diagram: { axes, reading } }: { readonly diagram: Diagram }) {
  const place = axes.flatMap((axis) => (axis === null ? [] : [`${axis.name} = ${minus(axis.value)}`])).join(", ")
  const says = [
    reading.holds.stable ? "stable" : "not stable",
    ...(reading.holds.efficient === null ? [] : [reading.holds.efficient ? "efficient" : "not efficient"]),
  ].join(", ")
  return (
    <section class="reading" aria-labelledby="at">
      <h3 id="at">
        At {place}: <em class={reading.holds.stable ? "yes" : "no"}>{says}</em>
      </h3>
      <p id="reading" class="hidden" aria-live="polite">
        {place}: {says}. {reading.quantities.map(({ name, limit }) => `${name} ${minus(limit)}`).join(", ")}
      </p>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th scope="col">exponent of</th>
              <th scope="col">t = 1</th>
              <th scope="col">2</th>
              <th scope="col">3</th>
              <th scope="col">all later</th>
              <th scope="col">as a form</th>
            </tr>
          </thead>
          <tbody>
            {reading.quantities.map(({ name, words, steps, limit, form }) => (
              <tr key={name}>
                <th scope="row" title={words}>
                  {name}
                </th>
                {steps.slice(0, 3).map((step, i) => (
                  <td key={i}>{minus(step)}</td>
                ))}
                <td class={/^[1-9]|grows/.test(limit) ? "over" : ""}>{minus(limit)}</td>
                <td>
                  <code>{readable(form)}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
