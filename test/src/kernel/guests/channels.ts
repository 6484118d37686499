/** Channels between threads and processes, on one core and across cores. */
import { LifeState, type Sys } from "@capos/abi";
import {
  array,
  byteChannel,
  type ChannelError,
  channel,
  Frame,
  f64,
  type Os,
  type Steps,
  start,
  struct,
  u16,
  u32,
} from "@capos/libos";
import {
  type Child,
  childEnded,
  GuestTests,
  onCores,
  perform,
  process,
  type Role,
  same,
  spawnChild,
  truly,
} from "./support/kit.js";

const Samples = channel(struct({ number: u32, half: f64, tail: array(u16, 3) }));
const Others = channel(struct({ number: u32, half: f64, tail: array(u16, 4) }));
const Lines = byteChannel(100);

const sample = (number: number) => ({ number, half: number / 2, tail: [number & 0xff, 1, 2] });

const roles: Record<string, Role> = {
  /** Receives so many samples, one by one or as many as there are, and answers on the other channel with their sum at the end. */
  *summer(os) {
    const memory = yield* os.memorySpace();
    const samples = yield* Samples.attachReceiver(memory, os.handed.slice(0, 3));
    const answers = yield* Samples.attachSender(memory, os.handed.slice(3, 6));
    let wanted = 0;
    let sum = 0;
    for (;;) {
      const many = os.args[1] === "all" ? yield* samples.receiveAll() : [yield* samples.receive()];
      if (many.length === 0 || many[0] === null) break;
      for (const one of many) {
        if (
          one!.number !== wanted++ ||
          one!.half !== one!.number / 2 ||
          one!.tail[0] !== (one!.number & 0xff)
        )
          return 9;
        sum += one!.half;
      }
    }
    yield* answers.send({ number: wanted, half: sum, tail: [0, 0, 0] });
    yield* answers.close();
    yield* samples.free();
    return 0;
  },
  /** Echoes lines until the end. */
  *echo(os) {
    const memory = yield* os.memorySpace();
    const lines = yield* Lines.attachReceiver(memory, os.handed.slice(0, 3));
    const back = yield* Lines.attachSender(memory, os.handed.slice(3, 6));
    const buffer = yield* memory.allocate(100);
    for (;;) {
      const bytes = yield* lines.receive(buffer.address);
      if (bytes < 0) break;
      yield* back.send(buffer.address, bytes);
    }
    yield* back.close();
    return 0;
  },
  /** Attaches with another declaration. */
  *stranger(os) {
    const memory = yield* os.memorySpace();
    return yield* trouble(() => Others.attachReceiver(memory, os.handed));
  },
  /** Sends some samples and ends without a word. */
  *mortal(os) {
    const memory = yield* os.memorySpace();
    const samples = yield* Samples.attachSender(memory, os.handed);
    for (let i = 0; i < 3; i++) yield* samples.send(sample(i));
    return 0;
  },
  /** Waits for what never comes: its peer ends, or is done. */
  *patient(os) {
    const memory = yield* os.memorySpace();
    const samples = yield* Samples.attachReceiver(memory, os.handed);
    let code = 0;
    try {
      while ((yield* samples.receive()) !== null) code++;
    } catch (error) {
      return 100 - ((error as { code?: number }).code ?? 0);
    }
    return code;
  },
  /** Stores all kinds of things everywhere in the frame, and signals all the time. */
  *vandal(os) {
    const { sys } = os;
    const memory = yield* os.memorySpace();
    const region = yield* memory.map(os.cspace.as(Frame, os.handed[0]!, ["read", "write", "map"]));
    let seed = Number(os.args[1]);
    for (;;) {
      for (let i = 0; i < 500; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
        const at = (seed >>> 8) % 3 === 0 ? (seed >>> 10) % (region.bytes / 4) : ((seed >>> 10) % 64) & ~15;
        sys.store32(region.address + at * 4, (seed & 64) === 0 ? seed % 40 : seed);
      }
      yield sys.notify(os.handed[1]!);
      yield sys.yield();
    }
  },
};

/** How a channel fails: 1 closed, 2 ended, 3 broken; 0 if it does not. */
function* trouble(act: () => Steps<unknown>): Steps<number> {
  try {
    yield* act();
  } catch (error) {
    const index = ["closed", "ended", "broken"].indexOf((error as ChannelError).trouble);
    if (index < 0) throw error;
    return index + 1;
  }
  return 0;
}

function* child(
  os: Os,
  role: string,
  handed: readonly { handle: number }[],
  core: number,
  ...args: string[]
): Steps<Child> {
  const handles = handed.map(({ handle }) => handle);
  return yield* spawnChild(os, role, handles, { core, args });
}

export const tests = new GuestTests();

for (const how of ["one", "all"])
  onCores(
    tests,
    `samples arrive in order, none lost and none twice, received ${how} at a time`,
    function* (os, core) {
      const memory = yield* os.memorySpace();
      const there = yield* Samples.makeSender(memory, 8);
      const back = yield* Samples.makeReceiver(memory, 1);
      const summer = yield* child(os, "summer", [...there.peer, ...back.peer], core, how);
      const count = 2000;
      let sent = 0;
      while (sent < count) {
        // Alone, and several together: more than there is room for.
        const many = 1 + (sent % 7 === 0 ? (sent * 13) % 200 : 0);
        if (many === 1) yield* there.end.send(sample(sent));
        else yield* there.end.sendAll(Array.from({ length: many }, (_, i) => sample(sent + i)));
        sent += many;
      }
      yield* there.end.close();
      const answer = yield* back.end.receive();
      same(answer?.number, sent);
      same(answer?.half, (sent * (sent - 1)) / 4);
      same(yield* back.end.receive(), null, "the end");
      same((yield* childEnded(os, summer)).status, 0);
      for (const one of [there, back]) yield* one.end.free();
    },
  );

onCores(tests, "bytes come back as they were sent, none to a hundred of them", function* (os, core) {
  const { sys } = os;
  const memory = yield* os.memorySpace();
  const there = yield* Lines.makeSender(memory, 3);
  const back = yield* Lines.makeReceiver(memory, 3);
  const echo = yield* child(os, "echo", [...there.peer, ...back.peer], core);
  const buffer = yield* memory.allocate(4096);
  for (let bytes = 0; bytes <= 100; bytes++) {
    for (let i = 0; i < bytes; i++) sys.store8(buffer.address + i, bytes + i);
    yield* there.end.send(buffer.address, bytes);
    same(yield* back.end.receive(buffer.address + 1024), bytes);
    same(sys.compare(buffer.address, buffer.address + 1024, bytes), 0, `${bytes} bytes`);
  }
  let refused = 0;
  for (const bytes of [-1, 101, 0.5, Number.NaN]) {
    try {
      there.end.put(buffer.address, bytes);
    } catch {
      refused++;
    }
  }
  same(refused, 4);
  yield* there.end.close();
  same(yield* back.end.receive(buffer.address), -1);
  same((yield* childEnded(os, echo)).status, 0);
  for (const one of [there.end, back.end, buffer]) yield* one.free();
});

tests.add("a side that declares other messages is told so when it attaches", function* (os) {
  const memory = yield* os.memorySpace();
  const made = yield* Samples.makeSender(memory, 4);
  same((yield* childEnded(os, yield* child(os, "stranger", made.peer, os.core))).status, 3);
  yield* made.end.free();
});

onCores(
  tests,
  "a receiver that watches its sender gets what was sent, and then learns that it has ended",
  function* (os, core) {
    const memory = yield* os.memorySpace();
    const made = yield* Samples.makeReceiver(memory, 8);
    const mortal = yield* child(os, "mortal", made.peer, core);
    yield* made.end.watch(mortal.process);
    for (let i = 0; i < 3; i++) same((yield* made.end.receive())?.number, i);
    same(yield* trouble(() => made.end.receive()), 2);
    same(yield* trouble(() => made.end.receive()), 2, "again");
    yield* made.end.free();
  },
);

onCores(
  tests,
  "a sender that watches a receiver that has ended learns it when there is no room",
  function* (os, core) {
    const memory = yield* os.memorySpace();
    const made = yield* Samples.makeSender(memory, 8);
    const patient = yield* child(os, "patient", made.peer, core);
    yield* made.end.watch(patient.process);
    yield* process.kill(os.sys, patient.process);
    same(
      yield* trouble(function* () {
        for (;;) yield* made.end.send(sample(0));
      }),
      2,
    );
    yield* made.end.free();
  },
);

onCores(
  tests,
  "who waits at a channel whose maker takes it down gets the end, or an error",
  function* (os, core) {
    const memory = yield* os.memorySpace();
    const made = yield* Samples.makeSender(memory, 8);
    const patient = yield* child(os, "patient", made.peer, core);
    yield* made.end.send(sample(1));
    // Until it has taken that; then it waits, or is about to.
    while (made.end.count() < made.end.size) yield os.sys.yield();
    yield* made.end.free();
    const { state, status } = yield* childEnded(os, patient);
    truly(state === LifeState.EXITED && (status === 1 || status >= 100), `it ended with ${status}`);
  },
);

onCores(
  tests,
  "a closed channel refuses what would be sent, and gives its end to who receives",
  function* (os, core) {
    const memory = yield* os.memorySpace();
    const made = yield* Samples.makeSender(memory, 8);
    const patient = yield* child(os, "patient", made.peer, core);
    yield* made.end.send(sample(1));
    yield* made.end.close();
    yield* made.end.close();
    same(yield* trouble(() => made.end.send(sample(1))), 1);
    same((yield* childEnded(os, patient)).status, 1);
    yield* made.end.free();
  },
);

onCores(
  tests,
  "a peer that stores whatever it likes whenever it likes gets its channel refused, and harms nobody",
  function* (os, core) {
    const memory = yield* os.memorySpace();
    const guard = yield* memory.allocate(4096);
    os.sys.fill(guard.address, 0x5a, 4096);
    for (const isSender of [true, false])
      for (let seed = 1; seed <= 4; seed++) {
        const made = isSender ? yield* Samples.makeSender(memory, 8) : yield* Samples.makeReceiver(memory, 8);
        const vandal = yield* child(os, "vandal", made.peer, core, String(seed));
        const found = yield* trouble(function* () {
          for (let n = 0; n < 20_000; n++)
            if ("send" in made.end) yield* made.end.send(sample(n));
            else yield* made.end.receive();
        });
        // Closed if it stored the end's flag, broken if it stored an index that cannot be.
        truly(found === 1 || found === 3 || !isSender, `trouble ${found}`);
        yield* process.kill(os.sys, vandal.process);
        yield* made.end.free();
      }
    for (let i = 0; i < 4096; i += 4) same(os.sys.load32(guard.address + i), 0x5a5a5a5a);
    yield* guard.free();
  },
);

tests.add("a channel that was freed leaves nothing behind", function* (os) {
  const memory = yield* os.memorySpace();
  const round = function* () {
    const made = yield* Samples.makeSender(memory, 100);
    same(made.end.size >= 100, true);
    yield* made.end.free();
    const dropped = yield* Samples.makeReceiver(memory, 100);
    for (const one of dropped.peer) yield* os.cspace.drop(one);
    yield* dropped.end.free();
  };
  yield* round();
  const free = os.slots.free;
  for (let i = 0; i < 50; i++) yield* round();
  same(os.slots.free, free);
});

export default function* main(sys: Sys) {
  return yield* perform(start(sys), tests, roles);
}
