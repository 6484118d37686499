/** Memory as guests address it: what is mapped, for whom, and until when. */
import { Err, isMemoryFault, Method, ObjectType, Right, type Sys, USER_END } from "@capos/abi";
import {
  access,
  addressSpace,
  cnode,
  frame,
  type Os,
  pageTable,
  process,
  type Steps,
  start,
  untyped,
} from "@capos/libos";
import { revoke } from "./support/authority.js";
import {
  childEnded,
  ended,
  GuestTests,
  invoke,
  onCores,
  perform,
  type Role,
  same,
  spawn,
  spawnChild,
  truly,
} from "./support/kit.js";

const PAGE = 4096;
const READ_WRITE = Right.READ | Right.WRITE;

/** The address space of this process, once a test has made it; and the next address that no test has used. */
let space = 0;
let next = 2 ** 32;

/** Gives the process an address space, and room of its own for a test: tables for 2 MiB. */
function* room(os: Os): Steps<number> {
  if (space === 0) {
    space = yield* os.make(ObjectType.ADDRESS_SPACE);
    yield* process.use(os.sys, os.environment.process, space);
  }
  next += 2 ** 21;
  yield* cover(os, space, next);
  return next;
}

/** Makes the tables that are missing for an address. */
function* cover(os: Os, of: number, address: number): Steps<void> {
  for (;;) {
    const table = yield* os.make(ObjectType.PAGE_TABLE);
    const level = yield* invoke(os.sys, table, Method.PAGE_TABLE_MAP, of, address);
    if (level === Err.MAPPED) return yield* os.drop(table);
    truly(level > 0, `a table for ${address}: ${level}`);
  }
}

/** A frame, mapped to be read and written. */
function* mapped(os: Os, address: number, bits = 12, rights = READ_WRITE): Steps<number> {
  const made = yield* os.make(ObjectType.FRAME, bits);
  yield* frame.map(os.sys, made, space, address, rights);
  return made;
}

/** Why a load or store was refused, and where; or that it was not. */
function refusal(access: () => unknown): string {
  try {
    access();
    return "done";
  } catch (error) {
    if (!isMemoryFault(error)) throw error;
    return `${error.access} ${error.reason} ${error.address}`;
  }
}

const roles: Record<string, Role> = {
  *spaceless({ sys }) {
    return refusal(() => sys.load8(PAGE)) === `load no-space ${PAGE}` ? 0 : 1;
  },
  /** Counts in the word at an address, without a trap, until it is refused. */
  *counter({ sys, args }) {
    const address = Number(args[1]);
    sys.atomicStore(address + 4, 1);
    return refusal(() => count(sys, address)).endsWith(`not-mapped ${address}`) ? 0 : 1;
  },
  /** The same with a trap now and then. */
  *trappingCounter({ sys, args }) {
    const address = Number(args[1]);
    sys.atomicStore(address + 4, 1);
    try {
      for (let i = 0; ; i++) {
        sys.store32(address, sys.load32(address) + 1);
        if (i % 100 === 0) yield sys.nothing();
      }
    } catch (error) {
      return isMemoryFault(error) && error.reason === "not-mapped" ? 0 : 1;
    }
  },
  *pager(os) {
    yield* page(os, Number(os.args[1]));
    return 0;
  },
  /** Answers a number of faults with a word, and ends. */
  *refuser({ sys, handed, args }) {
    const [endpoint, of, made] = handed as [number, number, number];
    for (let n = Number(args[1]); n > 0; n--) {
      yield sys.recv(endpoint);
      const address = sys.words[2];
      if (args[2] === "dies") return 0;
      if (args[2] === "maps" && n === 1)
        yield* frame.map(sys, made, of, address - (address % PAGE), READ_WRITE);
      for (let i = 0; i < 64; i++) sys.words[i] = 99;
      sys.words[0] = args[2] === "maps" ? 0 : 1;
      yield sys.reply(64);
    }
    return 0;
  },
  /** Takes a frame from a message, maps it in an address space of its own, and says what is in it. */
  *receiver(os) {
    const { sys } = os;
    const own = yield* os.make(ObjectType.ADDRESS_SPACE);
    yield* process.use(sys, os.environment.process, own);
    const address = 2 ** 40;
    yield* cover(os, own, address);
    const window = os.slots.take();
    sys.receiveInto(window, 1);
    yield sys.recv(os.handed[0]);
    const given = sys.capability(0);
    yield* frame.map(sys, given, own, address, READ_WRITE);
    const found = sys.load32(address);
    sys.store32(address, found + 1);
    sys.words[0] = found;
    yield sys.reply(1, given);
    return found;
  },
};

/** A pager of few frames: what does not fit is kept in an array, as on a disk. */
function* page(os: Os, frames: number): Steps<void> {
  const { sys } = os;
  const [endpoint, of] = os.handed as [number, number];
  const window = Number(os.args[2]);
  const stored = new Map<number, number[]>();
  const held: { handle: number; page: number }[] = [];
  for (let i = 0; i < frames; i++) {
    const own = yield* os.make(ObjectType.FRAME, 12);
    yield* frame.map(sys, own, of, window + i * PAGE, READ_WRITE);
    held.push({ handle: yield* os.copy(own, Right.ALL), page: -1 });
  }
  for (let n = 0; ; n++) {
    yield sys.recv(endpoint);
    const address = sys.words[2];
    if (address < 0) return;
    const at = n % frames;
    const place = window + at * PAGE;
    // First nobody writes to it any more, then it is read.
    yield* frame.unmap(sys, held[at].handle);
    const words = Array.from({ length: PAGE / 4 }, (_, i) => sys.load32(place + i * 4));
    stored.set(held[at].page, words);
    const page = address - (address % PAGE);
    const wanted = stored.get(page);
    for (let i = 0; i < PAGE / 4; i++) sys.store32(place + i * 4, wanted?.[i] ?? 0);
    held[at].page = page;
    yield* frame.map(sys, held[at].handle, of, page, READ_WRITE);
    sys.words[0] = 0;
    yield sys.reply(1);
  }
}

function count(sys: Sys, address: number): void {
  [0].forEach(() => {
    for (;;) sys.store32(address, sys.load32(address) + 1);
  });
}

export const tests = new GuestTests();

tests.add("a process without an address space has no memory", function* (os) {
  const child = yield* spawnChild(os, "spaceless", []);
  same((yield* childEnded(os, child)).status, 0);
});

tests.add(
  "a page is mapped when the tables of three levels are there, and each says which it is",
  function* (os) {
    const { sys } = os;
    const own = yield* os.make(ObjectType.ADDRESS_SPACE);
    const made = yield* os.make(ObjectType.FRAME, 12);
    const address = 3 * 2 ** 39;
    for (const level of [3, 2, 1]) {
      same(yield* invoke(sys, made, Method.FRAME_MAP, own, address, READ_WRITE), Err.NO_TABLE, "without");
      same(sys.words[0], level, "the level that is missing");
      const table = yield* os.make(ObjectType.PAGE_TABLE);
      same(yield* invoke(sys, table, Method.PAGE_TABLE_MAP, own, address), 1);
      same(sys.words[0], level, "the level of the table");
      same(yield* invoke(sys, table, Method.PAGE_TABLE_MAP, own, 5 * 2 ** 39), Err.BUSY, "twice");
    }
    same(yield* invoke(sys, made, Method.FRAME_MAP, own, address, READ_WRITE), 0, "with all of them");
    const spare = yield* os.make(ObjectType.PAGE_TABLE);
    same(yield* invoke(sys, spare, Method.PAGE_TABLE_MAP, own, address), Err.MAPPED, "one more");
  },
);

tests.add(
  "what is stored is read, at each size, through each capability that maps the frame",
  function* (os) {
    const { sys } = os;
    const address = yield* room(os);
    const made = yield* mapped(os, address);
    const copy = yield* os.copy(made, Right.ALL);
    yield* frame.map(sys, copy, space, address + 16 * PAGE, Right.READ);
    const other = address + 16 * PAGE;
    same(sys.loadF64(address + 8), 0, "memory is zero at first");
    sys.store8(address + 1, 0x1ff);
    sys.store16(address + 2, 0x1abcd);
    sys.store32(address + 4, -5);
    sys.storeF64(address + 8, Math.PI);
    same([sys.load8(other), sys.load8(other + 1), sys.load16(other + 2)], [0, 0xff, 0xabcd]);
    same([sys.load32(other + 4), sys.loadF64(other + 8), sys.load32(other)], [-5, Math.PI, 0xabcdff00 | 0]);
    same(sys.atomicAdd(address + 16, 7), 0);
    same(sys.atomicOr(address + 16, 8), 7);
    same(sys.atomicAnd(address + 16, 12), 15);
    same(sys.atomicXor(address + 16, 1), 12);
    same(sys.atomicExchange(address + 16, 40), 13);
    same(sys.atomicCompareExchange(address + 16, 39, 50), 40);
    same(sys.atomicCompareExchange(address + 16, 40, 50), 40);
    same(sys.atomicStore(address + 16, 60), 50);
    same(sys.atomicLoad(other + 16), 60);
    same(
      refusal(() => sys.store8(other, 1)),
      `store not-allowed ${other}`,
    );
  },
);

tests.add(
  "no address but a whole number of the lower half is one, and numbers lie at multiples of their size",
  function* (os) {
    const { sys } = os;
    const address = yield* room(os);
    yield* mapped(os, address);
    sys.load8(address);
    const bad = [
      -1,
      -PAGE,
      -(2 ** 40),
      0.5,
      address + 0.25,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      USER_END,
    ];
    for (const at of bad) {
      same(
        refusal(() => sys.load8(at)),
        `load no-address ${at}`,
      );
      same(
        refusal(() => sys.store8(at, 1)),
        `store no-address ${at}`,
      );
      same(
        refusal(() => sys.atomicAdd(at, 1)),
        `store no-address ${at}`,
      );
    }
    for (const [size, load, store] of [
      [2, sys.load16, sys.store16],
      [4, sys.load32, sys.store32],
      [8, sys.loadF64, sys.storeF64],
      [4, sys.atomicLoad, sys.atomicStore],
    ] as const) {
      for (let off = 1; off < size; off++) {
        same(
          refusal(() => load(address + off)),
          `load unaligned ${address + off}`,
        );
        same(
          refusal(() => store(address + off, 1)),
          `store unaligned ${address + off}`,
        );
      }
      same(
        refusal(() => load(address - size)),
        `load not-mapped ${address - size}`,
      );
    }
    same(
      refusal(() => sys.load8(0)),
      "load not-mapped 0",
    );
    let asked = 0;
    const moving = { valueOf: () => (asked++ === 0 ? address : -1) };
    same(sys.load8(moving as never), 0, "an address is asked for once");
    same(asked, 1);
  },
);

tests.add(
  "a mapping gives no more than its capability, is never written and executed, and never at page 0",
  function* (os) {
    const { sys } = os;
    const address = yield* room(os);
    const made = yield* os.make(ObjectType.FRAME, 12);
    const map = (handle: number, at: number, rights: number) =>
      invoke(sys, handle, Method.FRAME_MAP, space, at, rights);
    for (const rights of [
      0,
      Right.WRITE,
      Right.EXECUTE,
      Right.READ | Right.WRITE | Right.EXECUTE,
      Right.READ | Right.MAP,
    ])
      same(yield* map(made, address, rights), Err.RANGE, `rights ${rights}`);
    for (const at of [0, 1, address + 1, address + 2048])
      same(yield* map(made, at, READ_WRITE), Err.RANGE, `address ${at}`);
    for (const at of [-1, USER_END, 2 ** 53, Number.NaN, 0.5])
      same(yield* map(made, at, READ_WRITE), Err.RANGE, `address ${at}`);
    const readable = yield* os.copy(made, Right.READ | Right.MAP);
    same(yield* map(readable, address, READ_WRITE), Err.DENIED, "to write");
    same(yield* map(readable, address, Right.READ | Right.EXECUTE), Err.DENIED, "to execute");
    same(yield* map(yield* os.copy(made, Right.READ), address, Right.READ), Err.DENIED, "without MAP");
    same(
      yield* invoke(sys, made, Method.FRAME_MAP, yield* os.copy(space, Right.READ), address, Right.READ),
      Err.DENIED,
    );
    same(yield* map(readable, address, Right.READ), 0);
    same(yield* invoke(sys, readable, Method.FRAME_PROTECT, READ_WRITE), Err.DENIED, "more afterwards");
  },
);

tests.add("one capability has one mapping, and an address one page", function* (os) {
  const { sys } = os;
  const address = yield* room(os);
  const made = yield* mapped(os, address);
  same(yield* invoke(sys, made, Method.FRAME_MAP, space, address + PAGE, READ_WRITE), Err.BUSY, "twice");
  const other = yield* os.make(ObjectType.FRAME, 13);
  same(yield* invoke(sys, other, Method.FRAME_MAP, space, address, READ_WRITE), Err.MAPPED, "over another");
  const info = yield* frame.info(sys, made);
  same([info.sizeBits, info.rights, info.address], [12, READ_WRITE, address]);
  yield* frame.unmap(sys, made);
  yield* frame.unmap(sys, made);
  same((yield* frame.info(sys, made)).address, null, "no address");
  yield* frame.map(sys, other, space, address, Right.READ);
  same(yield* invoke(sys, made, Method.FRAME_PROTECT, Right.READ), Err.NOT_FOUND, "what is not mapped");
});

tests.add("a mapping ends with its capability: unmapped, deleted, revoked", function* (os) {
  const { sys } = os;
  const address = yield* room(os);
  const made = yield* mapped(os, address);
  const copies = [
    yield* os.copy(made, Right.ALL),
    yield* os.copy(made, Right.ALL),
    yield* os.copy(made, Right.ALL),
  ];
  for (const [i, copy] of copies.entries()) {
    yield* frame.map(sys, copy, space, address + (i + 1) * PAGE, READ_WRITE);
    sys.store32(address + (i + 1) * PAGE, i);
  }
  yield* frame.unmap(sys, copies[0]);
  yield* os.drop(copies[1]);
  same(
    refusal(() => sys.load32(address + PAGE)),
    `load not-mapped ${address + PAGE}`,
  );
  same(
    refusal(() => sys.load32(address + 2 * PAGE)),
    `load not-mapped ${address + 2 * PAGE}`,
  );
  same(sys.load32(address + 3 * PAGE), 2, "the third");
  yield* revoke(os, made);
  same(
    refusal(() => sys.load32(address + 3 * PAGE)),
    `load not-mapped ${address + 3 * PAGE}`,
  );
  same(sys.load32(address), 2, "what they were derived from");
});

tests.add("a capability that moves within a process takes its mapping along", function* (os) {
  const { sys, environment } = os;
  const address = yield* room(os);
  const made = yield* mapped(os, address);
  const to = yield* cnode.move(sys, environment.cnode, os.slots.take(), made);
  sys.store32(address, 5);
  same((yield* frame.info(sys, to)).address, address);
  yield* frame.unmap(sys, to);
  same(
    refusal(() => sys.load32(address)),
    `load not-mapped ${address}`,
  );
});

tests.add("what a mapping allows is changed in place, with what the page holds", function* (os) {
  const { sys } = os;
  const address = yield* room(os);
  const made = yield* mapped(os, address);
  sys.store32(address, 9);
  yield* frame.protect(sys, made, Right.READ);
  same(
    refusal(() => sys.store32(address, 1)),
    `store not-allowed ${address}`,
  );
  same(sys.load32(address), 9);
  yield* frame.protect(sys, made, READ_WRITE);
  sys.store32(address, 10);
  same((yield* frame.info(sys, made)).rights, READ_WRITE);
  yield* frame.protect(sys, made, Right.READ | Right.EXECUTE);
  same((yield* addressSpace.query(sys, space, address)).rights, Right.READ | Right.EXECUTE);
});

tests.add("a large frame is mapped by large pages, and a part of it by itself", function* (os) {
  const { sys, environment } = os;
  yield* room(os);
  const address = 7 * 2 ** 30;
  yield* cover(os, space, address + 2 ** 22);
  const made = yield* mapped(os, address, 21);
  same((yield* addressSpace.query(sys, space, address + 12345)).pageBits, 21);
  sys.store32(address + 2 ** 21 - 4, 3);
  same(
    refusal(() => sys.load8(address + 2 ** 21)),
    `load not-mapped ${address + 2 ** 21}`,
  );
  const slot = os.slots.take();
  const part = (bits: number, offset: number) =>
    invoke(sys, made, Method.FRAME_PART, environment.cnode, slot, bits, offset);
  for (const [bits, offset] of [
    [12, 1],
    [13, PAGE],
    [12, 2 ** 21],
    [21, PAGE],
    [22, 0],
    [11, 0],
  ] as const)
    same(yield* part(bits, offset), Err.RANGE, `${bits} bits at ${offset}`);
  same(yield* part(12, 2 ** 21 - PAGE), 1);
  const last = sys.words[0];
  yield* frame.map(sys, last, space, address + 2 ** 22, READ_WRITE);
  same(sys.load32(address + 2 ** 22 + PAGE - 4), 3, "the same memory");
  yield* revoke(os, made);
  same(
    refusal(() => sys.load8(address + 2 ** 22)),
    `load not-mapped ${address + 2 ** 22}`,
  );
  same(sys.load32(address + 2 ** 21 - 4), 3, "the whole stays");
});

tests.add("frames are zeroed and copied whole", function* (os) {
  const { sys } = os;
  const address = yield* room(os);
  const one = yield* mapped(os, address, 16);
  const two = yield* mapped(os, address + 2 ** 16, 16);
  const small = yield* os.make(ObjectType.FRAME, 12);
  sys.fill(address, 0xa5, 2 ** 16);
  yield* frame.copy(sys, two, one);
  same(sys.compare(address, address + 2 ** 16, 2 ** 16), 0);
  yield* frame.zero(sys, one);
  same([sys.load32(address), sys.load32(address + 2 ** 16 - 4)], [0, 0]);
  same(sys.load32(address + 2 ** 17 - 4), 0xa5a5a5a5 | 0, "the copy");
  same(yield* invoke(sys, small, Method.FRAME_COPY, one), Err.RANGE, "of another size");
  same(yield* invoke(sys, yield* os.copy(one, Right.READ), Method.FRAME_ZERO), Err.DENIED, "to zero");
});

tests.add("ranges go over pages, overlap, and stop where nothing is mapped", function* (os) {
  const { sys } = os;
  const address = yield* room(os);
  yield* mapped(os, address, 13);
  for (let i = 0; i < 2 * PAGE; i++) sys.store8(address + i, i * 7);
  sys.copy(address + 5, address, 2 * PAGE - 5);
  for (const i of [0, 4090, 4091, 4096, 8186])
    same(sys.load8(address + 5 + i), (i * 7) & 255, `forward ${i}`);
  sys.copy(address, address + 5, 2 * PAGE - 5);
  for (const i of [0, 4090, 4091, 4096, 8186]) same(sys.load8(address + i), (i * 7) & 255, `backward ${i}`);
  const end = address + 2 * PAGE;
  same(
    refusal(() => sys.fill(end - 10, 1, 20)),
    `store not-mapped ${end}`,
  );
  same([sys.load8(end - 11), sys.load8(end - 10), sys.load8(end - 1)], [((2 * PAGE - 11) * 7) & 255, 1, 1]);
  same(
    refusal(() => sys.copy(address, end - 10, 20)),
    `load not-mapped ${end}`,
  );
  same(
    refusal(() => sys.compare(end - 10, address + 100, 20)),
    "done",
    "they differ before the end",
  );
  same(
    refusal(() => sys.crc32c(end - 10, 20)),
    `load not-mapped ${end}`,
  );
  same(sys.putText(address + PAGE - 3, "caf\u00e9 \u{1f600}"), 10);
  same(sys.text(address + PAGE - 3, 10), "caf\u00e9 \u{1f600}");
  same(sys.text(address + PAGE - 3, 4), "caf\ufffd");
  sys.putText(address, "123456789");
  same(sys.crc32c(address, 9), 0xe3069283);
  same(sys.crc32c(address + 4, 5, sys.crc32c(address, 4)), 0xe3069283, "in two parts");
  for (const [i, byte] of [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7].entries())
    sys.store8(address + i, byte);
  same(sys.sum16(address, 8), 0xddf2);
  for (const bytes of [-1, 0.5, Number.NaN]) {
    let refused = "";
    try {
      sys.fill(address, 0, bytes);
    } catch (error) {
      refused = (error as Error).name;
    }
    same(refused, "RangeError", `${bytes} bytes`);
  }
  sys.fill(-1, 0, 0);
});

tests.add("what was read and written is marked, until it is sampled", function* (os) {
  const { sys } = os;
  const address = yield* room(os);
  yield* mapped(os, address, 14);
  yield* frame.map(sys, yield* os.make(ObjectType.FRAME, 12), space, address + 40 * PAGE, READ_WRITE);
  sys.load8(address + PAGE);
  sys.store8(address + 2 * PAGE, 1);
  sys.store8(address + 40 * PAGE, 1);
  const sample = function* (clear: number) {
    const { accessedLow, accessedHigh, dirtyLow, dirtyHigh } = yield* addressSpace.sample(
      sys,
      space,
      address,
      64,
      clear,
    );
    return [accessedLow, accessedHigh, dirtyLow, dirtyHigh];
  };
  same(yield* sample(0), [6, 256, 4, 256]);
  same(yield* sample(1), [6, 256, 4, 256]);
  same(yield* sample(1), [0, 0, 0, 0]);
  sys.store8(address + 2 * PAGE, 1);
  sys.load8(address + 40 * PAGE);
  same(yield* sample(1), [4, 256, 4, 0], "what comes after is marked anew");
});

tests.add(
  "a table that is taken away takes what is mapped through it, and can be used again",
  function* (os) {
    const { sys } = os;
    const own = yield* room(os);
    truly(own > 0, "a space");
    const address = 11 * 2 ** 30;
    const tables = [yield* os.make(ObjectType.PAGE_TABLE), yield* os.make(ObjectType.PAGE_TABLE)];
    for (const table of tables) yield* pageTable.map(sys, table, space, address);
    const made = yield* mapped(os, address);
    sys.store32(address, 4);
    yield* pageTable.unmap(sys, tables[1]);
    same(
      refusal(() => sys.load32(address)),
      `load not-mapped ${address}`,
    );
    same((yield* frame.info(sys, made)).address, null);
    yield* frame.unmap(sys, made);
    same(yield* pageTable.map(sys, tables[1], space, address + 2 ** 21), 1, "elsewhere");
    yield* frame.map(sys, made, space, address + 2 ** 21, READ_WRITE);
    same(sys.load32(address + 2 ** 21), 4, "the frame has kept what it held");
    yield* os.drop(tables[0]);
    same(
      refusal(() => sys.load32(address + 2 ** 21)),
      `load not-mapped ${address + 2 ** 21}`,
    );
  },
);

onCores(tests, "after unmap has answered no store of any core lands", function* (os, other) {
  const { sys } = os;
  for (const role of ["counter", "trappingCounter"]) {
    // On this core it would run to its limit before anything is unmapped.
    if (role === "counter" && other === os.core) continue;
    const address = yield* room(os);
    const made = yield* mapped(os, address);
    const watch = yield* os.copy(made, Right.ALL);
    yield* frame.map(sys, watch, space, address + PAGE, Right.READ);
    const thread = yield* spawn(os, role, [], { core: other, args: [address], priority: 50 });
    while (sys.atomicLoad(address + PAGE + 4) === 0) yield sys.yield();
    for (let i = 0; i < 20; i++) yield sys.yield();
    yield* frame.unmap(sys, made);
    const last = sys.load32(address + PAGE);
    same(yield* ended(os, thread), [0], `the ${role} was refused`);
    same(sys.load32(address + PAGE), last, "nothing came after");
  }
});

onCores(
  tests,
  "a frame that is moved in a message is the receiver's alone, with what it holds",
  function* (os, other) {
    const { sys } = os;
    const address = yield* room(os);
    const made = yield* mapped(os, address);
    sys.store32(address, 77);
    const endpoint = yield* os.endpoint();
    const child = yield* spawnChild(os, "receiver", [endpoint], { core: other });
    const window = os.slots.take();
    sys.receiveInto(window, 1);
    same(yield sys.moved(sys.call(endpoint, 0, made), 0), 1);
    same(sys.words[0], 77, "what it found");
    same(
      refusal(() => sys.load32(address)),
      `load not-mapped ${address}`,
    );
    yield* frame.map(sys, sys.capability(0), space, address, READ_WRITE);
    sys.receiveInto(0, 0);
    same(sys.load32(address), 78, "what it left");
    same((yield* childEnded(os, child)).status, 77);
  },
);

onCores(
  tests,
  "a program runs to its end in fewer frames than it has pages, by its fault handler",
  function* (os, other) {
    const { sys, environment } = os;
    const address = yield* room(os);
    const endpoint = yield* os.endpoint();
    const lent = yield* os.copy(endpoint, Right.ALL);
    yield* process.faults(sys, environment.process, lent);
    const pages = 24;
    // The pager sees the frames through a window of its own.
    const pager = yield* spawn(os, "pager", [endpoint, space], {
      core: other,
      args: [5, address + 2 ** 20],
      slots: 40,
    });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < pages; i++) {
        const at = address + i * PAGE + 4 * i;
        yield* access(sys, () => sys.store32(at, sys.load32(at) + i + 1));
      }
    }
    let sum = 0;
    for (let i = 0; i < pages; i++) sum += yield* access(sys, () => sys.load32(address + i * PAGE + 4 * i));
    same(sum, pages * (pages + 1));
    sys.words[2] = -1;
    same(yield sys.send(endpoint, 3), 0);
    same(yield* ended(os, pager), [0]);
    yield* revoke(os, endpoint);
  },
);

onCores(
  tests,
  "a fault leaves the registers of its guest alone, whatever its handler answers",
  function* (os, other) {
    const { sys, environment } = os;
    const address = yield* room(os);
    const endpoint = yield* os.endpoint();
    yield* process.faults(sys, environment.process, yield* os.copy(endpoint, Right.ALL));
    const made = yield* os.make(ObjectType.FRAME, 12);
    const handler = yield* spawn(os, "refuser", [endpoint, space, made], { core: other, args: [3, "maps"] });
    for (let i = 0; i < 64; i++) sys.words[i] = i;
    const badge = sys.badge();
    same(yield* access(sys, () => sys.load32(address + 8)), 0, "after two answers that mapped nothing");
    for (let i = 0; i < 64; i++) same(sys.words[i], i, `word ${i}`);
    same(sys.badge(), badge);
    same(yield* ended(os, handler), [0]);
    yield* revoke(os, endpoint);
  },
);

onCores(
  tests,
  "a fault is an error of the guest's if its handler refuses, dies over it again and again, or is taken back",
  function* (os, other) {
    const { sys, environment } = os;
    const address = yield* room(os);
    const failed = function* () {
      try {
        yield* access(sys, () => sys.store8(address, 1));
        return "done";
      } catch (error) {
        return isMemoryFault(error) ? error.reason : `${error}`;
      }
    };
    same(yield sys.raiseFault(), Err.NOT_FOUND, "without a handler");
    sys.endFault();
    same(yield* failed(), "not-mapped", "without a handler");
    const endpoint = yield* os.endpoint();
    same(
      yield* invoke(sys, environment.process, Method.PROCESS_FAULTS, yield* os.copy(endpoint, Right.RECEIVE)),
      Err.DENIED,
      "a handler that cannot be called",
    );
    yield* process.faults(sys, environment.process, yield* os.copy(endpoint, Right.SEND));
    same(yield* invoke(sys, environment.process, Method.PROCESS_FAULTS, endpoint), Err.BUSY, "a second one");
    const refuser = yield* spawn(os, "refuser", [endpoint, 0, 0], { core: other, args: [1, "refuses"] });
    same(yield* failed(), "not-mapped", "refused");
    const dying = [];
    for (let i = 0; i < 9; i++)
      dying.push(yield* spawn(os, "refuser", [endpoint, 0, 0], { core: other, args: [1, "dies"] }));
    same(yield* failed(), "not-mapped", "after nine deaths");
    same((yield* ended(os, refuser, ...dying)).length, 10);
    yield* revoke(os, endpoint);
    same(yield* failed(), "not-mapped", "taken back");
  },
);

tests.add("a process whose address space is taken back has none, and can be given another", function* (os) {
  const { sys, environment } = os;
  const lent = yield* os.make(ObjectType.ADDRESS_SPACE);
  const address = yield* room(os);
  same(yield* invoke(sys, environment.process, Method.PROCESS_USE, lent), Err.BUSY, "a second one");
  yield* mapped(os, address);
  sys.store8(address, 6);
  yield* revoke(os, space);
  same(
    refusal(() => sys.load8(address)),
    `load no-space ${address}`,
  );
  yield* process.use(sys, environment.process, space);
  same(sys.load8(address), 6, "the same again");
});

tests.add("memory of an address space comes back when it is gone, mappings and all", function* (os) {
  const { sys, environment } = os;
  const block = yield* os.make(ObjectType.UNTYPED, 17);
  const { leftBytes } = yield* untyped.info(sys, block);
  for (let turn = 0; turn < 3; turn++) {
    const at = os.slots.take(8);
    const make = (type: number, bits: number, index: number) =>
      untyped.retype(sys, block, type, bits, 1, environment.cnode, at + index);
    const handleOf = function* (index: number) {
      return (yield* cnode.inspect(sys, environment.cnode, at + index)).handle;
    };
    yield* make(ObjectType.ADDRESS_SPACE, 0, 0);
    const own = yield* handleOf(0);
    for (let i = 1; i <= 3; i++) {
      yield* make(ObjectType.PAGE_TABLE, 0, i);
      yield* pageTable.map(sys, yield* handleOf(i), own, 2 ** 33);
    }
    yield* make(ObjectType.FRAME, 12, 4);
    const made = yield* handleOf(4);
    yield* frame.map(sys, made, own, 2 ** 33, READ_WRITE);
    // The space first: what was mapped in it is mapped nowhere.
    yield* os.drop(own);
    same((yield* frame.info(sys, made)).address, null);
    yield* revoke(os, block);
    same((yield* untyped.info(sys, block)).leftBytes, leftBytes, `turn ${turn}`);
    for (let i = 1; i < 8; i++) os.slots.give(at + i);
  }
});

export default function* main(sys: Sys): Steps<number> {
  return yield* perform(start(sys), tests, roles);
}
