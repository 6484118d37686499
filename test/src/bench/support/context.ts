/** Contexts for the suites that guests measure: a fake machine, and a real one as the command line makes it. */

import { type GuestOptions, type SuiteContext, turnLine } from "@capos/bench";
import { Echo } from "@capos/libos";
import { boot, type CaposMachine } from "@capos/machine";

export interface Answer {
  status: number;
  lines: string[];
}

export const SAMPLES = { samples: [90, 91, 92], overhead: [1, 1, 1, 1, 1], operationsPerSample: 1000 };
const GARBAGE = {
  growth: [-5000, 8100, 8100, 8200],
  emptyGrowth: [100, 100],
  batchCalls: 100,
  startNs: 50,
  endNs: 90,
};

/** What goes wrong. */
interface Trouble {
  /** This line is read twice by somebody whom it is not for. */
  readonly misled?: string;
  /** When this line is fed, whoever rested last faults, and the line's own reader says nothing more. */
  readonly failsAt?: string;
}

/** Whoever takes turns says that it rests, as a real guest does, until it is told to end. */
class FakeConsole {
  #listener: (line: string) => void = () => {};
  readonly #resting: { number: number; end: () => void; fail: (error: Error) => void }[] = [];
  #timesMisled = 0;
  /** The lines that were taken by whom they are for. */
  readonly taken: string[] = [];

  constructor(private readonly trouble: Trouble) {}

  listen(listener: (line: string) => void): void {
    this.#listener = listener;
  }

  print(lines: readonly string[]): void {
    for (const line of lines) this.#listener(line);
  }

  rest(number: number): Promise<void> {
    return new Promise((end, fail) => {
      this.#resting.push({ number, end, fail });
      queueMicrotask(() => this.print([JSON.stringify({ turn: number })]));
    });
  }

  feed(line: string): void {
    if (this.trouble.misled === line && this.#timesMisled < 2) {
      this.#timesMisled++;
      queueMicrotask(() => this.print([JSON.stringify({ misled: line })]));
      return;
    }
    if (this.trouble.failsAt === line) {
      this.#resting.at(-1)!.fail(new Error("it faulted"));
      return;
    }
    this.taken.push(line);
    const first = this.#resting.shift()!;
    if (line === turnLine(first.number, false)) first.end();
    else if (line === turnLine(first.number, true)) {
      this.#resting.push(first);
      queueMicrotask(() => this.print([JSON.stringify({ turn: first.number })]));
    } else throw new Error(`turn ${first.number} was told ${line}`);
  }
}

/** Of a guest that takes turns: three samples in each slice. */
function slicedSamples(slices: number) {
  const samples = Array.from({ length: 3 * slices }, (_, i) => SAMPLES.samples[i % 3]);
  return { ...SAMPLES, samples, sliceEnds: Array.from({ length: slices }, (_, i) => 3 * (i + 1)) };
}

/** A machine whose guests print what `answer` says; what was asked of it stands in `asked`. */
export function fakeContext(
  more: Partial<SuiteContext> = {},
  answer?: (image: string, options: GuestOptions) => Answer | Promise<Answer>,
  trouble: Trouble = {},
) {
  const asked: { image: string; options: GuestOptions }[] = [];
  const machines = { booted: [] as number[], halted: 0 };
  const context: SuiteContext = {
    cores: 2,
    hardwareThreads: 2,
    seconds: 0.01,
    ...more,
    async withMachine(cores, use) {
      machines.booted.push(cores);
      try {
        const console = new FakeConsole(trouble);
        const value = await use({
          cores,
          async runImage({ name }, options) {
            asked.push({ image: name, options });
            const turn = options.args?.find((one) => one.startsWith("turn="))?.slice("turn=".length);
            const slicesBefore = console.taken.length;
            if (answer === undefined && turn !== undefined) await console.rest(Number(turn));
            const rounds =
              console.taken.slice(slicesBefore).filter((line) => line === `${turn} go`).length - 1;
            const figures =
              name === "bench-garbage" ? GARBAGE : turn === undefined ? SAMPLES : slicedSamples(rounds);
            const { status, lines } = (await answer?.(name, options)) ?? {
              status: 0,
              lines: [JSON.stringify(figures)],
            };
            console.print(lines);
            return status;
          },
          call: async () => {},
          listen: (listener) => console.listen(listener),
          feed: (line) => console.feed(line),
        });
        const collections = [
          { core: 1, startNs: 10, durationNs: 39 },
          { core: 1, startNs: 45, durationNs: 7 },
          { core: 1, startNs: 80, durationNs: 3 },
          { core: 0, startNs: 60, durationNs: 1000 },
        ];
        return { value, collections, powerToInitNs: 1e6 * machines.booted.length };
      } finally {
        machines.halted++;
      }
    },
  };
  return { context, asked, machines };
}

/** What is to be done when a guest runs. */
interface Moment {
  readonly guest: string;
  use(): void;
}

/** Looks at a machine until a process of that name is there, or the machine is not. */
async function untilRuns(machine: CaposMachine, name: string): Promise<void> {
  while (!(await machine.inspect()).processes.some((process) => process.name === name));
}

/** Machines of the least time that makes sense, and of no more memory than a row needs. */
export function realContext(cores: number, more: Partial<SuiteContext> = {}, moment?: Moment): SuiteContext {
  return {
    cores,
    hardwareThreads: 2,
    seconds: 0.02,
    ...more,
    async withMachine(count, use) {
      let listener: (line: string) => void = () => {};
      const machine = await boot({ cores: count, memoryMiB: 64, onConsole: (line) => listener(line) });
      const echo = machine.client(Echo, "echo");
      try {
        const value = await use({
          cores: count,
          async runImage(image, options) {
            if (moment !== undefined && image.name === moment.guest)
              void untilRuns(machine, image.name).then(moment.use, () => {});
            const { status, state, fault } = await machine.runImage(image, options);
            if (state !== "exited") throw new Error(`${image.name}: ${fault}`);
            return status;
          },
          async call() {
            await echo.ping({ value: 1 });
          },
          listen: (heard) => {
            listener = heard;
          },
          feed: (line) => machine.feed(new TextEncoder().encode(`${line}\n`)),
        });
        const report = await machine.halt();
        const collections = report.cores.flatMap((one) =>
          one.collections.map((collection) => ({ core: one.core, ...collection })),
        );
        return { value, collections, powerToInitNs: machine.powerToInitNs };
      } finally {
        await machine.halt();
      }
    },
  };
}
