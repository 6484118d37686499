import t from "tap";
import { MachineFixture } from "./support/machine.js";

const fixtures = ["client", "greeter"];

t.test("a guest finds echo by its name and calls it across cores", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  t.equal((await machine.run("client", { args: ["ping", "1000"], cores: [1] })).status, 0);
  await machine.line("1000 pings");
  await machine.off();
});

t.test("a service that dies is started again, and what its clients hold stays good", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  machine.start("client", { args: ["pingLines"] });
  machine.type("\n");
  await machine.line("ping 0: OK");
  machine.send({ op: "kill-service", service: "echo" });
  t.same(await machine.event("service", ({ state }) => state === "restarted"), {
    event: "service",
    name: "echo",
    state: "restarted",
    fault: "killed",
  });
  machine.type("\n");
  await machine.line("ping 1: OK");
  t.ok(machine.kernelLog.includes("init: echo killed, restarted"));
  await machine.off();
});

t.test("a client whose server dies under it gets an answer to every call", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const ids = [0, 1].map((core) =>
    machine.start("client", { args: ["pingStorm", "5000"], cores: [core], priority: 50 }),
  );
  await machine.until("the storm", () => machine.console.filter((line) => line === "storm").length === 2);
  for (let i = 1; i <= 5; i++) {
    machine.send({ op: "kill-service", service: "echo" });
    await machine.until(
      "a restart",
      () =>
        machine.events.filter((event) => event.event === "service" && event.state === "restarted").length ===
        i,
    );
  }
  for (const id of ids) t.equal((await machine.exit(id)).status, 0);
  await machine.until("the results", () => machine.console.length === 4);
  t.same(machine.console.slice(2), ["answered 5000, otherwise 0", "answered 5000, otherwise 0"]);
  await machine.off();
});

t.test("every service can die and come back while a guest uses it", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  for (const service of ["names", "log", "console", "echo"]) {
    machine.send({ op: "kill-service", service });
    await machine.event("service", ({ name, state }) => name === service && state === "restarted");
  }
  machine.type("typed\n");
  machine.endInput();
  t.equal((await machine.run("greeter", { args: ["0"] })).status, 0);
  t.equal((await machine.run("client", { args: ["ping", "10"] })).status, 0);
  t.equal((await machine.run("client", { args: ["log"] })).status, 0);
  await machine.until("all of it", () => machine.console.includes("10 pings") && machine.log.length === 3);
  t.ok(machine.console.includes("> typed"));
  await machine.off();
});

t.test("a service that dies more often than its limit has failed, and the others go on", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  for (let i = 0; i < 6; i++) {
    const after = machine.events.length;
    machine.send({ op: "kill-service", service: "echo" });
    await machine.event("service", ({ name }) => name === "echo", after);
  }
  const states = machine.events.flatMap((event) =>
    event.event === "service" && event.name === "echo" ? [event.state] : [],
  );
  t.same(states, ["started", ...Array(5).fill("restarted"), "failed"]);
  machine.send({ op: "kill-service", service: "echo" });
  t.match((await machine.event("error")).message, /no service "echo" runs/);
  t.equal((await machine.run("client", { args: ["where"] })).status, 0);
  await machine.off();
});

t.test("the machine halts with status 1 when an essential service has failed", async (t) => {
  const machine = await MachineFixture.boot();
  for (let i = 0; i < 5; i++) {
    const after = machine.events.length;
    machine.send({ op: "kill-service", service: "log" });
    await machine.event("service", ({ state }) => state === "restarted", after);
  }
  machine.send({ op: "kill-service", service: "log" });
  t.match(await machine.ended, { status: 1, panicked: false });
  t.match(machine.kernelLog.at(-1), /init: log has failed: killed; restarted 5 times in 10 s/);
});

t.test("a name is taken as long as the process lives that registered it", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  t.equal((await machine.run("client", { args: ["names", "mine", "echo", "mine", "", "twö"] })).status, 0);
  t.equal((await machine.run("client", { args: ["names", "mine"] })).status, 0);
  await machine.until("both", () => machine.console.length === 10);
  t.same(machine.console, [
    "mine: OK",
    "echo: names.register: ERR_BUSY",
    "mine: names.register: ERR_BUSY",
    ": names.register: ERR_RANGE",
    "twö: OK",
    "names log console echo mine twö",
    "nobody: names.lookup: ERR_NOT_FOUND",
    "mine: OK",
    "names log console echo mine",
    "nobody: names.lookup: ERR_NOT_FOUND",
  ]);
  await machine.off();
});

t.test("the names server's death takes from nobody what was looked up", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const server = machine.start("client", { args: ["serveByName", "mine"] });
  await machine.line("serves");
  const client = machine.start("client", { args: ["pingByName", "mine"] });
  await machine.line("found");
  machine.send({ op: "kill-service", service: "names" });
  await machine.event("service", ({ name, state }) => name === "names" && state === "restarted");
  machine.type("\n");
  await machine.line("ping: OK");
  await machine.run("client", { args: ["names"] });
  await machine.line("names log console echo");

  machine.send({ op: "kill", id: server });
  await machine.exit(server);
  machine.type("\n");
  await machine.line("ping: echo.ping: ERR_BAD_CAP");
  machine.endInput();
  t.equal((await machine.exit(client)).status, 0);
  await machine.off();
});

t.test("a name goes with the process or the endpoint that it stands for", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const server = machine.start("client", { args: ["serveByName", "mine"] });
  await machine.line("serves");
  machine.send({ op: "kill", id: server });
  await machine.exit(server);
  await machine.run("client", { args: ["nameTakenBack"] });
  await machine.until("all answers", () => machine.console.length === 6);
  t.same(machine.console.slice(1), [
    "lookup: names.lookup: ERR_NOT_FOUND",
    "register: OK",
    "again: names.register: ERR_BUSY",
    "lookup: names.lookup: ERR_NOT_FOUND",
    "again: OK",
  ]);
  await machine.off();
});

t.test("who waits for a name has it when somebody registers it, wherever that is", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const waiting = machine.start("client", { args: ["waitForName", "later", "1"] });
  const server = machine.start("client", { args: ["serveByName", "later"] });
  t.equal((await machine.exit(waiting)).status, 0);
  await machine.line("waited: OK");
  machine.send({ op: "kill", id: server });
  await machine.exit(server);
  await machine.off();
});

t.test("one process cannot have all who wait for names, and leaves none behind when it ends", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  for (let round = 0; round < 4; round++) {
    const id = machine.start("client", { args: ["waitForName", "never", "20"] });
    const refused = (round + 1) * 4;
    await machine.until(
      "those that are too many",
      () => machine.console.filter((line) => line.endsWith("NO_RESOURCE")).length === refused,
    );
    machine.send({ op: "kill", id });
    await machine.exit(id);
  }
  t.same([...new Set(machine.console)], ["waited: names.await: ERR_NO_RESOURCE"]);
  await machine.off();
});

t.test("one process cannot fill the table of names", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  for (let i = 0; i < 3; i++) await machine.run("client", { args: ["manyNames"] });
  await machine.until("all", () => machine.console.length === 3);
  t.same(machine.console, Array(3).fill("32: names.register: ERR_NO_RESOURCE"));
  await machine.off();
});

t.test("a log record says who wrote it, as init started it", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  await machine.run("client", { name: "first", args: ["log"] });
  await machine.run("client", { name: "second", args: ["log"], cores: [0] });
  await machine.until("six records", () => machine.log.length === 6);
  const long = "long ".repeat(500);
  const records = (process: string, badge: number, core: number) => [
    { level: 30, process, badge, thread: 0, core, text: "short" },
    { level: 40, process, badge, thread: 0, core, text: long },
    { level: 50, process: "anyone", badge: 255, thread: 0, text: "by name" },
  ];
  t.same(machine.log, [...records("first", 256, 1), ...records("second", 257, 0)]);
  await machine.off();
});

t.test("nobody can make a capability with another process's badge", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  await machine.run("client", { args: ["forge"] });
  await machine.until("both", () => machine.console.length === 2);
  t.same(machine.console, ["own: mint: ERR_DENIED", "found: mint: ERR_DENIED"]);
  await machine.off();
});

t.test("what a process left unfinished is passed on when it ends", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  await machine.run("client", { args: ["unfinished"] });
  await machine.line("half a line");
  await machine.until("the record", () => machine.log.length === 1);
  t.same(machine.log, [
    { level: 40, process: "client", badge: 256, thread: 0, core: 1, text: "half a record", broken: true },
  ]);
  await machine.off();
});
