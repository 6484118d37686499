import { Err, ObjectType, Right, SlotFlag, type Sys } from "@capos/abi";
import {
  CNode,
  CSpace,
  capability,
  Echo,
  Endpoint as EndpointKind,
  Image,
  Notification,
  Process,
  protocol,
  Sealer,
  type Steps,
  start,
  Thread,
  type Transfer,
  text,
} from "@capos/libos";
import t from "tap";
import { boot } from "./support/boot.js";
import { Endpoint, type FakeThread } from "./support/fake.js";
import { Thing } from "./support/fake-cspace.js";
import { connect, expectError, finished, SLOTS } from "./support/pair.js";

const ends = { ping: (request: { value: number }) => request, say: () => {} };

/** A client of an echo server, with a CSpace and the endpoint as a typed capability. */
function withEcho(use: (home: CSpace, endpoint: number) => Steps<unknown>) {
  const { client } = connect(
    (sys, endpoint) => Echo.serve(sys, endpoint, ends),
    (sys, endpoint, slots) => use(new CSpace(sys, slots.cnode, slots), endpoint),
  );
  if (!finished(client)) throw new Error("the client waits for ever");
}

const fake = (sys: Sys): FakeThread => sys as unknown as FakeThread;

t.test("a copy can be used as what it was copied from, with the rights that were named", (t) => {
  withEcho(function* (home, endpoint) {
    const echo = home.as(Echo, endpoint, ["grant", "revoke"]);
    const table: [Steps<{ handle: number }>, number][] = [
      [home.copy(echo), Right.ALL],
      [home.copy(echo, ["grant"]), Right.SEND | Right.GRANT],
      [home.copy(echo, []), Right.SEND],
      [home.expire(echo, 1000, ["revoke"]), Right.SEND | Right.REVOKE],
      [
        home.mint(home.as(EndpointKind, fake(home.sys).put(6, new Endpoint()), ["send", "grant"]), 5, [
          "send",
        ]),
        Right.SEND,
      ],
    ];
    for (const [steps, rights] of table) {
      const copy = home.as(Echo, (yield* steps).handle, []);
      t.equal((yield* home.inspect(copy)).rights, rights);
      yield* home.drop(copy);
    }
    const copy = yield* home.copy(echo, []);
    t.same(yield* copy.ping({ value: 5 }), { value: 5 });
    yield* home.drop(copy);
    yield* expectError(t, copy.ping({ value: 5 }), Err.BAD_CAP, "dropped");
    t.equal(home.slots.free, SLOTS);
  });
  t.end();
});

t.test("a moved capability is used up and its copies stay derived from it", (t) => {
  withEcho(function* (home, endpoint) {
    const echo = yield* home.copy(home.as(Echo, endpoint, ["grant", "revoke"]));
    const child = yield* home.copy(echo);
    const moved = yield* home.move(echo);
    t.equal(home.slots.free, SLOTS - 2);
    yield* expectError(t, echo.ping({ value: 1 }), Err.BAD_CAP, "where it was");
    yield* expectError(t, home.copy(echo), Err.BAD_CAP, "a copy of where it was");
    t.same(yield* moved.ping({ value: 1 }), { value: 1 });
    yield* home.revoke(moved);
    yield* expectError(t, child.ping({ value: 1 }), Err.BAD_CAP, "a copy of what was moved");
    t.same(yield* moved.ping({ value: 1 }), { value: 1 }, "what is revoked stays");
    yield* home.drop(child);
    yield* home.drop(moved);
    t.equal(home.slots.free, SLOTS);
  });
  t.end();
});

t.test("revoking needs the right to, at run time too", (t) => {
  withEcho(function* (home, endpoint) {
    const echo = yield* home.copy(home.as(Echo, endpoint, []), []);
    yield* expectError(t, home.revoke(home.as(Echo, echo.handle, ["revoke"])), Err.DENIED, "without REVOKE");
  });
  t.end();
});

t.test("a sealed capability can be carried and not used, until its sealer opens it", (t) => {
  withEcho(function* (home, endpoint) {
    const { world, cspace } = fake(home.sys);
    const wax = new Thing(ObjectType.SEALER);
    const sealer = (rights: number) =>
      home.as(Sealer, world.tree.put(cspace, 40 + rights, wax, { rights }), ["read", "write"]);
    const echo = home.as(Echo, endpoint, ["grant", "revoke"]);
    const sealed = yield* home.seal(echo, sealer(Right.WRITE));
    const forced = home.as(Echo, sealed.handle, ["grant"]);
    yield* expectError(t, forced.ping({ value: 1 }), Err.SEALED, "used");
    yield* expectError(t, home.seal(forced, sealer(Right.WRITE)), Err.SEALED, "sealed twice");
    yield* expectError(t, home.seal(echo, sealer(Right.READ)), Err.DENIED, "sealed with an opener");
    yield* expectError(t, home.unseal(sealed, sealer(Right.WRITE)), Err.DENIED, "opened with a closer");
    const { flags } = yield* home.inspect(sealed);
    t.equal(flags & SlotFlag.SEALED, SlotFlag.SEALED);
    const open = yield* home.unseal(sealed, sealer(Right.READ));
    t.same(yield* open.ping({ value: 1 }), { value: 1 });
    t.equal(home.slots.free, SLOTS - 2, "what failed took no slot");
    yield* home.drop(sealed);
    t.same(yield* open.ping({ value: 1 }), { value: 1 }, "open without the sealed one");
  });
  t.end();
});

t.test("a capability travels in a message as its sender says: copied, moved, with fewer rights", (t) => {
  const Post = protocol("post", {
    take: { request: { what: text, it: capability }, reply: {} },
    swap: { request: { it: capability }, reply: { it: capability } },
  });
  const got: { what: string; rights: number }[] = [];
  const { client, server } = connect(
    (sys, endpoint, slots) => {
      const home = new CSpace(sys, slots.cnode, slots);
      const rightsOf = function* (handle: number) {
        return (yield* home.inspect(home.as(EndpointKind, handle, []))).rights;
      };
      return Post.serve(
        sys,
        endpoint,
        {
          *take({ what, it }) {
            got.push({ what, rights: yield* rightsOf(it) });
            yield* slots.drop(sys, it);
          },
          *swap({ it }) {
            got.push({ what: "swap", rights: yield* rightsOf(it) });
            return { it: { capability: it, move: true, rights: Right.ALL } };
          },
        },
        { slots },
      );
    },
    function* (sys, endpoint, slots) {
      const home = new CSpace(sys, slots.cnode, slots);
      const post = home.as(Post, endpoint, []);
      const root = home.as(EndpointKind, fake(sys).put(6, new Endpoint()), [
        "send",
        "receive",
        "grant",
        "revoke",
      ]);
      const it = yield* home.copy(root, ["send", "receive", "grant"]);
      yield* post.take({ what: "number", it: it.handle });
      yield* post.take({ what: "copy", it });
      yield* post.take({ what: "narrowed", it: { capability: it, rights: ["send", "receive"] } });
      yield* post.take({ what: "bits", it: { capability: it.handle, rights: Right.SEND } });
      t.ok(yield* home.inspect(it), "still here");
      t.equal(slots.free, SLOTS - 1);
      yield* post.take({ what: "moved", it: { capability: it, move: true } });
      t.equal(slots.free, SLOTS, "its slot is free again");
      yield* expectError(t, home.copy(it), Err.BAD_CAP, "moved away");
      yield* expectError(t, post.take({ what: "again", it }), Err.RANGE, "it does not arrive");

      const other = yield* home.copy(root);
      const { it: back } = yield* post.swap({ it: { capability: other, move: true } });
      t.equal(slots.free, SLOTS - 1, "one went, one came");
      yield* slots.drop(sys, back);
      for (const bad of [
        { capability: 0 },
        { capability: root, rights: 256 },
        {},
        { handle: 0 },
        null,
        "it",
      ]) {
        try {
          yield* post.swap({ it: bad as unknown as Transfer<number> });
          t.fail(JSON.stringify(bad));
        } catch (error) {
          t.type(error, RangeError, JSON.stringify(bad));
        }
      }
    },
  );
  t.ok(finished(client));
  const all = Right.SEND | Right.RECEIVE | Right.GRANT;
  t.same(got, [
    { what: "number", rights: all },
    { what: "copy", rights: all },
    { what: "narrowed", rights: Right.SEND | Right.RECEIVE },
    { what: "bits", rights: Right.SEND },
    { what: "moved", rights: all },
    { what: "swap", rights: Right.ALL },
  ]);
  t.equal(server.cspace.size, 2, "the server keeps nothing");
  t.end();
});

t.test("a call that fails has moved nothing that its sender cannot drop", (t) => {
  const Post = protocol("post", { take: { request: { it: capability }, reply: {} } });
  connect(
    (sys, endpoint, slots) => Post.serve(sys, endpoint, { take: () => {} }, { slots }),
    function* (sys, _, slots) {
      const home = new CSpace(sys, slots.cnode, slots);
      const it = yield* home.copy(home.as(EndpointKind, fake(sys).put(6, new Endpoint()), ["send", "grant"]));
      const nobody = home.as(Post, 12345, []);
      yield* expectError(t, nobody.take({ it: { capability: it, move: true } }), Err.BAD_CAP, "nobody there");
      t.equal((yield* home.inspect(it)).handle, it.handle, "it is still here");
      yield* home.drop(it);
      t.equal(slots.free, SLOTS);
    },
  );
  t.end();
});

t.test("kernel objects are made with all rights, and their methods are the kernel's", (t) => {
  let ran = false;
  const { world } = boot(function* (sys) {
    const { cspace, environment } = start(sys);
    const image = cspace.as(Image, environment.image, ["execute"]);
    const space = yield* cspace.make(CNode, 4);
    const child = yield* cspace.make(Process);
    const thread = yield* cspace.make(Thread);
    yield* child.configure(space, image, "child", 1);
    yield* thread.configure(child, 1, 50);
    t.equal((yield* thread.status()).priority, 100);
    const bell = yield* cspace.make(Notification);
    const handle = yield* space.copy(1, bell, ["send"]);
    t.equal((yield* space.inspect(1)).handle, handle);
    t.equal((yield* space.inspect(1)).rights, Right.SEND);
    const there = yield* cspace.moveTo(bell, space, 2);
    t.equal((yield* space.inspect(2)).handle, there);
    yield* expectError(t, cspace.copy(bell), Err.BAD_CAP, "moved to another CNode");
    yield* space.delete(2);
    t.equal((yield* space.inspect(2)).handle, 0);
    const { free } = cspace.slots;
    yield* expectError(
      t,
      cspace.make({ ...Sealer, objectType: ObjectType.DEBUG }),
      Err.BAD_TYPE,
      "no such object",
    );
    t.equal(cspace.slots.free, free, "what failed took no slot");
    ran = true;
    return 0;
  });
  world.run();
  t.ok(ran);
  t.end();
});
