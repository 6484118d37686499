/**
 * The kernel's memory, for whoever reads it from outside (inspect, model, tests): layouts, and facts of objects.
 * Loads nothing that runs.
 */
export * from "./state/layout.js";
export {
  anchorOf,
  BINDING_KIND,
  Binding,
  hasQueue,
  type KernelFacts,
  kernelFacts,
  runs,
} from "./state/objects.js";
