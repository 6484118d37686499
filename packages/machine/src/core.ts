/** The module that a core's worker runs. */
import { loadCore } from "./load-core.js";

export default loadCore(new URL("./core.cjs", import.meta.url)).main;
