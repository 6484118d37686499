import t from "tap";
import { MachineFixture } from "./support/machine.js";

const fixtures = ["client", "greeter"];

t.test("lines longer than a message, of several threads, are never mixed", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const length = 3000;
  machine.start("client", { args: ["longLines", String(length)] });
  await machine.until("twenty lines", () => machine.console.length === 20);
  t.same(
    [...machine.console].sort(),
    ["a", "b", "c", "d"].flatMap((letter) => Array(5).fill(letter.repeat(length))),
  );
  await machine.off();
});

t.test("a line is read as it was typed, whatever its length", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const lines = ["", "x", "é".repeat(182), "y".repeat(364), "z".repeat(365), "€".repeat(5000), "last"];
  machine.type(lines.map((line) => `${line}\n`).join(""));
  machine.type("CRLF\r\n\r\n\r in between\n no end");
  machine.endInput();
  await machine.run("greeter", { args: ["0"] });
  await machine.line(">  no end");
  t.same(
    machine.console.slice(1),
    [...lines, "CRLF", "", "\r in between", " no end"].map((line) => `> ${line}`),
  );
  await machine.off();
});

t.test("bytes that are no text harm nobody", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  machine.type(new Uint8Array(1000).fill(0xff));
  machine.type(new Uint8Array(1000).fill(0x80));
  machine.type("\n");
  machine.type(new Uint8Array(10000).fill(0x0d));
  machine.type("\nafter\n");
  machine.endInput();
  t.equal((await machine.run("greeter", { args: ["0"] })).status, 0);
  await machine.line("> after");
  t.equal(machine.console[1], `> ${"\ufffd".repeat(2000)}`);
  t.equal(machine.console[2], `> ${"\r".repeat(9999)}`);
  await machine.off();
});

t.test("as much as is typed is read, however much that is", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const lines = Array.from({ length: 3000 }, (_, i) => `line ${i} ${"=".repeat(i % 100)}`);
  machine.type(`${lines.join("\n")}\n`);
  machine.endInput();
  await machine.run("greeter", { args: ["0"] });
  await machine.line(`> ${lines.at(-1)}`);
  t.same(
    machine.console.slice(1),
    lines.map((line) => `> ${line}`),
  );
  await machine.off();
});

t.test("after the end of the input every reader gets the end at once", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  machine.endInput();
  for (let i = 0; i < 3; i++) t.equal((await machine.run("greeter", { args: ["9"] })).status, 9);
  await machine.off();
});

t.test("a line does not go to a reader whose process has ended", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  const id = machine.start("client", { args: ["leave"] });
  t.equal((await machine.exit(id)).status, 7);
  machine.type("for the next one\n");
  machine.endInput();
  t.equal((await machine.run("greeter", { args: ["0"] })).status, 0);
  await machine.line("> for the next one");
  t.notOk(machine.console.includes("must not be seen"));
  await machine.off();
});

t.test("a process has only so many readers, and the one too many is told so", async (t) => {
  const machine = await MachineFixture.boot({ fixtures });
  machine.start("client", { args: ["manyReaders"] });
  await machine.until("four refusals", () => machine.console.length === 4);
  t.same(machine.console, Array(4).fill("reader: console.read: ERR_BUSY"));
  machine.type("\n".repeat(16));
  await machine.until("the others", () => machine.console.length === 20);
  t.same(machine.console.slice(4), Array(16).fill("reader: OK"));
  await machine.off();
});
