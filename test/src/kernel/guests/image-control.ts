/** Images as init takes them from the store. Runs as init; the host has loaded images 1 and 2 and let go of 2. */
import { Err, InitSlot, InitWord, Method, makeHandle, ObjectType, Right, type Sys } from "@capos/abi";
import { debug, port, type Steps } from "@capos/libos";
import { GuestTests, invoke, same } from "./support/kit.js";

const FREE = InitSlot.FIRST_FREE;
const GONE = 2;
const JUNK = [-1, 0.5, Number.NaN, 2 ** 31, 2 ** 32, 1e300, 3, 252];

interface Store {
  readonly sys: Sys;
  readonly cnode: number;
  readonly control: number;
  /** Takes image `number` into a slot; gives what that answers. */
  take(number: number, slot: number, control?: number): Steps<number>;
  remove(slot: number): Steps<void>;
  /** Type of what a slot holds. */
  typeIn(slot: number): Steps<number>;
  /** Tells the host something and goes on when it has done what it does then. */
  tell(text: string): Steps<void>;
}

export const tests = new GuestTests<Store>();

tests.add(
  "an image is taken by its number into an empty slot, any number of times",
  function* ({ sys, take, remove, typeIn }) {
    for (const slot of [FREE, FREE + 1]) {
      same(yield* take(1, slot), 1, "take");
      same(sys.words[0] >= slot * 2 ** 32, true, "its handle");
      same(yield* typeIn(slot), ObjectType.IMAGE, "its type");
    }
    same(yield* take(1, FREE), Err.SLOT_OCCUPIED, "into a slot that is not empty");
    for (const slot of [FREE, FREE + 1]) yield* remove(slot);
  },
);

tests.add("no other number, slot, CNode or capability will do", function* ({ sys, cnode, control, take }) {
  for (const number of [...JUNK, GONE]) same(yield* take(number, FREE), Err.NOT_FOUND, `image ${number}`);
  for (const slot of [...JUNK.slice(0, 6), 0, 4096]) same(yield* take(1, slot), Err.RANGE, `slot ${slot}`);
  for (const handle of [0, ...JUNK]) {
    const answer = yield* invoke(sys, control, Method.IMAGE_CONTROL_TAKE, 1, handle, FREE);
    same(answer, Err.BAD_CAP, `CNode ${handle}`);
  }
  same(yield* invoke(sys, control, Method.IMAGE_CONTROL_TAKE, 1, control, FREE), Err.BAD_TYPE, "no CNode");
  for (const method of [...JUNK, 0, Method.IMAGE_CONTROL_TAKE + 1, Method.UNTYPED_RETYPE])
    same(yield* invoke(sys, control, method, 1, cnode, FREE), Err.UNSUPPORTED, `method ${method}`);
  yield* invoke(sys, cnode, Method.CNODE_COPY, FREE, control, Right.ALL & ~Right.WRITE);
  const read = sys.words[0];
  same(yield* take(1, FREE + 1, read), Err.DENIED, "without WRITE");
  yield* invoke(sys, cnode, Method.CNODE_DELETE, FREE);
});

tests.add(
  "an image whose last capability is gone is taken anew as long as the host holds it",
  function* ({ take, remove }) {
    for (let round = 0; round < 100; round++) {
      same(yield* take(1, FREE), 1, "take");
      yield* remove(FREE);
    }
  },
);

tests.add(
  "an image that the host let go of is there until its last capability is gone",
  function* ({ take, remove, tell }) {
    same(yield* take(1, FREE), 1, "take");
    yield* tell("let go of 1");
    same(yield* take(1, FREE + 1), 1, "while there is one");
    yield* remove(FREE);
    same(yield* take(1, FREE), 1, "while there is one");
    for (const slot of [FREE, FREE + 1]) yield* remove(slot);
    same(yield* take(1, FREE), Err.NOT_FOUND, "when there is none");
    yield* tell("load 3");
    same(yield* take(1, FREE), Err.NOT_FOUND, "by a number that was used once");
    same(yield* take(3, FREE), 1, "the one that has its place");
  },
);

tests.add(
  "images that were taken through a capability to the store end with it",
  function* ({ sys, cnode, control, take, typeIn }) {
    yield* invoke(sys, cnode, Method.CNODE_COPY, FREE + 1, control, Right.ALL);
    const lent = sys.words[0];
    same(yield* take(3, FREE + 2, lent), 1, "take");
    same(yield* invoke(sys, cnode, Method.CNODE_REVOKE, control), 0, "revoke");
    same(yield* typeIn(FREE + 2), ObjectType.NONE, "the image");
    same(yield* take(3, FREE + 3, lent), Err.BAD_CAP, "the copy");
    same(yield* take(3, FREE + 3), 1, "the one that was revoked");
  },
);

export default function* main(sys: Sys): Steps<number> {
  const at = (slot: number) => makeHandle(slot, sys.words[InitWord.GENERATION]);
  const [cnode, control, log, device] = [
    at(InitSlot.CNODE),
    at(InitSlot.IMAGE_CONTROL),
    at(InitSlot.DEBUG),
    at(InitSlot.IO_PORT + 3),
  ];
  const store: Store = {
    sys,
    cnode,
    control,
    take: (number, slot, by = control) => invoke(sys, by, Method.IMAGE_CONTROL_TAKE, number, cnode, slot),
    *remove(slot) {
      same(yield* invoke(sys, cnode, Method.CNODE_DELETE, slot), 0, "delete");
    },
    *typeIn(slot) {
      yield* invoke(sys, cnode, Method.CNODE_INSPECT, slot);
      return sys.words[0];
    },
    *tell(text) {
      yield* debug.print(sys, log, text);
      while ((yield* port.read(sys, device))?.length === 0) yield sys.yield();
    },
  };
  for (const name of tests.names) yield* debug.print(sys, log, yield* tests.run(name, store));
  return 0;
}
