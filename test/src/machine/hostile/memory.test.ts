import t from "tap";
import { guest, HostileMachine } from "../support/hostile-machine.js";

// To fill a heap and to find that it is full takes a while, and is not what the watchdog is for.
const machine = await HostileMachine.boot(3, 20_000);
t.teardown(() => machine.ended);

/** Without the place that the fault has if it was the guest itself that asked for more. */
const USED_UP = { state: "faulted", status: 1, fault: "used up the memory of core 1" };

t.test("a heap that grows without end costs its owner, not its core", async (t) => {
  const server = `
    const os = start(sys), own = yield* os.endpoint();
    yield* os.names.register("neighbour", own);
    yield* os.print("neighbour ready");
    let kept = 0;
    for (;;) { yield sys.recv(own); sys.words[0] = kept++; yield sys.reply(1); }`;
  const client = `
    const os = start(sys);
    yield sys.call(yield* os.names.lookup("neighbour"));
    return sys.words[0];`;
  const neighbour = await machine.start(guest(server));
  await machine.line("neighbour ready");
  const cases: [string, string, string?][] = [
    ["objects in an array", "const a: any[] = [];\nfor (;;) a.push({ x: a.length });"],
    ["numbers in an array", "const a: number[] = [];\nfor (;;) a.push(a.length + 0.5);"],
    ["a Map", "const m = new Map();\nfor (let i = 0; ; i++) m.set(i, i);"],
    ["texts", "const a: string[] = [];\nfor (;;) a.push('a text of some length, number ' + a.length);"],
    [
      "closures, in plain code that catches everything",
      "fill();",
      "function fill() { const a: any[] = []; for (;;) try { for (;;) { const n = a.length; a.push(() => n); } } catch { a.push(1); } }",
    ],
    [
      "messages, with a trap each time",
      "const os = start(sys), echo = Echo.client(sys, yield* os.names.lookup('echo')), a: any[] = [];\nfor (;;) { for (let i = 0; i < 1e4; i++) a.push([i + 0.5]); a.push(yield* echo.ping({ value: 1 })); }",
    ],
    ["a module's top level", "return 0;", "const a: any[] = [];\nfor (;;) a.push([a]);"],
  ];
  for (const [index, [what, body, top]] of cases.entries()) {
    t.match(await machine.run(guest(body, top)), USED_UP, what);
    t.equal((await machine.run(guest(client))).status, index, "its neighbour has kept its state");
  }
  t.same(machine.machineChecks, [], "the core was not lost");
  await machine.sound(t, "heaps that grow");
  t.match(await machine.kill(neighbour), { state: "killed" });
});

/** Holds so many texts of a MiB each. */
const HOLD =
  "const kept: any[] = [];\nfunction hold(i: number) { const s = 'a'.repeat(2 ** 20) + i; s.charCodeAt(3); kept.push(s); }";

t.test("when the memory of a core is used up, who holds most of it is ended, not who asks", async (t) => {
  const holds = `
    const os = start(sys);
    for (let i = 0; i < 180; i++) { hold(i); yield sys.nothing(); }
    yield* os.print("holds " + kept.length);
    yield sys.wait(yield* os.notification());`;
  const asks = "for (let i = 0; i < 100; i++) { hold(i); yield sys.nothing(); }\nreturn 3;";
  const asksInOne = "for (let i = 0; i < 100; i++) hold(i);\nreturn 4;";
  for (const [what, body, status] of [
    ["with traps", asks, 3],
    ["in one turn", asksInOne, 4],
  ] as const) {
    const holder = await machine.start(guest(holds, HOLD));
    await machine.until("the holder", () => machine.console.includes("holds 180"));
    machine.console.length = 0;
    t.same(await machine.run(guest(body, HOLD)), { state: "exited", status, fault: "" }, what);
    t.same(await machine.exit(holder), USED_UP, `${what}: the holder`);
  }
  await machine.sound(t, "a core that was full");
});

t.test("code without loops is looked at too", async (t) => {
  const line = "s = 'a'.repeat(2 ** 28) + kept.length; s.charCodeAt(7); kept.push(s); yield sys.nothing();";
  const body = `let s;\n${line.repeat(6)}\nyield* start(sys).print('holds it all');\nyield sys.wait(yield* start(sys).notification());`;
  t.same(await machine.run(guest(body, HOLD)), USED_UP);
  await machine.sound(t, "gigabytes in straight code");
});

t.test("what is spread is bounded, one by one and together", async (t) => {
  const endless = "{ [Symbol.iterator]: Reflect.get.bind(null, { it: { next: Array.of } }, 'it') } as any";
  for (const [what, body] of [
    ["a long array", "return [...Array(2 ** 23)].length;"],
    ["an iterator of built-ins that never ends", `return [...(${endless})].length;`],
    ["the same in a call", `return Math.max(...(${endless}));`],
    ["the same in a rest", `const [first, ...rest] = ${endless};\nreturn rest.length;`],
  ] as const) {
    const { state, fault } = await machine.run(guest(body));
    t.equal(state, "faulted", what);
    t.match(fault, /RangeError: a spread of .*4194304$|used up the memory/, what);
  }
  const spreads = "...a, yield sys.nothing(), ".repeat(40);
  t.same(await machine.run(guest(`const a = Array(2 ** 22).fill(1);\nreturn [${spreads}].length;`)), USED_UP);
  await machine.sound(t, "spreads");
});

t.test("the memory of a guest that has ended comes back", async (t) => {
  const bodies = [
    "for (let i = 0; i < 150; i++) { Symbol.for('a'.repeat(2 ** 20) + i); yield sys.nothing(); }\nreturn 1;",
    "const s = 'a'.repeat(2 ** 27) + 'b'; s.charCodeAt(3);\nreturn /b/.test(s) ? 1 : 2;",
    "const o: any = {}; for (let i = 0; i < 100; i++) { o['a'.repeat(2 ** 20) + i] = i; yield sys.nothing(); }\nreturn 1;",
  ];
  for (const body of bodies) {
    for (let turn = 0; turn < 2; turn++)
      t.match(await machine.run(guest(body)), { state: "exited", status: 1 }, body);
    const next = "for (let i = 0; i < 150; i++) { hold(i); yield sys.nothing(); }\nreturn 5;";
    t.match(await machine.run(guest(next, HOLD)), { state: "exited", status: 5 }, body);
  }
});

t.test("a guest's symbols are its own, and the same for the same key", async (t) => {
  const body = `
    const one = Symbol.for("a"), other = Symbol.for("a");
    if (one !== other || Symbol.keyFor(one) !== "a" || one.description !== "a") return 1;
    if (Symbol.keyFor(Symbol("a")) !== undefined || Symbol.keyFor(Symbol.iterator) !== undefined) return 2;
    try { Symbol.keyFor("a" as any); return 3; } catch { return 0; }`;
  t.match(await machine.run(guest(body)), { state: "exited", status: 0 });
});

t.test("the system's services outlast who fills the core they live on", async (t) => {
  const body = `
    for (let i = 0; i < 232; i++) { hold(i); yield sys.nothing(); }
    yield sys.wait(yield* start(sys).notification());`;
  const ending = await machine.run(guest(body, HOLD), { core: 0 });
  t.same(ending, { ...USED_UP, fault: "used up the memory of core 0" });
  await machine.sound(t, "a full core 0");
});

t.test("garbage is nobody's fault", async (t) => {
  const body =
    "const a: any[] = [];\nfor (let i = 0; i < 1e6; i++) a.push({ i });\nlet n = 0;\nfor (let i = 0; i < 5e6; i++) n += [{ i }].length + a.length;\nreturn n > 0 ? 3 : 4;";
  t.same(await machine.run(guest(body)), { state: "exited", status: 3, fault: "" });
});

t.test("a look at the heap where the stack ends ends nobody", async (t) => {
  // Frames of thirteen sizes, so that every call that a look makes is the last that the stack has room for.
  const paddings = Array.from({ length: 13 }, (_, i) => `() => probe(${Array(i).fill(i).join(", ")})`);
  const top = `
    const many: any[] = Array(2 ** 20).fill(0), kept: any[] = [], paddings = [${paddings.join(", ")}];
    let looks = false;
    function flat(length: number): string { const text = "a".repeat(length) + kept.length; text.charCodeAt(3); return text; }
    function probe(..._padding: any[]): void { if (looks) many.includes(7); }
    function deep(to: number, padding: number): void { if (to > 0) deep(to - 1, padding); else paddings[padding](); }
    function reaches(to: number, padding: number): boolean { try { deep(to, padding); return true; } catch { return false; } }`;
  const body = `
    for (let i = 0; i < 125; i++) { kept.push(flat(2 ** 20)); yield sys.nothing(); }
    let ends = 0, looked = 0;
    // Twice and more: frames are smaller once the compiler has seen them.
    for (let round = 0; round < 8 && (ends === 0 || looked < 3); round++) {
      looks = false;
      let reached = 100, tooFar = 40_000;
      while (tooFar - reached > 1) {
        const middle = (reached + tooFar) >> 1;
        if (reaches(middle, 0)) reached = middle; else tooFar = middle;
        yield sys.nothing();
      }
      looks = true;
      // What it holds is within its budget; what it has let go of is beyond, until a look comes as far as to collect it.
      flat(110 * 2 ** 20);
      for (let to = reached; to > reached - 60 && looked < 3; to--)
        for (let padding = 12; padding >= 0 && looked < 3; padding--) {
          if (!reaches(to, padding)) ends++;
          else if (ends > 0) { looked++; flat(110 * 2 ** 20); }
          yield sys.nothing();
        }
    }
    return ends > 0 && looked === 3 ? 3 : 4;`;
  t.same(await machine.run(guest(body, top)), { state: "exited", status: 3, fault: "" });
  await machine.sound(t, "looks at the heap where the stack ends");
});

t.test("recursion without end is an error of the guest's", async (t) => {
  for (const [what, body, top] of [
    ["a function", "f();", "function f(): any { return f() + 1; }"],
    ["a generator", "yield* g();", "function* g(): any { yield* g(); }"],
    ["a getter", "o.x;", "const o: any = { get x() { return this.x; } };"],
    ["a proxy of itself", "o.x;", "const t: any = {}, o = new Proxy(t, {});\nObject.setPrototypeOf(t, o);"],
    ["an operand", "f();", "let s: any;\nfunction f(): any { return s.call({ valueOf: f }); }"],
    ["parameters of a generator", "[...g()];", "function* g(a: any = g(), b: any = g()): any { yield a; }"],
    ["a module's top level", "return 0;", "function f(): any { return f() + 1; }\nf();"],
  ] as const) {
    const { state, fault } = await machine.run(
      guest(what === "an operand" ? `s = sys;\n${body}` : body, top),
    );
    t.equal(state, "faulted", what);
    t.match(fault, /RangeError: Maximum call stack size exceeded$/, what);
  }
  await machine.sound(t, "recursion");
});

t.test("sys is whole after a stack that ended in it, at any depth", async (t) => {
  const top = `
    let deepest = 0;
    function each(sys: any, depth: number, use: (sys: any) => void): void {
      deepest = depth > deepest ? depth : deepest;
      try { use(sys); each(sys, depth + 1, use); } catch (error) { if (!(error instanceof RangeError)) throw error; }
      try { use(sys); } catch {}
    }
    const uses: ((sys: any) => void)[] = [
      (sys) => sys.call(7, 3, 1, 2, 3, 4), (sys) => sys.send(9, 64), (sys) => sys.replyTo(8), (sys) => sys.receiveInto(900, 4),
      (sys) => { sys.words[0] = 5; }, (sys) => sys.capability(3) + sys.badge() + sys.arrived(), (sys) => sys.saveReply(5),
      (sys) => sys.call({ valueOf: () => sys.recv({ valueOf: () => 1 }) }, { valueOf: () => 64 }),
    ];`;
  const body = `
    const os = start(sys), echo = Echo.client(sys, yield* os.names.lookup("echo"));
    for (const use of uses) for (let turn = 0; turn < 3; turn++) {
      each(sys, 0, use);
      sys.receiveInto(0, 0);
      if ((yield* echo.ping({ value: turn })).value !== turn) throw new Error("a wrong answer");
    }
    if (deepest < 1000) throw new Error("the stack has not ended");
    return 0;`;
  t.same(await machine.run(guest(body, top)), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "stacks that ended in sys");
});

t.test("a guest at the end of its stack ends no other way than others", async (t) => {
  // The checks run there too, and find no room.
  const top =
    "let n = 0;\nfunction f(d: number): any { try { return f(d + 1); } catch { for (let i = 0; i < 5000; i++) n++; return d; } }";
  t.match(await machine.run(guest("for (let i = 0; i < 20; i++) f(0);\nreturn n > 0 ? 9 : 1;", top)), {
    state: "exited",
    status: 9,
  });
  await machine.sound(t, "loops at the end of the stack");
});

t.test("the machine is sound after all of them, and halts", async (t) => {
  await machine.sound(t, "everything");
  t.same(machine.machineChecks, []);
  await machine.halt(t);
});
