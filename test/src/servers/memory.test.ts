import t from "tap";
import { MachineFixture } from "./support/machine.js";

const fixtures = ["client"];
const MEMORY_MIB = 64;

t.test("whatever a program did with its memory, init has it back at its end", async (t) => {
  const machine = await MachineFixture.boot({ fixtures, memoryMiB: MEMORY_MIB });
  const before = await machine.memory();
  const tasks = ["leave", "longFault", "manyNames", "unfinished", "forge", "inventory"];
  for (const task of tasks) await machine.run("client", { args: [task], memoryBits: 22 });
  // A line of its own: what others said may come after their end.
  for (const [task, says, ...more] of [
    ["serveByName", /^serves$/, "x"],
    ["processes", /^a third: /],
    ["threads", / threads, then /],
    ["forever", /^runs$/],
    ["longLines", /^(.)\1{8}$/, "9"],
  ] as const) {
    const id = machine.start("client", { args: [task, ...more], memoryBits: 22 });
    await machine.until(`a line of ${task}`, () => machine.console.some((line) => says.test(line)));
    const { freeBytes } = await machine.memory();
    t.ok(freeBytes <= before.freeBytes - 2 ** 22, `${task} has some`);
    machine.send({ op: "kill", id });
    await machine.exit(id);
  }
  t.same(await machine.memory(), before);
  await machine.off();
});

t.test(
  "memory that a program gave to another is init's again when it ends, and what was made from it is gone",
  async (t) => {
    const machine = await MachineFixture.boot({ fixtures, memoryMiB: MEMORY_MIB });
    const before = await machine.memory();
    const taker = machine.start("client", { args: ["takeMemory"], memoryBits: 12 });
    await machine.line("takes");
    const between = await machine.memory();
    const giver = machine.start("client", { args: ["giveMemory"], memoryBits: 22 });
    await machine.line("given: OK");
    await machine.line("notify: OK");
    machine.send({ op: "kill", id: giver });
    await machine.exit(giver);
    t.same(await machine.memory(), between);
    machine.type("\n");
    await machine.line("notify: ERR_BAD_CAP");
    machine.send({ op: "kill", id: taker });
    await machine.exit(taker);
    t.same(await machine.memory(), before);
    await machine.off();
  },
);

t.test("programs of all sizes at one time leave memory in one piece", async (t) => {
  const machine = await MachineFixture.boot({ fixtures, memoryMiB: MEMORY_MIB });
  const before = await machine.memory();
  for (let round = 0; round < 3; round++) {
    const ids: number[] = [];
    for (let i = 0; i < 24; i++) {
      ids.push(
        machine.start("client", { args: ["wait"], memoryBits: 6 + ((i * 7 + round) % 16), threads: 1 }),
      );
    }
    const { freeBytes } = await machine.memory();
    t.ok(freeBytes < before.freeBytes);
    // Every other one first.
    for (const id of [...ids.filter((_, i) => i % 2 === 0), ...ids.filter((_, i) => i % 2 === 1)]) {
      machine.send({ op: "kill", id });
      await machine.exit(id);
    }
    t.same(await machine.memory(), before);
  }
  t.equal(
    (await machine.run("client", { args: ["nothing"], memoryBits: 25 })).status,
    0,
    "half of all memory",
  );
  t.same(await machine.memory(), before);
  await machine.off();
});

t.test("what could not be started, and a service that was started again, cost nothing", async (t) => {
  const machine = await MachineFixture.boot({ cores: 3, powered: 2, fixtures, memoryMiB: MEMORY_MIB });
  const before = await machine.memory();
  const refusals = [{ image: 200 }, { core: 2 }, { threads: 16_384 }, { args: ["x".repeat(300)] }];
  for (const options of refusals) {
    const id = machine.start("client", { memoryBits: 22, ...options });
    await machine.event("error", (event) => event.id === id);
    t.same(await machine.memory(), before, JSON.stringify(options).slice(0, 40));
  }
  for (const service of ["echo", "names", "console", "log"]) {
    machine.send({ op: "kill-service", service });
    await machine.event("service", ({ name, state }) => name === service && state === "restarted");
    t.same(await machine.memory(), before, service);
  }
  await machine.off();
});

t.test("a process cannot take more thread numbers than its quota", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  for (const threads of [1, 5, 100]) {
    const said = machine.console.length;
    const id = machine.start("client", { args: ["threads"], threads });
    if (threads === 1) await machine.exit(id);
    else await machine.until("both lines", () => machine.console.length === said + 2);
    const refused = "configure thread: ERR_NO_RESOURCE";
    const lines = machine.console.slice(said);
    t.match(lines[0], `${threads - 1} threads, then ${refused}`);
    if (threads > 1) t.match(lines[1], `in place of one: OK, then ${refused}`);
    machine.send({ op: "kill", id });
    if (threads > 1) await machine.exit(id);
  }
  await machine.off();
});

t.test("the thread numbers of the processes that it starts are a process's own", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const { status } = await machine.run("client", { args: ["processes"], threads: 9 });
  t.equal(status, 0);
  await machine.until("all lines", () => machine.console.length === 3);
  t.match(machine.console[0], "a third: thread numbers: ERR_NO_RESOURCE, 3 wanted, 2 left");
  t.same(machine.console.slice(1), ["a smaller one: OK", "in place of the first: OK"]);
  await machine.off();
});

t.test("thread numbers come back with the process that had them", async (t) => {
  const machine = await MachineFixture.boot({ fixtures, memoryMiB: MEMORY_MIB });
  // More than half of all that there are: two at one time there cannot be.
  const half = (MEMORY_MIB * 16) / 2 + 1;
  for (let i = 0; i < 5; i++) {
    const id = machine.start("client", { args: ["forever"], threads: half });
    await machine.until("it runs", () => machine.console.length === i + 1);
    const second = machine.start("client", { args: ["nothing"], threads: half });
    const { message } = await machine.event("error", (event) => event.id === second);
    t.match(message, new RegExp(`^thread numbers: ERR_NO_RESOURCE, ${half} wanted, \\d+ left$`));
    machine.send({ op: "kill", id });
    await machine.exit(id);
  }
  await machine.off();
});

t.test("threads and processes that a program starts and ends cost it nothing", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const { status, fault } = await machine.run("client", { args: ["spawnAndEnd"], memoryBits: 18 });
  t.same([status, fault], [0, ""]);
  await machine.until("both lines", () => machine.console.length === 2);
  t.match(
    machine.console[0],
    /^configure process: ERR_BAD_CAP; configure thread: ERR_RANGE.*; thread numbers: ERR_NO_RESOURCE.*$/,
  );
  t.equal(machine.console[1], "slots lost: 0");
  await machine.off();
});
