/** In place of kernel/traced.ts: the kernel without trace points. */
export const TRACED = false;
