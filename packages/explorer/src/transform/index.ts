/** The transformation: makes programs on shared memory run as coroutines. Knows nothing of what they are about. */
export { instantiate, runToEnd } from "./instantiate.js";
export { performAtOnce } from "./perform-at-once.js";
export {
  type Edit,
  EditError,
  type Host,
  type Instantiate,
  type Program,
  type ProgramOptions,
  TransformError,
} from "./program.js";
export { modulesOf, transformProgram } from "./transform.js";
