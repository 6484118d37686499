/** The supervisor, on a machine: guests that supervise say what came of it. */
import { join } from "node:path";
import type { Image } from "@capos/abi";
import { boot, type CaposMachine, compileGuest } from "@capos/machine";
import t from "tap";
import { ROOT } from "../support/cli-process.js";

const FILE = join(ROOT, "test/fixtures/servers/supervised.ts");
const lines: string[] = [];
let machine: CaposMachine;
let image: Image;

t.before(async () => {
  image = await compileGuest(FILE);
  machine = await boot({
    ...({ cores: 2, memoryMiB: 64, logLevel: "silent" } as const),
    onConsole: (line) => void lines.push(line),
  });
});
t.teardown(() => machine.halt());

async function ran(task: string): Promise<string[]> {
  lines.length = 0;
  const { fault } = await machine.runImage(image, { args: [task] });
  return [...lines.filter((line) => !line.endsWith(" runs")), ...(fault === "" ? [] : [fault])];
}

const A_THRICE = ["ended a", "started a", "ended a", "started a", "ended a", "gave-up a"];

t.test("a supervisor has finished when no child runs and none is to be started again", async (t) => {
  const [line] = await ran("finished");
  t.same(line!.slice("finished: ".length).split(", ").sort(), ["ended a", "ended b", "ended c"]);
});

t.test(
  "a permanent child is started again whatever its end, as often as the limit says, then all are ended",
  async (t) => {
    t.same(await ran("permanent"), [`gave-up: ${A_THRICE.join(", ")}`]);
  },
);

t.test("a transient child is started again when it ended badly", async (t) => {
  t.same(await ran("transient"), [`gave-up: ${A_THRICE.join(", ")}`]);
});

t.test("one for one: nobody else is touched", async (t) => {
  t.same(await ran("oneForOne"), [
    "gave-up: ended b, started b, ended b, started b, ended b, gave-up b, stopped c, stopped a",
  ]);
});

t.test(
  "one for all: the others are ended last to first, and all but the temporary start in order",
  async (t) => {
    t.same(await ran("oneForAll"), [
      "gave-up: ended b, stopped c, stopped a, started a, started b, " +
        "ended b, stopped a, started a, started b, ended b, gave-up b, stopped a",
    ]);
  },
);

t.test("rest for one: those behind it go with it", async (t) => {
  t.same(await ran("restForOne"), [
    "gave-up: ended b, stopped c, started b, started c, ended b, stopped c, started b, started c, " +
      "ended b, gave-up b, stopped c, stopped a",
  ]);
});

t.test("a restart is put off twice as long each time, up to the most", async (t) => {
  t.same(await ran("backOff"), ["in 20", "in 40", "in 40", "in null", "gave-up: "]);
});

t.test("a restart counts for the time of the limit, and no longer", async (t) => {
  t.same(await ran("forgotten"), ["four", "null stopped 0"]);
});

t.test("what clients hold of a child is good after its restart", async (t) => {
  const message = "echo.ping: ERR_PEER_DIED";
  t.same(await ran("sameEndpoint"), ["1", message, "2", message, "3", message, "slots: true"]);
});

t.test("what cannot be supervised is refused with what is possible, and nothing is left", async (t) => {
  t.same(await ran("wrong"), [
    "supervisor: two children are called a",
    "supervisor: restart of a is sometimes, possible are permanent, transient, temporary",
    "supervisor: strategy is all, possible are one-for-one, one-for-all, rest-for-one",
    "supervisor: limit.restarts is -1, possible are integers from 0 to 1000",
    "supervisor: limit.withinMs is 0, possible are integers from 1 to 2147483647",
    "supervisor: backOff.mostMs is 1, possible are integers from 2 to 2147483647",
    "configure thread: ERR_RANGE, permitted is 0 to 1",
  ]);
});
