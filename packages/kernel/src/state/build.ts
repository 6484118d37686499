/**
 * What this kernel is built with. The bundler makes kernels of the same source with other values here, and what
 * stands behind a false one is not in them. See machine/src/build-core.ts.
 */
/** Whether it has trace points: a machine without trace rings runs a kernel that has none. */
export const TRACED: boolean = true;
/** Whether it has assertions: tests and the model checker run a kernel with them, the product's has none. */
export const CHECKED: boolean = true;
