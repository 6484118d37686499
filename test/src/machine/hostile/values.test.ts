import { GuestBuildError } from "@capos/image";
import t from "tap";
import { guest, HostileMachine } from "../support/hostile-machine.js";

const machine = await HostileMachine.boot();
t.teardown(() => machine.ended);

t.test("a yield of anything but a small whole number ends the guest, and nothing else", async (t) => {
  const values = [
    ..."{} [] [3] new\u00a0Proxy({},{}) '3' -1 -(2**31) 2**31 2**32+3 2**53 1e300 0.5 NaN Infinity".split(
      " ",
    ),
    ..."-Infinity undefined null true 3n Symbol('x') main sys sys.words sys.call".split(" "),
    "{ valueOf: () => 3 }",
    "{ get valueOf() { throw 1; } }",
    "new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } })",
  ];
  for (const value of values) {
    const ending = await machine.run(guest(`yield (${value}) as any;`));
    t.match(ending, { state: "faulted", status: 1, fault: /TypeError: yielded .*not a trap/ }, value);
  }
  await machine.sound(t, "odd yields");
});

t.test("no number that a guest yields does anything but what its operation says", async (t) => {
  const body = `
    const EXIT = 13, FAULT = 19, bad: string[] = [];
    for (let operation = 0; operation < 256; operation++) {
      for (const words of [0, 1, 64, 65, 128, 255]) {
        for (const capabilities of [0, 1, 4, 5, 15, 16, 0x7fff]) {
          const isMessage = words <= 64 && capabilities <= 4;
          if (operation === EXIT && isMessage) continue;
          sys.recv(0);
          sys.replyTo(-1);
          const answer = yield operation + words * 256 + capabilities * 65536;
          const known = operation >= 1 && operation <= 15;
          const wanted = isMessage ? (known ? [-1, -7, 0, -4] : [operation === FAULT ? Err.NOT_FOUND : Err.UNSUPPORTED]) : [Err.RANGE];
          if (!wanted.includes(answer)) bad.push([operation, words, capabilities, answer].join(":"));
        }
      }
    }
    if (bad.length > 0) throw new Error(bad.slice(0, 9).join(" "));
    return 0;`;
  t.same(await machine.run(guest(body)), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "odd traps");
});

t.test("a handle that was not given is no handle: forged, computed, or no number at all", async (t) => {
  const body = `
    const os = start(sys), own = os.environment.cnode, generation = own % 2 ** 32;
    const operations: any = {
      send: (h: any) => sys.send(h), call: (h: any) => sys.call(h), recv: (h: any) => sys.recv(h),
      nbSend: (h: any) => sys.nbSend(h), nbRecv: (h: any) => sys.nbRecv(h), notify: (h: any) => sys.notify(h),
      wait: (h: any) => sys.wait(h), poll: (h: any) => sys.poll(h), replyRecv: (h: any) => sys.replyRecv(h),
    };
    const handles: any[] = [0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, 5e-324,
      -own, own + 0.5, own * 2, own + 2 ** 53, undefined, null, "", "own", {}, [], true, { valueOf: () => -3 },
      generation, own + 1, own - 1, own + 2 ** 50, -(2 ** 40), 1023 * 2 ** 32 + generation, 1024 * 2 ** 32 + generation,
      65536 * 2 ** 32 + generation, 2 ** 52 + generation];
    for (let slot = 0; slot < 1100; slot++) for (const g of [generation - 1, generation + 1, 0, 2 ** 32 - 1]) handles.push(slot * 2 ** 32 + g);
    for (const handle of handles) for (const name in operations) {
      const answer = yield operations[name](handle);
      if (answer !== Err.BAD_CAP) throw new Error(name + " " + String(handle) + ": " + answer);
    }
    for (const handle of handles.slice(1)) {
      const answer = yield sys.replyTo(handle);
      if (answer !== Err.BAD_CAP && +handle !== 0 && !Number.isNaN(+handle)) throw new Error("replyTo " + String(handle) + ": " + answer);
    }
    return 0;`;
  t.same(await machine.run(guest(body)), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "forged handles");
});

t.test("a stale handle never names its slot's next tenant", async (t) => {
  const body = `
    const os = start(sys), endpoint = yield* os.endpoint(), stale: number[] = [];
    for (let i = 0; i < 100; i++) {
      const handle = yield* cnode.copy(sys, os.environment.cnode, 1000, endpoint, Right.ALL);
      if ((yield sys.nbSend(handle)) !== Err.WOULD_BLOCK) throw new Error("fresh handle");
      for (const old of stale) if ((yield sys.nbSend(old)) !== Err.BAD_CAP) throw new Error("stale handle");
      yield* cnode.delete(sys, os.environment.cnode, 1000);
      if ((yield sys.nbSend(handle)) !== Err.BAD_CAP) throw new Error("dropped handle");
      stale.push(handle);
    }
    return 0;`;
  t.same(await machine.run(guest(body)), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "stale handles");
});

t.test("capabilities arrive in the window that was named, and nowhere for one that is none", async (t) => {
  const body = `
    const os = start(sys);
    if (os.threadIndex > 0) {
      const [endpoint, gift] = os.handed;
      yield sys.recv(endpoint);
      for (;;) yield sys.replyRecv(endpoint, 0, gift, gift, gift, gift);
    }
    function* digest(): any {
      const seen: any[] = [];
      for (let slot = 1; slot < 1024; slot++) seen.push((yield* cnode.inspect(sys, os.environment.cnode, slot)).state);
      return seen.join();
    }
    const odd: any[] = [0, -0, -1, -4, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, 5, 255, 1 << 24, "x", {}];
    for (const core of [os.core, (os.core + 1) % os.cores]) {
      const endpoint = yield* os.endpoint();
      yield* spawnThread(os, { core, handed: [endpoint, endpoint] });
      yield sys.call(endpoint);
      const before = yield* digest();
      const window = 1000;
      for (const first of [...odd, 1, 1021, 1023, 1024]) for (const count of odd) {
        sys.receiveInto(first, count);
        yield sys.call(endpoint);
        const arrived = sys.arrived();
        const can = Math.trunc(first) >= 1 && Math.trunc(count) >= 1;
        if (arrived !== 0 && !can && Math.abs(first) < 2 ** 24 && Math.abs(count) < 128) throw new Error([first, count, arrived].join());
        if (!(arrived >= 0 && arrived <= 4)) throw new Error("arrived " + arrived);
        for (let i = 0; i < arrived; i++) yield* cnode.delete(sys, os.environment.cnode, Math.floor(sys.capability(i) / 2 ** 32));
      }
      sys.receiveInto(window, 4);
      yield sys.call(endpoint);
      if (sys.arrived() !== 4 || sys.capability(0) === 0) throw new Error("a good window");
      sys.receiveInto(0, 0);
      for (let i = 0; i < 4; i++) yield* cnode.delete(sys, os.environment.cnode, window + i);
      const after = yield* digest();
      if (after.replace(/3/g, "0") !== before.replace(/3/g, "0")) throw new Error("a slot that was not named has changed");
    }
    return 0;`;
  t.same(await machine.run(guest(body)), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "odd receive windows");
});

t.test("operands that are objects are turned into numbers on the guest's own account", async (t) => {
  const body = `
    const os = start(sys);
    let calls = 0;
    const evil: any = { valueOf() { calls++; sys.exit(9); sys.replyTo(1); sys.receiveInto(5, 4); return calls % 2 === 0 ? 1e9 : 3; } };
    const answers: number[] = [];
    for (const trap of [sys.call(evil, evil), sys.send(evil, evil, evil), sys.nbSend(0, evil), sys.replyRecv(evil, evil, evil, evil, evil, evil)]) {
      answers.push(yield trap);
    }
    sys.receiveInto(0, 0);
    for (const throwing of [{ valueOf() { throw new RangeError("mine"); } }, 3n, Symbol("s")] as any[]) {
      let caught = "";
      try { sys.call(throwing); } catch (error: any) { caught = error.name; }
      if (caught === "") throw new Error("no error for " + String(throwing));
      sys.words[0] = 1;
      try { sys.words[0] = throwing; caught = ""; } catch {}
      if (caught === "" || sys.words[0] !== 1) throw new Error("a word was changed half");
    }
    if (answers.some((answer) => answer >= 0)) throw new Error(answers.join());
    if ((yield sys.nothing()) !== 0) throw new Error("nothing");
    return 0;`;
  t.same(await machine.run(guest(body)), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "objects as operands");
});

t.test("a thrown value is described without running anything of the guest's", async (t) => {
  const cases: [string, RegExp][] = [
    ["'a text'", /^a text$/],
    ["42", /^42$/],
    ["undefined", /^undefined$/],
    ["null", /^null$/],
    ["Symbol('s')", /^Symbol\(s\)$/],
    ["12n", /^12n$/],
    ["2n ** 4000000n", /^a bigint of more than 64 bits$/],
    ["() => 1", /^a function$/],
    ["{}", /Object/],
    ["Object.create(null)", /Object/],
    ["{ get message() { for (;;); }, get name() { for (;;); } }", /Object/],
    ["{ toString() { for (;;); } }", /Object/],
    ["new Proxy({}, { get() { for (;;); }, getOwnPropertyDescriptor() { for (;;); } })", /^a proxy$/],
    ["Object.defineProperty(new Error('m'), 'stack', { get() { for (;;); } })", /Error: m$/],
    ["Object.defineProperty(new Error('m'), 'message', { get() { for (;;); } })", /Error$/],
    [
      "Object.setPrototypeOf(new Error('m'), new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); } }))",
      /m$/,
    ],
    ["new Error('x'.repeat(2 ** 28))", /^4:\d+: Error: \(a text of 268435456 characters\)$/],
    ["new Error('a\\u0007\\u001b[2Jb\\nc\\u2028d')", /^4:\d+: Error: a\\x07\\x1b\[2Jb\\x0ac\\u2028d$/],
    [
      "new (class Mine extends TypeError {})('own class')",
      /^4:\d+: TypeError: own class$|^4:\d+: Mine: own class$/,
    ],
    ["new AggregateError([1], 'many')", /^4:\d+: AggregateError: many$/],
    ["inherits({ get stack() { throw 1; } })", /m$/],
    ["inherits({ get stack() { for (;;); } })", /m$/],
    // Condemned while it is described: whoever came next was dropped for it.
    ["inherits({ get stack() { try { for (;;); } finally { return ''; } } })", /m$/],
    ["inherits(new Proxy({}, { get() { for (;;); }, getOwnPropertyDescriptor() { for (;;); } }))", /m$/],
    ["inherits({ get constructor() { for (;;); }, get [Symbol.toStringTag]() { for (;;); } })", /m$/],
    ["{ constructor: new Proxy(function () {}, { get() { for (;;); } }) }", /Object/],
    ["{ constructor: { get name() { for (;;); } } }", /Object/],
    ["{ [Symbol.toPrimitive]: () => { for (;;); } }", /Object/],
    ["revoked()", /^a proxy$/],
    ["Symbol('x'.repeat(2 ** 29 - 24))", /^Symbol\(a text of 536870888 characters\)$/],
    ["named('x'.repeat(2 ** 29 - 24))", /^a function, \(a text of 536870888 characters\)$/],
    ["thrownBy(named('x'.repeat(2 ** 29 - 24)))", /^\d:\d+: Error: m$/],
    ["thrownBy(named('x'.repeat(2 ** 26)), 9)", /^\d:\d+: Error: m$/],
    ["Object.defineProperty(new Error('m'), 'stack', { value: 'x'.repeat(2 ** 29 - 24) })", /Error: m$/],
    ["Object.assign(new Error('m'), { stack: 3 })", /Error: m$/],
    [
      "Object.defineProperty(new Error('m'), 'stack', Object.getOwnPropertyDescriptor(new Error('n'), 'stack')!)",
      /Error: m$/,
    ],
    ["named('a\\u001b]0;b\\u0007\\u202e')", /^a function, [^\p{Cc}\u202e]*$/u],
  ];
  const top = [
    "const inherits = (from: any): any => { const e: any = new Error('m'); delete e.stack; return Object.setPrototypeOf(e, from); };",
    "const revoked = (): any => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };",
    "const named = (name: string): any => Object.defineProperty((f?: any) => { if (f) f(); throw new Error('m'); }, 'name', { value: name }); const thrownBy = (f: any, depth = 0): any => { try { depth > 0 ? f(() => thrownBy(f, depth - 1)) : f(); } catch (e) { return e; } };",
  ].join(" ");
  const neighbour = await machine.start(guest("for (;;) yield sys.yield();"));
  for (const [value, wanted] of cases) {
    const { state, status, fault } = await machine.run(guest(`throw (${value}) as any;`, top));
    t.same([state, status], ["faulted", 1], value);
    t.match(fault, wanted, value);
  }
  t.match(await machine.kill(neighbour), { state: "killed" }, "who shares the core lived on");
  await machine.sound(t, "odd errors");
});

t.test("a guest's own error names line and column of its own file", async (t) => {
  const top =
    "function deep(n: number): number { return n === 0 ? missing.property : deep(n - 1) + 1; }\nlet missing: any;";
  t.match(await machine.run(guest("return deep(3);", top)), {
    fault: /^2:\d+: TypeError: Cannot read properties of undefined/,
  });
  t.match(await machine.run("const x: any = null;\nx.y;\nexport default function* main() {}"), {
    fault: /^2:3: TypeError/,
  });
  t.match(await machine.run(guest("const n = [1];\nn.length = -1;")), {
    fault: /^5:\d+: RangeError: Invalid array length/,
  });
});

t.test("a status that is no number from 0 to 255 is a fault", async (t) => {
  for (const value of [
    "-1",
    "256",
    "0.5",
    "NaN",
    "'0'",
    "{}",
    "3n",
    "null",
    "{ valueOf: () => 0 }",
    "new Proxy({}, {})",
  ]) {
    const ending = await machine.run(guest(`return (${value}) as any;`));
    t.match(
      ending,
      { state: "faulted", status: 1, fault: /^TypeError: a thread must end with a status from 0 to 255/ },
      value,
    );
  }
  for (const value of ["-1", "256", "0.5", "NaN", "Infinity"]) {
    t.match(await machine.run(guest(`yield sys.exit(${value});`)), { state: "faulted" }, `exit(${value})`);
  }
  t.same(await machine.run(guest("yield sys.exit(255);")), { state: "exited", status: 255, fault: "" });
});

t.test("an image that exports no generator function is a fault of its own", async (t) => {
  const mains = [
    "3",
    "null",
    "{}",
    "class {}",
    "() => 3",
    "() => ({ next() { return { done: true, value: 0 }; } })",
    "new Proxy(function* () {}, { apply() { return 1; } })",
    "() => new Proxy((function* () {})(), {})",
    "Math.max",
  ];
  for (const main of mains) {
    const ending = await machine.run(`const mains: any[] = [${main}];\nexport default mains[0];`);
    t.match(ending, { state: "faulted", status: 1 }, main);
    t.not(ending.fault, "", main);
  }
  await machine.sound(t, "odd mains");
});

t.test("the kernel's own `next` drives a guest, whatever the guest puts in its place", async (t) => {
  const source = `
    let used = 0;
    function* main(sys: any) { yield sys.nothing(); yield sys.nothing(); return used === 0 ? 7 : 1; }
    const mine: any = main.prototype;
    for (const name of ["next", "return", "throw"]) Object.defineProperty(mine, name, { value: () => { used++; return { done: true, value: 3 }; } });
    Object.defineProperty(mine, Symbol.iterator, { value: () => { used++; } });
    export default main;`;
  t.same(await machine.run(source), { state: "exited", status: 7, fault: "" });
  const own =
    "const made = inner(sys);\nObject.defineProperty(made, 'next', { get() { throw 1; } });\nreturn made;";
  const plain = `function* inner(sys: any) { yield sys.nothing(); return 8; }\nexport default function main(sys: any) { ${own} }`;
  t.same(await machine.run(plain), { state: "exited", status: 8, fault: "" });
});

t.test("a result object with getters is read once, inside the guest's own account", async (t) => {
  const iterator = (result: string, before = "") =>
    guest(
      `${before}\nyield* { [Symbol.iterator]() { return this; }, next() { return ${result}; } } as any;\nreturn reads === 3 ? 5 : 6;`,
      "let reads = 0, turns = 0;",
    );
  t.same(
    await machine.run(
      iterator(
        "turns++ > 0 ? { done: true } : { get done() { reads++; return false; }, get value() { reads++; return reads > 3 ? {} : 12; } }",
      ),
    ),
    { state: "exited", status: 5, fault: "" },
    "done is read by yield* and by the kernel, value by the kernel",
  );
  for (const [result, wanted] of [
    ["{ done: false, get value() { throw new Error('value'); } }", /Error: value$/],
    ["{ get done() { if (reads++ > 0) throw new Error('done'); return false; }, value: 12 }", /Error: done$/],
    ["{ get done() { return reads++ === 0 ? false : 'yes'; }, value: 12 }", /not a trap/],
    ["{ done: false, get value() { return { valueOf: () => 12 }; } }", /not a trap/],
    ["{ get done() { return reads++ > 0; }, get value() { return sys; } }", /status from 0 to 255/],
    ["new Proxy({}, { get(_, key) { return key === 'done' ? false : -5; } })", /not a trap/],
    ["3", /TypeError/],
  ] as const) {
    const { state, fault } = await machine.run(iterator(result));
    t.equal(state, "faulted", result);
    t.match(fault, wanted, result);
  }
  await machine.sound(t, "results with getters");
});

t.test("a guest can reach neither code that is not built, nor memory, nor the kernel", async (t) => {
  const top = `
    const given: any = typeof arguments === "undefined" ? [] : arguments;
    const found: string[] = [];
    function refuses(what: string, attempt: () => unknown): void {
      let value: unknown;
      try { value = attempt(); } catch { return; }
      found.push(what + ": " + typeof value);
    }`;
  const body = `
    const all: any = globalThis;
    for (const name of ["process", "require", "module", "eval", "Function", "Compartment", "Promise", "SharedArrayBuffer",
      "ArrayBuffer", "Float64Array", "Int32Array", "DataView", "Atomics", "WebAssembly", "setTimeout", "queueMicrotask",
      "performance", "Date", "lockdown", "harden", "getStackString", "console", "structuredClone", "WeakRef",
      "FinalizationRegistry", "Worker", "fetch", "Intl", "gc"]) if (name in all) found.push(name);
    const makers: any[] = [() => 1, function* () {}, class {}, sys.call, Math.max, all.Object, given[0] ?? (() => 1)];
    for (const one of makers) for (const maker of [one.constructor, Object.getPrototypeOf(one).constructor]) {
      refuses("constructor", () => maker("return 1")());
      refuses("new constructor", () => new maker("return globalThis"));
      refuses("construct", () => Reflect.construct(maker, ["return 1"], maker));
    }
    const spoilt: any = { x: 1 };
    for (const target of [Object.prototype, Array.prototype, Object.getPrototypeOf(Map), Map.prototype, all.Math, all.JSON, all, sys,
      Object.getPrototypeOf(main), Object.getPrototypeOf(Object.getPrototypeOf(main.prototype)), Error.prototype, Error] as any[]) {
      refuses("set", () => { target.hostile = 1; });
      refuses("define", () => Object.defineProperty(target, "hostile", { value: 1 }));
      refuses("prototype", () => Object.setPrototypeOf(target, spoilt));
    }
    refuses("replace", () => { (Array.prototype as any).push = () => 0; });
    refuses("sys", () => { sys.call = () => 12; });
    refuses("prepareStackTrace", () => { (Error as any).prepareStackTrace = () => "x"; throw 1; });
    // The words of the register file, and no way to what lies beside them.
    const { words } = sys;
    for (const key of ["buffer", "byteLength", "byteOffset", "set", "subarray", "constructor", "length", 64, 65, 79, 80, -1, 1.5]) {
      if (words[key] !== undefined) found.push("words." + String(key));
    }
    if (Object.getPrototypeOf(words) !== null || Reflect.ownKeys(words).filter((key) => key !== Symbol.iterator).length !== 64) found.push("words");
    words[64] = words[73] = words[-1] = words[1e9] = 7;
    if ((yield sys.recv(0)) !== Err.BAD_CAP) found.push("a register was written");
    // Everything that can be reached by properties and prototypes.
    const seen = new Set<any>();
    const todo: any[] = [all, sys, main, main.prototype, (function* () {})(), given, new Map().entries(), [].values(), "".matchAll(/x/g), new Error("x")];
    while (todo.length > 0) {
      const one = todo.pop();
      if ((typeof one !== "object" && typeof one !== "function") || one === null || seen.has(one)) continue;
      seen.add(one);
      todo.push(Object.getPrototypeOf(one));
      for (const key of Reflect.ownKeys(one)) {
        const { value, get, set } = Object.getOwnPropertyDescriptor(one, key)!;
        todo.push(value, get, set);
        // What a getter in a built-in's place gives is an own property of it, and so looked into like all else.
        if (typeof get === "function" && !Object.hasOwn(get, "originalValue")) refuses(String(key), () => { const view = get.call(words); if (view === undefined || typeof view === "string" || view === words || view === Object || view === null || typeof view === "number" || typeof view === "function") throw 1; return view; });
      }
    }
    for (const one of seen) if (typeof one === "function" && /Buffer|(Int|Uint|Float)\\d+|DataView|^Promise|^eval$|Compartment|Atomics/.test(one.name)) found.push(one.name);
    // What others of this core hold too must not be changed by one of them.
    for (const one of given) if (!Object.isFrozen(one) || Object.hasOwn(one, "prototype")) found.push("a check that guests share");
    // Stacks: neither one's own nor the kernel's.
    const stacks: unknown[] = [new Error("x").stack];
    try { null!.x; } catch (error: any) { stacks.push(error.stack); }
    try { sys.call(Symbol()); } catch (error: any) { stacks.push(error.stack); }
    try { (function f(): any { f(); })(); } catch (error: any) { stacks.push(error.stack); }
    try { [].reduce(() => 1); } catch (error: any) { stacks.push(error.stack); }
    for (const stack of stacks) if (/\\n\\s+at |core\\.mjs|file:|capos/.test(String(stack))) found.push("stack: " + String(stack).slice(0, 60));
    if (found.length > 0) throw new Error(found.join("; "));
    return 0;`;
  t.same(await machine.run(guest(body, top)), { state: "exited", status: 0, fault: "" });
  await machine.sound(t, "reaching out");
});

t.test("code that could not be checked is refused before it runs, with its place", async (t) => {
  for (const [line, wanted] of [
    ["eval('1');", /eval does not work in a guest/],
    ["async function f() {}\nf();", /async functions do not work/],
    ["const f = async () => 1; f();", /async functions do not work/],
    ["class A { async *m() {} }\nnew A();", /async functions do not work/],
    ["debugger;", /debugger does not work/],
    ["import('./x.js');", /import\(\) does not work/],
    ["import 'node:fs';", /cannot import "node:fs"/],
    ["import.meta.url;", /import\.meta does not exist/],
  ] as const) {
    const refused = await machine
      .run(`\n${line}\nexport default function* main() {}`)
      .catch((error: unknown) => error);
    t.ok(refused instanceof GuestBuildError, line);
    t.match(String(refused), /guest-\d+\.ts:2:\d+: /, line);
    t.match(String(refused), wanted, line);
  }
  for (const name of ["Function", "Compartment", "Promise"]) {
    t.match(
      await machine.run(guest(`return new (globalThis as any).${name}("for(;;);")();`)),
      { state: "faulted", fault: /TypeError/ },
      name,
    );
    t.match(
      await machine.run(guest(`return ${name}.length;`)),
      { state: "faulted", fault: /TypeError: Cannot read properties of undefined/ },
      name,
    );
  }
});

t.test("the machine is sound after all of them, and halts", async (t) => {
  await machine.sound(t, "everything");
  t.same(machine.machineChecks, [], "no core was lost to any of them");
  await machine.halt(t);
});
