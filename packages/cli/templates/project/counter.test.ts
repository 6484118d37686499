import assert from "node:assert/strict";
import { after, test } from "node:test";
import { boot } from "capos";
import { Counter, Owner } from "./guests/protocols.js";

const machine = await boot({ cores: 2, memoryMiB: 64, onConsole() {} });
machine.spawn("guests/counter.ts");
const counter = machine.client(Counter, "counter");
after(() => machine.halt());

test("what clients count is in the total", async () => {
  const { value } = await counter.total();
  const run = await machine.run("guests/client.ts", { args: ["3"] });
  assert.equal(run.status, 0, run.fault);
  assert.equal((await counter.total()).value, value + 3);
});

test("a client whose counter was taken back cannot count on", async () => {
  const handlers = { counted: () => counter.takeBack() };
  const serving = await machine.serve(Owner, handlers, { name: "test" });
  const run = await machine.run("guests/client.ts", { args: ["3", "test"] });
  assert.match(run.fault, /client\.ts:\d+:\d+: IpcError: counter\.add: ERR_BAD_CAP/);
  serving.close();
});
