/** The store of images as its one holder sees it: a guest in init's place, and a host that loads and unloads. */
import { PortNumber, planMachine } from "@capos/hal";
import { Machine } from "@capos/hal/host";
import { buildImage } from "@capos/image";
import { dump, whyNoTakeover } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import t from "tap";
import { guestFile, type TestReport } from "../support/guest-machine.js";
import { tests } from "./image-control.js";

/** What a machine says of which this guest is init: it runs all its tests and ends. */
async function runAsInit() {
  let text = "";
  const plan = planMachine({ cores: 1, memoryMiB: 16, hardwareThreads: 2, seed: 1, watchdogMs: 2000 });
  const { code } = await buildImage(guestFile("image-control"));
  const machine = new Machine(plan, {
    coreProgram: CORE_PROGRAM,
    powered: 1,
    onOutput(port, bytes) {
      if (port !== PortNumber.UART) return;
      const part = new TextDecoder().decode(bytes);
      text += part;
      if (part.includes("let go of 1")) machine.unload(1);
      else if (part.includes("load 3")) machine.load("third", code);
      else return;
      machine.feed(PortNumber.CONTROL, new Uint8Array([1]));
    },
    onMachineCheck: () => {},
    whyNoTakeover,
    describe: dump,
  });
  for (const name of ["init", "first", "second"]) machine.load(name, code);
  machine.unload(2);
  const end = await machine.run();
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  return { machine, end, reports: lines.map((line) => JSON.parse(line) as TestReport) };
}

const run = runAsInit();

for (const name of tests.names)
  t.test(name, async (t) => {
    const report = (await run).reports.find((it) => it.name === name);
    t.ok(report?.ok, report?.detail ?? "not run: the machine ended before");
  });

t.test("images that the host let go of are gone at the end, one that it holds is not", async (t) => {
  const { machine, end } = await run;
  t.same([end.status, end.panicked], [0, false]);
  t.same(
    [1, 2, 3].map((number) => machine.isLoaded(number)),
    [false, false, true],
  );
});
