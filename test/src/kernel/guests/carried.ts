/** Capabilities in messages: how many arrive, where, and what becomes of those that do not fit. */
import { handleIndex, ObjectType, Right, SlotState, type Sys } from "@capos/abi";
import { cnode, type Os, type Steps, start, untyped } from "@capos/libos";
import {
  drop,
  ended,
  GuestTests,
  onCores,
  perform,
  type Role,
  same,
  settled,
  spawn,
  truly,
} from "./support/kit.js";

const roles: Record<string, Role> = {
  /** Receives once into a window and reports count, arrivals and handles. The window is what the arguments say. */
  *taker(os) {
    const { sys, handed } = os;
    sys.receiveInto(Number(os.args[1]), Number(os.args[2]));
    const n = yield sys.recv(handed[0]);
    sys.words[1] = sys.words[0];
    sys.words[0] = n;
    sys.words[2] = sys.arrived();
    for (let i = 0; i < 4; i++) sys.words[3 + i] = sys.capability(i);
    yield sys.send(handed[1], 7);
    return 0;
  },

  /** As taker, with a call instead of a receive. */
  *asker(os) {
    const { sys, handed } = os;
    sys.receiveInto(Number(os.args[1]), Number(os.args[2]));
    sys.words[0] = 1;
    const n = yield sys.call(handed[0], 1);
    sys.words[1] = sys.words[0];
    sys.words[0] = n;
    sys.words[2] = sys.arrived();
    for (let i = 0; i < 4; i++) sys.words[3 + i] = sys.capability(i);
    yield sys.send(handed[1], 7);
    return 0;
  },

  /** Sends one word and the capabilities handed over after the endpoint. */
  *giver(os) {
    const { sys, handed } = os;
    sys.words[0] = 42;
    const [endpoint, ...gifts] = handed;
    return -(yield sys.send(endpoint!, 1, ...gifts));
  },

  /** Answers one call through the saved reply it was handed, with one capability. */
  *answerer(os) {
    const { sys, handed } = os;
    sys.words[0] = 43;
    return -(yield sys.replyTo(handed[0], 1, handed[1]));
  },
};

export const tests = new GuestTests();

const inspect = (os: Os, index: number) => cnode.inspect(os.sys, os.environment.cnode, index);

/** What a taker or asker reports. */
interface Taken {
  readonly count: number;
  readonly word: number;
  readonly arrived: number;
  readonly handles: readonly number[];
}

function* report(os: Os, back: number): Steps<Taken> {
  const { sys } = os;
  same(yield sys.recv(back), 7, "report");
  const { words } = sys;
  return {
    count: words[0],
    word: words[1],
    arrived: words[2],
    handles: [words[3], words[4], words[5], words[6]],
  };
}

/** How messages with capabilities travel: receiver first, sender first, as an answer, as an answer by a saved reply. */
const WAYS = ["to a waiting receiver", "from a queued sender", "with a reply", "with a saved reply"] as const;

/** Sends `gifts` to a window of another thread, one of the ways. */
function* pass(
  os: Os,
  way: (typeof WAYS)[number],
  core: number,
  window: number,
  count: number,
  gifts: readonly number[],
): Steps<Taken> {
  const endpoint = yield* os.endpoint();
  const back = yield* os.endpoint();
  const taken = yield* passBy(os, way, core, window, count, gifts, endpoint, back);
  yield* os.drop(endpoint);
  yield* os.drop(back);
  return taken;
}

function* passBy(
  os: Os,
  way: (typeof WAYS)[number],
  core: number,
  window: number,
  count: number,
  gifts: readonly number[],
  endpoint: number,
  back: number,
): Steps<Taken> {
  const { sys } = os;
  const answer = way === "with a reply" || way === "with a saved reply";
  if (way === "from a queued sender") {
    // The sender here, the receiver there: then the endpoint is at home with the sender.
    const giver = yield* spawn(os, "giver", [endpoint, ...gifts]);
    yield* settled(os, giver);
    const taker = yield* spawn(os, "taker", [endpoint, back], { core, args: [window, count] });
    const taken = yield* report(os, back);
    same(yield* ended(os, giver), [0], "the sender");
    yield* ended(os, taker);
    yield* drop(os, giver, taker);
    return taken;
  }
  const it = yield* spawn(os, answer ? "asker" : "taker", [endpoint, back], { core, args: [window, count] });
  yield* settled(os, it);
  sys.receiveInto(0, 0);
  sys.words[0] = 42;
  if (!answer) same(yield sys.send(endpoint, 1, ...gifts), 0, "send");
  else {
    same(yield sys.recv(endpoint), 1, "the call");
    sys.words[0] = 42;
    if (way === "with a reply") same(yield sys.reply(1, ...gifts), 0, "reply");
    else {
      const slot = os.slots.take();
      same(yield sys.saveReply(slot), 0, "save");
      same(yield sys.replyTo(sys.capability(0), 1, ...gifts), 0, "reply");
      os.slots.give(slot);
    }
  }
  const taken = yield* report(os, back);
  yield* ended(os, it);
  yield* drop(os, it);
  return taken;
}

/** A notification with a badge: a capability that can be told from others. */
function* token(os: Os, badge: number, rights: number = Right.ALL): Steps<number> {
  const plain = yield* os.notification();
  const minted = yield* os.copy(plain, rights, badge);
  yield* os.drop(plain);
  return minted;
}

for (const way of WAYS) {
  onCores(tests, `0 to 4 capabilities arrive in the window in order, ${way}`, function* (os, core) {
    for (let n = 0; n <= 4; n++) {
      const gifts: number[] = [];
      for (let i = 0; i < n; i++) gifts.push(yield* token(os, 100 + i, Right.SEND | Right.GRANT));
      const window = os.slots.take(4);
      const taken = yield* pass(os, way, core, window, 4, gifts);
      same([taken.count, taken.word, taken.arrived], [1, 42, n], "count, word, arrived");
      for (let i = 0; i < 4; i++) {
        const slot = yield* inspect(os, window + i);
        if (i >= n) truly(slot.state !== SlotState.LIVE, `slot ${i} is empty`);
        else {
          same(
            [slot.type, slot.badge, slot.rights],
            [ObjectType.NOTIFICATION, 100 + i, Right.SEND | Right.GRANT],
            `slot ${i}`,
          );
          same(taken.handles[i], slot.handle, `handle ${i}`);
        }
        yield* cnode.delete(os.sys, os.environment.cnode, window + i);
      }
      os.slots.give(window, 4);
      for (const gift of gifts) yield* os.drop(gift);
    }
  });

  onCores(
    tests,
    `what does not fit stops the rest and the message arrives all the same, ${way}`,
    function* (os, core) {
      const good = [yield* token(os, 1), yield* token(os, 2), yield* token(os, 3), yield* token(os, 4)];
      const fixed = yield* token(os, 5, Right.ALL & ~Right.GRANT);
      const dead = yield* token(os, 6);
      yield* os.drop(dead);
      const memory = os.slots.take();
      yield* untyped.retype(
        os.sys,
        os.environment.untyped,
        ObjectType.UNTYPED,
        6,
        1,
        os.environment.cnode,
        memory,
      );
      const bad = (yield* inspect(os, memory)).handle;
      const end = 1024;
      const free = os.slots.take(8);
      const occupied = handleIndex(good[0]);
      const tries: [string, number, number, number[], number][] = [
        ["deaf", 0, 0, good, 0],
        ["slot 0", 0, 4, good, 0],
        ["a window of 0", free, 0, good, 0],
        ["a small window", free, 2, good, 2],
        ["an occupied slot", occupied, 1, good, 0],
        ["a window past the end", end - 2, 4, good, 0],
        ["a window far past the end", 2 ** 30, 4, good, 0],
        ["a negative window", -5, 4, good, 0],
        ["no GRANT", free + 2, 4, [good[0], fixed, good[1]], 1],
        ["untyped memory", free + 3, 4, [good[0], good[1], bad, good[2]], 2],
        ["a dead handle", free + 5, 3, [dead, good[0]], 0],
        ["no handle", free + 5, 3, [Number.NaN, good[0]], 0],
        ["index 0", free + 5, 3, [7, good[0]], 0],
      ];
      for (const [what, window, count, gifts, arrived] of tries) {
        const taken = yield* pass(os, way, core, window, count, gifts);
        same([taken.count, taken.word, taken.arrived], [1, 42, arrived], what);
        for (let i = free; i < free + 8; i++) yield* cnode.delete(os.sys, os.environment.cnode, i);
      }
      same((yield* inspect(os, occupied)).badge, 1, "the occupied slot");
      same((yield* inspect(os, memory)).state, SlotState.LIVE, "the memory is still mine");
      os.slots.give(free, 8);
    },
  );
}

onCores(
  tests,
  "a window slot in the middle that is occupied keeps what came before it",
  function* (os, core) {
    const gifts = [yield* token(os, 1), yield* token(os, 2), yield* token(os, 3)];
    const window = os.slots.take(3);
    yield* cnode.copy(os.sys, os.environment.cnode, window + 1, gifts[2], Right.ALL);
    const taken = yield* pass(os, "to a waiting receiver", core, window, 3, gifts);
    same(taken.arrived, 1, "arrived");
    same([(yield* inspect(os, window)).badge, (yield* inspect(os, window + 1)).badge], [1, 3], "badges");
    truly((yield* inspect(os, window + 2)).state !== SlotState.LIVE, "the slot after it");
  },
);

onCores(
  tests,
  "a caller on this core that is deaf gets nothing by a saved reply that another core uses",
  function* (os, core) {
    const { sys } = os;
    const endpoint = yield* os.endpoint();
    const back = yield* os.endpoint();
    const gift = yield* token(os, 9);
    const window = os.slots.take(4);
    for (const [first, count, arrived] of [
      [window, 4, 1],
      [0, 0, 0],
      [window + 1, 1, 1],
    ] as const) {
      const it = yield* spawn(os, "asker", [endpoint, back], { args: [first, count] });
      yield* settled(os, it);
      sys.receiveInto(0, 0);
      yield sys.recv(endpoint);
      const slot = os.slots.take();
      yield sys.saveReply(slot);
      const answerer = yield* spawn(os, "answerer", [sys.capability(0), gift], { core });
      const taken = yield* report(os, back);
      same([taken.word, taken.arrived], [43, arrived], "word and arrived");
      if (arrived > 0) same(handleIndex(taken.handles[0]), first, "where");
      yield* ended(os, it, answerer);
      yield* drop(os, it, answerer);
    }
  },
);

onCores(tests, "a receive slot is free again once it was emptied", function* (os, core) {
  const gift = yield* token(os, 7);
  const window = os.slots.take();
  const handles = new Set<number>();
  for (let i = 0; i < 8; i++) {
    const taken = yield* pass(os, "to a waiting receiver", core, window, 1, [gift]);
    same(taken.arrived, 1, `round ${i}`);
    handles.add(taken.handles[0]);
    yield* cnode.delete(os.sys, os.environment.cnode, window);
  }
  same(handles.size, 8, "no handle is ever used twice");
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
