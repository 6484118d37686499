/** Serial devices and interrupts as their one holder sees them: a guest in init's place. */
import { PortNumber, planMachine } from "@capos/hal";
import { Machine } from "@capos/hal/host";
import { buildImage } from "@capos/image";
import { dump, whyNoTakeover } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import t from "tap";
import { guestFile, type TestReport } from "../support/guest-machine.js";
import { tests } from "./devices.js";

/** What a machine says of which this guest is init: it runs all its tests and ends. */
async function runAsInit() {
  let text = "";
  const plan = planMachine({ cores: 1, memoryMiB: 16, hardwareThreads: 2, seed: 1, watchdogMs: 2000 });
  const machine = new Machine(plan, {
    coreProgram: CORE_PROGRAM,
    powered: 1,
    onOutput: (port, bytes) => {
      if (port === PortNumber.UART) text += new TextDecoder().decode(bytes);
    },
    onMachineCheck: () => {},
    whyNoTakeover,
    describe: dump,
  });
  machine.load("devices", (await buildImage(guestFile("devices"))).code);
  const end = await machine.run();
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  return { end, reports: lines.map((line) => JSON.parse(line) as TestReport) };
}

const run = runAsInit();

for (const name of tests.names)
  t.test(name, async (t) => {
    const report = (await run).reports.find((it) => it.name === name);
    t.ok(report?.ok, report?.detail ?? "not run: the machine ended before");
  });

t.test("init ends, and the machine with it", async (t) => {
  const { end } = await run;
  t.same([end.status, end.panicked], [0, false]);
});
