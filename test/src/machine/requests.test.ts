/** What is asked of init: whatever it is, it is done or refused with a reason. */
import { boot, type CaposMachine, compileGuest, UsageError } from "@capos/machine";
import t from "tap";
import { ROOT } from "../support/cli-process.js";

const fixture = (name: string): string => `${ROOT}/test/fixtures/cli/${name}`;

async function bootWith(lines: string[], memoryMiB = 64): Promise<CaposMachine> {
  return boot({ cores: 2, memoryMiB, logLevel: "silent", onConsole: (line) => void lines.push(line) });
}

t.test(
  "arguments of every number and length reach the program, and its threads and images are its own",
  async (t) => {
    const lines: string[] = [];
    const machine = await bootWith(lines);
    const table: [string, string[]][] = [
      ["none", []],
      ["one that is empty", [""]],
      ["many that are empty", Array(5000).fill("")],
      ["the last that fit the start words", ["x".repeat(251)]],
      ["one byte more", ["x".repeat(252)]],
      ["as much as a request holds, and more", ["y".repeat(17_000)]],
      ["128 KiB", ["z".repeat(131_072)]],
      ["a million", Array(1_000_000).fill("1")],
      ["not ASCII", ["é\u{1f600}".repeat(100_000)]],
    ];
    const image = await compileGuest(fixture("arguments.ts"));
    for (const [name, args] of table) {
      t.match(await machine.runImage(image, { args, handed: [image] }), { status: 0 }, name);
      const length = args.reduce((sum, argument) => sum + argument.length, 0);
      t.equal(lines.at(-1), `arguments.ts: ${args.length}, ${length}, ${args.at(-1)?.slice(-3)}`, name);
    }
    await machine.halt();
  },
);

t.test("runs at one time have each its own arguments", async (t) => {
  const lines: string[] = [];
  const machine = await bootWith(lines);
  const image = await compileGuest(fixture("arguments.ts"));
  const count = 12;
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      machine.runImage(image, { args: ["a".repeat(1000 * i + 300)], untyped: 4096, threads: 1 }),
    ),
  );
  t.same(
    [...lines].sort(),
    Array.from({ length: count }, (_, i) => `arguments.ts: 1, ${1000 * i + 300}, aaa`).sort(),
  );
  await machine.halt();
});

t.test("what cannot be asked is refused, and the machine goes on", async (t) => {
  const machine = await bootWith([], 16);
  const image = await compileGuest(fixture("arguments.ts"));
  const table: [string, () => Promise<unknown>, RegExp][] = [
    [
      "too long",
      () => machine.runImage(image, { args: ["x".repeat(3e6)] }),
      /do not fit into a store of .*more memory/,
    ],
    ["a NUL", () => machine.runImage(image, { args: ["a\0b"] }), /contains a NUL/],
    ["a NUL in a name", () => machine.runImage({ ...image, name: "a\0b" }), /contains a NUL/],
    ["no text", () => machine.runImage(image, { args: [1 as unknown as string] }), /must be texts/],
    ["no name", () => machine.runImage({ ...image, name: "" }), /name must be a text of 1 to 32 bytes/],
    [
      "too many images",
      () => machine.runImage(image, { handed: Array(43).fill(image) }),
      /43 numbers, there is room for 42/,
    ],
    [
      "a request that is too long",
      () => machine.runImage(image, { handed: Array(9000).fill(image) }),
      /too long, 16384/,
    ],
    ["no such priority", () => machine.runImage(image, { priority: 150 }), /priority must be/],
    ["no such service", () => machine.killService("nothing"), /no service "nothing" runs/],
    ["a service's name that is too long", () => machine.killService("x".repeat(20_000)), /too long/],
    ["no such core", () => machine.runImage(image, { cores: [2] }), /cores: 2 is out of range/],
    ["no such status", () => machine.halt(256), /status: 256 is out of range/],
  ];
  for (const [name, ask, message] of table) {
    const error = await ask().then(
      () => null,
      (refusal: unknown) => refusal,
    );
    t.ok(error instanceof UsageError, name);
    t.match(error, { message }, name);
  }
  await machine.killService("echo");
  t.match(await machine.runImage(image), { status: 0 });
  await machine.halt();
});
