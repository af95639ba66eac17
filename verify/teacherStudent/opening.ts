import type { Fraction } from "fraction.js"
import { powerLabel } from "../../src/report/figures/axes.js"
import { optimalRateFigure } from "../../src/report/figures/rates.js"
import type { Law, Opening } from "../../src/report/opening.js"
import type { SectionFinding } from "../../src/report/section.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { boundOfRate } from "./boundOfRate.js"
import { provenBound } from "./provenBound.js"
import { rateFigureData } from "./rateFigureData.js"
import { COMPARED, type RateLaw } from "./teacherStudent.js"

/** A panel of the first screen's figure, in pixels: two stand beside each other. */
const PANEL = { width: 235, height: 190 }

/** The move that the first screen reckons as an example. */
const EXAMPLE = { rate: 2e-4, from: 4096, to: 8192 }

/**
 * The report's first screen: the laws of the rates, derived, proven and measured.
 *
 * @param findings the verdict on each law, in their order.
 */
export async function openingOf(laws: readonly RateLaw[], findings: readonly SectionFinding[]): Promise<Opening> {
  const readout = laws[0]!.readout
  const own = laws.filter((law) => law.readout === readout)
  return {
    question:
      "How fast must LoRA's learning rate fall as the model gets wider, and does it matter which factor starts at zero?",
    answer: answerText(findings),
    laws: await Promise.all(laws.map((law, i) => lawOf(law, findings[i]!))),
    figure: {
      name: "rates",
      caption: `Rates against width at readout exponent o = ${readout}, 95 % intervals; dashed: the derived slopes through each first point.`,
      spec: optimalRateFigure(...rateFigureData(laws, readout), PANEL),
    },
    practice: practiceText(own),
  }
}

async function lawOf(law: RateLaw, { verdict }: SectionFinding): Promise<Law> {
  const { scheme, readout, level, fit } = law
  const { definition } = COMPARED.find(({ title }) => title === scheme)!
  const bound = boundOfRate(law)
  return {
    subject: scheme,
    level,
    readout,
    derived: powerLabel("n", bound.toFraction()),
    proven: await provenBound({ definition, level, readout, bound }),
    measured: fit.slope && {
      exponent: fit.slope.exponent,
      low: fit.slope.interval.low,
      high: fit.slope.interval.high,
    },
    verdict,
  }
}

/** Each start's words and its bound on the features, the highest first. */
function featureBounds(): { readonly title: string; readonly words: string; readonly bound: Fraction }[] {
  return COMPARED.map(({ title, definition }) => ({
    title,
    words: definition.title.slice(title.length + 2).replace(/, one rate$/, ""),
    bound: boundOfRate({ scheme: title, readout: 1 / 2, level: "features" }),
  })).sort((x, y) => y.bound.compare(x.bound))
}

function answerText(findings: readonly SectionFinding[]): string {
  const bounds = featureBounds()
  const differ = !bounds[0]!.bound.equals(bounds.at(-1)!.bound)
  const said = bounds.map(
    ({ title, words, bound }) => `**${powerLabel("n", bound.toFraction())}** with ${title} (${words})`,
  )
  const count = (verdict: SectionFinding["verdict"]) => findings.filter((one) => one.verdict === verdict).length
  const [against, open] = [count("contradicts"), count("inconclusive")]
  const rest = [
    ...(against === 0
      ? []
      : [`${against} ${against === 1 ? "departs from it, for a reason" : "depart from it, for reasons"} named below`]),
    ...(open === 0 ? [] : [`${open} undecided`]),
  ]
  return `${differ ? "It does" : "It does not"}: in the width n, the features stay bounded at rates up to ${said.join(", but only ")}. Of ${findings.length} laws measured in training, ${count("agrees")} agree with what is derived${rest.map((text) => `; ${text}`).join("")}.`
}

/** A number example, and how far apart the best rates lay at the widest width that was run. */
function practiceText(laws: readonly RateLaw[]): string {
  const { rate, from, to } = EXAMPLE
  const bounds = featureBounds()
  const usual = schemeNamed("lora").title.split(":")[0]!
  const moved = bounds.map(({ title, bound }) => {
    return `**${(rate * (to / from) ** bound.valueOf()).toExponential(2).replace(/\.?0+e/, "e")}** under ${title}`
  })
  const best = bounds.map(
    ({ title }) => laws.find(({ scheme, level }) => scheme === title && level === "output")!.fit.widths.at(-1)!,
  )
  const ratio = (best[0]!.rate / best.at(-1)!.rate).toPrecision(2)
  return `LoRA as PEFT starts it is ${usual}. A rate of ${rate.toExponential()} that is about the largest that trains at width ${from} becomes ${moved.join(", ")} at width ${to}. A rate far below that edge may stay as it is.

In these runs, at n = ${best[0]!.width}, the best rate under ${bounds[0]!.title} is ${ratio} times that under ${bounds.at(-1)!.title}.

For your width, rank and alpha:
\`lora-scaling transfer --lr ${rate.toExponential()} --from-width ${from} --to-width ${to}\``
}
