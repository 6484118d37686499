import { fingerprint } from "../fingerprint.js";
import { type Carried, type Held, handleOf } from "../held.js";
import { monitor } from "../kernel-calls.js";
import {
  Frame,
  Monitor,
  Notification,
  type NotificationMethods,
  type ProcessMethods,
  type ThreadMethods,
} from "../kernel-objects.js";
import type { Steps } from "../steps.js";
import { isHeld, type Made, make, unmake } from "./made.js";
import type { MappableFrame, Memory, OwnRegion, Region } from "./memory.js";
import { ChannelError, checkRing, markRing, Ring, ringBytes, Signal } from "./ring.js";
import type { Placed, StructShape, StructValue } from "./struct.js";

/** What the other side of a channel is to be given, in this order: the frame, what it signals, what it waits on. */
export type ChannelPeer = readonly [
  frame: Carried<"grant">,
  signals: Carried<"grant">,
  waitsOn: Carried<"grant">,
];

/** An end of a channel that was made, and what gives its other end. */
export interface MadeChannel<End> {
  readonly end: End;
  /** In a message or as `gifts` of a new process: the other side has copies. May be dropped then; `free` drops it too. */
  readonly peer: ChannelPeer;
}

/** Handles of what the maker gave, as they arrived: `MadeChannel.peer`, in its order. */
export type ChannelHandles = readonly (number | Carried)[];

/** What the maker of a channel has to take down. */
interface Ownership {
  readonly region: OwnRegion;
  readonly waitsOn: Made<NotificationMethods>;
  readonly signals: Made<NotificationMethods>;
  readonly peer: ChannelPeer;
}

/** What both ends have. */
class End {
  protected readonly ring: Ring;
  readonly #memory: Memory;
  readonly #region: Region;
  readonly #ownership: Ownership | null;
  #watcher: Made<unknown> | null = null;

  /** @ignore */
  constructor(memory: Memory, region: Region, ring: Ring, ownership: Ownership | null) {
    this.ring = ring;
    this.#memory = memory;
    this.#region = region;
    this.#ownership = ownership;
  }

  /** How many messages there is room for. */
  get size(): number {
    return this.ring.size;
  }

  /**
   * Ends the channel from this side. The other receives what was sent before and then learns of the end, or learns of it when it would
   * send. The memory stays until `free`.
   */
  *close(): Steps<void> {
    yield* this.ring.end();
  }

  /**
   * Has waits here end with a `ChannelError` (`ended`) when a process or thread has ended, once what it had sent is received. Only for who
   * made the channel: at the other side waits fail with an `IpcError` when the maker's memory is gone. Throws `IpcError`: `NO_MEMORY`,
   * `NO_RESOURCE`.
   */
  *watch(peer: Held<ProcessMethods, "read"> | Held<ThreadMethods, "read"> | number): Steps<void> {
    if (this.#ownership === null || this.#watcher !== null)
      throw new TypeError("channel: it is its maker who watches, one process or thread");
    const { owner } = this.#memory;
    const { cspace } = owner;
    const signal = yield* cspace.mint(this.#ownership.waitsOn.object, Signal.WATCHED_ENDED, ["send"]);
    const watcher = yield* make(owner, Monitor);
    this.#watcher = watcher as unknown as Made<unknown>;
    yield* monitor.watch(owner.sys, watcher.object.handle, handleOf(peer), signal.handle);
    yield* cspace.drop(signal);
  }

  /** Closes it, unmaps it, and has back what the maker made it of: from then on the other side's loads and stores are refused. */
  *free(): Steps<void> {
    yield* this.close();
    const { owner } = this.#memory;
    if (this.#watcher !== null) yield* unmake(owner, this.#watcher as never);
    if (this.#ownership === null) {
      yield* this.#region.unmap();
      return;
    }
    for (const one of this.#ownership.peer) if (yield* isHeld(owner, one)) yield* owner.cspace.drop(one);
    yield* this.#ownership.region.free();
    yield* unmake(owner, this.#ownership.waitsOn);
    yield* unmake(owner, this.#ownership.signals);
  }
}

/** The end that sends. One thread uses it. */
export class Outlet extends End {
  /** The slot that is next to be filled, to be given away by `push`; 0 if there is no room now. Throws `ChannelError`. */
  place(): number {
    this.#check();
    return this.ring.slot();
  }

  /** Gives the slot that `place` answered away. The other side learns of it with `flush`. */
  push(): void {
    this.ring.advance();
  }

  /** How many messages there is room for now. Throws `ChannelError`. */
  count(): number {
    return this.ring.count();
  }

  /** Tells the other side of all that was put, and wakes it if it waits. */
  *flush(): Steps<void> {
    yield* this.ring.tell();
  }

  /** Goes on when there is room, having told of all that was put. Throws `ChannelError`: `closed`, `ended`, `broken`; `IpcError` if the maker is gone. */
  *room(): Steps<void> {
    this.#check();
    if (!(yield* this.ring.wait())) throw new ChannelError("closed", "the other side has closed it");
  }

  #check(): void {
    if (this.ring.isOver) throw new ChannelError("closed", "this side has closed it");
  }
}

/** The end that receives. One thread uses it. */
export class Inlet extends End {
  /** Where the oldest message lies, until `shift`; 0 if there is none now. What lies there the sender may still change. Throws `ChannelError`. */
  place(): number {
    return this.ring.slot();
  }

  /** Is done with the message that `place` answered. The other side learns of the room with `flush`. */
  shift(): void {
    this.ring.advance();
  }

  /** Tells the other side of the room that there is, and wakes it if it waits. */
  *flush(): Steps<void> {
    yield* this.ring.tell();
  }

  /** Goes on when there is a message: true; false at the end. Tells of all room first. Throws `ChannelError`: `ended`, `broken`; `IpcError` if the maker is gone. */
  *message(): Steps<boolean> {
    return yield* this.ring.wait();
  }

  /** How many messages there are now. Throws `ChannelError`. */
  count(): number {
    return this.ring.count();
  }
}

/** The end that sends messages of a declared kind. */
export class Sender<T> extends Outlet {
  /** @ignore */
  constructor(
    private readonly type: Placed<unknown, T>,
    ...end: ConstructorParameters<typeof End>
  ) {
    super(...end);
  }

  /** Stores a message, and says nothing of it before `flush`; false if there is no room now. Neither traps nor waits. */
  put(message: T): boolean {
    const slot = this.place();
    if (slot === 0) return false;
    this.type.write(this.ring.sys, slot, message);
    this.push();
    return true;
  }

  /** Sends a message, when there is room. Throws as `room`; RangeError, and sends nothing, for a number that its field cannot hold. */
  *send(message: T): Steps<void> {
    if (!this.put(message)) {
      yield* this.room();
      this.put(message);
    }
    yield* this.flush();
  }

  /** Sends messages, telling of as many at once as there is room for. Throws as `send`. */
  *sendAll(messages: readonly T[]): Steps<void> {
    for (const message of messages) {
      if (this.put(message)) continue;
      yield* this.room();
      this.put(message);
    }
    yield* this.flush();
  }
}

/** The end that receives messages of a declared kind. */
export class Receiver<T> extends Inlet {
  /** @ignore */
  constructor(
    private readonly type: Placed<unknown, T>,
    ...end: ConstructorParameters<typeof End>
  ) {
    super(...end);
  }

  /** The oldest message, without telling of the room; null if there is none now. Neither traps nor waits. */
  take(): T | null {
    const slot = this.place();
    if (slot === 0) return null;
    const message = this.type.read(this.ring.sys, slot);
    this.shift();
    return message;
  }

  /** The oldest message, when there is one; null at the end. Throws as `message`. */
  *receive(): Steps<T | null> {
    let message = this.take();
    if (message === null && (yield* this.message())) message = this.take();
    yield* this.flush();
    return message;
  }

  /** All messages that there are, at most so many, when there is one; none at the end. The room is told of at once. Throws as `message`. */
  *receiveAll(most = Number.POSITIVE_INFINITY): Steps<T[]> {
    const messages: T[] = [];
    if (most < 1 || !(yield* this.message())) return messages;
    for (let left = Math.min(most, this.count()); left > 0; left--) messages.push(this.take()!);
    yield* this.flush();
    return messages;
  }
}

/** In a slot of bytes: how many they are, and where they begin. */
const LENGTH_BYTES = 8;

/** The end that sends bytes. */
export class ByteSender extends Outlet {
  /** @ignore */
  constructor(
    readonly maxBytes: number,
    ...end: ConstructorParameters<typeof End>
  ) {
    super(...end);
  }

  /** Copies bytes from memory into a message, and says nothing of it before `flush`; false if there is no room now. Throws RangeError for more than `maxBytes`. */
  put(from: number, bytes: number): boolean {
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= this.maxBytes))
      throw new RangeError(`channel: a message has at most ${this.maxBytes} bytes, not ${bytes}`);
    const slot = this.place();
    if (slot === 0) return false;
    const { sys } = this.ring;
    sys.store32(slot, bytes);
    sys.copy(slot + LENGTH_BYTES, from, bytes);
    this.push();
    return true;
  }

  /** Sends bytes that lie in memory, when there is room. Throws as `room`; RangeError for more than `maxBytes`. */
  *send(from: number, bytes: number): Steps<void> {
    if (!this.put(from, bytes)) {
      yield* this.room();
      this.put(from, bytes);
    }
    yield* this.flush();
  }
}

/** The end that receives bytes. */
export class ByteReceiver extends Inlet {
  /** @ignore */
  constructor(
    readonly maxBytes: number,
    ...end: ConstructorParameters<typeof End>
  ) {
    super(...end);
  }

  /**
   * Copies the oldest message's bytes to where there is room for `maxBytes`, without telling of the room in the channel; how many they
   * are, -1 if there is no message now. Neither traps nor waits. Throws `ChannelError`: `broken` for more than `maxBytes`.
   */
  take(into: number): number {
    const slot = this.place();
    if (slot === 0) return -1;
    const { sys } = this.ring;
    const bytes = sys.load32(slot);
    if (bytes < 0 || bytes > this.maxBytes)
      throw this.ring.distrust(
        `the other side claims a message of ${bytes >>> 0} bytes, the most is ${this.maxBytes}`,
      );
    sys.copy(into, slot + LENGTH_BYTES, bytes);
    this.shift();
    return bytes;
  }

  /** Receives the oldest message's bytes, when there is one, to where there is room for `maxBytes`; how many they are, -1 at the end. Throws as `message`. */
  *receive(into: number): Steps<number> {
    let bytes = this.take(into);
    if (bytes < 0 && (yield* this.message())) bytes = this.take(into);
    yield* this.flush();
    return bytes;
  }
}

/** A declared channel: makes ends, and attaches to what another side made. All of it throws `IpcError` as `Memory.allocate` and `Memory.map` do. */
export interface ChannelKind<Sending extends Outlet, Receiving extends Inlet> {
  /** Makes a channel with room for at least so many messages, and has the end that sends. */
  makeSender(memory: Memory, messages: number): Steps<MadeChannel<Sending>>;
  /** Makes a channel with room for at least so many messages, and has the end that receives. */
  makeReceiver(memory: Memory, messages: number): Steps<MadeChannel<Receiving>>;
  /** The end that sends, of a channel whose maker receives. Throws `ChannelError`: `broken` if that declares other messages. */
  attachSender(memory: Memory, handles: ChannelHandles): Steps<Sending>;
  /** The end that receives, of a channel whose maker sends. Throws `ChannelError`: `broken` if that declares other messages. */
  attachReceiver(memory: Memory, handles: ChannelHandles): Steps<Receiving>;
}

/** Declares a channel whose messages are structs. */
export function channel<S extends StructShape>(
  type: Placed<unknown, StructValue<S>>,
): ChannelKind<Sender<StructValue<S>>, Receiver<StructValue<S>>> {
  return kindOf(
    type.bytes,
    type.description,
    (...end) => new Sender(type, ...end),
    (...end) => new Receiver(type, ...end),
  );
}

/** Declares a channel whose messages are bytes, at most so many each. Throws RangeError for less than one, or more than 2^30. */
export function byteChannel(maxBytes: number): ChannelKind<ByteSender, ByteReceiver> {
  if (!(Number.isSafeInteger(maxBytes) && maxBytes > 0 && maxBytes <= 2 ** 30))
    throw new RangeError(`a message has 1 to 2^30 bytes at most, not ${maxBytes}`);
  return kindOf(
    LENGTH_BYTES + maxBytes,
    `bytes<=${maxBytes}`,
    (...end) => new ByteSender(maxBytes, ...end),
    (...end) => new ByteReceiver(maxBytes, ...end),
  );
}

type EndArguments = ConstructorParameters<typeof End>;

function kindOf<Sending extends Outlet, Receiving extends Inlet>(
  bytes: number,
  description: string,
  sender: (...end: EndArguments) => Sending,
  receiver: (...end: EndArguments) => Receiving,
): ChannelKind<Sending, Receiving> {
  const slotBytes = Math.ceil(bytes / 8) * 8;
  const id = fingerprint(description);

  function* made<E>(
    memory: Memory,
    messages: number,
    isSender: boolean,
    endOf: (...end: EndArguments) => E,
  ): Steps<MadeChannel<E>> {
    if (!(Number.isSafeInteger(messages) && messages > 0))
      throw new RangeError(`channel: there is room for 1 message or more, not ${messages}`);
    const { owner } = memory;
    const { cspace, sys } = owner;
    const region = yield* memory.allocate(ringBytes(slotBytes, messages));
    const notifications: Made<NotificationMethods>[] = [];
    const given: Carried[] = [];
    try {
      for (let i = 0; i < 2; i++) notifications.push(yield* make(owner, Notification));
      const [waitsOn, signals] = notifications as [Made<NotificationMethods>, Made<NotificationMethods>];
      const frame = yield* cspace.copy(region.frame, ["read", "write", "map", "grant"]);
      given.push(frame);
      const wake = yield* cspace.mint(waitsOn.object, Signal.MOVED, ["send", "grant"]);
      given.push(wake);
      const wait = yield* cspace.copy(signals.object, ["receive", "grant"]);
      const place = {
        sys,
        address: region.address,
        bytes: region.bytes,
        waitsOn: waitsOn.object.handle,
        signals: signals.object.handle,
      };
      markRing(place, id);
      const ring = new Ring(place, slotBytes, isSender);
      const peer: ChannelPeer = [frame, wake, wait];
      return { end: endOf(memory, region, ring, { region, waitsOn, signals, peer }), peer };
    } catch (error) {
      for (const one of given) yield* cspace.drop(one);
      for (const one of notifications) yield* unmake(owner, one);
      yield* region.free();
      throw error;
    }
  }

  function* attached<E>(
    memory: Memory,
    handles: ChannelHandles,
    isSender: boolean,
    endOf: (...end: EndArguments) => E,
  ): Steps<E> {
    if (handles.length !== 3)
      throw new RangeError(`channel: an end is a frame and two notifications, not ${handles.length} handles`);
    const { cspace, sys } = memory.owner;
    const [given, signals, waitsOn] = handles.map(handleOf) as [number, number, number];
    const frame: MappableFrame = cspace.as(Frame, given, ["map"]);
    const region = yield* memory.map(frame);
    try {
      const place = { sys, address: region.address, bytes: region.bytes, waitsOn, signals };
      checkRing(place, id);
      return endOf(memory, region, new Ring(place, slotBytes, isSender), null);
    } catch (error) {
      yield* region.unmap();
      throw error;
    }
  }

  return Object.freeze({
    makeSender: (memory: Memory, messages: number) => made(memory, messages, true, sender),
    makeReceiver: (memory: Memory, messages: number) => made(memory, messages, false, receiver),
    attachSender: (memory: Memory, handles: ChannelHandles) => attached(memory, handles, true, sender),
    attachReceiver: (memory: Memory, handles: ChannelHandles) => attached(memory, handles, false, receiver),
  });
}
