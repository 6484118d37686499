/** Images as guests see them, and as init takes them from the host. */
import { PortNumber, planMachine } from "@capos/hal";
import { Machine } from "@capos/hal/host";
import { buildImage } from "@capos/image";
import { dump } from "@capos/inspect";
import { CORE_PROGRAM } from "@capos/machine";
import t from "tap";
import { type CaseReport, checkGuest, fixtureFile } from "../support/guest-machine.js";

for (const cores of [1, 2])
  t.test(`images on ${cores} cores`, (t) => checkGuest(t, "images", 8, { cores }, { images: ["other"] }));

t.test("the store of images, as init sees it", async (t) => {
  let text = "";
  const plan = planMachine({ cores: 1, memoryMiB: 16, hardwareThreads: 2, seed: 1, watchdogMs: 2000 });
  const { code } = await buildImage(fixtureFile("image-control"));
  const machine = new Machine(plan, {
    coreProgram: CORE_PROGRAM,
    powered: 1,
    onOutput(port, bytes) {
      if (port !== PortNumber.UART) return;
      const part = new TextDecoder().decode(bytes);
      text += part;
      if (part.includes("let go of 1")) machine.unload(1);
      else if (part.includes("load 3")) t.equal(machine.load("third", "third"), 3);
      else return;
      machine.feed(PortNumber.CONTROL, new Uint8Array([1]));
    },
    onMachineCheck: () => {},
    describe: dump,
  });
  for (const name of ["init", "first", "second"]) machine.load(name, code);
  machine.unload(2);
  const end = await machine.run();
  t.same([end.status, end.panicked], [0, false], "init ended and the machine with it");
  const cases = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as CaseReport);
  for (const { name, ok, detail } of cases) t.ok(ok, name, { diagnostic: !ok, detail });
  t.equal(cases.length, 5, "all cases ran");
  t.same(
    [1, 2, 3].map((number) => machine.isLoaded(number)),
    [false, false, true],
  );
});
