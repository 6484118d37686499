import { LifeState } from "@capos/abi";
import t from "tap";
import { MachineFixture, SYSTEM_IMAGES } from "./support/machine.js";

const fixtures = ["greeter", "thrower", "client"];

t.test("init reports the services it has started, and then that it is ready", async (t) => {
  const machine = await MachineFixture.boot();
  t.same(
    machine.events.map((event) => (event.event === "service" ? `${event.name} ${event.state}` : event.event)),
    ["names started", "log started", "console started", "echo started", "ready"],
  );
  t.same(machine.events.at(-1), { event: "ready", services: ["names", "log", "console", "echo"], cores: 2 });
  await machine.off();
});

t.test("a run prints on the console, reads what is typed, and ends with its own status", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  machine.type("one\ntwo\n");
  machine.endInput();
  const exit = await machine.run("greeter", { args: ["hello", "42"] });
  t.same(exit, {
    event: "exit",
    id: exit.id,
    state: LifeState.EXITED,
    status: 42,
    line: 0,
    column: 0,
    fault: "",
    callers: [],
  });
  await machine.line("> two");
  t.same(machine.console, ["greeter on core 1 of 2: hello 42", "> one", "> two"]);
  await machine.off();
});

t.test("a request that came before init was there is carried out when it is", async (t) => {
  const machine = await MachineFixture.boot({
    fixtures,
    early: (machine) => void machine.start("client", { id: 5, args: ["where"] }),
  });
  t.equal((await machine.exit(5)).status, 0);
  await machine.off();
});

t.test("the exit of a guest that threw says what and where", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const exit = await machine.run("thrower");
  t.equal(exit.state, LifeState.FAULTED);
  t.equal(exit.fault, "RangeError: cannot go on: as told");
  t.ok(exit.line > 0 && exit.column > 0, `line ${exit.line}, column ${exit.column}`);
  await machine.line("about to throw");
  await machine.off();
});

t.test("an event longer than a port's write arrives whole", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const { fault } = await machine.run("client", { args: ["longFault"] });
  t.match(fault, /^Error: "{180,}/);
  t.ok(JSON.stringify(fault).length > 372);
  await machine.off();
});

t.test("a run is told apart by what it was asked with: core, memory, Debug", async (t) => {
  const machine = await MachineFixture.boot({ cores: 3, fixtures });
  for (let i = 0; i < 3; i++) await machine.run("client", { args: ["where"] });
  await machine.run("client", { args: ["where"], cores: [0] });
  await machine.until("four", () => machine.console.length === 4);
  t.same(machine.console, ["on 1", "on 2", "on 1", "on 0"], "in turn over the cores that are not init's");
  await machine.run("client", { args: ["inventory"] });
  await machine.run("client", { args: ["inventory"], memoryBits: 0, debug: true });
  await machine.until("both", () => machine.console.length === 8);
  t.same(machine.console.slice(4), [
    "memory true, debug false, servers true",
    "page: OK",
    "memory false, debug true, servers true",
    "page: retype: ERR_BAD_CAP",
  ]);
  await machine.off();
});

t.test("a core without power is passed over, and refused to who asks for it", async (t) => {
  const machine = await MachineFixture.boot({ cores: 4, powered: 2, fixtures });
  for (let i = 0; i < 4; i++) await machine.run("client", { args: ["where"] });
  await machine.until("four", () => machine.console.length === 4);
  t.same(machine.console, Array(4).fill("on 1"));
  machine.start("client", { args: ["where"], cores: [2] });
  t.equal((await machine.event("error")).message, "core 2: ERR_NOT_FOUND");
  await machine.off();
});

t.test("on one core all of it works too", async (t) => {
  const machine = await MachineFixture.boot({ cores: 1, fixtures });
  t.equal((await machine.run("client", { args: ["ping", "100"] })).status, 0);
  const id = machine.start("client", { args: ["forever"] });
  await machine.line("runs");
  machine.send({ op: "kill", id });
  t.equal((await machine.exit(id)).state, LifeState.KILLED);
  await machine.off();
});

t.test("a kill ends a process whatever it does, and its id is free again", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const id = machine.start("client", { args: ["forever"] });
  await machine.line("runs");
  machine.send({ op: "kill", id });
  t.equal((await machine.exit(id)).state, LifeState.KILLED);
  machine.send({ op: "kill", id });
  t.equal((await machine.event("error")).message, `no process has the id ${id}`);
  machine.start("client", { id, args: ["where"] });
  await machine.line("on 1");
  await machine.off();
});

t.test(
  "a request that cannot be carried out is refused with a reason, and nothing else happens",
  async (t) => {
    const machine = await MachineFixture.boot({ fixtures });
    const running = machine.start("client", { args: ["forever"] });
    const cases: [string, RegExp, number | null][] = [
      ["hello", /one JSON object/, null],
      ["", /one JSON object/, null],
      ["[1]", /JSON object/, null],
      ['{"id":9}', /op must be one of/, 9],
      ['{"op":"run","id":-1,"image":5,"name":"x"}', /id must be an integer/, null],
      ['{"op":"run","id":10,"image":5}', /name must be a text of 1 to 32 bytes/, 10],
      [
        `{"op":"run","id":10,"image":5,"name":"${"é".repeat(17)}"}`,
        /name must be a text of 1 to 32 bytes/,
        10,
      ],
      ['{"op":"run","id":10,"image":5,"name":"x","args":"y"}', /args must be an array of texts/, 10],
      ['{"op":"run","id":10,"image":5,"name":"x","args":[1]}', /args must be an array of texts/, 10],
      [
        '{"op":"run","id":10,"image":5,"name":"x","cores":[2]}',
        /cores must be an array of 1 to 2 integers from 0 to 1/,
        10,
      ],
      ['{"op":"run","id":10,"image":5,"name":"x","priority":150}', /priority must be .* 0 to 149/, 10],
      ['{"op":"run","id":10,"image":5,"name":"x","memoryBits":31}', /memoryBits must be .* 6 to 30/, 10],
      ['{"op":"run","id":10,"image":5,"name":"x","threads":0}', /threads must be .* 1 to 16384/, 10],
      [
        '{"op":"run","id":10,"image":5,"name":"x","threads":16384}',
        /^thread numbers: ERR_NO_RESOURCE, 16384 wanted, \d+ left$/,
        10,
      ],
      ['{"op":"run","id":10,"image":5,"name":"x","debug":1}', /debug must be true or false/, 10],
      ['{"op":"run","id":10,"image":5,"name":"x","args":["a\\u0000b"]}', /contains a NUL/, 10],
      [
        `{"op":"run","id":10,"image":5,"name":"x","args":["${"y".repeat(300)}"]}`,
        /there is room for 252/,
        10,
      ],
      ['{"op":"run","id":10,"image":200,"name":"x"}', /^image 200: ERR_NOT_FOUND$/, 10],
      ['{"op":"run","id":10,"image":5,"name":"x","memoryBits":30}', /NO_MEMORY, 1073741824 bytes wanted/, 10],
      [`{"op":"run","id":${running},"image":5,"name":"x"}`, /is in use/, running],
      ['{"op":"give","id":10,"to":99,"slot":200,"image":5}', /^no process has the id 99$/, 10],
      [`{"op":"give","id":10,"to":${running},"slot":200,"process":98}`, /^no process has the id 98$/, 10],
      [`{"op":"give","id":10,"to":${running},"slot":200,"image":201}`, /^image 201: ERR_NOT_FOUND$/, 10],
      [`{"op":"give","id":10,"to":${running},"slot":200}`, /^give needs an image or a process$/, 10],
      [
        `{"op":"give","id":10,"to":${running},"slot":200,"image":5,"process":${running}}`,
        /^give needs an image or a process$/,
        10,
      ],
      [
        `{"op":"give","id":10,"to":${running},"slot":0,"image":5}`,
        /^slot must be an integer from 1 to 65535$/,
        10,
      ],
      [`{"op":"give","id":10,"to":${running},"slot":65535,"image":5}`, /ERR_RANGE/, 10],
      [`{"op":"give","id":10,"to":${running},"slot":1,"image":5}`, /ERR_/, 10],
      [`{"op":"give","to":${running},"slot":200,"image":5}`, /^id must be an integer/, null],
      [`{"op":"give","id":10,"to":"x","slot":200,"image":5}`, /^to must be an integer/, 10],
      ['{"op":"kill","id":10}', /no process has the id 10/, 10],
      ['{"op":"kill-service","service":"toString"}', /no service "toString" runs/, null],
      ['{"op":"halt","status":256}', /status must be an integer from 0 to 255/, null],
      [`{"pad":"${"z".repeat(20_000)}"}`, /too long/, null],
    ];
    const before = machine.events.length;
    for (const [line] of cases) machine.sendRaw(`${line}\n`);
    await machine.until("all answers", () => machine.events.length >= before + cases.length);
    for (const [i, [line, message, id]] of cases.entries()) {
      t.match(machine.events[before + i], { event: "error", message, id }, line.slice(0, 80));
    }
    t.equal((await machine.run("client", { args: ["where"] })).status, 0);
    await machine.off();
  },
);

t.test("a request of any length within the limit is read, also in small pieces", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const request = JSON.stringify({
    op: "run",
    pad: "é".repeat(4000),
    id: 77,
    image: SYSTEM_IMAGES + fixtures.indexOf("greeter"),
    name: "ünïcode",
    args: ["7"],
  });
  machine.endInput();
  for (let at = 0; at < request.length; at += 101) machine.sendRaw(request.slice(at, at + 101));
  machine.sendRaw("\n");
  t.equal((await machine.exit(77)).status, 7);
  t.same(machine.console, ["ünïcode on core 1 of 2: 7"]);
  await machine.off();
});

t.test("more answers than the control port holds come all, and in order", async (t) => {
  const machine = await MachineFixture.boot();
  const ids = Array.from({ length: 2000 }, (_, i) => 1000 + i);
  machine.sendRaw(ids.map((id) => `${JSON.stringify({ op: "kill", id })}\n`).join(""));
  await machine.until("the last answer", () => machine.events.length >= 5 + ids.length);
  t.same(
    machine.events.slice(5).map((event) => (event.event === "error" ? event.id : event)),
    ids,
  );
  await machine.off();
});

t.test("no sequence of bytes on the control port ends init", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const snippets = [
    '{"op":"run"',
    '"id":1',
    ",",
    ":",
    "\n",
    "{",
    "}",
    '"',
    "\\",
    "[[[[",
    '"op":"kill"',
    "\u0000",
    "é",
    "1e999",
    '"__proto__":1',
  ];
  let state = 12345;
  let text = "";
  for (let i = 0; i < 5000; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    text += snippets[(state >>> 16) % snippets.length];
  }
  machine.sendRaw(`${text}\n`);
  t.equal((await machine.run("client", { id: 4711, args: ["where"] })).status, 0);
  await machine.off();
});

t.test("when memory has run out a run is refused, and a smaller one is not", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const first = machine.start("client", { args: ["forever"], memoryBits: 25 });
  await machine.line("runs");
  const second = machine.start("client", { args: ["where"], memoryBits: 25 });
  const refusal = await machine.event("error");
  t.equal(refusal.id, second);
  t.match(refusal.message, /^memory: ERR_NO_MEMORY, 33554432 bytes wanted, at most \d+ left in one block$/);
  t.equal((await machine.run("client", { args: ["where"] })).status, 0);
  machine.send({ op: "kill", id: first });
  await machine.exit(first);
  t.equal((await machine.run("client", { args: ["where"], memoryBits: 25 })).status, 0, "it came back");
  await machine.off();
});

t.test("requests are read however many come at once, also while none of them is answered", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  // More than a port holds at one time, and init says nothing until the last.
  const padding = " ".repeat(300);
  for (let id = 100; id < 200; id++) {
    const image = SYSTEM_IMAGES + fixtures.indexOf("client");
    machine.sendRaw(
      `${JSON.stringify({ op: "run", id, image, name: "x", args: ["wait"], memoryBits: 12, threads: 1 })}${padding}\n`,
    );
  }
  machine.send({ op: "kill", id: 9999 });
  t.match(await machine.event("error"), { id: 9999 });
  await machine.off();
});

t.test("as many processes run as the limit says, and one more is refused", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const ids: number[] = [];
  for (let i = 0; i < 8; i++) {
    for (let j = 0; j < 32; j++)
      ids.push(machine.start("client", { args: ["wait"], memoryBits: 12, threads: 2 }));
    // Answered once those before it have been carried out.
    const after = machine.events.length;
    machine.send({ op: "kill", id: 9999 });
    await machine.event("error", ({ id }) => id === 9999, after);
  }
  const refused = machine.start("client", { args: ["where"], memoryBits: 0 });
  const refusal = await machine.event("error", ({ id }) => id === refused);
  t.equal(refusal.message, "256 processes run, which is the limit");
  for (const id of ids) machine.send({ op: "kill", id });
  for (const id of ids) t.equal((await machine.exit(id)).state, LifeState.KILLED);
  t.equal((await machine.run("client", { args: ["where"], memoryBits: 0 })).status, 0);
  await machine.off();
});

t.test("the machine ends with the status that the host halts it with", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const running = machine.start("client", { args: ["forever"] });
  await machine.line("runs");
  const end = await machine.halt(33);
  t.match(end, { status: 33, panicked: false });
  t.notOk(machine.events.some((event) => event.event === "exit" && event.id === running));
});
