/**
 * Canvases have at least two dots a pixel, so that plots are sharp on paper, where the browser cannot draw
 * them anew. uPlot reads this number as it is loaded: this module has to come first.
 */
const dots = Math.max(2, globalThis.devicePixelRatio);
Object.defineProperty(globalThis, "devicePixelRatio", { get: () => dots });
