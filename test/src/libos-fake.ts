/**
 * A fake kernel for the guest library's tests: endpoints, replies, slots and as much of the kernel
 * objects as the library touches, all in one small trampoline.
 *
 * It runs each thread until it blocks, one after the other; it has no cores, rights or memory.
 */
import {
  Err,
  handleIndex,
  LifeState,
  MAX_MESSAGE_WORDS,
  Method,
  makeHandle,
  ObjectType,
  type Sys,
} from "@capos/abi";

type Guest = (sys: Sys) => Generator<number, unknown, number>;
/** A kernel object: gets the caller's words, leaves the answer there, gives the trap's answer. */
export type Invoked = (caller: FakeThread, words: Float64Array) => number;

export class Endpoint {
  readonly type = ObjectType.ENDPOINT;
  senders: FakeThread[] = [];
  receivers: FakeThread[] = [];
}

interface Capability {
  object: Endpoint | Invoked | FakeThread;
  badge: number;
  generation: number;
}

export type CSpace = Map<number, Capability>;

/** One thread: its registers, its generator and what it waits with. */
export class FakeThread implements Sys {
  readonly words = new Float64Array(MAX_MESSAGE_WORDS);
  startWords = 0;
  /** Made when it first runs: a test may fill its CSpace before. */
  guest: Generator<number, unknown, number> | undefined;
  answer = 0;
  /** What it returned or threw. */
  ended: { value: unknown } | { error: unknown } | undefined;
  trap = { name: "", handle: 0, count: 0, capabilities: [] as number[] };
  waitBadge = 0;
  replyTo_: FakeThread | undefined;
  bits = 0;
  /** How many traps it made. */
  traps = 0;
  #badge = 0;
  #notified = false;
  window = { first: 0, count: 0 };
  #arrived: number[] = [];

  constructor(
    readonly world: World,
    readonly cspace: CSpace,
    readonly main: Guest,
  ) {}

  #set(name: string, handle = 0, count = 0, capabilities: number[] = []): number {
    this.trap = { name, handle, count, capabilities };
    return 1;
  }
  send = (handle: number, count = 0, ...c: number[]) => this.#set("send", handle, count, c);
  recv = (handle: number) => this.#set("recv", handle);
  call = (handle: number, count = 0, ...c: number[]) => this.#set("call", handle, count, c);
  reply = (count = 0, ...c: number[]) => this.#set("reply", 0, count, c);
  replyTo = (reply: number, count = 0, ...c: number[]) => this.#set("replyTo", reply, count, c);
  replyRecv = (handle: number, count = 0, ...c: number[]) => this.#set("replyRecv", handle, count, c);
  saveReply = (index: number) => this.#set("saveReply", index);
  nbSend = () => this.#set("nbSend");
  nbRecv = () => this.#set("nbRecv");
  notify = () => this.#set("notify");
  wait = () => this.#set("wait");
  poll = () => this.#set("poll");
  yield = () => this.#set("yield");
  nothing = () => this.#set("nothing");
  exit = () => this.#set("exit");
  badge = () => this.#badge;
  notified = () => this.#notified;
  arrived = () => this.#arrived.length;
  noSenders = () => false;
  unwrapped = () => false;
  narrowed = (trap: number) => trap;
  moved = (trap: number) => trap;
  capability = (i: number) => this.#arrived[i]!;
  receiveInto = (first: number, count: number) => {
    this.window = { first, count };
  };

  find(handle: number): Capability | undefined {
    const found = this.cspace.get(handleIndex(handle));
    return found !== undefined && makeHandle(handleIndex(handle), found.generation) === handle
      ? found
      : undefined;
  }

  put(index: number, object: Capability["object"], badge = 0): number {
    const generation = ++this.world.generations;
    this.cspace.set(index, { object, badge, generation });
    return makeHandle(index, generation);
  }

  begin(startWords: readonly number[]): void {
    this.words.set(startWords);
    this.startWords = startWords.length;
  }

  /** A message arrives: words, capabilities, badge. */
  take(from: FakeThread, badge: number): void {
    const { count, capabilities } = from.trap;
    this.words.set(from.words.subarray(0, count));
    this.#badge = badge;
    this.#notified = false;
    this.#arrived = [];
    for (const handle of capabilities.slice(0, this.window.count)) {
      const source = from.find(handle);
      const index = this.window.first + this.#arrived.length;
      if (source === undefined || this.cspace.has(index)) break;
      this.#arrived.push(this.put(index, source.object, source.badge));
    }
    this.world.wake(this, count);
  }

  takeBits(): void {
    this.#badge = this.bits;
    this.bits = 0;
    this.#notified = true;
    this.world.wake(this, 0);
  }

  saved(handle: number): void {
    this.#arrived = [handle];
  }
}

export class World {
  generations = 0;
  readonly threads: FakeThread[] = [];
  /** What processes can run, by image number. */
  readonly images: Guest[] = [];
  #ready: FakeThread[] = [];

  /** A thread with a CSpace of its own, or one it shares. */
  thread(guest: Guest, cspace: CSpace = new Map(), startWords: readonly number[] = []): FakeThread {
    const thread = new FakeThread(this, cspace, guest);
    thread.begin(startWords);
    this.threads.push(thread);
    this.wake(thread, 0);
    return thread;
  }

  wake(thread: FakeThread, answer: number): void {
    thread.answer = answer;
    this.#ready.push(thread);
  }

  notify(thread: FakeThread, bits: number): void {
    thread.bits |= bits;
    for (const other of thread.cspace.values()) {
      if (!(other.object instanceof Endpoint) || !other.object.receivers.includes(thread)) continue;
      other.object.receivers = other.object.receivers.filter((one) => one !== thread);
      thread.takeBits();
      return;
    }
  }

  /** Runs until every thread has ended or waits. Throws what a thread threw, unless `expectThrows`. */
  run(expectThrows = false): void {
    for (;;) {
      const thread = this.#ready.shift();
      if (thread === undefined) return;
      try {
        thread.guest ??= thread.main(thread);
        const step = thread.guest.next(thread.answer);
        if (step.done) thread.ended = { value: step.value };
        else {
          thread.traps++;
          const answer = this.#trap(thread);
          if (answer !== undefined) this.wake(thread, answer);
        }
      } catch (error) {
        thread.ended = { error };
        if (!expectThrows) throw error;
      }
    }
  }

  /** What the trap answers, or undefined if the thread waits or was answered already. */
  #trap(thread: FakeThread): number | undefined {
    const { name, handle } = thread.trap;
    switch (name) {
      case "call":
      case "send":
        return this.#send(thread, handle);
      case "recv":
        return this.#receive(thread, handle);
      case "reply":
      case "replyRecv": {
        // As the kernel: the endpoint is checked before the answer goes.
        if (name === "replyRecv" && !(thread.find(handle)?.object instanceof Endpoint)) return Err.BAD_CAP;
        const caller = thread.replyTo_;
        thread.replyTo_ = undefined;
        if (caller === undefined) return Err.NO_REPLY;
        caller.take(thread, 0);
        return name === "reply" ? 0 : this.#receive(thread, handle);
      }
      case "saveReply": {
        const caller = thread.replyTo_;
        if (caller === undefined) return Err.NO_REPLY;
        if (thread.cspace.has(handle)) return Err.SLOT_OCCUPIED;
        thread.replyTo_ = undefined;
        thread.saved(thread.put(handle, caller));
        return 0;
      }
      case "replyTo": {
        const reply = thread.find(handle)?.object;
        if (!(reply instanceof FakeThread)) return Err.BAD_CAP;
        thread.cspace.delete(handleIndex(handle));
        reply.take(thread, 0);
        return 0;
      }
      case "nothing":
        return 0;
      default:
        throw new Error(`the fake kernel has no ${name}`);
    }
  }

  #send(thread: FakeThread, handle: number): number | undefined {
    const found = thread.find(handle);
    if (found === undefined || found.object instanceof FakeThread) return Err.BAD_CAP;
    if (!(found.object instanceof Endpoint)) return found.object(thread, thread.words);
    thread.waitBadge = found.badge;
    const receiver = found.object.receivers.shift();
    if (receiver === undefined) found.object.senders.push(thread);
    else this.#deliver(thread, receiver);
    return undefined;
  }

  #receive(thread: FakeThread, handle: number): number | undefined {
    const endpoint = thread.find(handle)?.object;
    if (!(endpoint instanceof Endpoint)) return Err.BAD_CAP;
    if (thread.bits !== 0) {
      thread.takeBits();
      return undefined;
    }
    const sender = endpoint.senders.shift();
    if (sender === undefined) endpoint.receivers.push(thread);
    else this.#deliver(sender, thread);
    return undefined;
  }

  #deliver(sender: FakeThread, receiver: FakeThread): void {
    if (sender.trap.name === "call") receiver.replyTo_ = sender;
    else this.wake(sender, 0);
    receiver.take(sender, sender.waitBadge);
  }

  /** The CNode that a CSpace is. */
  cnode(cspace: CSpace): Invoked {
    return (caller, words) => {
      const [method, slot, source] = words;
      const found = cspace.get(slot!);
      switch (method) {
        case Method.CNODE_DELETE:
          cspace.delete(slot!);
          return 0;
        case Method.CNODE_INSPECT:
          words.set([
            0,
            255,
            found?.badge ?? 0,
            2,
            0,
            found === undefined ? 0 : makeHandle(slot!, found.generation),
          ]);
          return 6;
        case Method.CNODE_COPY:
        case Method.CNODE_MINT: {
          const from = caller.find(source!);
          if (from === undefined) return Err.BAD_CAP;
          if (found !== undefined) return Err.SLOT_OCCUPIED;
          const generation = ++this.generations;
          cspace.set(slot!, {
            ...from,
            badge: method === Method.CNODE_MINT ? words[4]! : from.badge,
            generation,
          });
          words[0] = makeHandle(slot!, generation);
          return 1;
        }
        default:
          return Err.UNSUPPORTED;
      }
    };
  }

  /** Untyped memory for `left` objects. */
  untyped(left: number): Invoked {
    return (caller, words) => {
      const [method, type, sizeBits, , into, first] = words;
      if (method !== Method.UNTYPED_RETYPE) return Err.UNSUPPORTED;
      if (left === 0) {
        words[0] = 0;
        return Err.NO_MEMORY;
      }
      left--;
      if (type === ObjectType.CNODE) {
        const inner: CSpace = new Map();
        this.#spaces.set(caller.put(first!, this.cnode(inner)), inner);
        if (2 ** sizeBits! < 2) return Err.RANGE;
      } else if (type === ObjectType.ENDPOINT) caller.put(first!, new Endpoint());
      else if (type === ObjectType.THREAD) caller.put(first!, this.threadObject());
      else if (type === ObjectType.PROCESS) caller.put(first!, this.process(caller.cspace, 0));
      else if (type === ObjectType.UNTYPED) {
        const inner = this.#spaces.get(into!)!;
        inner.set(first!, { object: this.untyped(8), badge: 0, generation: ++this.generations });
      } else return Err.BAD_TYPE;
      return 0;
    };
  }

  readonly #spaces = new Map<number, CSpace>();
  readonly #processes = new Map<Invoked, { cspace: CSpace; image: number }>();

  process(cspace: CSpace, image: number): Invoked {
    const state = { cspace, image };
    const invoked: Invoked = (_, words) => {
      if (words[0] !== Method.PROCESS_CONFIGURE) return Err.UNSUPPORTED;
      if (this.images[words[2]!] === undefined) return Err.NOT_FOUND;
      state.cspace = this.#spaces.get(words[1]!)!;
      state.image = words[2]!;
      return 0;
    };
    this.#processes.set(invoked, state);
    return invoked;
  }

  threadObject(): Invoked {
    let process: { cspace: CSpace; image: number } | undefined;
    return (caller, words) => {
      switch (words[0]) {
        case Method.THREAD_CONFIGURE:
          // Two cores.
          if (words[2]! >= 2) {
            words.set([0, 1]);
            return Err.RANGE;
          }
          process = this.#processes.get(caller.find(words[1]!)!.object as Invoked);
          return process === undefined ? Err.BAD_CAP : 0;
        case Method.THREAD_START:
          this.thread(this.images[process!.image]!, process!.cspace, [...words.slice(1, caller.trap.count)]);
          return 0;
        case Method.THREAD_DESTROY:
          return 0;
        case Method.THREAD_STATUS:
          words.set([LifeState.RUNNING, 0, 0, 100, 0]);
          return 5;
        default:
          return Err.UNSUPPORTED;
      }
    };
  }
}
