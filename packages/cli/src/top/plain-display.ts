/** Tables one after the other, or a JSON document a line: for pipes, scripts and terminals that can do no more. */
import { visibleJson } from "@capos/abi";
import { NO_PROGRESS } from "../progress.js";
import type { Session } from "../session.js";
import type { Display } from "./display.js";
import type { Reading } from "./reading.js";
import type { SortKey } from "./sort-keys.js";
import { coreLines, processLines, sortThreads, threadLines } from "./tables.js";

export interface PlainOptions {
  readonly session: Session;
  /** The inner command, word by word. */
  readonly words: readonly string[];
  readonly json: boolean;
  readonly sort: SortKey;
  readonly width: number;
  /** Why there is no full screen; null if none was asked for: then standard output is for what is shown here alone. */
  readonly obstacle: string | null;
}

export class PlainDisplay implements Display {
  readonly inner: Display["inner"];

  #explained = false;

  constructor(private readonly options: PlainOptions) {
    const { session, obstacle } = options;
    const { stdin, stderr, log } = session;
    const stdout = obstacle === null ? stderr : session.stdout;
    this.inner = { stdin, stdout, stderr, ...(log !== undefined && { log }), progress: NO_PROGRESS };
  }

  show(reading: Reading | null, machine: number): void {
    if (reading === null) return;
    const { session, json, obstacle } = this.options;
    if (obstacle !== null && !this.#explained)
      session.stderr.write(`capos-smp: top: ${obstacle}: plain tables instead of a screen\n`);
    this.#explained = true;
    session.stdout.write(json ? `${this.#document(reading, machine)}\n` : this.#text(reading, machine));
  }

  close(): void {}

  #document(reading: Reading, machine: number): string {
    const { words, sort } = this.options;
    const { threads, ...rest } = reading;
    return visibleJson({ command: words, machine, ...rest, threads: sortThreads(threads, sort) });
  }

  #text(reading: Reading, machine: number): string {
    const { words, width, sort } = this.options;
    const { cores, memoryMiB, seconds, looks, ended } = reading;
    const title =
      `${words.join(" ")}, machine ${machine}${ended ? " (over)" : ""}: ${cores.length} cores, ${memoryMiB} MiB; ` +
      `${looks} looks in ${seconds.toFixed(1)} s`;
    const tables = [coreLines, processLines, threadLines].map((lines) =>
      lines(reading, width, sort).join("\n"),
    );
    return `${[title, ...tables].join("\n\n")}\n\n`;
  }
}
