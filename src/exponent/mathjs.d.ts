/** mathjs in one file: its thousand modules take seconds to find and load, of which a parser needs a few. */
declare module "mathjs/lib/browser/math.js" {
  import type { ConfigOptions, MathJsInstance } from "mathjs"

  const mathjs: { readonly create: (config: ConfigOptions) => MathJsInstance }
  export default mathjs
}
