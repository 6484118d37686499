/** `capos-smp up`: what it refuses and where, what its programs are given, how a system ends. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { caposSmp, ROOT } from "../support/cli-process.js";
import { checkTrace } from "./support/trace-document.js";

const EXAMPLE = join("docs/examples/systems", "system.yaml");

function write(t: Test, text: string, name = "s.yaml"): string {
  const folder = t.testdir({ "a.ts": "export default function* main() {}" });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

t.test(
  "what is wrong with a description is one line with its place and what to do, and status 2",
  async (t) => {
    const program = (more: string): string => `programs:\n  a:\n    image: ./a.ts\n${more}`;
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["no YAML", "programs: [", /s\.yaml:1:\d+: /],
      ["nothing", "", /s\.yaml:1:1: a description with programs is needed; capos-smp up --schema/],
      ["no programs", "machine: { cores: 2 }\n", /s\.yaml:1:1: programs is missing/],
      [
        "an unknown setting",
        program("    imge: x\n"),
        /s\.yaml:4:11: programs\.a\.imge: there is no such setting/,
      ],
      ["no image", "programs:\n  a:\n    args: []\n", /s\.yaml:3:5: programs\.a: image is missing/],
      ["a wrong type", program("    threads: many\n"), /s\.yaml:4:14: programs\.a\.threads: must be integer/],
      ["out of range", program("    priority: 150\n"), /s\.yaml:4:15: programs\.a\.priority: must be <= 149/],
      [
        "an unknown restart",
        program("    restart: often\n"),
        /s\.yaml:4:14: .*possible are permanent, transient, temporary/,
      ],
      ["an unknown right", program("    uses: { x: [all] }\n"), /s\.yaml:4:17: .*possible are grant, revoke/],
      ["memory", program("    memory: 100\n"), /s\.yaml:4:13: programs\.a\.memory: 100 is no power of two/],
      [
        "a reserved name",
        "programs:\n  system:\n    image: ./a.ts\n",
        /s\.yaml:3:5: programs\.system: .*choose another/,
      ],
      ["a bad name", "programs:\n  a b:\n    image: ./a.ts\n", /s\.yaml:\d:\d+: .*a name is 1 to 32 letters/],
      [
        "nobody provides",
        program("    uses: { x: [] }\n"),
        /s\.yaml:4:16: .*nobody provides x: no program provides anything/,
      ],
      ["itself", program("    provides: [x]\n    uses: { x: [] }\n"), /s\.yaml:5:16: .*a provides it itself/],
      [
        "two providers",
        `${program("    provides: [x]\n")}  b:\n    image: ./a.ts\n    provides: [y, x]\n`,
        /s\.yaml:7:19: programs\.b\.provides\.1: a provides x already: an endpoint has one provider/,
      ],
      ["after nobody", program("    after: [z]\n"), /s\.yaml:4:13: .*there is no program z, there are a/],
      [
        "a circle",
        `${program("    after: [b]\n")}  b:\n    image: ./a.ts\n    after: [a]\n`,
        /s\.yaml:7:12: programs\.b\.after: a circle: a after b after a/,
      ],
      [
        "a core",
        `machine: { cores: 2 }\n${program("    core: 2\n")}`,
        /s\.yaml:5:11: .*the machine has 2 cores, 0 to 1/,
      ],
      [
        "back-off",
        `supervisor: { backOff: { firstMs: 5, mostMs: 1 } }\n${program("")}`,
        /s\.yaml:1:46: supervisor\.backOff\.mostMs: 1 is less than firstMs, 5/,
      ],
    ];
    for (const [what, text, message] of cases) {
      const run = await caposSmp(["up", write(t, text)]);
      t.equal(run.status, 2, what);
      t.equal(run.stdout, "", what);
      t.match(run.stderr, message, what);
      t.match(run.stderr, /^capos-smp: [^\n]*\n$/, what);
    }
  },
);

t.test(
  "what is wrong with a module is told at its place in the source, in whichever file that is",
  async (t) => {
    const a = (more: string): string =>
      `export default { programs: {\n  a: { image: "a.ts", ${more} },\n} };`;
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["a value", a('threads: "many"'), /s\.ts:2:32: programs\.a\.threads: must be integer/],
      ["below a type", a('threads: "many" as unknown as number'), /s\.ts:2:32: programs\.a\.threads: must/],
      ["in a list", a('args: [\n"x",\n7]'), /s\.ts:4:1: programs\.a\.args\.1: must be string/],
      ["an unknown setting", a("imge: 1"), /s\.ts:2:29: programs\.a\.imge: there is no such setting/],
      ["in quotes", a('"after": ["z"]'), /s\.ts:2:33: programs\.a\.after\.0: there is no program z/],
      [
        "a missing one",
        "export default { programs: {\n  a: {},\n} };",
        /s\.ts:2:6: programs\.a: image is missing/,
      ],
      ["no programs", "\nexport default { machine: {} };", /s\.ts:2:16: programs is missing/],
      ["a core", `${a("core: 2")}`.replace("{", "{ machine: { cores: 2 },"), /s\.ts:2:29: .*has 2 cores/],
      [
        "system",
        'import { system } from "capos";\nexport default system({ programs: { a: { image: 1 as never } } });',
        /s\.ts:2:49: programs\.a\.image: must be string/,
      ],
      [
        "a part with a name",
        'const a = {\n  image: "a.ts",\n  core: -1 };\nexport default { programs: { a } };',
        /s\.ts:3:9: programs\.a\.core: must be >= 0/,
      ],
      [
        "made by a function",
        'const of = (core: number) => ({ image: "a.ts",\n  core });\nexport default { programs: { a: of(-1) } };',
        /s\.ts:2:3: programs\.a\.core: must be >= 0/,
      ],
      [
        "by a list",
        'const names = ["a"];\nexport default { programs: Object.fromEntries(names.map((n) => [n, {\n  image: 5 }])) };',
        /s\.ts:3:10: programs\.a\.image: must be string/,
      ],
      [
        "another file",
        'import { a } from "./other.ts";\nexport default { programs: { a } };',
        /[^ ]\/other\.ts:2:27: programs\.a\.image: must be string/,
      ],
      [
        "spread",
        'const base = { core: "x" };\nexport default { programs: { a: { image: "a.ts",\n  ...base } } };',
        /s\.ts:3:3: programs\.a\.core \(computed here\): must be integer/,
      ],
      [
        "changed later",
        'const a = { image: "a.ts", core: 1 };\na.core = -1;\nexport default { programs: { a } };',
        /s\.ts:1:11: programs\.a\.core \(computed here\): must be >= 0/,
      ],
      [
        "no literal",
        `\nexport default JSON.parse('{ "programs": { "a": { "image": 5 } } }');`,
        /s\.ts:2:16: programs\.a\.image \(computed here\): must be string/,
      ],
      ["thrown", 'const say = () => { throw new Error("no luck"); };\n\nsay();', /s\.ts:1:27: no luck/],
      ["thrown by Node", "\nexport default structuredClone(() => {});", /s\.ts:2:16: .*could not be cloned/],
      ["another file's syntax", 'import "./broken.ts";\nexport default {};', /[^ ]\/broken\.ts:1:14: /],
      ["no such import", '\nimport "./none.ts";', /s\.ts:2:8: Could not resolve/],
      ["nothing exported", "export const a = 1;", /s\.ts: a description with programs is needed/],
    ];
    for (const [what, text, message] of cases) {
      const file = write(t, text, "s.ts");
      writeFileSync(join(file, "../other.ts"), "\nexport const a = { image: 5 };");
      writeFileSync(join(file, "../broken.ts"), "export const ;");
      const run = await caposSmp(["up", file]);
      t.equal(run.status, 2, what);
      t.equal(run.stdout, "", what);
      t.match(run.stderr, message, what);
      t.match(run.stderr, /^capos-smp: [^\n]*\n$/, what);
    }
  },
);

t.test("a core that the command's own --cores leaves out is told at its place", async (t) => {
  const yaml = "programs:\n  a: { image: a.ts, core: 3 }\n";
  const module = 'export default { programs: {\n  a: { image: "a.ts", core: 3 } } };';
  for (const [text, name, place] of [
    [yaml, "s.yaml", "2:27"],
    [module, "s.ts", "2:29"],
  ] as const) {
    const file = write(t, text, name);
    t.match(await caposSmp(["up", "--cores", "2", file]), {
      status: 2,
      stderr: `capos-smp: ${file}:${place}: programs.a.core: the machine has 2 cores, 0 to 1\n`,
    });
  }
});

t.test("files that are no description, or hold no guest, are told", async (t) => {
  const folder = t.testdir({
    "no-file.yaml": "programs: { a: { image: ./b.ts } }",
    "shape.ts": "export default { programs: { a: { image: 1 } } };",
    "syntax.ts": "export default {",
  });
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /a file that describes the system is needed/],
    [["none.yaml"], /none\.yaml: there is no such file/],
    [["README.md"], /README\.md: a system is described in a file that ends in \.yaml/],
    [[join(folder, "no-file.yaml")], /b\.ts: there is no such file/],
    [[join(folder, "shape.ts")], /shape\.ts:1:42: programs\.a\.image: must be string/],
    [[join(folder, "syntax.ts")], /syntax\.ts:1:\d+: /],
  ];
  for (const [args, message] of cases) {
    const run = await caposSmp(["up", ...args]);
    t.equal(run.status, 2, args.join(" "));
    t.match(run.stderr, message);
    t.match(run.stderr, /^capos-smp: [^\n]*\n$/);
  }
});

t.test("--check starts nothing, and a module says the same as YAML", async (t) => {
  const yaml = await caposSmp(["up", "--check", EXAMPLE]);
  t.match(yaml, {
    status: 0,
    stdout: `${EXAMPLE}: 3 programs, started in the order tally, greedy, modest\n`,
    stderr: "",
  });
  const file = write(
    t,
    'import { system } from "capos";\nexport default system({ programs: { b: { image: "a.ts", after: ["a"] }, a: { image: "a.ts" } } });',
    "s.ts",
  );
  const module = await caposSmp(["up", "--check", "--json", file]);
  t.same(JSON.parse(module.stdout).programs, ["a", "b"], module.stderr);
});

t.test("the schema is printed, and is JSON", async (t) => {
  const { status, stdout } = await caposSmp(["up", "--schema"]);
  t.equal(status, 0);
  t.same(JSON.parse(stdout).required, ["programs"]);
});

const SILENT = ["--cores", "2", "--log-level", "silent"];

for (const more of [[], ["--own-process"]])
  t.test(
    `a server is started again under its clients, and Ctrl-C ends the programs, then the machine${more.map((word) => `, with ${word}`).join()}`,
    async (t) => {
      let sent = false;
      const run = await caposSmp(["up", "--json", ...more, ...SILENT, EXAMPLE], {
        onOutput(text, kill) {
          if (sent || !(text.includes('"child":"modest","status":0') && text.includes('"isRestart":true')))
            return;
          sent = true;
          kill("SIGINT");
        },
      });
      t.equal(run.status, 130, run.stderr);
      const events = run.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const of = (child: string) => events.filter((event) => event.child === child);
      t.match(of("tally"), [
        { event: "started", isRestart: false },
        { event: "ended", state: "faulted", fault: "Error: 5000 is too much" },
        { event: "started", isRestart: true },
        { event: "stopped" },
      ]);
      t.match(
        of("greedy").find(({ event }) => event === "line"),
        { text: "counting.add: ERR_PEER_DIED" },
      );
      t.match(
        of("modest").find(({ event }) => event === "line"),
        { text: "3 more make 3" },
      );
      t.match(run.stderr, /^capos-smp: interrupted\n$/);
    },
  );

t.test("a system ends when no program is left, with the first status that is not 0", async (t) => {
  const folder = t.testdir({
    "five.ts":
      'import type { Sys } from "capos/guest";\nexport default function* main(sys: Sys) { yield sys.nothing(); return 5; }',
    "has.ts": `import { start, type Sys } from "capos/guest";
export default function* main(sys: Sys) {
  const os = start(sys);
  const { names, untyped, debug } = os.environment;
  yield* os.print([os.name, names !== 0, untyped !== 0, debug !== 0, os.handed.length, ...os.args].join(" "));
}`,
    "s.json": JSON.stringify({
      programs: {
        first: { image: "has.ts", restart: "transient", args: ["x"] },
        second: { image: "five.ts", restart: "temporary", names: true },
        third: { image: "has.ts", restart: "temporary", names: true, memory: 0, provides: ["p"], core: 0 },
      },
    }),
  });
  const run = await caposSmp(["up", ...SILENT, join(folder, "s.json")]);
  t.same(run.stdout.trim().split("\n").sort(), [
    "first | first false true false 0 x",
    "third | third true false false 1",
  ]);
  t.equal(run.status, 5, run.stderr);
  t.match(run.stderr, /^capos-smp: second exited with status 5\n$/);
});

t.test("a program that fails too often ends the system with status 1", async (t) => {
  const folder = t.testdir({
    "bad.ts":
      "import type { Sys } from 'capos/guest';\nexport default function* main(sys: Sys) { yield sys.nothing(); throw new Error('no'); }",
    "s.yaml":
      "programs: { bad: { image: bad.ts } }\nsupervisor: { limit: { restarts: 1, withinMs: 600000 }, backOff: { firstMs: 0, mostMs: 0 } }\n",
  });
  const run = await caposSmp(["up", ...SILENT, join(folder, "s.yaml")]);
  t.equal(run.status, 1);
  t.match(run.stderr, /^capos-smp: gave up for bad: 1 restarts in 600000 ms are as many as may be$/m);
});

t.test("programs that import images may be part of a system", async (t) => {
  const folder = t.testdir({
    "s.yaml": `programs: { sums: { image: ${join(ROOT, "docs/examples/systems/sums.ts")}, restart: temporary, threads: 40 } }\n`,
  });
  const run = await caposSmp(["up", ...SILENT, join(folder, "s.yaml")]);
  t.match(run, { status: 0, stdout: "sums | the numbers below 2000 add up to 1999000\n" });
});

t.test(
  "trace and top see a system's machine, and a quit of top ends the system as Ctrl-C does",
  async (t) => {
    const out = join(t.testdir(), "system.json");
    let sent = false;
    const traced = await caposSmp(["trace", "--out", out, "--", "up", ...SILENT, EXAMPLE], {
      onOutput(text, kill) {
        if (sent || !text.includes("modest | ")) return;
        sent = true;
        kill("SIGINT");
      },
    });
    t.equal(traced.status, 130, traced.stderr);
    t.match(traced.stdout, /^modest \| 3 more make \d+$/m);
    const { traceEvents } = checkTrace(t, out);
    const processes = traceEvents
      .filter(({ name }) => name === "process_name")
      .map(({ args }) => String(args!.name));
    for (const name of ["system", "tally", "greedy", "modest"]) t.ok(processes.includes(name), name);

    const seen = await caposSmp(["top", "--once", "up", ...SILENT, EXAMPLE]);
    t.equal(seen.status, 0, seen.stderr);
    t.match(seen.stdout, /^up --cores 2 .*system\.yaml, machine 1: 2 cores/);
  },
);

t.test("whoever watches a system is shown no machine for one that is not right", async (t) => {
  const file = write(t, "programs: { a: { image: ./none.ts } }\n");
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["top", "--once", "--", "up", file], /^capos-smp: .*none\.ts: there is no such file\n$/],
    [["top", "--once", "--", "up"], /^capos-smp: up: a file that describes the system is needed\n$/],
    [["top", "--once", "--", "up", "--own-process", EXAMPLE], /^capos-smp: --own-process: top and trace see/],
  ];
  for (const [args, message] of wrong) {
    const run = await caposSmp(args);
    t.equal(run.status, 2, args.join(" "));
    t.equal(run.stdout, "");
    t.match(run.stderr, message);
  }
});
