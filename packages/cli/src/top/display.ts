/** Where `top` shows what it finds: on a full screen, as plain tables, or as JSON. */
import type { Session } from "../session.js";
import type { Reading } from "./reading.js";

export interface Display {
  /** What the inner command talks to while this is shown. */
  readonly inner: Pick<Session, "stdin" | "stdout" | "stderr" | "progress" | "log">;
  /** Shows an interval of a machine, the nth of the command; null and 0 before there is one. */
  show(reading: Reading | null, machine: number): void;
  /** Ends it: what the inner command printed is printed, where that had to wait. Closing twice is fine. */
  close(): void;
}
