/** Serial devices and interrupts as their one holder sees them: a guest in init's place. */
import { PortNumber, planMachine } from "@capos/hal";
import { Machine } from "@capos/hal/host";
import { buildImage } from "@capos/image";
import { dump, whyNoTakeover } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import t from "tap";
import { type CaseReport, fixtureFile } from "../support/guest-machine.js";

t.test("devices", async (t) => {
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
  machine.load("devices", (await buildImage(fixtureFile("devices"))).code);
  const end = await machine.run();
  t.same([end.status, end.panicked], [0, false], "init ended and the machine with it");
  const cases = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as CaseReport);
  for (const { name, ok, detail } of cases) t.ok(ok, name, { diagnostic: !ok, detail });
  t.equal(cases.length, 4, "all cases ran");
});
