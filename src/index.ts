/** The public surface of lora-scaling. */

export { type CheckOptions, check } from "../verify/compare/check.js"
export { type Pretrained, readPretrained } from "./checkpoint/pretrained.js"
export { readTokenizer, type TextTokenizer } from "./checkpoint/tokenizer.js"
export { type Derivation, derive, type Switches } from "./derive/derive.js"
export { type Terms, termsOf } from "./derive/terms.js"
export { Affine } from "./exponent/affine.js"
export { Condition } from "./exponent/condition.js"
export {
  formatAffine,
  formatCondition,
  formatExponent,
  parseAffine,
  parseCondition,
  parseExponent,
} from "./exponent/grammar.js"
export { MaxPlus } from "./exponent/maxPlus.js"
export { Piecewise } from "./exponent/piecewise.js"
export { toTex } from "./exponent/tex.js"
export { type Expected, judge, RULES, type Verdict } from "./fit/judge.js"
export { leadingExponent } from "./fit/leading.js"
export { optimalRate, rateAgainstWidth, thresholdRate } from "./fit/optimum.js"
export { slope, type WidthSample } from "./fit/slope.js"
export { InputError } from "./inputError.js"
export { ClaimsJson } from "./report/claims.js"
export { derivationJson } from "./report/derivation.js"
export { DerivationJson } from "./report/derivationSchema.js"
export { CATALOGUE, schemeNamed } from "./scheme/catalogue.js"
export { type Scheme, type SchemeDefinition, scheme } from "./scheme/scheme.js"
export { openEngine } from "./train/graph/engine.js"
export { type TextTuning, type TextTuningRun, tuneOnText } from "./train/graph/tuneOnText.js"
export { type RunConfig, type RunResult, run } from "./train/run.js"
export type { TextTask } from "./train/tuning/text.js"
