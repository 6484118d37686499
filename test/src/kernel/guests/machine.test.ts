/** Many cores, cores that die, cores that come and go, as guests see them. */
import { CoreState } from "@capos/hal";
import t from "tap";
import type { GuestMachine } from "../support/guest-machine.js";
import { type GuestTestOptions, type Meanwhile, testGuest } from "../support/guest-tests.js";
import { tests } from "./machine.js";

const MANY = "every core calls every core";
const TABLE = "threads beyond the table's limit answer NO_RESOURCE, and one that ended makes room";
const CHECK = "a machine check: peers of a core's threads get PEER_DIED, and the core comes back";

const LAST = 2;

async function reaches(machine: GuestMachine, state: CoreState): Promise<void> {
  while (machine.core(LAST).state !== state >>> 0) await new Promise((resolve) => setImmediate(resolve));
}

/** Does something as soon as the guest says so, and tells it. */
async function when(machine: GuestMachine, line: string, act: () => Promise<unknown>): Promise<void> {
  await machine.line(line);
  await act();
  machine.type("done");
}

const HOT_PLUG: Record<string, Meanwhile> = {
  async "hot-plug: a core without power takes no thread, one that was plugged does"(machine) {
    await when(machine, "plug", () => machine.machine.plug(LAST));
  },
  async "hot-plug: what was at home on a core that left is usable, and the core can come back"(machine) {
    await when(machine, "unplug", async () => {
      await machine.machine.manage((management) => management.unplug(LAST));
      await reaches(machine, CoreState.ABSENT);
    });
    await when(machine, "plug", () => machine.machine.plug(LAST));
  },
  async "hot-plug: a core with threads stays"(machine, over, t) {
    await when(machine, "unplug in vain", () =>
      machine.machine.manage((management) => management.unplug(LAST)),
    );
    await over;
    t.equal(machine.core(LAST).state, CoreState.ONLINE, "it is still there");
  },
};

function test(names: readonly string[], options: GuestTestOptions): void {
  testGuest(t, "machine", names, options, HOT_PLUG);
}

test([MANY], { machine: { cores: 64, memoryMiB: 128 } });
test([TABLE], { machine: { memoryMiB: 16 }, guest: { memoryBits: 20 } });
// The core that dies is the next one to the guest's, and never core 0: with init the machine ends.
test([CHECK], { machine: { cores: 2, watchdogMs: 1000 }, guest: { core: 0 } });
test([CHECK], { machine: { cores: 3, watchdogMs: 1000 }, guest: { core: 1 } });
test(Object.keys(HOT_PLUG), { machine: { cores: 3, powered: 2 }, guest: { core: 1 } });

t.test("each test of this guest has a machine", async (t) => {
  t.same([...tests.names].sort(), [MANY, TABLE, CHECK, ...Object.keys(HOT_PLUG)].sort());
});
