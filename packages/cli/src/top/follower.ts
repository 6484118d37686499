/** Follows the machines of a command, one after the other: looks at the one that runs, and shows each interval. */
import type { WatchedMachine } from "@capos/machine";
import type { Display } from "./display.js";
import { Watch } from "./reading.js";

export interface FollowerOptions {
  /** Length of an interval. */
  readonly seconds: number;
  /** Whether the first machine's first interval is all that is wanted, from when its services are up. */
  readonly once: boolean;
  /** After that one. */
  readonly onDone: () => void;
}

/** Milliseconds between two looks. */
const LOOK_MS = 4;

export class Follower {
  #watch: Watch | null = null;
  #machines = 0;
  #shown = 0;
  #stopped = false;
  #looking: NodeJS.Timeout | undefined;
  #showing: NodeJS.Timeout | undefined;

  constructor(
    private readonly display: Display,
    private readonly options: FollowerOptions,
  ) {
    if (!options.once) this.#restart();
  }

  /** Intervals of machines that were shown. */
  get shown(): number {
    return this.#shown;
  }

  /** Takes the next machine of the command. */
  readonly onMachine = (machine: WatchedMachine): void => {
    if (this.#stopped || (this.options.once && this.#machines > 0)) return;
    this.#machines++;
    if (this.options.once) void machine.ready.then(() => this.#begin(machine));
    else this.#begin(machine);
  };

  /** Looks at nothing any more. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#looking);
    clearInterval(this.#showing);
  }

  #begin({ memory, cores, ended }: WatchedMachine): void {
    if (this.#stopped) return;
    const watch = new Watch(memory, cores);
    this.#watch = watch;
    clearInterval(this.#looking);
    this.#looking = setInterval(() => watch.look(), LOOK_MS);
    this.#restart();
    // What it did last is shown as well. A panic is for the command to tell: then nothing is done yet.
    void ended.then(({ panicked }) => {
      if (this.#stopped || this.#watch !== watch) return;
      clearInterval(this.#looking);
      this.#show(panicked);
      this.#watch = null;
    });
  }

  /** An interval begins now. */
  #restart(): void {
    clearInterval(this.#showing);
    this.#showing = setInterval(() => this.#show(), this.options.seconds * 1000);
  }

  #show(goesOn = false): void {
    if (this.#watch !== null) this.#shown++;
    else if (this.#machines > 0) return;
    this.display.show(this.#watch?.read() ?? null, this.#machines);
    if (this.options.once && !goesOn) this.options.onDone();
  }
}
