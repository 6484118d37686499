/** Somebody who watches a machine as `top` does, to see what that costs: all of its work but the terminal's. */
import type { WatchedMachine } from "@capos/machine";
import { NO_PROGRESS } from "../progress.js";
import type { Display } from "./display.js";
import { Follower } from "./follower.js";
import { View } from "./view.js";

/** Half of what is usual: twice as many drawings. */
const INTERVAL_SECONDS = 0.5;
const SIZE = { columns: 120, rows: 40 };
const NOWHERE = { write: () => true };

export class Spectator {
  #machine: WatchedMachine | null = null;
  #follower: Follower | null = null;

  /** @param next is told of each machine too */
  constructor(private readonly next: ((machine: WatchedMachine) => void) | undefined) {}

  readonly onMachine = (machine: WatchedMachine): void => {
    this.watch(false);
    this.#machine = machine;
    this.next?.(machine);
  };

  /** Watches the latest machine, or does not any more. */
  watch(on: boolean): void {
    this.#follower?.stop();
    this.#follower = null;
    if (!on || this.#machine === null) return;
    this.#follower = new Follower(drawNowhere(), { seconds: INTERVAL_SECONDS, once: false, onDone() {} });
    this.#follower.onMachine(this.#machine);
  }
}

function drawNowhere(): Display {
  const view = new View("cpu");
  return {
    inner: { stdin: null, stdout: NOWHERE, stderr: NOWHERE, progress: NO_PROGRESS, log: () => NOWHERE },
    show(reading, machine) {
      view.lines({ command: "bench", machine, reading, progress: "", tail: [] }, SIZE);
    },
    close() {},
  };
}
