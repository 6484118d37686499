/**
 * Traces and histories: what happened, written into shared memory by whoever it happened to, and read from there.
 *
 * Touches the words it is told of, through three views, and nothing else: which machine they belong to, which
 * events there are and what these mean is said by those who use it. Each layer declares the events that it emits.
 */
export * from "./event.js";
export * from "./history.js";
export * from "./memory.js";
export * from "./merger.js";
export * from "./reader.js";
export * from "./record.js";
export * from "./ring.js";
export * from "./size.js";
export * from "./writer.js";
