/**
 * The kernel's memory, for whoever reads it from outside (inspect, model, tests): layouts, and facts of objects.
 * Loads nothing that runs.
 */
export * from "./state/layout.js";
export {
  BINDING_KIND,
  Binding,
  hasQueue,
  headerOf,
  type KernelFacts,
  kernelFacts,
  runs,
} from "./state/objects.js";
