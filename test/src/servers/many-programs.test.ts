import t from "tap";
import { MachineFixture } from "./support/machine.js";

t.test("programs that ran one after the other leave memory as it was", async (t) => {
  const machine = await MachineFixture.boot({ fixtures: ["client"], memoryMiB: 64 });
  const before = await machine.memory();
  // Many times the machine's memory, as far as that is soon done.
  const enough = Date.now() + 10_000;
  let runs = 0;
  for (; runs < 200 || (runs < 10_000 && Date.now() < enough); runs++) {
    const { status } = await machine.run("client", { args: ["nothing"], cores: [runs % 2] });
    if (status !== 0) t.fail(`run ${runs}: status ${status}`);
    // Nobody looks at them again.
    machine.events.length = 0;
  }
  t.comment(`${runs} programs`);
  t.same(await machine.memory(), before);
  await machine.off();
});
