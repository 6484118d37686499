/**
 * Whether this kernel has trace points. The bundler makes two kernels of the same source, and one says false here:
 * a machine without trace rings runs that one, which has no trace of them. See host/bundle-core.ts.
 */
export const TRACED: boolean = true;
