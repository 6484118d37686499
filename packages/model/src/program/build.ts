/** In place of kernel/state/build.ts: the kernel without trace points, and with its assertions. */
export const TRACED = false;
export const CHECKED = true;
