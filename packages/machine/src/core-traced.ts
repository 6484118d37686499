/** The module that a core's worker runs on a machine that is traced: a kernel with trace points. */
import { loadCore } from "./load-core.js";

export default loadCore(new URL("./core-traced.cjs", import.meta.url)).main;
