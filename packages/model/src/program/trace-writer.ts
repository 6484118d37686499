/** In place of trace/writer.ts: nothing is traced. */
export class TraceWriter {}
