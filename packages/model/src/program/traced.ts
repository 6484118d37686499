/** In place of kernel/state/traced.ts: the kernel without trace points. */
export const TRACED = false;
