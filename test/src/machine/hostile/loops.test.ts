import { CoreDeath } from "@capos/hal";
import t from "tap";
import { guest, HostileMachine, TOO_LONG } from "../support/hostile-machine.js";

const machine = await HostileMachine.boot();
t.teardown(() => machine.ended);

type Case = readonly [what: string, body: string, top?: string];

/** What a guest may put anywhere to hold its core. */
const FOREVER = "for (;;) n++;";
const TOP = "let n = 0;\nfunction spin() { for (;;) n++; }";

t.test("a loop in main gives way to the others on its core for as long as it runs", async (t) => {
  for (const [what, body, top] of [
    ["an endless loop", FOREVER, TOP],
    ["one in a catch clause", `try { throw 1; } catch { ${FOREVER} }`, TOP],
    ["one in a finally clause", `try { n++; } finally { ${FOREVER} }`, TOP],
    ["one in a generator under yield*", "yield* inner();", `${TOP}\nfunction* inner(): any { ${FOREVER} }`],
    [
      "one over an endless generator of its own",
      "for (const x of own()) n = x;",
      "let n = 0;\nfunction* own() { for (;;) yield 1; }",
    ],
    ["one that calls a plain function each time", "for (;;) add();", "let n = 0;\nfunction add() { n++; }"],
    [
      "one that calls a long function each time",
      "for (;;) add();",
      "let n = 0;\nfunction add() { for (let i = 0; i < 1e6; i++) n++; }",
    ],
    ["one that traps", "for (;;) yield sys.nothing();", ""],
    ["one that yields", "for (;;) yield sys.yield();", ""],
    ["one that uses a built-in each time", "const a = Array(1000).fill(1);\nfor (;;) a.reverse();", ""],
  ] as const) {
    const id = await machine.start(guest(body, top));
    for (let i = 0; i < 2; i++) await machine.sound(t, `${what}, while it runs`);
    t.match(await machine.kill(id), { state: "killed" }, what);
  }
});

/** Loops in plain functions, which the builder makes yield where it sees that main calls them. */
const IN_FUNCTIONS: readonly Case[] = [
  ["an endless loop in a plain function", "spin();"],
  ["a loop in a catch clause", "caught();", "function caught() { try { throw 1; } catch { for (;;) n++; } }"],
  ["a loop in a finally clause", "finish();", "function finish() { try { n++; } finally { for (;;) n++; } }"],
  [
    "a loop that catches what ends its loop",
    "stay();",
    "function stay() { for (;;) try { for (;;) n++; } catch { n++; } }",
  ],
  [
    "a finally that goes on",
    "stay();",
    "function stay() { for (;;) try { for (;;) n++; } finally { continue; } }",
  ],
  [
    "a labelled way out of a finally",
    "stay();",
    "function stay() { a: for (;;) { try { spin(); } finally { continue a; } } }",
  ],
  [
    "a pattern in a catch clause",
    "stay();",
    "function stay() { for (;;) try { spin(); } catch ({ message }: any) { n++; } }",
  ],
  [
    "an endless one, in a plain function",
    "count();",
    "function count() { for (const x of own()) n = x; }\nfunction* own() { for (;;) yield 1; }",
  ],
  [
    "a method that loops",
    "spinner.spin();",
    "class Spinner { spin() { for (;;) n++; } }\nconst spinner = new Spinner();",
  ],
  [
    "a function that calls itself, and loops",
    "down(5);",
    "function down(d: number): void { if (d > 0) down(d - 1); else for (;;) n++; }",
  ],
  [
    "one that computes alone",
    "alone(1);",
    "function alone(x: number): number { for (;;) x = (x * 5 + 1) % 1009; }",
  ],
];

t.test("so does one in a plain function that main calls, whatever it catches or finishes", async (t) => {
  for (const [what, body, top = ""] of IN_FUNCTIONS) {
    const id = await machine.start(guest(body, `${TOP}\n${top}`));
    for (let i = 0; i < 2; i++) await machine.sound(t, `${what}, while it runs`);
    t.match(await machine.kill(id), { state: "killed" }, what);
  }
});

t.test("a finally that defies its end is never run when a guest is killed", async (t) => {
  const body =
    "try { for (;;) yield sys.nothing(); } finally { yield* start(sys).print('defied'); for (;;) yield sys.nothing(); }";
  const id = await machine.start(guest(body));
  await machine.sound(t, "a guest that will defy its end");
  t.match(await machine.kill(id), { state: "killed" });
  await machine.sound(t, "a guest that defied its end");
  t.notOk(machine.console.includes("defied"));
});

t.test(
  "code that cannot yield runs to a limit, and nothing it catches or finishes prolongs that",
  async (t) => {
    const cases: Case[] = [
      ["an arrow function", "(() => { for (;;) n++; })();"],
      [
        "recursion that swallows the end of the stack",
        "again();",
        "function again(): any { try { return again(); } catch { return again(); } }",
      ],
      [
        "recursion twice over in a finally",
        "twice();",
        "function twice(): any { try { twice(); } finally { twice(); } }",
      ],
      [
        "recursion twice over at a bounded depth",
        "twice(900);",
        "function twice(d: number): any { if (d > 0) try { twice(d - 1); } finally { twice(d - 1); } }",
      ],
      [
        "an own generator under for..of",
        "for (const x of own()) n += x;",
        "function* own() { for (;;) { n++; if (n < 0) yield n; } }",
      ],
      [
        "one that loops in its return",
        "for (const x of own()) { n += x; break; }",
        "function* own() { try { yield 1; } finally { for (;;) n++; } }",
      ],
      ["one that is spread", "[...own()];", "function* own() { for (;;) { n++; if (n < 0) yield n; } }"],
      [
        "one that is destructured",
        "const [a] = own();",
        "function* own() { for (;;) { n++; if (n < 0) yield n; } }",
      ],
      ["a default value of a parameter", "late();", "function late(a = spin()) { return a; }"],
      ["a static block", "class A { static { for (;;) n++; } }\nreturn A.length;"],
      ["a field", "class A { x = spin(); }\nnew A();"],
      ["a getter", "({ get x() { return spin(); } }).x;"],
      ["a tagged template", "spin``;"],
      ["a valueOf in an operand", "sys.call({ valueOf: spin });"],
      ["a toString in a sum", "'' + ({ toString: spin } as any);"],
      ["a toPrimitive of a word", "sys.words[0] = { [Symbol.toPrimitive]: spin };"],
      ["a trap of a proxy", "new Proxy({}, { get: spin }).x;"],
      ["a callback of a built-in", "[1].map(spin);"],
      ["a comparison of a sort", "[3, 2, 1].sort(spin as any);"],
      ["a reviver", "JSON.parse('[1]', spin);"],
      ["a replacer", "'a'.replace(/a/, spin as any);"],
      [
        "a getter of a result under yield*",
        "yield* { [Symbol.iterator]() { return this; }, next() { return { get done() { spin(); return false; } }; } } as any;",
      ],
      [
        "a value of a result under yield*",
        "yield* { [Symbol.iterator]() { return this; }, next() { return { done: false, get value() { spin(); return 12; } }; } } as any;",
      ],
      ["a next under yield*", "yield* { [Symbol.iterator]() { return this; }, next: spin } as any;"],
      [
        "main, where its own file iterates it",
        "for (;;) n++;",
        "function use() { return [...main({})]; }\n(globalThis as any).x ?? use;",
      ],
    ];
    // In a callback of a built-in nothing can yield that yields where main calls it.
    const called = IN_FUNCTIONS.map(
      ([what, body, top = ""]): Case => [`${what}, in a callback`, `[0].forEach(() => { ${body} });`, top],
    );
    for (const [what, body, top = ""] of [...called, ...cases]) {
      const ending = await machine.run(guest(body, `${TOP}${top === "" ? "" : `\n${top}`}`));
      t.match(ending, { state: "faulted", status: 1, fault: TOO_LONG }, what);
    }
    await machine.sound(t, "endless plain code");
  },
);

t.test("a module's top level runs to the same limit", async (t) => {
  for (const top of [
    "for (;;) n++;",
    "try { for (;;) n++; } catch { for (;;) n++; }",
    "try { n++; } finally { for (;;) n++; }",
    "class A { static x = spin(); }\nn += A.length;",
    "for (const x of (function* () { for (;;) yield 1; })()) n += x;",
  ]) {
    const ending = await machine.run(
      guest("return 0;", `let n = 0;\nfunction spin() { for (;;) n++; }\n${top}`),
    );
    t.match(ending, { state: "faulted", status: 1, fault: TOO_LONG }, top);
  }
  await machine.sound(t, "endless top levels");
});

t.test("while plain code runs to its limit other cores lose nothing but its core", async (t) => {
  const id = await machine.start(guest("[0].forEach(spin);", TOP));
  await machine.sound(t, "plain code on core 1, asked on core 2", 2);
  t.match(await machine.exit(id), { fault: TOO_LONG });
});

t.test("a built-in refuses a length that would hang the core", async (t) => {
  for (const call of [
    "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);",
    "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);",
    "Array.prototype.fill.call({ length: 2 ** 53 - 1 }, 1);",
    "Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, () => 1);",
    "Array.prototype.join.call({ length: 2 ** 53 - 1 });",
    "Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0);",
    "Array.prototype.reverse.call({ length: 2 ** 53 - 1 });",
    "Array.from({ length: 2 ** 53 - 1 });",
    "const a: any[] = []; a.length = 2 ** 32 - 1; a.includes(1);",
    "Object.keys('x'.repeat(2 ** 29 - 24));",
    "JSON.parse('['.repeat(2 ** 24));",
    "encodeURIComponent('\\u00e9'.repeat(2 ** 24));",
    "Math.max.apply(null, { length: 2 ** 31 } as any);",
    "String.raw({ raw: { length: 2 ** 53 - 1 } } as any);",
  ]) {
    const { state, fault } = await machine.run(guest(call));
    t.equal(state, "faulted", call);
    t.match(fault, /^4:\d+: RangeError: .*the limit is \d+$/, call);
  }
  await machine.sound(t, "long built-ins");
  t.same(machine.machineChecks, [], "no core was lost to anything so far");
});

t.test("a built-in that does not come back costs its core, not the machine", async (t) => {
  const cases: [string, string][] = [
    ["a catastrophic regular expression", "/(a*)*b/.test('a'.repeat(60));"],
    ["one that is tried for ever", "for (;;) try { /(a*)*b/.test('a'.repeat(60)); } catch { n++; }"],
    ["a power of BigInts", "let a = 3n ** (2n ** 22n);\nfor (;;) a = (a * a) % (a - 1n) + a * a;"],
    [
      "arrays of arrays as a text",
      "let a: any = [];\nfor (let i = 0; i < 60; i++) a = [a, a];\nJSON.stringify(a);",
    ],
  ];
  for (const [index, [what, body]] of cases.entries()) {
    // A neighbour on that core, and a server there that somebody on another core calls.
    const server = `
      const os = start(sys), own = yield* os.endpoint();
      yield* os.names.register("victim ${index}", own);
      yield* os.print("victim ${index} ready");
      yield sys.recv(own);
      // From here on it owes the caller a reply; who is only queued when it dies waits on.
      yield* os.print("victim ${index} called");
      for (;;) yield sys.wait(yield* os.notification());`;
    const client = `
      const os = start(sys), victim = yield* os.names.lookup("victim ${index}");
      return (yield sys.call(victim)) === Err.PEER_DIED ? 5 : 6;`;
    const neighbour = await machine.start(guest(server));
    await machine.line(`victim ${index} ready`);
    const caller = await machine.start(guest(client), { core: 2 });
    await machine.line(`victim ${index} called`);
    const id = await machine.start(guest(body, "let n = 0;"));
    t.same(
      await machine.exit(id),
      { state: "faulted", status: 1, fault: "kept core 1 from a safe point for too long" },
      what,
    );
    t.same(await machine.exit(neighbour), { state: "faulted", status: 1, fault: "core 1 died under it" });
    t.same(await machine.exit(caller), { state: "exited", status: 5, fault: "" }, "its caller is told");
    t.equal(machine.machineChecks.length, index + 1);
    t.same(machine.machineChecks.at(-1), { core: 1, death: CoreDeath.WATCHDOG });
    await machine.sound(t, what);
  }
});

t.test("the machine is sound after all of them, and halts", async (t) => {
  await machine.sound(t, "everything");
  await machine.halt(t);
});
