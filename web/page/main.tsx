import { render } from "preact"
import { Explorer } from "./explorer.js"

render(<Explorer />, document.getElementById("app")!)
