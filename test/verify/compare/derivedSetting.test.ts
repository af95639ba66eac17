import { expect, test } from "vitest"
import { termsOf } from "../../../src/derive/terms.js"
import { scheme } from "../../../src/scheme/scheme.js"
import { derivedSetting, deriveMeanwhile } from "../../../verify/compare/derivedSetting.js"
import { settingAt } from "../../../verify/compare/setting.js"

test("what is derived of a setting is that of its scheme, whoever asks first, and is made once", async () => {
  const setting = settingAt("two-layers-init-b", { c: "-1" })
  const own = scheme(setting.definition, setting.values)
  const terms = termsOf(own)
  await deriveMeanwhile([setting], 3)
  const derived = derivedSetting(setting)
  for (const quantity of [...Object.keys(own.program.quantities), ...Object.keys(own.program.alignments)])
    for (const t of [3, 1, 2, 4]) expect(derived.terms(quantity, t)).toEqual(terms(quantity, t))
  expect(derivedSetting(setting)).toBe(derived)
  expect(derived.terms("f", 2)).toBe(derived.terms("f", 2))
})
