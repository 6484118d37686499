/** Contexts for the suites that guests measure: a fake machine, and a real one as the command line makes it. */
import type { GuestOptions, SuiteContext } from "@capos/bench";
import { boot } from "@capos/machine";

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

/** A machine whose guests print what `answer` says; what was asked of it stands in `asked`. */
export function fakeContext(
  more: Partial<SuiteContext> = {},
  answer?: (image: string, options: GuestOptions) => Answer | Promise<Answer>,
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
        const value = await use({
          cores,
          async runImage({ name }, options) {
            asked.push({ image: name, options });
            if (answer !== undefined) return answer(name, options);
            return { status: 0, lines: [JSON.stringify(name === "bench-garbage" ? GARBAGE : SAMPLES)] };
          },
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

/** Machines of the least time that makes sense, and of no more memory than a row needs. */
export function realContext(cores: number, more: Partial<SuiteContext> = {}): SuiteContext {
  return {
    cores,
    hardwareThreads: 2,
    seconds: 0.02,
    ...more,
    async withMachine(count, use) {
      let lines: string[] = [];
      const machine = await boot({ cores: count, memoryMiB: 64, onConsole: (line) => lines.push(line) });
      try {
        const value = await use({
          cores: count,
          async runImage(image, options) {
            lines = [];
            const { status, state, fault } = await machine.runImage(image, options);
            if (state !== "exited") throw new Error(`${image.name}: ${fault}`);
            return { status, lines };
          },
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
