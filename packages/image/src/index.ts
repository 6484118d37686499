/**
 * The builder of guest images. Runs on the host; a guest cannot import it.
 */
export { GuestBuildError, type Place } from "./build-error.js";
export { buildImage, bundleGuest, type ImageOptions } from "./build-image.js";
export { type BundledSource, bundle } from "./bundler.js";
export { type Located, locate, locateAll } from "./locate.js";
export { findEntry } from "./sources.js";
