/**
 * The kernel's tests from inside: each test of a guest is a test here, under the guest's name for it.
 *
 * One machine and one run of the guest serve all tests of a list, one after the other: the guest is told the
 * name of each when its turn comes. A guest that ends in a test is started again for the next, a machine that
 * goes off is booted again: the test fails, and the others tell nothing of it. A machine that never answers is
 * a finding too: its test fails with the machine's dump, which says which thread waits for what, and the tests
 * that would have come after it fail as not run.
 */
import { LifeState } from "@capos/abi";
import type { Test } from "tap";
import { GuestMachine, type GuestMachineOptions, type GuestOptions } from "./guest-machine.js";

export interface GuestTestOptions {
  readonly machine?: GuestMachineOptions;
  readonly guest?: GuestOptions;
  /** What tells these tests from the same ones on other machines: the number of cores unless given. */
  readonly variant?: string;
}

/** What the host does while a test runs; `over` resolves when the guest has reported. */
export type Meanwhile = (machine: GuestMachine, over: Promise<unknown>, t: Test) => Promise<void>;

/**
 * Adds a test for each of a guest's, and one for how guest and machine end.
 *
 * @param guest a file of test/src/kernel/guests, without its ending
 * @param names those of its tests that shall run
 * @param meanwhile for tests that need their host, by name
 */
export function testGuest(
  t: Test,
  guest: string,
  names: readonly string[],
  options: GuestTestOptions = {},
  meanwhile: Readonly<Record<string, Meanwhile>> = {},
): void {
  const cores = options.machine?.cores ?? 2;
  const variant = options.variant ?? `on ${cores} ${cores === 1 ? "core" : "cores"}`;
  const run = new GuestRun(guest, options);
  // Tests may be left out by name: what runs last then is not the test of the end.
  t.teardown(() => run.abandon());
  for (const name of names)
    t.test(`${name}, ${variant}`, (t) => run.check(t, name, meanwhile[name] ?? (async () => {})));
  t.test(`guest "${guest}" ends by itself and its machine without a panic, ${variant}`, (t) => run.end(t));
}

class GuestRun {
  #machine: GuestMachine | null = null;
  /** The number of the guest's run on the machine, if it is running. */
  #id: number | null = null;
  /** The test in which the machine was stuck, or would not start. */
  #lostIn: string | null = null;

  constructor(
    readonly guest: string,
    readonly options: GuestTestOptions,
  ) {}

  async check(t: Test, name: string, meanwhile: Meanwhile): Promise<void> {
    await this.#attempt(t, name, async (machine, id) => {
      const over = machine.perform(id, name);
      const busy = meanwhile(machine, over, t);
      // A guest that ends leaves its host waiting, and a host that gives up its guest.
      const report = await Promise.race([over, busy.then(() => over)]);
      if (report === null) {
        this.#id = null;
        t.fail(`the guest ended in its test: ${JSON.stringify(await machine.exit(id))}`);
        return;
      }
      if (report.name !== name) t.fail(`the guest reports on another test: ${JSON.stringify(report)}`);
      else t.ok(report.ok, report.detail === "" ? "holds" : report.detail);
      await busy;
    });
  }

  async end(t: Test): Promise<void> {
    await this.#attempt(t, "its end", async (machine, id) => {
      machine.type("");
      const exit = await machine.exit(id);
      t.equal(exit.fault, "", "the guest does not fault");
      t.equal(exit.state, LifeState.EXITED, "the guest ends by itself");
      this.#machine = null;
      const end = await machine.halt();
      t.equal(end.panicked, false, "the kernel does not panic");
    });
  }

  async abandon(): Promise<void> {
    await this.#machine?.halt();
  }

  async #attempt(
    t: Test,
    name: string,
    act: (machine: GuestMachine, id: number) => Promise<void>,
  ): Promise<void> {
    if (this.#lostIn !== null) {
      t.fail(`not run: the machine was stuck in "${this.#lostIn}", or would not start for it`);
      return;
    }
    try {
      this.#machine ??= await GuestMachine.boot(this.options.machine);
      this.#id ??= await this.#machine.start(this.guest, this.options.guest);
      await act(this.#machine, this.#id);
    } catch (error) {
      t.fail(error instanceof Error ? error.message.split("\n")[0] : String(error), {
        detail: String(error),
      });
      // One that went off did so in this test. What stopped a machine that has booted would stop the next one too.
      if (this.#machine?.isOff !== true) this.#lostIn = name;
      await this.abandon();
      this.#machine = null;
      this.#id = null;
    }
  }
}
