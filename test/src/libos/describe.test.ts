/** Servers that say what they serve, and clients that have no declaration of it. */
import { Err } from "@capos/abi";
import {
  bool,
  bytes,
  bytesUpTo,
  capability,
  describe,
  f64,
  i32,
  list,
  type Methods,
  own,
  type Protocol,
  protocol,
  type Steps,
  text,
  textUpTo,
  u8,
  u16,
  u32,
  u53,
} from "@capos/libos";
import { parseDescription } from "@capos/libos/wire";
import t from "tap";
import { connect, expectError } from "./support/pair.js";

const SHAPES = {
  numbers: { request: { a: u8, b: u16, c: u32, d: i32, e: u53, f: f64, g: bool }, reply: {} },
  variable: { request: { text }, reply: { bytes } },
  bounded: { request: { text: textUpTo(7), bytes: bytesUpTo(9) }, reply: { list: list(i32, 12) } },
  carried: { request: { it: capability, back: own([]) }, reply: { made: own(["read", "grant"]) } },
  none: { request: {}, reply: {} },
} as const;

const Files = protocol("files", {
  read: { needs: "read", request: {}, reply: { text } },
  write: { needs: "write", request: { text }, reply: {} },
});

t.test("each kind of field is described, and read back as a protocol with the same messages", (t) => {
  const all: readonly Protocol[] = [
    protocol<Methods>("shapes", SHAPES),
    Files as unknown as Protocol,
    protocol("empty", {}),
  ];
  for (const declared of all) {
    const read = parseDescription(declared.description);
    t.ok(read !== null, declared.description);
    t.equal(read?.id, declared.id);
    t.same(read?.methods, declared.methods, "with word 0, fields and limits");
  }
  t.end();
});

t.test("a text that describes nothing, or not to the letter, is refused", (t) => {
  const wrong = [
    ...["", "kv", "kv{", "kv}", "kv{get}", "kv{get()}", "kv{get():(}", "kv{get(a):()}", "kv{get(:u8):()}"],
    ...["kv{get(a:u9):()}", "kv{get(a:text<=):()}", "kv{get(a:text<=0):()}", "kv{get(a:text<=07):()}"],
    ...["kv{get(a:text<=99999):()}", "kv{get(a:list[<=3]):()}", "kv{get(a:capability[<=3]):()}"],
    ...["kv{get(a:text[<=3]):()}", "kv{get(a:own root):()}", "kv{get(a:own write+read):()}"],
    ...["kv{get(a:u8,a:u8):()}", "kv{get():();get():()}", "kv{get!fly():()}", "kv{__proto__():()}"],
    ...["kv{get(__proto__:u8):()}", "kv{toString():()}", "kv{narrow!read():()}", "kv{get():();}"],
  ];
  for (const text of wrong) t.equal(parseDescription(text), null, text);
  t.end();
});

t.test("a server tells a client what it serves, however long that is", (t) => {
  const methods: Record<string, Methods[string]> = {};
  for (let i = 0; i < 100; i++) methods[`method${i}`] = { request: { value: u32 }, reply: { value: u32 } };
  const Long = protocol("long", { ...methods, stop: { request: {}, reply: {} } });
  const handlers = Object.fromEntries(
    Object.keys(methods).map((name) => [name, ({ value }: { value: number }) => ({ value: value + 1 })]),
  );
  let told: Protocol | undefined;
  connect(
    (sys, endpoint) =>
      Long.serve(sys, endpoint, {
        ...handlers,
        stop: (_: object, context: { end(): void }) => context.end(),
      } as never),
    function* (sys, endpoint) {
      told = yield* describe(sys, endpoint);
      const client = told.client(sys, endpoint) as Record<string, (request: object) => Steps<object>>;
      t.same(yield* client.method99!({ value: 1 }), { value: 2 });
      yield* client.stop!({});
    },
  );
  t.equal(told?.description, Long.description);
  t.end();
});

t.test(
  "a request to describe that is malformed or behind the last part is refused, and the server goes on",
  (t) => {
    const Small = protocol("small", { stop: { request: {}, reply: {} } });
    connect(
      (sys, endpoint) => Small.serve(sys, endpoint, { stop: (_: object, context) => context.end() }),
      function* (sys, endpoint) {
        for (const [words, error] of [
          [[255, 1], Err.RANGE],
          [[255, 0.5], Err.RANGE],
          [[255, -1], Err.UNSUPPORTED],
          [[255, Number.NaN], Err.UNSUPPORTED],
          [[255], Err.UNSUPPORTED],
          [[255, 0, 0], Err.UNSUPPORTED],
        ] as const) {
          words.forEach((word, i) => {
            sys.words[i] = word;
          });
          t.equal(yield sys.call(endpoint, words.length), 1);
          t.equal(sys.words[0], error, String(words));
        }
        yield* Small.client(sys, endpoint).stop();
      },
    );
    t.end();
  },
);

t.test("an answer that is no description is told as a malformed one", (t) => {
  connect(
    function* (sys, endpoint) {
      yield sys.recv(endpoint);
      sys.words[0] = Err.OK;
      sys.words[1] = 1;
      sys.words[2] = 0;
      yield sys.reply(3);
    },
    function* (sys, endpoint) {
      yield* expectError(t, describe(sys, endpoint), Err.RANGE, "no description");
    },
  );
  t.end();
});
