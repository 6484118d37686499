/** In place of hal/trace/writer.ts: nothing is traced. */
export class TraceWriter {}
