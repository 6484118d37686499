/**
 * A record of the log as the host gets it: one JSON object a line.
 */
export interface LogRecord {
  /** 0 to 255; the named ones are libos's `LogLevel`. */
  readonly level: number;
  /** What the process is called, as init started it. */
  readonly process: string;
  /** Which process it is: no other ever has this number. */
  readonly badge: number;
  /** The index of the thread in its process, as the thread says. */
  readonly thread: number;
  /** The core its first thread was placed on, where that is known. */
  readonly core?: number | undefined;
  readonly text: string;
  /** There if the text goes on, or was to when its writer ended. */
  readonly broken?: true | undefined;
}
