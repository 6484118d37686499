/**
 * A fake kernel for the guest library's tests: endpoints, replies, slots and as much of the kernel
 * objects as the library touches, all in one small trampoline.
 *
 * It runs each thread until it blocks, one after the other; it has no cores and no memory, and of the
 * rights it checks those of messages.
 */
import {
  Err,
  handleIndex,
  LifeState,
  MAX_MESSAGE_WORDS,
  Method,
  ObjectType,
  Right,
  type Sys,
} from "@capos/abi";
import { type Capability, type CSpace, find, Thing, Tree } from "./fake-cspace.js";
import { NoMemory } from "./no-memory.js";

export type { CSpace } from "./fake-cspace.js";

type Guest = (sys: Sys) => Generator<number, unknown, number>;
/** A kernel object: gets the caller's words, leaves the answer there, gives the trap's answer. */
export type Invoked = (caller: FakeThread, words: Float64Array) => number;

export class Endpoint {
  readonly type = ObjectType.ENDPOINT;
  senders: FakeThread[] = [];
  receivers: FakeThread[] = [];
  /** Minted capabilities without descendants, of which nobody has been told. */
  orphans: Capability[] = [];
}

/** One thread: its registers, its generator and what it waits with. */
export class FakeThread extends NoMemory implements Sys {
  readonly words = new Float64Array(MAX_MESSAGE_WORDS);
  startWords = 0;
  readonly startText = "";
  /** Made when it first runs: a test may fill its CSpace before. */
  guest: Generator<number, unknown, number> | undefined;
  answer = 0;
  /** What it returned or threw. */
  ended: { value: unknown } | { error: unknown } | undefined;
  trap = {
    name: "",
    handle: 0,
    count: 0,
    capabilities: [] as number[],
    rights: [255, 255, 255, 255],
    moved: [] as boolean[],
  };
  waitBadge = 0;
  replyTo_: FakeThread | undefined;
  bits = 0;
  /** How many traps it made. */
  traps = 0;
  #badge = 0;
  #notified = false;
  #noSenders = false;
  #unwrapped: boolean[] = [];
  window = { first: 0, count: 0 };
  #arrived: number[] = [];

  constructor(
    readonly world: World,
    readonly cspace: CSpace,
    readonly main: Guest,
  ) {
    super();
  }

  #set(name: string, handle = 0, count = 0, capabilities: number[] = []): number {
    this.trap = { name, handle, count, capabilities, rights: [255, 255, 255, 255], moved: [] };
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
  noSenders = () => this.#noSenders;
  capability = (i: number) => this.#arrived[i];
  unwrapped = (i: number) => this.#unwrapped[i] ?? false;
  narrowed = (trap: number, i: number, rights: number) => {
    this.trap.rights[i] &= rights;
    return trap;
  };
  moved = (trap: number, i: number) => {
    this.trap.moved[i] = true;
    return trap;
  };
  receiveInto = (first: number, count: number) => {
    this.window = { first, count };
  };

  find(handle: number): Capability | undefined {
    return find(this.cspace, handle);
  }

  put(index: number, object: object, badge = 0): number {
    return this.world.tree.put(this.cspace, index, object, { badge });
  }

  begin(startWords: readonly number[]): void {
    this.words.set(startWords);
    this.startWords = startWords.length;
  }

  /** A message arrives: words, capabilities, badge. */
  take(from: FakeThread, badge: number, to?: Endpoint): void {
    const { count, capabilities, rights, moved } = from.trap;
    const { tree } = this.world;
    this.words.set(from.words.subarray(0, count));
    this.#received(badge);
    let used = 0;
    for (let i = 0; i < capabilities.length; i++) {
      const source = from.find(capabilities[i]);
      if (source === undefined || (source.rights & Right.GRANT) === 0) break;
      if (source.object === to && source.sealer === undefined) {
        this.#arrived.push(source.badge);
        this.#unwrapped[i] = true;
        if (moved[i]) tree.remove(source);
        continue;
      }
      const index = this.window.first + used;
      if (used++ === this.window.count || this.cspace.has(index)) break;
      const handle = moved[i]
        ? tree.move(source, this.cspace, index)
        : tree.derive(source, this.cspace, index, { rights: rights[i] });
      this.#arrived.push(handle);
    }
    this.world.wake(this, count);
  }

  #received(badge: number): void {
    this.#badge = badge;
    this.#notified = false;
    this.#noSenders = false;
    this.#arrived = [];
    this.#unwrapped = [];
  }

  takeBits(): void {
    this.#received(this.bits);
    this.bits = 0;
    this.#notified = true;
    this.world.wake(this, 0);
  }

  takeNoSenders(minted: Capability): void {
    this.#received(minted.badge);
    this.#noSenders = true;
    this.world.wake(this, 0);
  }

  saved(handle: number): void {
    this.#arrived = [handle];
    this.#unwrapped = [];
  }
}

/** What processes run. */
export class Image extends Thing {
  constructor(readonly guest: Guest) {
    super(ObjectType.IMAGE);
  }
}

export class World {
  readonly tree = new Tree((minted, orphaned) => this.#enterNoSenders(minted, orphaned));
  readonly threads: FakeThread[] = [];
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

  #enterNoSenders(minted: Capability, orphaned: boolean): void {
    const endpoint = minted.object;
    if (!(endpoint instanceof Endpoint)) return;
    endpoint.orphans = endpoint.orphans.filter((one) => one !== minted);
    if (!orphaned) return;
    const receiver = endpoint.receivers.shift();
    if (receiver === undefined) endpoint.orphans.push(minted);
    else receiver.takeNoSenders(minted);
  }

  /** A thread is gone, and all that its CSpace held. */
  kill(thread: FakeThread): void {
    thread.ended = { value: "killed" };
    this.#ready = this.#ready.filter((one) => one !== thread);
    for (const capability of [...thread.cspace.values()]) this.tree.remove(capability);
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
    if (found.sealer !== undefined) return Err.SEALED;
    if (found.object instanceof Thing) return Err.BAD_TYPE;
    if (found.object instanceof Endpoint && (found.rights & Right.SEND) === 0) return Err.DENIED;
    if (!(found.object instanceof Endpoint)) return (found.object as Invoked)(thread, thread.words);
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
    const orphan = endpoint.orphans.shift();
    if (orphan !== undefined) {
      thread.takeNoSenders(orphan);
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
    receiver.take(sender, sender.waitBadge, sender.find(sender.trap.handle)?.object as Endpoint);
  }

  /** The CNode that a CSpace is. */
  cnode(cspace: CSpace): Invoked {
    return this.tree.cnode(cspace);
  }

  /** Untyped memory for `room` objects at one time. All there is is one block: it is used again when none is left. */
  untyped(room: number): Invoked {
    let left = room;
    return (caller, words) => {
      const [method, type, , , into, first] = words;
      if (method !== Method.UNTYPED_RETYPE) return Err.UNSUPPORTED;
      const parent = caller.find(caller.trap.handle)!;
      if (parent.children.size === 0) left = room;
      words[0] = 0;
      if (left === 0) return Err.NO_MEMORY;
      const inner: CSpace = new Map();
      const object = this.#objectOf(type!, inner, caller);
      if (object === undefined) return Err.BAD_TYPE;
      left--;
      const handle = this.tree.put(this.#spaces.get(into!) ?? caller.cspace, first!, object, { parent });
      if (type === ObjectType.CNODE) this.#spaces.set(handle, inner);
      return 0;
    };
  }

  #objectOf(type: ObjectType, inner: CSpace, caller: FakeThread): object | undefined {
    if (type === ObjectType.CNODE) return this.cnode(inner);
    if (type === ObjectType.ENDPOINT) return new Endpoint();
    if (type === ObjectType.THREAD) return this.threadObject();
    if (type === ObjectType.PROCESS) return this.process(caller.cspace, null);
    if (type === ObjectType.UNTYPED) return this.untyped(8);
    const isThing = [ObjectType.SEALER, ObjectType.NOTIFICATION, ObjectType.MONITOR].includes(type);
    return isThing ? new Thing(type) : undefined;
  }

  readonly #spaces = new Map<number, CSpace>();
  readonly #processes = new Map<Invoked, { cspace: CSpace; image: Guest | null }>();

  process(cspace: CSpace, image: Guest | null): Invoked {
    const state = { cspace, image };
    const invoked: Invoked = (caller, words) => {
      if (words[0] === Method.PROCESS_KILL) {
        for (const thread of this.threads) if (thread.cspace === state.cspace) this.kill(thread);
        return 0;
      }
      if (words[0] !== Method.PROCESS_CONFIGURE) return Err.UNSUPPORTED;
      const found = caller.find(words[2]);
      if (found === undefined) return Err.BAD_CAP;
      if (!(found.object instanceof Image)) return Err.BAD_TYPE;
      if ((found.rights & Right.EXECUTE) === 0) return Err.DENIED;
      state.cspace = this.#spaces.get(words[1])!;
      state.image = found.object.guest;
      return 0;
    };
    this.#processes.set(invoked, state);
    return invoked;
  }

  threadObject(): Invoked {
    let process: { cspace: CSpace; image: Guest | null } | undefined;
    return (caller, words) => {
      switch (words[0]) {
        case Method.THREAD_CONFIGURE:
          // Two cores.
          if (words[2] >= 2) {
            words.set([0, 1]);
            return Err.RANGE;
          }
          process = this.#processes.get(caller.find(words[1])!.object as Invoked);
          return process === undefined ? Err.BAD_CAP : 0;
        case Method.THREAD_START:
          this.thread(process!.image!, process!.cspace, [...words.slice(1, caller.trap.count)]);
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
