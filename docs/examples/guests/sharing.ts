/** Memory of two processes on two cores: a ring that both have mapped, and a buffer of 1 MiB that one of them has at a time. */
import {
  array,
  type Capability,
  capability,
  channel,
  Endpoint,
  endProcess,
  Frame,
  isMemoryFault,
  type Os,
  protocol,
  type Region,
  type Steps,
  type Sys,
  spawnProcess,
  start,
  struct,
  u32,
  waitForProcess,
} from "capos/guest";

const BUFFER_BYTES = 2 ** 20;
const PAGE_BYTES = 4096;
const ROUNDS = 3;

/** What is said of each page, through shared memory. */
const Reports = channel(struct({ page: u32, numbers: array(u32, 2) }));

/** How the buffer changes hands: its frame's capability is moved, its bytes are not. */
const Desk = protocol("desk", {
  give: { request: { frame: capability }, reply: {} },
  take: { request: {}, reply: { frame: capability } },
});

type Buffer = Region<Capability<typeof Frame, "map" | "grant">>;

/** Serves until the buffer was given, and answers its frame; or until it was taken. */
function* exchange(os: Os, endpoint: number, frame = 0): Steps<number> {
  const handlers = {
    give(request: { frame: number }, context: { end(): void }) {
      frame = request.frame;
      context.end();
    },
    take(_: object, context: { end(): void }) {
      context.end();
      return { frame: { capability: frame, move: true } };
    },
  };
  yield* Desk.serve(os.sys, endpoint, handlers, { slots: os.slots });
  return frame;
}

/** Is given the buffer, adds one to the number at the beginning of each page, reports that, and is asked for the buffer. */
function* worker(os: Os) {
  const { sys, cspace, handed } = os;
  const memory = yield* os.memorySpace();
  const reports = yield* Reports.attachSender(memory, handed.slice(0, 3));
  const endpoint = handed[3]!;
  for (let round = 0; round < ROUNDS; round++) {
    const frame = yield* exchange(os, endpoint);
    const buffer = yield* memory.map(cspace.as(Frame, frame, ["map"]));
    for (let page = 0; page < buffer.bytes / PAGE_BYTES; page++) {
      const at = buffer.address + page * PAGE_BYTES;
      const before = sys.atomicAdd(at, 1);
      yield* reports.send({ page, numbers: [before, sys.load32(at)] });
    }
    yield* buffer.unmap();
    yield* exchange(os, endpoint, frame);
  }
  yield* reports.close();
  return 0;
}

/** What comes of a load. */
function loaded(sys: Sys, address: number): string {
  try {
    return `${sys.load32(address)}`;
  } catch (error) {
    if (!isMemoryFault(error)) throw error;
    return error.reason;
  }
}

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.name === "worker") return yield* worker(os);
  const { cspace } = os;

  const memory = yield* os.memorySpace();
  const { end: reports, peer } = yield* Reports.makeReceiver(memory, 64);
  const endpoint = yield* cspace.make(Endpoint);
  const other = yield* spawnProcess(os, {
    name: "worker",
    core: (os.core + 1) % os.cores,
    gifts: [...peer, endpoint],
    memoryBits: 18,
  });
  // Without this the end of a worker that fails would be waited for in vain.
  yield* reports.watch(other.process);
  const desk = Desk.client(sys, endpoint, os.slots);

  let buffer: Buffer = yield* memory.allocate(BUFFER_BYTES);
  for (let round = 1; round <= ROUNDS; round++) {
    yield* desk.give({ frame: { capability: buffer.frame, move: true } });
    const lost = loaded(sys, buffer.address);
    yield* buffer.unmap();

    // While the worker goes on: as many as there are by now.
    let reported = 0;
    for (let pages = 0; pages < BUFFER_BYTES / PAGE_BYTES; )
      for (const { numbers } of yield* reports.receiveAll()) {
        reported += numbers[1]!;
        pages++;
      }

    const { frame } = yield* desk.take();
    buffer = yield* memory.map(cspace.as(Frame, frame, ["map", "grant"]));
    let found = 0;
    for (let at = buffer.address; at < buffer.address + buffer.bytes; at += PAGE_BYTES)
      found += sys.load32(at);
    yield* os.print(`round ${round}: ${lost} when it was given, ${reported} reported, ${found} found`);
  }
  yield* os.print(`the ring's end: ${yield* reports.receive()}`);
  yield* waitForProcess(os, other);
  yield* endProcess(os, other);
  return 0;
}
