/** Benchmarks: how samples become statistics, results and tables, the kernel's own suite and the baselines of the host. */

export {
  BaselineError,
  type Crew,
  type CrewMember,
  type CrewOptions,
  type DriverMessage,
  runCrew,
} from "./baseline/crew.js";
export * from "./baseline.js";
export { Sampler, type SamplerLimits } from "./guests/sampler.js";
export { benchImageFile, GUESTS, type GuestName, loadBenchImages } from "./images.js";
export { type Collection, IpcRowError } from "./ipc/figures.js";
export * from "./ipc.js";
export * from "./quantity.js";
export * from "./result.js";
export * from "./statistics.js";
export * from "./table.js";
