/**
 * The bridge: the guest by which the host takes part in the machine, as one who calls and one who is called.
 *
 * The host has references: numbers that stand for capabilities which lie here, in the bridge's own CSpace. What the
 * host may do is what these permit, as for any guest. Calls of the host's go out through lanes, threads of which each
 * makes one at a time; requests of guests wait here, their replies saved, until the host has answered. The host says how
 * many calls it has open at one time, and the device holds back whichever side is too fast.
 *
 * It runs when the host first needs it, as a user process that is given the bridge's device besides, and a way to init, with whom
 * it leaves what the host wants a program to have from its start. If it ends, what the host held is gone with it.
 */
import { Err, handleIndex, MAX_MESSAGE_CAPABILITIES, Right, SlotState, type Sys } from "@capos/abi";
import {
  cnode,
  endThread,
  IpcError,
  irq,
  type Os,
  type SpawnedThread,
  type Steps,
  spawnThread,
  start,
  thread,
} from "@capos/libos";
import { capabilitiesAndWords, Frame, type FramedCapability, messageAt } from "./bridge/frame.js";
import { LANE_SLOTS, runLane } from "./bridge/lane.js";
import { Link } from "./bridge/link.js";
import { Registry } from "./registry.js";

/** Lane number n has the badges 2n and, where its answer brought capabilities, 2n + 1. What the host serves has higher ones. */
const FIRST_SERVED = 0x1000_0000;
const LAST_BADGE = 0xffff_ffff;

/** What is to be sent. */
interface Message {
  readonly handles: readonly number[];
  readonly rights: readonly number[];
  readonly words: readonly number[];
}

interface Lane {
  readonly number: number;
  readonly reference: Reference;
  readonly thread: SpawnedThread;
  /** Its two ways home. */
  readonly homes: readonly number[];
  /** The saved reply to its call home, while it waits for something to do; else 0. */
  reply: number;
  /** What it is to send when it has come home. */
  message: Message | null;
  /** The host's request that it is at, or null. */
  request: number | null;
}

/** What the host holds. */
interface Reference {
  readonly number: number;
  readonly handle: number;
  readonly lanes: Set<Lane>;
}

interface Served {
  readonly badge: number;
  readonly minted: number;
}

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  return yield* os.threadIndex === 0 ? new Bridge(os).run() : runLane(os);
}

class Bridge {
  readonly #sys: Sys;
  readonly #references = new Map<number, Reference>();
  readonly #lanes = new Map<number, Lane>();
  /** Lanes by the request that they are at. */
  readonly #calls = new Map<number, Lane>();
  readonly #served = new Map<number, Served>();
  /** Saved replies to guests' requests. */
  readonly #waiting = new Map<number, number>();
  #nextReference = 1;
  #nextLane = 1;
  #nextBadge = FIRST_SERVED;
  #nextRequest = 1;
  #endpoint = 0;
  #window = 0;
  #link!: Link;
  #registry = 0;

  constructor(private readonly os: Os) {
    this.#sys = os.sys;
  }

  *run(): Steps<number> {
    const { os } = this;
    const sys = this.#sys;
    const [device, interrupt, registry] = os.handed as [number, number, number];
    this.#registry = registry;
    const notification = yield* os.notification();
    this.#endpoint = yield* os.endpoint();
    this.#link = new Link(sys, device, notification);
    yield* irq.bind(sys, interrupt, notification);
    yield* thread.bind(sys, os.environment.thread, notification);
    yield* this.#link.send([Frame.HELLO], true);
    for (;;) {
      if (this.#window === 0) this.#window = os.slots.tryTake(MAX_MESSAGE_CAPABILITIES);
      sys.receiveInto(this.#window, this.#window === 0 ? 0 : MAX_MESSAGE_CAPABILITIES);
      const count = yield sys.recv(this.#endpoint);
      if (count < 0) return count;
      if (sys.notified()) yield* this.#attend();
      else if (!sys.noSenders()) yield* this.#message(sys.badge(), count);
      if (this.#link.takeMissed()) yield* this.#attend();
    }
  }

  /** Does what the host has asked for. */
  *#attend(): Steps<void> {
    for (;;) {
      const frame = yield* this.#link.next();
      if (frame === null) return;
      yield* this.#frame(frame);
    }
  }

  *#frame(frame: readonly number[]): Steps<void> {
    const [kind, subject, more] = frame as [Frame, number, number];
    switch (kind) {
      case Frame.LOOKUP:
        yield* this.#guarded(subject, this.#lookup(subject, nameAt(frame, 2)));
        break;
      case Frame.CALL:
        yield* this.#guarded(subject, this.#call(subject, more, this.#messageAt(frame, 3)));
        break;
      case Frame.CANCEL:
        yield* this.#cancel(subject);
        break;
      case Frame.DROP:
        yield* this.#drop(subject);
        break;
      case Frame.SERVE:
        yield* this.#guarded(subject, this.#serve(subject, more, nameAt(frame, 3)));
        break;
      case Frame.UNSERVE:
        yield* this.#unserve(subject);
        break;
      case Frame.ANSWER:
        yield* this.#answer(subject, this.#messageAt(frame, 2));
        break;
      case Frame.DEPOSIT:
        yield* this.#guarded(subject, this.#deposit(subject, more, frame[3]));
        break;
      case Frame.WITHDRAW:
        yield* Registry.client(this.#sys, this.#registry, this.os.slots).withdraw({ number: subject });
        break;
      case Frame.LOOK:
        yield* this.#look();
        break;
    }
  }

  /** Does what answers a request; what goes wrong is its result. */
  *#guarded(request: number, steps: Steps<void>): Steps<void> {
    try {
      yield* steps;
    } catch (error) {
      if (!(error instanceof IpcError)) throw error;
      yield* this.#result(request, [error.code]);
    }
  }

  *#result(
    request: number,
    words: readonly number[],
    capabilities: readonly FramedCapability[] = [],
  ): Steps<void> {
    yield* this.#link.send([Frame.RESULT, request, ...capabilitiesAndWords(capabilities, words)]);
  }

  *#lookup(request: number, name: string): Steps<void> {
    const handle = yield* this.os.names.lookup(name);
    yield* this.#result(request, [Err.OK], [this.#hold(handle)]);
  }

  /** Makes a reference for the host to what a slot of the bridge's own holds. */
  #hold(handle: number): FramedCapability {
    const number = this.#nextReference++;
    this.#references.set(number, { number, handle, lanes: new Set() });
    return { reference: number, rights: Right.ALL };
  }

  /** The message that a frame has from a place on; null if it is none, or has a reference that is none. */
  #messageAt(frame: readonly number[], at: number): Message | null {
    const message = messageAt(frame, at);
    if (message === null) return null;
    const handles: number[] = [];
    for (const { reference } of message.capabilities) {
      const found = this.#references.get(reference);
      if (found === undefined) return null;
      handles.push(found.handle);
    }
    return { handles, rights: message.capabilities.map(({ rights }) => rights), words: message.words };
  }

  *#call(request: number, reference: number, message: Message | null): Steps<void> {
    const found = this.#references.get(reference);
    if (found === undefined || message === null) throw new IpcError(Err.BAD_CAP, "call");
    const idle = [...found.lanes].find((lane) => lane.request === null);
    const lane = idle ?? (yield* this.#startLane(found));
    lane.request = request;
    lane.message = message;
    this.#calls.set(request, lane);
    if (lane.reply !== 0) yield* this.#sendOff(lane);
  }

  *#startLane(reference: Reference): Steps<Lane> {
    const { os } = this;
    const number = this.#nextLane++;
    const homes: number[] = [];
    try {
      for (const badge of [2 * number, 2 * number + 1])
        homes.push(yield* os.copy(this.#endpoint, Right.SEND, badge));
      const handed = [...homes, reference.handle];
      const lane = {
        ...{ number, reference, homes, reply: 0, message: null, request: null },
        thread: yield* spawnThread(os, { slots: LANE_SLOTS, handed }),
      };
      this.#lanes.set(number, lane);
      reference.lanes.add(lane);
      return lane;
    } catch (error) {
      for (const home of homes) yield* os.drop(home);
      throw error;
    }
  }

  *#endLane(lane: Lane): Steps<void> {
    const { os } = this;
    this.#lanes.delete(lane.number);
    lane.reference.lanes.delete(lane);
    if (lane.request !== null) this.#calls.delete(lane.request);
    yield* endThread(os, lane.thread);
    for (const home of lane.homes) yield* os.drop(home);
    if (lane.reply !== 0) yield* os.drop(lane.reply);
  }

  /** Has a lane that is at home make the call that it is there for. */
  *#sendOff(lane: Lane): Steps<void> {
    const { reply, message, request } = lane;
    lane.reply = 0;
    lane.message = null;
    const answer = yield* this.#replyTo(reply, message!);
    if (answer >= 0) return;
    yield* this.#endLane(lane);
    yield* this.#result(request!, [answer]);
  }

  /** Answers through a saved reply, and gives its slot back. Gives what the kernel says. */
  *#replyTo(reply: number, { handles, rights, words }: Message): Steps<number> {
    const sys = this.#sys;
    words.forEach((word, i) => {
      sys.words[i] = word;
    });
    let trap = sys.replyTo(reply, words.length, ...handles);
    rights.forEach((one, i) => {
      if (one !== Right.ALL) trap = sys.narrowed(trap, i, one);
    });
    const answer = yield trap;
    // Used up, unless it was refused as a whole.
    if (answer < 0) yield* this.os.drop(reply);
    else this.os.slots.give(handleIndex(reply));
    return answer;
  }

  *#cancel(request: number): Steps<void> {
    const lane = this.#calls.get(request);
    if (lane !== undefined) yield* this.#endLane(lane);
  }

  *#drop(number: number): Steps<void> {
    const found = this.#references.get(number);
    if (found === undefined) return;
    this.#references.delete(number);
    for (const lane of [...found.lanes]) {
      const { request } = lane;
      yield* this.#endLane(lane);
      if (request !== null) yield* this.#result(request, [Err.BAD_CAP]);
    }
    yield* this.os.drop(found.handle);
  }

  *#serve(request: number, served: number, name: string): Steps<void> {
    const { os } = this;
    const sys = this.#sys;
    if (this.#nextBadge > LAST_BADGE) throw new IpcError(Err.NO_RESOURCE, "serve");
    const badge = this.#nextBadge++;
    const minted = yield* os.copy(this.#endpoint, Right.SEND | Right.GRANT | Right.REVOKE, badge);
    let given = 0;
    try {
      // Made of it, so that it ends with it.
      given = yield* os.copy(minted, Right.SEND | Right.GRANT);
      if (name !== "") yield* os.names.register(name, minted);
    } catch (error) {
      yield* cnode.revoke(sys, os.environment.cnode, minted);
      if (given !== 0) os.slots.give(handleIndex(given));
      yield* os.drop(minted);
      throw error;
    }
    this.#served.set(served, { badge, minted });
    yield* this.#result(request, [Err.OK], [this.#hold(given)]);
  }

  *#deposit(request: number, number: number, reference: number): Steps<void> {
    const found = this.#references.get(reference);
    if (found === undefined) throw new IpcError(Err.BAD_CAP, "deposit");
    yield* Registry.client(this.#sys, this.#registry, this.os.slots).deposit({
      number,
      capability: found.handle,
    });
    yield* this.#result(request, [Err.OK]);
  }

  *#unserve(number: number): Steps<void> {
    const served = this.#served.get(number);
    if (served === undefined) return;
    this.#served.delete(number);
    yield* cnode.revoke(this.#sys, this.os.environment.cnode, served.minted);
    yield* this.os.drop(served.minted);
  }

  *#answer(request: number, message: Message | null): Steps<void> {
    const reply = this.#waiting.get(request);
    if (reply === undefined) return;
    this.#waiting.delete(request);
    yield* this.#replyTo(reply, message ?? { handles: [], rights: [], words: [Err.BAD_CAP] });
  }

  /** Tells the host whose caller is gone: a saved reply dies with the thread that waits for it. */
  *#look(): Steps<void> {
    const { os } = this;
    for (const [request, reply] of this.#waiting) {
      const { state } = yield* cnode.inspect(this.#sys, os.environment.cnode, handleIndex(reply));
      if (state === SlotState.LIVE) continue;
      this.#waiting.delete(request);
      yield* os.drop(reply);
      yield* this.#link.send([Frame.GONE, request]);
    }
  }

  /** A message has come: a lane's, or a guest's for the host. */
  *#message(badge: number, count: number): Steps<void> {
    const words: number[] = [];
    for (let i = 0; i < count; i++) words.push(this.#sys.words[i]);
    if (badge >= FIRST_SERVED) yield* this.#request(badge, words);
    else yield* this.#cameHome(badge, words);
  }

  *#cameHome(badge: number, words: readonly number[]): Steps<void> {
    const lane = this.#lanes.get(Math.floor(badge / 2));
    if (lane === undefined) return;
    const slot = this.os.slots.take();
    const saved = yield this.#sys.saveReply(slot);
    if (saved < 0) {
      // Ended meanwhile.
      this.os.slots.give(slot);
      return;
    }
    lane.reply = this.#sys.capability(0);
    const { request } = lane;
    if (lane.message !== null) yield* this.#sendOff(lane);
    else if (request !== null) {
      lane.request = null;
      this.#calls.delete(request);
      const capabilities = badge % 2 === 0 ? [] : yield* this.#fetch(lane);
      yield* this.#result(request, words, capabilities);
    }
  }

  /** Takes what a lane's call was answered with out of the lane's window. */
  *#fetch({ thread: { firstSlot } }: Lane): Steps<FramedCapability[]> {
    const { os } = this;
    const sys = this.#sys;
    const fetched: FramedCapability[] = [];
    for (let from = firstSlot; from < firstSlot + MAX_MESSAGE_CAPABILITIES; from++) {
      const { state, handle } = yield* cnode.inspect(sys, os.environment.cnode, from);
      if (state !== SlotState.LIVE) break;
      const slot = os.slots.tryTake(1);
      if (slot === 0) {
        yield* cnode.delete(sys, os.environment.cnode, from);
        continue;
      }
      fetched.push(this.#hold(yield* cnode.move(sys, os.environment.cnode, slot, handle)));
    }
    return fetched;
  }

  /** A guest asks something of the host. */
  *#request(badge: number, words: readonly number[]): Steps<void> {
    const { os } = this;
    const sys = this.#sys;
    const [number] = [...this.#served].find(([, served]) => served.badge === badge) ?? [];
    const handles: number[] = [];
    const arrived = sys.arrived();
    for (let i = 0; i < arrived; i++) handles.push(sys.capability(i));
    const isUnwrapped = handles.some((_, i) => sys.unwrapped(i));
    const slot = number === undefined || isUnwrapped ? 0 : os.slots.tryTake(1);
    if (slot === 0) {
      if (arrived > 0) yield* this.#clear(arrived);
      sys.words[0] = number === undefined ? Err.REVOKED : isUnwrapped ? Err.RANGE : Err.BUSY;
      yield sys.reply(1);
      return;
    }
    const saved = yield sys.saveReply(slot);
    if (saved < 0) {
      // Sent, not called: there is nobody to answer.
      os.slots.give(slot);
      if (arrived > 0) yield* this.#clear(arrived);
      return;
    }
    const request = this.#nextRequest++;
    this.#waiting.set(request, sys.capability(0));
    if (arrived > 0) {
      if (arrived < MAX_MESSAGE_CAPABILITIES)
        os.slots.give(this.#window + arrived, MAX_MESSAGE_CAPABILITIES - arrived);
      this.#window = 0;
    }
    const capabilities = handles.map((handle) => this.#hold(handle));
    yield* this.#link.send([Frame.REQUEST, request, number!, ...capabilitiesAndWords(capabilities, words)]);
  }

  /** Deletes what a message brought that is not taken. */
  *#clear(arrived: number): Steps<void> {
    for (let i = 0; i < arrived; i++)
      yield* cnode.delete(this.#sys, this.os.environment.cnode, this.#window + i);
  }
}

function nameAt(frame: readonly number[], at: number): string {
  return frame
    .slice(at)
    .map((code) => String.fromCharCode(code))
    .join("");
}
