import { Err } from "@capos/abi";
import {
  capability,
  DEFERRED,
  decode,
  Echo,
  IpcError,
  protocol,
  type SavedReply,
  Slots,
  type Steps,
  u32,
  u53,
} from "@capos/libos";
import t from "tap";
import { type CSpace, Endpoint, type FakeThread, World } from "./support/fake.js";
import { CLIENT_BADGE, connect, expectError, finished, SLOTS } from "./support/pair.js";

const Work = protocol("work", {
  add: { request: { a: u32, b: u32 }, reply: { sum: u53 } },
  fail: { request: {}, reply: {} },
  wait: { request: {}, reply: { value: u32 } },
  release: { request: { value: u32 }, reply: {} },
  give: { request: { it: capability }, reply: {} },
  fetch: { request: {}, reply: { it: capability } },
  stop: { request: {}, reply: {} },
});

/** Handlers for what a test does not use. */
const idle = {
  add: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }),
  fail: () => {
    throw new IpcError(Err.BUSY, "fail");
  },
  wait: () => ({ value: 0 }),
  release: () => {},
  give: () => {},
  fetch: () => ({ it: 0 }),
  stop: (_: object, context: { end(): void }) => context.end(),
};

t.test("a handler learns the badge and an IpcError it throws is the caller's", (t) => {
  let badge = 0;
  const { server, client } = connect(
    function* (sys, endpoint, slots) {
      const handlers = {
        ...idle,
        *add({ a, b }: { a: number; b: number }, context: { badge: number }): Steps<{ sum: number }> {
          // What a handler's trap leaves in the registers is not the request any more.
          yield sys.nothing();
          badge = context.badge;
          return { sum: a + b };
        },
      };
      yield* Work.serve(sys, endpoint, handlers, { slots });
      return "served";
    },
    function* (sys, endpoint, slots) {
      const work = Work.client(sys, endpoint, slots);
      t.same(yield* work.add({ a: 2 ** 32 - 1, b: 1 }), { sum: 2 ** 32 });
      yield* expectError(t, work.fail(), Err.BUSY, "the handler's error");
      yield* work.stop();
    },
  );
  t.equal(badge, CLIENT_BADGE);
  t.same(server.ended, { value: "served" }, "end() makes serve return");
  t.ok(finished(client), "and the last request is answered");
  t.end();
});

t.test("what a handler throws besides an IpcError ends the server", (t) => {
  const fault = new Error("broken");
  const { server } = connect(
    (sys, endpoint, slots) =>
      Work.serve(
        sys,
        endpoint,
        {
          ...idle,
          fail: () => {
            throw fault;
          },
        },
        { slots },
      ),
    (sys, endpoint, slots) => Work.client(sys, endpoint, slots).fail() as Steps<unknown>,
    true,
  );
  t.same(server.ended, { error: fault });
  t.end();
});

t.test("an endpoint that cannot be received from ends serve with its error", (t) => {
  const { server } = connect(
    (sys, _, slots) => Work.serve(sys, 999, idle, { slots }),
    function* () {},
    true,
  );
  const ended = server.ended as { error: IpcError };
  t.equal(ended.error.code, Err.BAD_CAP);
  t.end();
});

t.test("a server that loses its endpoint while it works still answers that request", (t) => {
  const { server, client } = connect(
    (sys, endpoint, slots) =>
      Work.serve(
        sys,
        endpoint,
        {
          ...idle,
          release: () => {
            (sys as FakeThread).cspace.delete(1);
          },
        },
        { slots },
      ),
    (sys, endpoint, slots) => Work.client(sys, endpoint, slots).release({ value: 1 }) as Steps<unknown>,
    true,
  );
  t.ok(finished(client));
  t.match(server.ended, { error: { code: Err.BAD_CAP, message: "work: receive: ERR_BAD_CAP" } });
  t.end();
});

t.test("a deferred request is answered later, in any order", (t) => {
  const world = new World();
  const endpoint = new Endpoint();
  const answers: string[] = [];
  const cspace: CSpace = new Map();
  const waiting: SavedReply<{ value: number }>[] = [];
  let free = 0;
  const server: FakeThread = world.thread(function* (sys) {
    const slots = new Slots(0, 10, SLOTS);
    yield* Work.serve(
      sys,
      handle,
      {
        ...idle,
        *wait(_, context) {
          if (waiting.length === 0) free = slots.free;
          waiting.push(yield* context.defer());
          return DEFERRED;
        },
        *release({ value }) {
          const last = waiting.pop()!;
          t.throws(
            () => last.answer({ value: -1 }).next(0),
            RangeError,
            "no such value, and nothing was sent",
          );
          yield* last.answer({ value });
          yield* expectError(t, last.answer({ value }), Err.NO_REPLY, "answered already");
          yield* waiting.pop()!.refuse(Err.TIMEOUT);
          t.equal(slots.free, free, "their slots are given back");
        },
      },
      { slots },
    );
  }, cspace);
  const handle: number = server.put(1, endpoint);
  const clientSpace: CSpace = new Map();
  const waiter = (name: string): FakeThread =>
    world.thread(function* (sys) {
      try {
        const { value } = yield* Work.client(sys, clientHandle, new Slots(0, 10, 1)).wait();
        answers.push(`${name} ${value}`);
      } catch (error) {
        answers.push(`${name} ${(error as IpcError).code}`);
      }
    }, clientSpace);
  const first = waiter("first");
  const clientHandle: number = first.put(1, endpoint);
  waiter("second");
  world.run();
  t.same(answers, [], "both wait");
  world.thread(function* (sys) {
    yield* Work.client(sys, clientHandle, new Slots(0, 20, 1)).release({ value: 5 });
  }, clientSpace);
  world.run();
  t.same(answers, ["second 5", `first ${Err.TIMEOUT}`]);
  t.end();
});

t.test("an IpcError after a deferral answers through the saved reply", (t) => {
  connect(
    (sys, endpoint, slots) =>
      Work.serve(
        sys,
        endpoint,
        {
          ...idle,
          *wait(_, context) {
            yield* context.defer();
            throw new IpcError(Err.NOT_FOUND, "wait");
          },
        },
        { slots },
      ),
    function* (sys, endpoint, slots) {
      const work = Work.client(sys, endpoint, slots);
      yield* expectError(t, work.wait(), Err.NOT_FOUND, "deferred");
      t.same(yield* work.add({ a: 1, b: 1 }), { sum: 2 }, "the server goes on");
    },
  );
  t.end();
});

t.test("a capability travels in the message and is the receiver's own afterwards", (t) => {
  let given = 0;
  let fetched = 0;
  const thing = new Endpoint();
  const { server, client } = connect(
    (sys, endpoint, slots) =>
      Work.serve(
        sys,
        endpoint,
        {
          ...idle,
          give: ({ it }) => {
            given = it;
          },
          fetch: () => ({ it: given }),
        },
        { slots },
      ),
    function* (sys, endpoint, slots) {
      const work = Work.client(sys, endpoint, slots);
      yield* work.give({ it: (sys as FakeThread).put(5, thing) });
      fetched = (yield* work.fetch()).it;
      t.equal(slots.free, SLOTS - 1, "one slot is in use");
      yield* slots.drop(sys, fetched);
      t.equal(slots.free, SLOTS);
    },
  );
  t.equal(server.find(given)?.object, thing);
  t.equal(client.find(fetched), undefined, "dropping it deleted it");
  t.end();
});

t.test("capabilities nobody asked for are deleted and cost no slot", (t) => {
  const { server, client } = connect(
    (sys, endpoint, slots) => Work.serve(sys, endpoint, idle, { slots }),
    function* (sys, endpoint, slots) {
      const gift = (sys as FakeThread).put(5, new Endpoint());
      for (let i = 0; i < 3 * SLOTS; i++) {
        Object.assign(sys.words, [Work.methods[0].word0, 1, 2]);
        yield sys.call(endpoint, 3, gift);
        t.equal(sys.words[0], Err.RANGE);
      }
      yield* Work.client(sys, endpoint, slots).give({ it: gift });
    },
  );
  t.ok(finished(client));
  t.equal(server.cspace.size, 3, "endpoint, CNode and the one gift it asked for");
  t.end();
});

t.test("a server without free slots answers NO_RESOURCE to gifts and serves the rest", (t) => {
  connect(
    (sys, endpoint, slots) => Work.serve(sys, endpoint, idle, { slots }),
    function* (sys, endpoint, slots) {
      const work = Work.client(sys, endpoint, slots);
      const gift = (sys as FakeThread).put(5, new Endpoint());
      for (let i = 0; i < SLOTS; i++) yield* work.give({ it: gift });
      yield* expectError(t, work.give({ it: gift }), Err.NO_RESOURCE, "no slot");
      t.same(yield* work.add({ a: 1, b: 2 }), { sum: 3 });
    },
  );
  t.end();
});

t.test("a call that fails leaves no capability behind and no slot taken", (t) => {
  connect(
    function* (sys, endpoint) {
      const gift = (sys as FakeThread).put(5, new Endpoint());
      yield sys.recv(endpoint);
      sys.words[0] = Err.BUSY;
      yield sys.replyRecv(endpoint, 1, gift);
      Object.assign(sys.words, [Err.OK, 1]);
      yield sys.replyRecv(endpoint, 2, gift);
      yield sys.replyRecv(endpoint, 0);
      sys.words[0] = 5;
      yield sys.reply(1);
    },
    function* (sys, endpoint, slots) {
      const work = Work.client(sys, endpoint, slots);
      yield* expectError(t, work.fetch(), Err.BUSY, "an error that brings a capability");
      yield* expectError(t, work.fetch(), Err.RANGE, "a word too many");
      yield* expectError(t, work.fetch(), Err.RANGE, "no words");
      yield* expectError(t, work.fetch(), Err.RANGE, "no status");
      yield* expectError(t, Work.client(sys, 12345, slots).fetch(), Err.BAD_CAP, "no such endpoint");
      t.equal(slots.free, SLOTS);
      t.equal((sys as FakeThread).cspace.size, 2);
    },
  );
  t.end();
});

t.test("a server puts no capability where the client asked for none", (t) => {
  connect(
    function* (sys, endpoint) {
      const gift = (sys as FakeThread).put(5, new Endpoint());
      yield sys.recv(endpoint);
      sys.words[0] = Err.OK;
      yield sys.replyRecv(endpoint, 1, gift, gift, gift);
      sys.words[0] = Err.OK;
      yield sys.reply(1, gift, gift, gift);
    },
    function* (sys, endpoint, slots) {
      const work = Work.client(sys, endpoint, slots);
      const held = (sys as FakeThread).cspace.size;
      yield* work.fetch();
      t.equal((sys as FakeThread).cspace.size, held + 1, "one was asked for");
      yield* work.fail();
      t.equal((sys as FakeThread).cspace.size, held + 1, "none was asked for");
    },
  );
  t.end();
});

t.test("a message that was sent, not called, is handled and answered to nobody", (t) => {
  let handled = 0;
  const { client } = connect(
    (sys, endpoint, slots) =>
      Work.serve(sys, endpoint, { ...idle, release: () => void handled++ }, { slots }),
    function* (sys, endpoint, slots) {
      Object.assign(sys.words, [Work.methods[3].word0, 1]);
      yield sys.send(endpoint, 2);
      yield* Work.client(sys, endpoint, slots).release({ value: 2 });
    },
  );
  t.equal(handled, 2);
  t.ok(finished(client));
  t.end();
});

t.test("a bound notification reaches onNotification and answers nobody", (t) => {
  const seen: number[] = [];
  const { world, server } = connect(
    (sys, endpoint, slots) =>
      Work.serve(sys, endpoint, idle, {
        slots,
        onNotification: (bits, context) => {
          seen.push(bits);
          if (bits === 4) context.end();
        },
      }),
    function* (sys, endpoint, slots) {
      yield* Work.client(sys, endpoint, slots).add({ a: 1, b: 1 });
    },
  );
  world.notify(server, 3);
  world.run();
  world.notify(server, 4);
  world.run();
  t.same(seen, [3, 4]);
  t.ok(finished(server));
  t.end();
});

t.test("decode tells a request, a reply and an error reply apart from what is none", (t) => {
  const reply = (words: number[], method?: string) => decode(Work, words, words.length, "reply", method);
  t.same(reply([0, 7], "add"), { protocol: "work", method: "add", status: 0, fields: { sum: 7 } });
  t.same(reply([Err.BUSY], "add"), { protocol: "work", method: "add", status: Err.BUSY, fields: {} });
  t.equal(reply([0, 7]), null, "a reply to nothing known");
  t.equal(reply([0], "add"), null, "a word too few");
  t.equal(reply([1, 7], "add"), null, "no status");
  t.equal(reply([], "add"), null);
  const give = [Work.methods[4].word0];
  t.same(decode(Work, give, 1, "request")?.fields, { it: 0 });
  t.same(decode(Work, give, 1, "request", undefined, [9])?.fields, { it: 9 });
  t.equal(decode(Work, give, 1, "request", undefined, []), null);
  t.equal(decode(Echo, give, 1, "request"), null, "another protocol");
  t.end();
});
