/** What a machine answers that has ended, or is about to: every operation, in every way of ending. */
import { type BootOptions, boot, type CaposMachine, MachineError } from "@capos/machine";
import t from "tap";
import { ROOT } from "../support/cli-process.js";

const SILENT = { cores: 2, memoryMiB: 64, logLevel: "silent", onConsole() {}, onPanic() {} } as const;
const fixture = (name: string): string => `${ROOT}/test/fixtures/cli/${name}`;

/** All that can be asked of a machine, but for `halt` and `ended`. */
const OPERATIONS: Readonly<Record<string, (machine: CaposMachine) => unknown>> = {
  run: (machine) => machine.run(fixture("greet.ts")),
  inspect: (machine) => machine.inspect(),
  plug: (machine) => machine.plug(1),
  unplug: (machine) => machine.unplug(1),
  killService: (machine) => machine.killService("echo"),
  feed: (machine) => machine.feed(new Uint8Array([10])),
  closeInput: (machine) => machine.closeInput(),
};

/** Ways to end: each resolves when the machine has, or has begun to. */
const ENDS: Readonly<
  Record<
    string,
    {
      readonly end: (machine: CaposMachine) => Promise<unknown>;
      readonly message: string;
      readonly status: number;
    }
  >
> = {
  "was halted": { end: (machine) => machine.halt(3), message: "the machine was halted", status: 3 },
  "is being halted": {
    async end(machine) {
      void machine.halt(4);
    },
    message: "the machine was halted",
    status: 4,
  },
  "was halted by a guest": {
    end: (machine) => machine.run(fixture("halts.ts"), { debug: true }).catch(() => machine.ended()),
    message: "the machine was halted",
    status: 5,
  },
  panicked: {
    end: (machine) =>
      machine.run(fixture("panics.ts"), { debug: true, core: 0 }).catch(() => machine.ended()),
    message: "the kernel panicked",
    status: 70,
  },
};

async function refusal(
  operation: (machine: CaposMachine) => unknown,
  machine: CaposMachine,
): Promise<unknown> {
  try {
    return await operation(machine);
  } catch (error) {
    return error;
  }
}

for (const process of ["this", "own"] as const) {
  const options: BootOptions = { ...SILENT, process };
  for (const [how, { end, message, status }] of Object.entries(ENDS)) {
    t.test(`every operation of a machine in ${process} process that ${how} fails and says so`, async (t) => {
      const machine = await boot(options);
      await end(machine);
      for (const [name, operation] of Object.entries(OPERATIONS)) {
        const error = await refusal(operation, machine);
        t.ok(error instanceof MachineError, name);
        t.match(error, { message, status }, name);
      }
      t.match(await machine.halt(), { status, panicked: status === 70 }, "halt");
      t.match(await machine.ended(), { status, panicked: status === 70 }, "ended");
    });
  }

  t.test(
    `what was asked of a machine in ${process} process before its end is answered, or fails with it`,
    async (t) => {
      const machine = await boot(options);
      const asked = [
        machine.run(fixture("waits.ts")),
        machine.inspect(),
        machine.unplug(1),
        machine.killService("echo"),
      ];
      await machine.halt(5);
      // Not before: an end that is told early would find nobody who listens.
      const [waits, ...others] = await Promise.allSettled(asked);
      t.match(waits, { status: "rejected", reason: { name: "MachineError", status: 5 } });
      for (const other of others)
        if (other.status === "rejected") t.match(other.reason, { name: "MachineError", status: 5 });
    },
  );

  t.test(`the error of a panic in ${process} process has the dump`, async (t) => {
    const machine = await boot(options);
    const error = await refusal((it) => it.run(fixture("panics.ts"), { debug: true, core: 0 }), machine);
    t.match(error, { name: "MachineError", dump: /PANIC on core 0/ });
  });
}
