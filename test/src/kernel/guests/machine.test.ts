/** Many cores, cores that die, cores that come and go, as guests see them. */
import { CoreState } from "@capos/hal";
import t from "tap";
import { checkGuest, GuestMachine } from "../support/guest-machine.js";

t.test("64 cores", (t) =>
  checkGuest(t, "machine", 1, { cores: 64, memoryMiB: 128 }, { args: ["every core"] }),
);

t.test("the thread table", (t) =>
  checkGuest(t, "machine", 1, { memoryMiB: 16 }, { args: ["threads beyond"], memoryBits: 20 }),
);

t.test("a core's watchdog", async (t) => {
  // Never core 0: with init the machine ends.
  for (const [cores, core] of [
    [2, 0],
    [3, 1],
  ] as const) {
    await checkGuest(t, "machine", 1, { cores, watchdogMs: 1000 }, { core, args: ["machine check"] });
  }
});

t.test("hot-plug", async (t) => {
  const machine = await GuestMachine.boot({ cores: 3, powered: 2 });
  const state = async (wanted: CoreState): Promise<void> => {
    while (machine.core(2).state !== wanted >>> 0) await new Promise((resolve) => setImmediate(resolve));
  };
  const scene = async (name: string, lines: Record<string, () => Promise<void>>): Promise<void> => {
    const before = machine.cases.length;
    const id = await machine.start("machine", { core: 1, args: [name] });
    for (const [line, act] of Object.entries(lines)) {
      const seen = machine.console.filter((it) => it === line).length;
      await machine.until(
        `line "${line}"`,
        () => machine.console.filter((it) => it === line).length > seen || seen > 0,
      );
      machine.console.splice(machine.console.indexOf(line), 1);
      await act();
      machine.type("done");
    }
    const exit = await machine.exit(id);
    t.equal(exit.fault, "", "the guest did not fault");
    t.equal(machine.cases.length, before + 1, "one case");
    const { ok, detail } = machine.cases.at(-1)!;
    t.ok(ok, name, { diagnostic: !ok, detail });
  };
  try {
    const plug = () => machine.machine.plug(2);
    const unplug = async () => {
      await machine.machine.management.unplug(2);
      await state(CoreState.ABSENT);
    };
    await scene("hot-plug: a core without power takes no thread, one that was plugged does", { plug });
    await scene("hot-plug: what was at home on a core that left is usable, and the core can come back", {
      unplug,
      plug,
    });
    await scene("hot-plug: a core with threads stays", {
      "unplug in vain": () => machine.machine.management.unplug(2),
    });
    t.equal(machine.core(2).state, CoreState.ONLINE, "core 2 is still there");
  } catch (error) {
    t.fail(String(error));
  } finally {
    t.equal((await machine.halt()).panicked, false, "the kernel did not panic");
  }
});
