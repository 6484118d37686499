/**
 * Makes the code that a core's program is loaded with, in a worker as a core's is: V8 takes it only under the flags that
 * it was made under. What has run before it is made is in it, and is not compiled when it is first called.
 */
import { writeFileSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { codeOf, compileCore, runCoreScript } from "./load-core.js";

const script = new URL(workerData as string);
const compiled = compileCore(script);
runCoreScript(compiled, script).rehearse();
writeFileSync(codeOf(script), compiled.createCachedData());
