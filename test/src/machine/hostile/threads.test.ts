import { MAX_RING_LINES } from "@capos/hal";
import t from "tap";
import { guest, HostileMachine } from "../support/hostile-machine.js";

const MANY = 3 * MAX_RING_LINES;

t.test(
  "threads that wait on another core for ever are in nobody's way, and end when they are told",
  async (t) => {
    const machine = await HostileMachine.boot();
    for (const what of ["call", "send", "recv", "wait", "nbSend", "notify"]) {
      const args = [what, "2", `${MANY}`];
      const id = await machine.startFile("flood", { args, memoryBits: 19 });
      await machine.line(`flooded: ${args.join(" ")}`);
      await machine.sound(t, `${MANY} threads of core 1 that ${what}, while they do`, 1);
      await machine.sound(t, `${MANY} threads of core 1 that ${what}, while they do, asked on core 2`, 2);
      t.match(await machine.kill(id), { state: "killed" }, what);
      await machine.sound(t, `${MANY} threads that ${what}`);
    }
    for (const what of ["call", "send", "recv", "wait"]) {
      const args = [what, "2", `${MANY}`, "leave"];
      const ending = await machine.runFile("flood", { args, memoryBits: 19 });
      t.same(
        ending,
        { state: "exited", status: 4, fault: "" },
        "the first thread decides how a process ended",
      );
      await machine.sound(t, `${MANY} threads that ${what}, whose first has ended`);
    }
    await machine.halt(t);
  },
);

t.test("many threads that flood init's own core leave it to init", async (t) => {
  const machine = await HostileMachine.boot();
  const args = ["nbSend", "0", `${MANY}`];
  const first = await machine.startFile("flood", { args, core: 1, memoryBits: 19 });
  const second = await machine.startFile("flood", { args, core: 2, memoryBits: 19 });
  await machine.until(
    "both floods",
    () => machine.console.filter((line) => line.startsWith("flooded")).length === 2,
  );
  await machine.sound(t, "two floods of core 0");
  t.match(await machine.kill(first), { state: "killed" });
  t.match(await machine.kill(second), { state: "killed" });
  await machine.sound(t, "two floods of core 0 that were killed");
  await machine.halt(t);
});

t.test("a core that is lost with queues full of others' threads gives each of them its answer", async (t) => {
  const machine = await HostileMachine.boot();
  const args = ["call", "1", `${MANY}`];
  const id = await machine.startFile("flood", { args, core: 2, memoryBits: 19 });
  await machine.line(`flooded: ${args.join(" ")}`);
  t.match(await machine.run(guest("/(a*)*b/.test('a'.repeat(60));")), {
    fault: "kept core 1 from a safe point for too long",
  });
  // Its thread on core 1 ended with that core, and so did the process.
  t.same(await machine.exit(id), { state: "faulted", status: 1, fault: "core 1 died under it" });
  await machine.sound(t, "a core that died under a flood", 1);
  await machine.sound(t, "a core that died under a flood, asked on core 2", 2);
  await machine.halt(t);
});

t.test("a process cannot end unnoticed, nor become more urgent than it was made", async (t) => {
  const machine = await HostileMachine.boot();
  const body = `
    const os = start(sys), seen: number[] = [];
    const { process, thread } = os.environment;
    sys.words[0] = 0x31; sys.words[1] = yield* os.notification(); seen.push(yield sys.call(process, 2));
    sys.words[0] = 0x44; sys.words[1] = 255; seen.push(yield sys.call(thread, 2));
    const made = yield* os.make(ObjectType.THREAD);
    sys.words[0] = 0x40; sys.words[1] = process; sys.words[2] = 0; sys.words[3] = 255; seen.push(yield sys.call(made, 4));
    if (seen.some((answer) => answer >= 0)) throw new Error(seen.join());
    return 6;`;
  t.same(await machine.run(guest(body)), { state: "exited", status: 6, fault: "" });
  await machine.sound(t, "a process that wanted more");
  await machine.halt(t);
});

t.test("init lost to a guest on its core is a clean panic with a dump, not a hang", async (t) => {
  const machine = await HostileMachine.boot(1);
  const lost = machine.run(guest("/(a*)*b/.test('a'.repeat(60));"));
  await t.rejects(lost, /the machine is off/);
  const { status, panicked } = await machine.ended;
  t.same({ status, panicked }, { status: 70, panicked: true });
  t.match(
    machine.kernel,
    /PANIC on core 0: .*init ended: (core 0 died under it|kept core 0 from a safe point for too long)/,
  );
  t.match(machine.kernel, /\n +core 0: state online, .*safe points \d+/);
  t.match(machine.kernel, /\n +thread \d+: of \d+ console, core 0, priority 180/);
  t.match(machine.kernel, /\n +memory 0x0: size 4 KiB, for frame 0/);
});
