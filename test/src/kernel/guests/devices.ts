/** Serial devices and their interrupts against every bad argument. Runs as init: nobody else holds them. */
import { Err, InitSlot, InitWord, Method, makeHandle, ObjectType, Right, type Sys } from "@capos/abi";
import { debug, type Steps } from "@capos/libos";
import { GuestTests, invoke, same } from "./support/kit.js";

const PORT = 3;
const FREE = InitSlot.FIRST_FREE;
const JUNK = [-1, 0.5, Number.NaN, 2 ** 31, 2 ** 32, 1e300, Number.NEGATIVE_INFINITY];

interface Machine {
  readonly sys: Sys;
  readonly port: number;
  readonly irq: number;
  readonly cnode: number;
  readonly notification: number;
  readonly endpoint: number;
  /** A copy of a capability of its own, without a right. */
  without(handle: number, right: number): Steps<number>;
}

export const tests = new GuestTests<Machine>();

tests.add("a port is read and written with the right to", function* (m) {
  const { sys } = m;
  same(
    yield* invoke(sys, yield* m.without(m.port, Right.WRITE), Method.PORT_WRITE, 1, 65),
    Err.DENIED,
    "write",
  );
  same(yield* invoke(sys, yield* m.without(m.port, Right.READ), Method.PORT_READ), Err.DENIED, "read");
  same(yield* invoke(sys, m.port, Method.PORT_READ), 1, "read");
  same(sys.words[0], 0, "nothing has come");
});

tests.add("a port refuses counts that are none, too large, or not in the message", function* (m) {
  const { sys } = m;
  for (const count of [...JUNK, 373, 7, 2 ** 20]) {
    same(yield* invoke(sys, m.port, Method.PORT_WRITE, count, 1), Err.RANGE, `${count} bytes in one word`);
    same([sys.words[0], sys.words[1]], [0, 372], "the permitted range");
  }
  same(yield* invoke(sys, m.port, Method.PORT_WRITE, 0), 1, "no bytes");
  same(sys.words[0], 0, "taken");
  same(yield* invoke(sys, m.port, Method.PORT_WRITE, 6, 0x0a4b_4b4b_4b4b), 1, "six bytes");
  same(sys.words[0], 6, "taken");
  const full = Array.from({ length: 62 }, () => 0x4141_4141_4141);
  same(yield* invoke(sys, m.port, Method.PORT_WRITE, 372, ...full), 1, "the most that fits");
  same(sys.words[0], 372, "taken");
  // What is no six bytes counts as zeros.
  for (const word of JUNK) same(yield* invoke(sys, m.port, Method.PORT_WRITE, 6, word), 1, `word ${word}`);
});

tests.add("an interrupt is bound to a notification that may be signalled", function* (m) {
  const { sys } = m;
  for (const handle of [0, 1, ...JUNK])
    same(yield* invoke(sys, m.irq, Method.IRQ_BIND, handle), Err.BAD_CAP, `handle ${handle}`);
  same(yield* invoke(sys, m.irq, Method.IRQ_BIND, m.endpoint), Err.BAD_TYPE, "an endpoint");
  same(yield* invoke(sys, m.irq, Method.IRQ_BIND, m.port), Err.BAD_TYPE, "a port");
  same(
    yield* invoke(sys, m.irq, Method.IRQ_BIND, yield* m.without(m.notification, Right.SEND)),
    Err.DENIED,
    "without SEND",
  );
  same(yield* invoke(sys, m.irq, Method.IRQ_BIND, m.notification), 0, "bind");
});

tests.add("devices answer UNSUPPORTED to what they do not know, and BAD_TYPE to other traps", function* (m) {
  const { sys } = m;
  for (const handle of [m.port, m.irq]) {
    for (const method of [...JUNK, 0, 1, 0x4f, 0x51, 0x5f, 0x62, Method.CNODE_COPY, Method.DEBUG_PANIC]) {
      same(yield* invoke(sys, handle, method, 1, 1), Err.UNSUPPORTED, `method ${method}`);
    }
    for (const trap of [
      sys.send,
      sys.recv,
      sys.nbSend,
      sys.nbRecv,
      sys.replyRecv,
      sys.notify,
      sys.wait,
      sys.poll,
    ]) {
      same(yield trap(handle), Err.BAD_TYPE, "trap");
    }
  }
});

export default function* main(sys: Sys): Steps<number> {
  const generation = sys.words[InitWord.GENERATION];
  const slot = (index: number) => makeHandle(index, generation);
  const cnode = slot(InitSlot.CNODE);
  let free: number = FREE;
  function* make(type: ObjectType): Steps<number> {
    // The smallest block: there is room for two.
    same(
      yield* invoke(sys, slot(InitSlot.UNTYPED), Method.UNTYPED_RETYPE, type, 0, 1, cnode, free),
      0,
      "retype",
    );
    return slot(free++);
  }
  const machine: Machine = {
    sys,
    cnode,
    port: slot(InitSlot.IO_PORT + PORT),
    irq: slot(InitSlot.IRQ_HANDLER + PORT),
    notification: yield* make(ObjectType.NOTIFICATION),
    endpoint: yield* make(ObjectType.ENDPOINT),
    *without(handle, right) {
      same(yield* invoke(sys, cnode, Method.CNODE_COPY, free++, handle, Right.ALL & ~right), 1, "copy");
      return sys.words[0];
    },
  };
  for (const name of tests.names)
    yield* debug.print(sys, slot(InitSlot.DEBUG), yield* tests.run(name, machine));
  return 0;
}
