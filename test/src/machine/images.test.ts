/** The images of a machine that runs more of them than it has room for. */
import type { Image } from "@capos/abi";
import { moduleCount, PAGE_BYTES } from "@capos/hal";
import { buildImage } from "@capos/image";
import { boot, type CaposMachine } from "@capos/machine";
import t from "tap";
import { guestFile } from "../kernel/support/guest-machine.js";

const SILENT = { logLevel: "silent", onConsole: () => {} } as const;
/** An eighth of the smallest machine's memory, but for the directory. */
const STORE_BYTES = 2 * 2 ** 20 - 2 * PAGE_BYTES;

/** The image of a guest that ends with a status, of about so many bytes. */
async function imageMaker(): Promise<(status: number, bytes?: number) => Image> {
  const built = await buildImage(guestFile("other"));
  return (status, bytes = 0) => ({
    ...built,
    name: `status ${status}`,
    code: `${built.code.replace("return 42", `return ${status}`)}/*${"x".repeat(bytes)}*/`,
  });
}

async function statusOf(machine: CaposMachine, image: Image): Promise<number> {
  return (await machine.runImage(image, { untyped: 0, threads: 1 })).status;
}

t.test("more images run one after the other than the store has places for, each as itself", async (t) => {
  const make = await imageMaker();
  const machine = await boot({ cores: 2, memoryMiB: 64, ...SILENT });
  const wrong: number[] = [];
  for (let i = 0; i < 320; i++) if ((await statusOf(machine, make(i % 256))) !== i % 256) wrong.push(i);
  t.same(wrong, []);
  t.notOk((await machine.halt()).panicked);
});

t.test("more images run one after the other than the store has bytes for, each as itself", async (t) => {
  const make = await imageMaker();
  const machine = await boot({ cores: 2, memoryMiB: 16, ...SILENT });
  const first = make(1, 1000);
  t.equal(await statusOf(machine, first), 1);
  const wrong: number[] = [];
  for (let i = 0; i < 24; i++) if ((await statusOf(machine, make(i, (i % 3) * 150_000))) !== i) wrong.push(i);
  t.same(wrong, []);
  t.equal(await statusOf(machine, first), 1, "one that had to go is loaded anew");
  t.notOk((await machine.halt()).panicked);
});

t.test(
  "an image that runs keeps its room, and one that fits nowhere is refused with a message",
  async (t) => {
    const make = await imageMaker();
    const machine = await boot({ cores: 2, memoryMiB: 16, ...SILENT });
    const system = moduleCount(machine.memory);
    const large = make(7, STORE_BYTES / 2);
    const waits = machine.runImage(large, { args: ["stay"], untyped: 0, threads: 1 });
    await t.rejects(statusOf(machine, make(8, STORE_BYTES / 2)), {
      name: "UsageError",
      message:
        /^image status 8: \d+ bytes do not fit, \d+ of \d+ are left in one piece; give the machine more memory$/,
    });
    t.equal(await statusOf(machine, make(9)), 9);
    t.equal(moduleCount(machine.memory), system + 2);
    const ended = t.rejects(waits);
    t.notOk((await machine.halt()).panicked);
    await ended;
  },
);

t.test("one image runs a thousand times and is loaded once", async (t) => {
  const make = await imageMaker();
  const machine = await boot({ cores: 2, memoryMiB: 16, ...SILENT });
  const image = make(3);
  const before = moduleCount(machine.memory);
  for (let i = 0; i < 1000; i++) if ((await statusOf(machine, image)) !== 3) t.fail(`run ${i}`);
  t.equal(moduleCount(machine.memory), before + 1);
  t.notOk((await machine.halt()).panicked);
});

t.test("a guest runs the images that its run gives it, in that order", async (t) => {
  const make = await imageMaker();
  const lines: string[] = [];
  const machine = await boot({ cores: 2, memoryMiB: 16, ...SILENT, onConsole: (line) => lines.push(line) });
  const given = await buildImage(guestFile("given-images"));
  const result = await machine.runImage(given, { handed: [make(11), make(12), make(11)] });
  t.match(result, { state: "exited", status: 0, fault: "" });
  t.same(lines, ["11", "12", "11"]);
  t.notOk((await machine.halt()).panicked);
});
